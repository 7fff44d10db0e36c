#include "storage/rocks/rocks_store.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "storage/base/lent_thread.h"
#include "tests/temp_directory.h"

namespace tidemark::storage {
namespace {

class Owner : public LentThread {
 public:
  void TakeBack() override { ++taken_back; }
  int taken_back = 0;
};

std::shared_ptr<rocks::RocksStore> Open(const std::string& directory) {
  Result<std::shared_ptr<rocks::RocksStore>> store = rocks::RocksStore::Open(
      {.directory = directory, .file_system = nullptr, .cache_bytes = 1 << 20, .create = true, .on_error = nullptr});
  EXPECT_TRUE(store.ok()) << store.error().message;
  return std::move(store).value();
}

TEST(RocksStoreTest, ALentThreadIsTakenBackBeforeItReadsTheDisk) {
  const TempDirectory directory;
  const std::string value(20'000, 'v');
  {
    const auto store = Open(directory.path());
    rocks::RecordBatch batch;
    batch.Put(rocks::Family::kIndex, "key", value);
    ASSERT_TRUE(store->Write(batch).ok());
    ASSERT_TRUE(store->Flush().ok());
  }
  const auto store = Open(directory.path());
  const auto read_lent = [&](std::string_view key) {
    Owner owner;
    const LentThread::Scope scope(&owner);
    const Result<rocks::PageBytes> page = store->GetPage(rocks::Family::kIndex, key);
    EXPECT_EQ(page.ok(), key == "key");
    EXPECT_TRUE(!page.ok() || page->bytes == value);
    return owner.taken_back;
  };
  EXPECT_EQ(read_lent("key"), 1);
  EXPECT_EQ(read_lent("key"), 0) << "it is in the cache now";
  (void)read_lent("no such key");
}

}  // namespace
}  // namespace tidemark::storage

#include "storage/copy/copies.h"

#include <fmt/core.h>
#include <gtest/gtest.h>
#include <rocksdb/file_system.h>

#include <filesystem>
#include <fstream>
#include <limits>
#include <sstream>

#include "tests/temp_directory.h"

namespace tidemark::storage::copy {
namespace {

namespace fs = std::filesystem;
using model::DatabaseId;
using rocks::Family;

constexpr uint64_t kAll = std::numeric_limits<uint64_t>::max();
rocksdb::FileSystem* Files() { return rocksdb::FileSystem::Default().get(); }

std::string BytesOf(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream out;
  out << file.rdbuf();
  return out.str();
}

void Put(const std::string& path, const std::string& bytes) { std::ofstream(path, std::ios::binary) << bytes; }

// What can be read of a file, and how many of its bytes are whole.
std::pair<std::vector<Record>, uint64_t> Read(const std::string& path, uint64_t limit = kAll) {
  std::vector<Record> records;
  const auto whole = ReadRecordFile(Files(), path, limit, [&](std::string_view key, std::string_view value) {
    records.emplace_back(key, value);
    return Result<void>();
  });
  EXPECT_TRUE(whole.ok()) << whole.error().message;
  return {records, whole.value_or(0)};
}

TEST(RecordFileTest, DamageEndsItWhereverItIs) {
  const TempDirectory directory;
  const std::string path = directory.path() + "/file";
  std::string bytes;
  std::vector<Record> records;
  std::vector<size_t> ends{0};
  for (int block = 0; block < 3; ++block) {
    BlockWriter writer(&bytes);
    records.emplace_back(fmt::format("key {}", block), std::string(static_cast<size_t>(block) * 100, 'x'));
    writer.Add(records.back().first, records.back().second);
    writer.Finish();
    ends.push_back(bytes.size());
  }
  Put(path, bytes);
  EXPECT_EQ(Read(path), std::make_pair(records, uint64_t{bytes.size()}));
  EXPECT_EQ(Read(path, ends[2]).first.size(), 2U);
  EXPECT_EQ(Read(path, ends[2] + 5).second, ends[2]);
  const auto blocks_before = [&](size_t at) {
    size_t whole = 0;
    while (whole + 1 < ends.size() && ends[whole + 1] <= at) ++whole;
    return whole;
  };
  for (size_t at = 0; at < bytes.size(); ++at) {
    Put(path, bytes.substr(0, at));
    EXPECT_EQ(Read(path).second, ends[blocks_before(at)]) << "cut at " << at;
    for (const int bit : {0, 3, 7}) {
      std::string flipped = bytes;
      flipped[at] = static_cast<char>(flipped[at] ^ (1 << bit));
      Put(path, flipped);
      EXPECT_EQ(Read(path).first.size(), blocks_before(at)) << "flip at " << at << " bit " << bit;
    }
  }
}

class CopiesTest : public ::testing::Test {
 protected:
  CopiesTest() {
    auto opened = rocks::RocksStore::Open({.directory = directory() + "/rocksdb",
                                           .file_system = nullptr,
                                           .cache_bytes = 1 << 20,
                                           .create = true,
                                           .on_error = {}});
    EXPECT_TRUE(opened.ok());
    rocks_ = std::move(opened).value();
  }
  [[nodiscard]] std::string directory() const { return directory_.path(); }

  // An entry of an index, in RocksDB and among what a checkpoint has saved.
  void Name(uint32_t database, const std::string& key, const std::string& value) {
    rocks::RecordBatch batch;
    batch.Put(Family::kIndex, rocks::IndexKey(DatabaseId{database}, key), value);
    ASSERT_TRUE(rocks_->Write(batch).ok());
    if (IsCopied(key)) names_[DatabaseId{database}].push_back(key);
  }
  void Meta(const std::string& key, const std::string& value) {
    rocks::RecordBatch batch;
    batch.Put(Family::kMeta, key, value);
    ASSERT_TRUE(rocks_->Write(batch).ok());
  }
  void Keep(CopyKeeper* keeper, uint64_t before, uint64_t checkpoint, std::vector<DatabaseId> databases) {
    const auto kept = keeper->Keep(before, checkpoint, names_, databases);
    ASSERT_TRUE(kept.ok()) << kept.error().message;
    names_.clear();
  }
  [[nodiscard]] CopyKeeper Keeper() const { return {Files(), directory(), "store", rocks_.get()}; }
  // The newest value of each key of a file of names, as far as copy/meta says.
  [[nodiscard]] std::map<std::string, std::string> Names(uint32_t database) const {
    const auto meta = ReadMetaCopy(Files(), directory());
    if (!meta.ok() || !*meta || !(*meta)->head.names.contains(DatabaseId{database})) return {};
    std::map<std::string, std::string> out;
    const uint64_t bytes = (*meta)->head.names.at(DatabaseId{database}).bytes;
    const auto [records, whole] = Read(NamesPath(directory(), DatabaseId{database}), bytes);
    EXPECT_EQ(whole, bytes);
    for (const auto& [key, value] : records) out[key] = value;
    return out;
  }

  const TempDirectory directory_;
  std::shared_ptr<rocks::RocksStore> rocks_;
  std::map<DatabaseId, std::vector<std::string>> names_;  // keys
};

TEST_F(CopiesTest, NamesAreAppendedAndRecordsAreThoseOfTheCheckpoint) {
  CopyKeeper keeper = Keeper();
  Meta("store", "s");
  Meta("database/1", "d");
  Meta("page/1", "not copied");
  Name(1, "\1a", "one");
  Name(1, "\6f", "which series have which fields");
  Keep(&keeper, 0, 5, {DatabaseId{1}});
  EXPECT_EQ(Names(1), (std::map<std::string, std::string>{{"\1a", "one"}}));
  const std::string before = BytesOf(NamesPath(directory(), DatabaseId{1}));
  Name(1, "\1a", "one, two");
  Name(2, "\1b", "other");
  Meta("document/x", "text");
  Keep(&keeper, 5, 9, {DatabaseId{1}, DatabaseId{2}});
  EXPECT_TRUE(BytesOf(NamesPath(directory(), DatabaseId{1})).starts_with(before)) << "it was appended";
  EXPECT_EQ(Names(1), (std::map<std::string, std::string>{{"\1a", "one, two"}}));
  EXPECT_EQ(Names(2), (std::map<std::string, std::string>{{"\1b", "other"}}));
  const auto meta = ReadMetaCopy(Files(), directory());
  ASSERT_TRUE(meta.ok() && *meta);
  EXPECT_EQ((*meta)->head.store_id, "store");
  EXPECT_EQ((*meta)->head.checkpoint_sequence, 9U);
  EXPECT_EQ((*meta)->records, (std::vector<Record>{{"store", "s"}, {"database/1", "d"}, {"document/x", "text"}}));
  Keep(&keeper, 9, 10, {DatabaseId{2}});
  EXPECT_FALSE(fs::exists(NamesPath(directory(), DatabaseId{1}))) << "a database that was dropped";
}

TEST_F(CopiesTest, OfTwoTheNewestThatIsWholeCounts) {
  CopyKeeper keeper = Keeper();
  Keep(&keeper, 0, 1, {});
  Keep(&keeper, 1, 2, {});
  const auto checkpoint = [&]() -> uint64_t {
    const auto meta = ReadMetaCopy(Files(), directory());
    return meta.ok() && *meta ? (*meta)->head.checkpoint_sequence : 0;
  };
  EXPECT_EQ(checkpoint(), 2U);
  std::string bytes = BytesOf(MetaPath(directory()));
  bytes[bytes.size() / 2] ^= 1;
  Put(MetaPath(directory()), bytes);
  EXPECT_EQ(checkpoint(), 1U);
  fs::remove(OldMetaPath(directory()));
  EXPECT_EQ(checkpoint(), 0U);
}

// After a crash between the names and copy/meta, of another store, or when half of it is dead.
TEST_F(CopiesTest, AFileThatIsNotThatOfTheCheckpointBeforeIsMadeAnew) {
  const std::string path = NamesPath(directory(), DatabaseId{1});
  {
    CopyKeeper keeper = Keeper();
    Name(1, "\1a", "one");
    Keep(&keeper, 0, 5, {DatabaseId{1}});
  }
  {
    // As the next start goes on.
    CopyKeeper keeper = Keeper();
    const std::string before = BytesOf(path);
    Name(1, "\1b", "two");
    Keep(&keeper, 5, 6, {DatabaseId{1}});
    EXPECT_TRUE(BytesOf(path).starts_with(before));
    EXPECT_EQ(Names(1).size(), 2U);
  }
  {
    CopyKeeper keeper = Keeper();
    Name(1, "\1c", "three");
    names_.clear();  // that checkpoint was not copied
    Keep(&keeper, 7, 8, {DatabaseId{1}});
    EXPECT_EQ(Names(1).size(), 3U);
  }
  {
    CopyKeeper keeper = Keeper();
    std::ofstream(path, std::ios::app) << "what a checkpoint that was cut short left";
    Keep(&keeper, 8, 9, {DatabaseId{1}});
    EXPECT_EQ(Read(path).second, fs::file_size(path));
    EXPECT_EQ(Names(1).size(), 3U);
    // Ever the same key: what is dead does not grow without end.
    std::string noise(100'000, '\0');
    for (uint64_t i = 0; i < 60; ++i) {
      for (size_t at = 0; at < noise.size(); ++at) noise[at] = static_cast<char>((at * 2654435761U + i * 40503U) >> 7);
      Name(1, "\1d", noise);
      Keep(&keeper, 9 + i, 10 + i, {DatabaseId{1}});
    }
    EXPECT_LT(fs::file_size(path), 3U << 20);
    EXPECT_EQ(Names(1).at("\1d"), noise);
  }
}

}  // namespace
}  // namespace tidemark::storage::copy

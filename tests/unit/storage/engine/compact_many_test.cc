// What a compaction of many small partitions costs: it follows their bytes, not their number.
#include <fmt/core.h>
#include <rocksdb/file_system.h>

#include <atomic>

#include "tests/unit/storage/engine/store_fixture.h"

namespace tidemark::storage {
namespace {

// Counts what waits for the disk.
class CountingFiles final : public rocksdb::FileSystemWrapper {
 public:
  CountingFiles() : rocksdb::FileSystemWrapper(rocksdb::FileSystem::Default()) {}
  [[nodiscard]] const char* Name() const override { return "CountingFiles"; }
  std::atomic<uint64_t> syncs = 0;
  std::atomic<uint64_t> made = 0;

  rocksdb::IOStatus NewWritableFile(const std::string& path, const rocksdb::FileOptions& options,
                                    std::unique_ptr<rocksdb::FSWritableFile>* file,
                                    rocksdb::IODebugContext* debug) override {
    ++made;
    rocksdb::IOStatus status = target()->NewWritableFile(path, options, file, debug);
    if (status.ok()) *file = std::make_unique<Writable>(std::move(*file), &syncs);
    return status;
  }
  rocksdb::IOStatus NewRandomRWFile(const std::string& path, const rocksdb::FileOptions& options,
                                    std::unique_ptr<rocksdb::FSRandomRWFile>* file,
                                    rocksdb::IODebugContext* debug) override {
    rocksdb::IOStatus status = target()->NewRandomRWFile(path, options, file, debug);
    if (status.ok()) *file = std::make_unique<RandomRw>(std::move(*file), &syncs);
    return status;
  }

 private:
  class Writable final : public rocksdb::FSWritableFileOwnerWrapper {
   public:
    Writable(std::unique_ptr<rocksdb::FSWritableFile> file, std::atomic<uint64_t>* syncs)
        : rocksdb::FSWritableFileOwnerWrapper(std::move(file)), syncs_(*syncs) {}
    rocksdb::IOStatus Sync(const rocksdb::IOOptions& options, rocksdb::IODebugContext* debug) override {
      ++syncs_;
      return target()->Sync(options, debug);
    }
    rocksdb::IOStatus Fsync(const rocksdb::IOOptions& options, rocksdb::IODebugContext* debug) override {
      ++syncs_;
      return target()->Fsync(options, debug);
    }

   private:
    std::atomic<uint64_t>& syncs_;
  };
  class RandomRw final : public rocksdb::FSRandomRWFileOwnerWrapper {
   public:
    RandomRw(std::unique_ptr<rocksdb::FSRandomRWFile> file, std::atomic<uint64_t>* syncs)
        : rocksdb::FSRandomRWFileOwnerWrapper(std::move(file)), syncs_(*syncs) {}
    rocksdb::IOStatus Sync(const rocksdb::IOOptions& options, rocksdb::IODebugContext* debug) override {
      ++syncs_;
      return target()->Sync(options, debug);
    }

   private:
    std::atomic<uint64_t>& syncs_;
  };
};

class CompactManyTest : public StoreFixture {
 protected:
  // One row of each of so many hours, written twice, and folded; counts into `files` from there on.
  void Compact(int64_t hours) {
    StoreOptions options = Options();
    options.directory += fmt::format("-{}", hours);
    options.file_system = files_;
    options.small_epoch_bytes = StoreOptions().small_epoch_bytes;
    options.new_database.partition_ns = kNsPerHour;
    options.longest_merge_ns = 0;  // each is folded by itself
    Open(std::move(options));
    for (int64_t half = 0; half < 2; ++half) {
      model::BatchBuilder rows;
      for (int64_t hour = 0; hour < hours; ++hour) {
        rows.Row("m", {{"s", "1"}}, {hour * kNsPerHour + half}).Field("v", static_cast<double>(hour + half));
      }
      Write(rows.batch());
      ASSERT_TRUE(store_->Checkpoint().ok());
    }
    ASSERT_EQ(store_->Stats().epochs, 2 * static_cast<uint64_t>(hours));
    files_->syncs = files_->made = 0;
    const auto done = store_->Compact({}, {}, {});
    ASSERT_TRUE(done.ok()) << done.error().message;
    EXPECT_EQ(done->partitions_done, static_cast<uint64_t>(hours));
    EXPECT_EQ(store_->Stats().epochs, static_cast<uint64_t>(hours));
    EXPECT_EQ(store_->Stats().sealed_epochs, static_cast<uint64_t>(hours));
    EXPECT_EQ(Read({Equal("s", "1")}).size(), 2 * static_cast<size_t>(hours));
  }

  const std::shared_ptr<CountingFiles> files_ = std::make_shared<CountingFiles>();
};

TEST_F(CompactManyTest, SyncsAndFilesDoNotFollowTheirNumber) {
  Compact(100);
  const uint64_t few_syncs = files_->syncs;
  const uint64_t few_files = files_->made;
  Compact(1000);
  EXPECT_LE(files_->syncs, few_syncs + 8) << "of ten times as many, which together have some kilobytes";
  EXPECT_LE(files_->made, few_files + 4);
  EXPECT_LE(files_->syncs, 40U);
}

// A partition that goes while others are folded with it takes nothing of them away.
TEST_F(CompactManyTest, ADatabaseThatIsDroppedMeanwhileIsNotFoldedFurther) {
  Open(Options());
  for (int64_t half = 0; half < 2; ++half) {
    for (int64_t day = 0; day < 4; ++day) WriteDouble("a", day * 24 * kNsPerHour + half, 1);
    ASSERT_TRUE(store_->Checkpoint().ok());
  }
  const auto done = store_->Compact({}, {}, [&](const CompactionProgress&) { (void)store_->DropDatabase("default"); });
  ASSERT_TRUE(done.ok()) << done.error().message;
  EXPECT_EQ(store_->Stats().epochs, 0U);
  EXPECT_FALSE(store_->HasDatabase("default"));
}

}  // namespace
}  // namespace tidemark::storage

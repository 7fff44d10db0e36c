// The end of RocksDB's logs, on logs that RocksDB itself writes.
#include "storage/rocks/rocks_log.h"

#include <gtest/gtest.h>
#include <rocksdb/db.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <random>
#include <string>

#include "tests/temp_directory.h"
#include "tests/test_seed.h"

namespace tidemark::storage {
namespace {

// The log of a database into which values of these sizes were written, each synced.
std::string LogOf(const std::vector<size_t>& sizes) {
  const TempDirectory directory;
  rocksdb::Options options;
  options.create_if_missing = true;
  rocksdb::DB* opened = nullptr;
  EXPECT_TRUE(rocksdb::DB::Open(options, directory.path(), &opened).ok());
  const std::unique_ptr<rocksdb::DB> db(opened);
  rocksdb::WriteOptions write;
  write.sync = true;
  for (size_t i = 0; i < sizes.size(); ++i) {
    EXPECT_TRUE(db->Put(write, "key" + std::to_string(i), std::string(sizes[i], static_cast<char>('a' + i % 20))).ok());
  }
  for (const auto& entry : std::filesystem::directory_iterator(directory.path())) {
    if (entry.path().extension() != ".log") continue;
    std::ifstream file(entry.path(), std::ios::binary);
    return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  }
  ADD_FAILURE() << "there is no log";
  return {};
}

// In one block, over several, and one that ends within a header's length of a block's end.
const std::vector<size_t> kSizes = {100, 40'000, 10, 32'768 - 7'000, 7'100, 90'000, 50};

TEST(RocksLogTest, AWholeLogIsWholeAlsoWithZerosBehindIt) {
  const std::string log = LogOf(kSizes);
  ASSERT_GT(log.size(), 150'000U);
  EXPECT_EQ(rocks::ClassifyLog(log), rocks::LogEnd::kWhole);
  EXPECT_EQ(rocks::ClassifyLog(log + std::string(100'000, '\0')), rocks::LogEnd::kWhole);
  EXPECT_EQ(rocks::ClassifyLog({}), rocks::LogEnd::kWhole);
}

TEST(RocksLogTest, AnyCutIsTornOrBetweenTwoRecords) {
  const std::string log = LogOf(kSizes);
  std::mt19937_64 random(TestSeed());
  int whole = 0;
  for (int i = 0; i < 200; ++i) {
    const rocks::LogEnd end = rocks::ClassifyLog(std::string_view(log).substr(0, random() % log.size()));
    EXPECT_NE(end, rocks::LogEnd::kDamaged);
    whole += end == rocks::LogEnd::kWhole ? 1 : 0;
  }
  EXPECT_LT(whole, 20);
}

TEST(RocksLogTest, AFlipBeforeTheLastRecordIsDamageAndOneInItMayBeATornWrite) {
  const std::string log = LogOf(kSizes);
  const std::string front = LogOf({kSizes.begin(), kSizes.end() - 1});
  std::mt19937_64 random(TestSeed());
  for (int i = 0; i < 200; ++i) {
    std::string flipped = log;
    const size_t at = random() % log.size();
    flipped[at] = static_cast<char>(flipped[at] ^ (1 << random() % 8));
    // Zeros that fill a block up are nobody's.
    if (rocks::ClassifyLog(flipped) == rocks::LogEnd::kWhole) continue;
    EXPECT_EQ(rocks::ClassifyLog(flipped), at < front.size() ? rocks::LogEnd::kDamaged : rocks::LogEnd::kTorn)
        << "at " << at;
  }
}

TEST(RocksLogTest, ALastRecordOfWhichSectorsAreMissingIsTorn) {
  const std::string log = LogOf({100, 90'000});
  const size_t begin = LogOf({100}).size();
  std::mt19937_64 random(TestSeed());
  for (int i = 0; i < 100; ++i) {
    std::string torn = log;
    const size_t sector = (begin / 512 + 1 + random() % ((log.size() - begin) / 512 - 1)) * 512;
    torn.replace(sector, 512, 512, '\0');
    EXPECT_EQ(rocks::ClassifyLog(torn), rocks::LogEnd::kTorn) << "sector at " << sector;
  }
}

}  // namespace
}  // namespace tidemark::storage

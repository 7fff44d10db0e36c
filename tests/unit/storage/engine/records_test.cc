// Keys, records of meta, directories and journal records: what they say comes back, and damage is found.
#include <fmt/core.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <limits>
#include <vector>

#include "storage/base/hash.h"
#include "storage/database/database_state.h"
#include "storage/database/journal_record.h"
#include "storage/meta/meta_records.h"
#include "storage/partition/page_directory.h"
#include "storage/rocks/keys.h"
#include "storage/rocks/store_identity.h"

namespace tidemark::storage {
namespace {

TEST(KeysTest, BytesSortAsNumbersDo) {
  const auto key = [](uint32_t database, int64_t start, uint64_t epoch, uint8_t tier, uint32_t field, uint32_t part) {
    return rocks::PageKey{
        model::DatabaseId{database}, start, epoch, tier, model::MeasurementId{1}, model::FieldId{field},
        model::SeriesId{0x01020304}, part};
  };
  const std::vector<rocks::PageKey> sorted = {key(1, std::numeric_limits<int64_t>::min(), 9, 0, 1, 0),
                                              key(1, -1, 9, 0, 1, 0),
                                              key(1, 0, 8, 255, 0, 0),
                                              key(1, 0, 9, 0, 255, 0),
                                              key(1, 0, 9, 0, 256, 0),
                                              key(1, 0, 9, 0, 256, 1),
                                              key(1, 0, 9, 1, 1, 0),
                                              key(2, -5, 1, 0, 1, 0)};
  for (size_t i = 0; i + 1 < sorted.size(); ++i)
    EXPECT_LT(rocks::EncodePageKey(sorted[i]), rocks::EncodePageKey(sorted[i + 1])) << i;
  for (const rocks::PageKey& k : sorted) {
    auto decoded = rocks::DecodePageKey(rocks::EncodePageKey(k));
    ASSERT_TRUE(decoded.ok());
    EXPECT_EQ(*decoded, k);
    const rocks::KeyRange range = rocks::EpochKeys(k.database, k.partition_start_ns, k.epoch);
    EXPECT_LE(range.first, rocks::EncodePageKey(k));
    EXPECT_GT(range.end, rocks::EncodePageKey(k));
  }
  EXPECT_FALSE(rocks::DecodePageKey("short").ok());
}

TEST(KeysTest, TheExampleOfTheFormatHolds) {
  const rocks::PageKey key{model::DatabaseId{1}, 1'700'006'400'000'000'000, 7, 0, model::MeasurementId{2},
                           model::FieldId{3},    model::SeriesId{4},        5};
  std::string hex;
  for (const char c : rocks::EncodePageKey(key)) hex += fmt::format("{:02x}", static_cast<unsigned char>(c));
  EXPECT_EQ(hex,
            "00000001"
            "9797a2d053e40000"
            "0000000000000007"
            "00"
            "00000002"
            "00000003"
            "00000004"
            "00000005");
}

TEST(MetaRecordsTest, WhatIsWrittenIsRead) {
  const meta::StoreRecord store{meta::kFormatVersion, 7, 1ULL << 40, 12345};
  EXPECT_EQ(*meta::DecodeStoreRecord(Encode(store)), store);
  const meta::DatabaseRecord database{model::DatabaseId{3}, "telemetry", {kNsPerHour, 30 * kNsPerDay, 100'000'000}};
  EXPECT_EQ(*meta::DecodeDatabaseRecord(Encode(database)), database);
  meta::EpochRecord epoch{model::DatabaseId{3}, -kNsPerDay, kNsPerDay, 9, 4, 1000, 1 << 20, 77, {{-5}, {5}}};
  EXPECT_EQ(*meta::DecodeEpochRecord(Encode(epoch)), epoch);
}

TEST(MetaRecordsTest, EveryFlippedBitIsFound) {
  const std::string bytes = Encode(meta::EpochRecord{model::DatabaseId{3}, 0, kNsPerDay, 9, 4, 10, 20, 30, {}});
  for (size_t bit = 0; bit < bytes.size() * 8; ++bit) {
    std::string damaged = bytes;
    damaged[bit / 8] = static_cast<char>(damaged[bit / 8] ^ (1 << (bit % 8)));
    auto decoded = meta::DecodeEpochRecord(damaged);
    ASSERT_FALSE(decoded.ok()) << bit;
    EXPECT_EQ(decoded.error().code, ErrorCode::kCorruption);
  }
  for (size_t size = 0; size < bytes.size(); ++size) EXPECT_FALSE(meta::DecodeEpochRecord(bytes.substr(0, size)).ok());
}

TEST(MetaRecordsTest, AnotherFormatVersionIsRefusedNamingBoth) {
  meta::StoreRecord later;
  later.format_version = meta::kFormatVersion + 41;
  auto decoded = meta::DecodeStoreRecord(Encode(later));
  ASSERT_FALSE(decoded.ok());
  EXPECT_EQ(decoded.error().code, ErrorCode::kUnsupported);
  EXPECT_THAT(decoded.error().message, testing::HasSubstr(fmt::format("version {}", meta::kFormatVersion + 41)));
  EXPECT_THAT(decoded.error().message, testing::HasSubstr(fmt::format("version {}", meta::kFormatVersion)));
}

TEST(MetaRecordsTest, AllVersionsOfAStoreAreRead) {
  for (const uint32_t version : {meta::kFormatVersion, meta::kFieldChainVersion, meta::kNewFramesVersion}) {
    const meta::StoreRecord store{version, 7, 9, 12345};
    EXPECT_EQ(*meta::DecodeStoreRecord(Encode(store)), store);
  }
  for (const uint32_t version : {0U, meta::kNewestFormatVersion + 1}) {
    const meta::StoreRecord store{version, 7, 9, 12345};
    EXPECT_EQ(meta::DecodeStoreRecord(Encode(store)).error().code, ErrorCode::kUnsupported);
  }
}

TEST(MetaRecordsTest, OnlyADatabaseThatRefusesNeedsALaterLayout) {
  meta::DatabaseRecord database{model::DatabaseId{3}, "telemetry", {kNsPerHour, 30 * kNsPerDay, 100'000'000}};
  EXPECT_EQ(Encode(database)[0], 2);
  database.options.type_conflicts = model::TypeConflicts::kRefuse;
  EXPECT_EQ(Encode(database)[0], 3);
  EXPECT_EQ(*meta::DecodeDatabaseRecord(Encode(database)), database);
}

partition::PageInfo Page(uint32_t field, uint32_t first, uint32_t last, uint32_t part = 0) {
  partition::PageInfo page;
  page.measurement = model::MeasurementId{1};
  page.field = model::FieldId{field};
  page.first_series = model::SeriesId{first};
  page.last_series = model::SeriesId{last};
  page.part = part;
  page.bytes = 1000 + first;
  page.rows = 10;
  page.range = {{int64_t{first}}, {int64_t{first} + 100}};
  return page;
}

TEST(PageDirectoryTest, FindsThePagesOfASeries) {
  const partition::PageDirectory directory(
      {Page(1, 1, 10), Page(1, 11, 20), Page(1, 21, 21, 0), Page(1, 21, 21, 1), Page(1, 30, 40), Page(2, 5, 5)},
      {kNsPerHour});
  const partition::PageRange field = directory.OfField(rocks::kRawTier, model::MeasurementId{1}, model::FieldId{1});
  EXPECT_EQ(field.begin, 0U);
  EXPECT_EQ(field.end, 5U);
  const auto of = [&](uint32_t series) {
    const partition::PageRange range = directory.OfSeries(field, model::SeriesId{series});
    return std::pair(range.begin, range.end);
  };
  EXPECT_EQ(of(1), std::pair(size_t{0}, size_t{1}));
  EXPECT_EQ(of(15), std::pair(size_t{1}, size_t{2}));
  EXPECT_EQ(of(21), std::pair(size_t{2}, size_t{4}));
  EXPECT_EQ(of(25).first, of(25).second);
  EXPECT_EQ(of(99).first, of(99).second);
  EXPECT_TRUE(directory.OfField(rocks::kRawTier, model::MeasurementId{2}, model::FieldId{1}).empty());
  EXPECT_EQ(directory.tier_widths_ns(), std::vector<int64_t>{kNsPerHour});
  EXPECT_EQ(directory.rows(), 60U);
}

TEST(PageDirectoryTest, WhatIsWrittenIsReadAndDamageIsFound) {
  partition::PageInfo far = Page(3, 7, 9);
  far.range = {model::kMinTime, model::kMaxTime};
  const partition::PageDirectory directory({Page(1, 1, 10), Page(1, 11, 20), far}, {kNsPerHour, kNsPerDay});
  const std::string bytes = directory.Encode();
  auto decoded = partition::PageDirectory::Decode(bytes);
  ASSERT_TRUE(decoded.ok()) << decoded.error().message;
  EXPECT_EQ(decoded->pages(), directory.pages());
  EXPECT_EQ(decoded->tier_widths_ns(), directory.tier_widths_ns());
  for (size_t i = 0; i < bytes.size(); ++i) {
    std::string damaged = bytes;
    damaged[i] = static_cast<char>(damaged[i] ^ 0x10);
    EXPECT_FALSE(partition::PageDirectory::Decode(damaged).ok()) << i;
  }
}

TEST(JournalRecordTest, WhatIsWrittenIsRead) {
  std::string bytes;
  const database::JournalRecord record{model::DatabaseId{5}, "definitions", "batch"};
  database::EncodeRecord(record, &bytes);
  EXPECT_EQ(*database::DecodeRecord(bytes), record);
  EXPECT_FALSE(database::DecodeRecord("").ok());
  EXPECT_FALSE(database::DecodeRecord(std::string_view(bytes).substr(0, 6)).ok());
  bytes[0] = 9;
  EXPECT_EQ(database::DecodeRecord(bytes).error().code, ErrorCode::kUnsupported);
}

TEST(PartitionTest, CoversAllTimeWithoutGaps) {
  EXPECT_EQ(partition::PartitionOf(0, 100), (partition::PartitionBounds{0, 99}));
  EXPECT_EQ(partition::PartitionOf(99, 100), (partition::PartitionBounds{0, 99}));
  EXPECT_EQ(partition::PartitionOf(-1, 100), (partition::PartitionBounds{-100, -1}));
  EXPECT_EQ(partition::PartitionOf(-100, 100), (partition::PartitionBounds{-100, -1}));
  const partition::PartitionBounds first = partition::PartitionOf(std::numeric_limits<int64_t>::min(), kNsPerDay);
  EXPECT_EQ(first.start_ns, std::numeric_limits<int64_t>::min());
  EXPECT_EQ(partition::PartitionOf(first.end_ns + 1, kNsPerDay).start_ns, first.end_ns + 1);
  EXPECT_EQ(partition::PartitionOf(std::numeric_limits<int64_t>::max(), kNsPerDay).end_ns,
            std::numeric_limits<int64_t>::max());
}

TEST(PartitionTest, RowsGoIntoThePartitionThatIsThere) {
  database::DatabaseState state;
  meta::EpochRecord record;
  record.partition_start_ns = 100;
  record.partition_ns = 50;
  state.epochs.push_back(
      std::make_shared<const partition::Epoch>(record, nullptr, std::make_shared<rocks::Graveyard>()));
  // Partitions are 200 long now.
  const std::vector<partition::PartitionBounds> fitted = database::FitPartitions(state, {{0, 199}, {200, 399}});
  EXPECT_THAT(fitted, testing::ElementsAre(partition::PartitionBounds{0, 99}, partition::PartitionBounds{100, 149},
                                           partition::PartitionBounds{150, 199}, partition::PartitionBounds{200, 399}));
  // Or 20 long.
  EXPECT_THAT(database::FitPartitions(state, {{80, 99}, {100, 119}, {140, 159}}),
              testing::ElementsAre(partition::PartitionBounds{80, 99}, partition::PartitionBounds{100, 149},
                                   partition::PartitionBounds{150, 159}));
}

// FORMAT.md, "Identity".
constexpr std::string_view kIdentityExample =
    "# Tidemark keeps a store in this directory. Do not delete this file.\n"
    "format 1\n"
    "id 0f1e2d3c4b5a69788796a5b4c3d2e1f0\n"
    "state ready\n"
    "checksum d3f858acd05551c8\n";

TEST(StoreIdentityTest, TheExampleOfTheFormatHolds) {
  const rocks::StoreIdentity identity{"0f1e2d3c4b5a69788796a5b4c3d2e1f0", rocks::StoreIdentity::State::kReady};
  EXPECT_EQ(Encode(identity), kIdentityExample);
  auto decoded = rocks::DecodeIdentity(kIdentityExample);
  ASSERT_TRUE(decoded.ok()) << decoded.error().message;
  EXPECT_EQ(*decoded, identity);
}

TEST(StoreIdentityTest, EveryFlippedBitIsDamage) {
  for (size_t at = 0; at < kIdentityExample.size() * 8; ++at) {
    std::string flipped(kIdentityExample);
    flipped[at / 8] = static_cast<char>(flipped[at / 8] ^ (1 << at % 8));
    auto decoded = rocks::DecodeIdentity(flipped);
    ASSERT_FALSE(decoded.ok()) << at;
    EXPECT_EQ(decoded.error().code, ErrorCode::kCorruption) << at;
  }
  for (size_t size = 0; size < kIdentityExample.size(); ++size) {
    EXPECT_FALSE(rocks::DecodeIdentity(kIdentityExample.substr(0, size)).ok()) << size;
  }
}

TEST(StoreIdentityTest, ALaterFormatIsRefusedByItsNumber) {
  std::string later(kIdentityExample.substr(0, kIdentityExample.find("checksum")));
  later.replace(later.find("format 1"), 8, "format 2");
  later += fmt::format("checksum {:016x}\n", Hash64(later, 0));
  auto decoded = rocks::DecodeIdentity(later);
  ASSERT_FALSE(decoded.ok());
  EXPECT_EQ(decoded.error().code, ErrorCode::kUnsupported);
  EXPECT_NE(decoded.error().message.find("format 2"), std::string::npos) << decoded.error().message;
}

}  // namespace
}  // namespace tidemark::storage

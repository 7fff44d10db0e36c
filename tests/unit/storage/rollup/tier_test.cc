// Tier pages: what the writer is given is what the reader gives back, whole buckets inside a range only.
#include <gtest/gtest.h>

#include <algorithm>
#include <limits>
#include <map>
#include <random>

#include "storage/rollup/tier_reader.h"
#include "storage/rollup/tier_writer.h"
#include "tests/test_seed.h"
#include "tests/unit/storage/rollup/bucket_data.h"

namespace tidemark::rollup {
namespace {

using model::FieldId;
using model::FieldType;
using model::SeriesId;

// Buckets [begin, end) alone.
BucketArrays Slice(BucketArrays b, size_t begin, size_t end) {
  for (std::vector<int64_t>* array :
       {&b.bucket, &b.count, &b.first_ns, &b.last_ns, &b.min, &b.max, &b.first, &b.last, &b.sum, &b.increase}) {
    if (!array->empty())
      *array = std::vector<int64_t>(array->begin() + static_cast<long>(begin), array->begin() + static_cast<long>(end));
  }
  return b;
}

TEST(Tier, RandomBucketsComeBack) {
  std::mt19937_64 random(TestSeed());
  for (int round = 0; round < 30; ++round) {
    const auto width = static_cast<int64_t>(1 + random() % 500);
    TierWriter writer(width, {.max_buckets = 1 + static_cast<uint32_t>(random() % 1000)});
    std::map<std::pair<uint32_t, uint32_t>, BucketArrays> expected;
    for (uint32_t series = 1; series < 20; ++series) {
      Rows rows = RandomRows(random);
      BucketArrays buckets = Build(rows.view(), width);
      // One field per type, as in a store.
      buckets.ref = {FieldId{static_cast<uint32_t>(buckets.type)}, SeriesId{series * 3}};
      writer.Add(buckets);
      expected[{model::Number(buckets.ref.field), series * 3}] = buckets;
    }
    size_t found = 0;
    uint64_t bucket_count = 0;
    for (const page::EncodedPage& page : writer.Finish()) {
      EXPECT_EQ(page.kind, page::PageKind::kTier);
      const auto reader = TierReader::Open(page.bytes, page::Checksum::kVerify);
      ASSERT_TRUE(reader.ok()) << reader.error().message;
      EXPECT_EQ(reader->width_ns(), width);
      EXPECT_EQ(reader->series().front(), page.first_series);
      EXPECT_EQ(reader->series().back(), page.last_series);
      for (const SeriesId series : reader->series()) {
        const BucketArrays& source = expected.at({model::Number(page.field), model::Number(series)});
        BucketArrays read;
        ASSERT_TRUE(reader->Read(series, {}, &read).ok());
        ExpectSame(read, source);
        EXPECT_EQ(read.ref, source.ref);
        const size_t a = random() % source.size();
        const size_t b = a + random() % (source.size() - a);
        const model::TimeRange range{{BucketEnd(source.bucket[a] - 1, width) + 1},
                                     {BucketEnd(source.bucket[b], width)}};
        EXPECT_LE(page.range.first, range.first);
        EXPECT_GE(page.range.last, range.last);
        ASSERT_TRUE(reader->Read(series, range, &read).ok());
        ExpectSame(read, Slice(source, a, b + 1));
        // One nanosecond less on both sides, and the buckets at the ends do not lie whole inside.
        ASSERT_TRUE(reader->Read(series, {{range.first.ns + 1}, {range.last.ns - 1}}, &read).ok());
        ExpectSame(read, a + 1 <= b ? Slice(source, a + 1, b) : Slice(source, 0, 0));
        ++found;
        bucket_count += source.size();
      }
    }
    EXPECT_EQ(found, expected.size());
    EXPECT_GT(bucket_count, 0u);
    if (HasFailure()) return;
  }
}

TEST(Tier, ExtremeWordsWrapAround) {
  const Rows rows{.times = {model::kMinTime.ns, -1, 0, 1, model::kMaxTime.ns},
                  .ints = {std::numeric_limits<int64_t>::min(), std::numeric_limits<int64_t>::max(), 0, -1,
                           std::numeric_limits<int64_t>::min()}};
  BucketArrays buckets = Build(rows.view(), 3'600'000'000'000);
  buckets.ref = {FieldId{1}, SeriesId{1}};
  TierWriter writer(3'600'000'000'000);
  writer.Add(buckets);
  const auto pages = writer.Finish();
  ASSERT_EQ(pages.size(), 1u);
  const auto reader = TierReader::Open(pages[0].bytes, page::Checksum::kVerify);
  ASSERT_TRUE(reader.ok());
  BucketArrays read;
  ASSERT_TRUE(reader->Read(SeriesId{1}, {}, &read).ok());
  ExpectSame(read, buckets);
}

TEST(Tier, SeriesThatAreNotThereHaveNoBuckets) {
  const Rows rows{.times = {1}, .ints = {1}};
  BucketArrays buckets = Build(rows.view(), 10);
  buckets.ref = {FieldId{1}, SeriesId{5}};
  TierWriter writer(10);
  writer.Add(buckets);
  const auto pages = writer.Finish();
  const auto reader = TierReader::Open(pages[0].bytes, page::Checksum::kVerify);
  ASSERT_TRUE(reader.ok());
  BucketArrays read = buckets;
  for (const uint32_t series : {4u, 6u}) {
    ASSERT_TRUE(reader->Read(SeriesId{series}, {}, &read).ok());
    EXPECT_EQ(read.size(), 0u);
  }
  EXPECT_TRUE(writer.Finish().empty());
}

TEST(Tier, AnExactIncreaseThatIsNotThereIsNotRead) {
  const Rows rows{.times = {1, 2, 3}, .ints = {1, 2, 3}};
  BucketArrays buckets = Build(rows.view(), 10);
  buckets.ref = {FieldId{1}, SeriesId{1}};
  buckets.has_increase = false;
  buckets.exact_increase = true;
  buckets.increase.clear();
  TierWriter writer(10);
  writer.Add(buckets);
  const auto pages = writer.Finish();
  const auto reader = TierReader::Open(pages[0].bytes, page::Checksum::kVerify);
  ASSERT_TRUE(reader.ok());
  BucketArrays read;
  ASSERT_TRUE(reader->Read(SeriesId{1}, {}, &read).ok());
  EXPECT_TRUE(read.increase.empty());
  EXPECT_FALSE(read.exact_increase);
}

TEST(Tier, DamagedPagesAreRefusedOrHarmless) {
  std::mt19937_64 random(TestSeed());
  TierWriter writer(50);
  for (uint32_t series = 1; series < 12; ++series) {
    Rows rows = RandomRows(random);
    rows.type = FieldType::kInt;
    rows.scale = 0;
    rows.floats.clear();
    rows.ints.resize(rows.times.size(), 3);
    BucketArrays buckets = Build(rows.view(), 50);
    buckets.ref = {FieldId{1}, SeriesId{series}};
    writer.Add(buckets);
  }
  const std::string good = writer.Finish().at(0).bytes;
  size_t opened = 0;
  for (int round = 0; round < 3000; ++round) {
    std::string damaged = good;
    if (random() % 4 == 0) damaged.resize(random() % good.size());
    for (uint64_t flips = 1 + random() % 3; flips > 0 && !damaged.empty(); --flips) {
      damaged[random() % damaged.size()] = static_cast<char>(random());
    }
    // In an allocation of exactly its size, for the address sanitizer.
    const std::vector<char> exact(damaged.begin(), damaged.end());
    const std::string_view view(exact.data(), exact.size());
    EXPECT_TRUE(damaged == good || !TierReader::Open(view, page::Checksum::kVerify).ok());
    const auto reader = TierReader::Open(view, page::Checksum::kTrusted);
    if (!reader.ok()) continue;
    ++opened;
    BucketArrays buckets;
    for (const SeriesId series : reader->series()) {
      if (!reader->Read(series, {{-1000}, {10'000}}, &buckets).ok()) continue;
      EXPECT_EQ(buckets.count.size(), buckets.size());
    }
  }
  EXPECT_GT(opened, 0u);
}

// A walk like TSBS': 360 rows of 10 s an hour, a day of them.
TEST(Tier, AnHourOfIntegersTakesFewBytes) {
  std::mt19937_64 random(1);
  std::normal_distribution<double> step(0, 1);
  TierWriter writer(3'600'000'000'000);
  uint64_t buckets = 0;
  for (uint32_t series = 1; series <= 200; ++series) {
    Rows rows;
    double value = 50;
    for (int64_t i = 0; i < 8640; ++i) {
      value = std::clamp(value + step(random), 0.0, 100.0);
      rows.times.push_back(1'700'000'000'000'000'000 / 3'600'000'000'000 * 3'600'000'000'000 +
                           (i + 1) * 10'000'000'000);
      rows.ints.push_back(static_cast<int64_t>(value));
    }
    BucketArrays b = Build(rows.view(), 3'600'000'000'000);
    b.ref = {FieldId{1}, SeriesId{series}};
    buckets += b.size();
    writer.Add(b);
  }
  uint64_t bytes = 0;
  for (const page::EncodedPage& page : writer.Finish()) bytes += page.bytes.size();
  EXPECT_EQ(buckets, 200u * 24);
  // Beside 0.39 bytes for each of the 360 rows: under 4 %.
  EXPECT_LT(static_cast<double>(bytes) / static_cast<double>(buckets), 5.5);
  RecordProperty("bytes_per_bucket_x100", static_cast<int>(bytes * 100 / buckets));
}

}  // namespace
}  // namespace tidemark::rollup

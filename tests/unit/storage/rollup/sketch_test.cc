// Sketches of buckets and their pages.
#include <gtest/gtest.h>

#include <map>
#include <random>

#include "storage/rollup/buckets.h"
#include "storage/rollup/sketch_page.h"
#include "storage/rollup/sketches.h"
#include "tests/unit/storage/rollup/bucket_data.h"

namespace tidemark::rollup {
namespace {

void ExpectSameSketches(const SketchArrays& left, const SketchArrays& right) {
  EXPECT_EQ(left.bucket, right.bucket);
  EXPECT_EQ(left.end, right.end);
  EXPECT_EQ(left.bins, right.bins);
}

TEST(Sketches, HaveTheBucketsOfTheTierAndAllOfItsRows) {
  std::mt19937_64 random(3);
  for (int round = 0; round < 50; ++round) {
    const Rows rows = RandomRows(random);
    const auto width = static_cast<int64_t>(1 + random() % 500);
    const BucketArrays buckets = Build(rows.view(), width);
    const SketchArrays sketches = BuildSketches(rows.view(), width);
    ASSERT_EQ(sketches.bucket, buckets.bucket);
    for (size_t i = 0; i < sketches.size(); ++i) {
      model::QuantileSketch sketch;
      sketch.Merge(sketches.BinsOf(i));
      ASSERT_EQ(sketch.count(), static_cast<uint64_t>(buckets.count[i]));
    }
    ExpectSameSketches(Coarsen(sketches, 24), BuildSketches(rows.view(), 24 * width));
  }
}

TEST(Sketches, ErasesWhatItTouches) {
  std::mt19937_64 random(4);
  for (int round = 0; round < 50; ++round) {
    const Rows rows = RandomRows(random);
    const auto width = static_cast<int64_t>(1 + random() % 500);
    BucketArrays buckets = Build(rows.view(), width);
    SketchArrays sketches = BuildSketches(rows.view(), width);
    if (buckets.size() == 0) continue;
    const int64_t first = buckets.first_ns[random() % buckets.size()] - static_cast<int64_t>(random() % 1000);
    const model::TimeRange range{{first}, {first + static_cast<int64_t>(random() % 5000)}};
    EraseInside(range, &buckets);
    EraseInside(range, &sketches);
    EXPECT_EQ(sketches.bucket, buckets.bucket);
    for (const int64_t bucket : buckets.bucket) {
      const bool touched = (bucket - 1) * width + 1 <= range.last.ns && bucket * width >= range.first.ns;
      EXPECT_FALSE(touched);
    }
  }
}

TEST(Sketches, RandomPagesComeBackAndDamageIsFound) {
  const uint64_t seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937_64 random(seed);
  for (int round = 0; round < 10; ++round) {
    const auto width = static_cast<int64_t>(1 + random() % 500);
    SketchWriter writer(width);
    std::map<uint32_t, SketchArrays> expected;
    for (uint32_t series = 1; series < 40; series += 1 + static_cast<uint32_t>(random() % 3)) {
      SketchArrays sketches = BuildSketches(RandomRows(random).view(), width);
      sketches.ref = {model::FieldId{7}, model::SeriesId{series}};
      writer.Add(sketches);
      if (sketches.size() > 0) expected[series] = sketches;
    }
    size_t found = 0;
    for (const page::EncodedPage& page : writer.Finish()) {
      EXPECT_EQ(page.kind, page::PageKind::kSketch);
      const auto reader = SketchReader::Open(page.bytes, page::Checksum::kVerify);
      ASSERT_TRUE(reader.ok()) << reader.error().message;
      EXPECT_EQ(reader->width_ns(), width);
      for (const model::SeriesId series : reader->series()) {
        const SketchArrays& source = expected.at(model::Number(series));
        SketchArrays read;
        ASSERT_TRUE(reader->Read(series, {}, &read).ok());
        ExpectSameSketches(read, source);
        ++found;
        // Whole buckets inside of a range.
        const size_t from = random() % source.size();
        const int64_t start = (source.bucket[from] - 1) * width;
        ASSERT_TRUE(reader->Read(series, {{start + 1}, model::Timestamp::Max()}, &read).ok());
        EXPECT_EQ(read.size(), source.size() - from);
        ASSERT_TRUE(reader->Read(series, {{start + 2}, model::Timestamp::Max()}, &read).ok());
        EXPECT_EQ(read.size(), source.size() - from - (width > 0 ? 1 : 0));
      }
      // Whatever bytes a wrong page has, a reader gives an error or sketches.
      for (int damage = 0; damage < 200; ++damage) {
        std::string bytes = page.bytes;
        const size_t at = page::kHeaderBytes + random() % (bytes.size() - page::kHeaderBytes);
        bytes[at] = static_cast<char>(random());
        EXPECT_EQ(SketchReader::Open(bytes, page::Checksum::kVerify).ok(), bytes == page.bytes);
        const auto wrong = SketchReader::Open(bytes, page::Checksum::kTrusted);
        if (!wrong.ok()) continue;
        SketchArrays read;
        for (const model::SeriesId series : wrong->series()) {
          if (auto done = wrong->Read(series, {}, &read); !done.ok()) {
            EXPECT_EQ(done.error().code, ErrorCode::kCorruption);
          }
        }
      }
    }
    EXPECT_EQ(found, expected.size());
  }
}

}  // namespace
}  // namespace tidemark::rollup

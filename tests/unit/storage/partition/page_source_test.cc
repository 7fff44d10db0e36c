// What a PageSource reads does not depend on which series it was told of.
#include "storage/partition/page_source.h"

#include <gtest/gtest.h>

#include <atomic>
#include <memory>
#include <vector>

#include "storage/partition/partition_builder.h"
#include "storage/partition/slab.h"

namespace tidemark::storage {
namespace {

constexpr model::MeasurementId kMeasurement{1};
constexpr uint32_t kFields = 2;
constexpr uint32_t kSeries = 300;
constexpr int64_t kRows = 500;  // so that a field takes several pages
constexpr int64_t kStepNs = 1000;

int64_t ValueOf(uint32_t field, uint32_t series, int64_t row) {
  uint64_t mixed = (uint64_t{field} << 40) + (uint64_t{series} << 20) + static_cast<uint64_t>(row);
  mixed *= 0x9e3779b97f4a7c15;
  return static_cast<int64_t>(mixed >> 56);
}

// Every third series is missing.
std::vector<model::SeriesRef> Refs() {
  std::vector<model::SeriesRef> refs;
  for (uint32_t field = 1; field <= kFields; ++field) {
    for (uint32_t series = 1; series <= kSeries; ++series) {
      if (series % 3 != 0) refs.push_back({model::FieldId{field}, model::SeriesId{series}});
    }
  }
  return refs;
}

class PageSourceTest : public testing::Test {
 protected:
  PageSourceTest() {
    partition::PartitionBuilder builder({0, kRows * kStepNs});
    std::vector<std::vector<int64_t>> values(kFields, std::vector<int64_t>(kRows));
    for (uint32_t series = 1; series <= kSeries; ++series) {
      if (series % 3 == 0) continue;
      std::vector<model::Column> columns;
      for (uint32_t field = 1; field <= kFields; ++field) {
        for (int64_t row = 0; row < kRows; ++row) {
          values[field - 1][static_cast<size_t>(row)] = ValueOf(field, series, row);
        }
        model::Column column{.ref = {model::FieldId{field}, model::SeriesId{series}}, .type = model::FieldType::kInt};
        column.times = {.size = kRows, .first_ns = 0, .step_ns = kStepNs};
        column.ints = values[field - 1].data();
        columns.push_back(column);
      }
      builder.Add(kMeasurement, model::SeriesId{series}, columns);
    }
    slab_ = std::make_unique<partition::Slab>(1, builder.Finish());
  }

  // Reads `asked` one after the other and checks every row.
  void Check(std::span<const model::SeriesRef> wanted, std::span<const model::SeriesRef> asked) {
    partition::ScanWarnings warnings(&corrupt_pages_);
    partition::PageSource source(slab_.get(), wanted, &warnings);
    const model::TimeRange range{{100 * kStepNs}, {199 * kStepNs}};
    for (const model::SeriesRef ref : asked) {
      partition::BufferPool buffers;
      std::vector<model::Column> pieces;
      ASSERT_TRUE(source.Read(kMeasurement, ref, range, &buffers, &pieces).ok());
      if (model::Number(ref.series) % 3 == 0) {
        EXPECT_TRUE(pieces.empty());
        continue;
      }
      ASSERT_EQ(pieces.size(), 1U);
      ASSERT_EQ(pieces[0].size(), 100U);
      EXPECT_EQ(pieces[0].ref, ref);
      for (int64_t row = 0; row < 100; ++row) {
        ASSERT_EQ(pieces[0].ints[row], ValueOf(model::Number(ref.field), model::Number(ref.series), 100 + row));
      }
    }
    EXPECT_TRUE(warnings.texts().empty());
  }

  std::unique_ptr<partition::Slab> slab_;
  std::atomic<uint64_t> corrupt_pages_ = 0;
};

TEST_F(PageSourceTest, AllSeries) {
  ASSERT_GT((*slab_->Directory())->pages().size(), 2 * kFields);
  const std::vector<model::SeriesRef> refs = Refs();
  Check({}, refs);
  Check(refs, refs);
}

TEST_F(PageSourceTest, FewSeries) {
  const std::vector<model::SeriesRef> all = Refs();
  for (const size_t apart : {7U, 50U, 120U}) {
    std::vector<model::SeriesRef> refs;
    for (size_t i = 3; i < all.size(); i += apart) refs.push_back(all[i]);
    Check(refs, refs);
  }
}

TEST_F(PageSourceTest, OthersThanThoseThatItWasToldOf) {
  const std::vector<model::SeriesRef> refs = Refs();
  Check(std::span(refs).first(1), refs);
  Check(std::span(refs).last(20), refs);
  const std::vector<model::SeriesRef> backwards(refs.rbegin(), refs.rend());
  Check(refs, backwards);
}

TEST_F(PageSourceTest, SeriesThatItDoesNotHave) {
  std::vector<model::SeriesRef> refs;
  for (uint32_t series = 1; series <= kSeries + 10; series += 2) {
    refs.push_back({model::FieldId{1}, model::SeriesId{series}});
  }
  std::erase_if(refs, [](model::SeriesRef ref) { return model::Number(ref.series) > kSeries; });
  refs.push_back({model::FieldId{1}, model::SeriesId{3}});
  Check(refs, refs);
}

}  // namespace
}  // namespace tidemark::storage

// FakeView: a database in memory behind storage::View, for tests of the query engine.
//
//   FakeView::Builder builder;
//   builder.AddFloats({{"__name__", "up"}, {"job", "a"}}, {{0, 1.0}, {15'000, 1.0}});  // milliseconds
//   std::shared_ptr<const FakeView> view = builder.Build();
#pragma once

#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "storage/model/column.h"
#include "storage/model/labels.h"
#include "storage/storage.h"

namespace tidemark::query::engine {

class FakeView final : public storage::View {
 public:
  struct Series {
    model::SeriesRef ref;
    model::Labels labels;
    model::FieldType type = model::FieldType::kFloat;
    uint8_t scale = 0;
    std::vector<int64_t> times;  // nanoseconds
    std::vector<int64_t> ints;   // or
    std::vector<double> floats;
  };

  // A rollup tier over all series, made from their rows.
  struct Tier {
    int64_t width_ns = 0;
    // Buckets that end after this time are not trusted.
    int64_t trusted_until_ns = 0;
  };

  class Builder {
   public:
    // Labels in any order, __name__ among them. Times in milliseconds. A second call with equal labels adds to the
    // series; of samples at the same time the last one stays.
    Builder& AddFloats(model::Labels labels, const std::vector<std::pair<int64_t, double>>& samples);
    // The same with times in nanoseconds.
    Builder& AddRows(model::Labels labels, const std::vector<std::pair<int64_t, double>>& rows);
    // Values are value / 10^scale.
    Builder& AddScaled(model::Labels labels, uint8_t scale, const std::vector<std::pair<int64_t, int64_t>>& samples);
    Builder& AddInts(model::Labels labels, model::FieldType type,
                     const std::vector<std::pair<int64_t, int64_t>>& samples);
    // The same labels as a series of their own, as if another spelling of measurement and field had written it.
    Builder& AddSpelling(model::Labels labels, const std::vector<std::pair<int64_t, double>>& samples);
    Builder& AddTier(Tier tier);
    std::shared_ptr<const FakeView> Build() const;

   private:
    Series& At(model::Labels labels, model::FieldType type, uint8_t scale);
    std::map<model::Labels, Series> series_;
    std::vector<Series> spellings_;
    std::vector<Tier> tiers_;
  };

  [[nodiscard]] Result<std::vector<model::SeriesRef>> Select(std::span<const model::Matcher> matchers,
                                                             model::TimeRange range,
                                                             const storage::SelectOptions& options) const override;
  void LabelsOf(model::SeriesRef ref, model::LabelViews* labels) const override;
  [[nodiscard]] model::FieldType TypeOf(model::FieldId field) const override;
  [[nodiscard]] std::unique_ptr<storage::ColumnCursor> Scan(std::span<const model::SeriesRef> refs,
                                                            model::TimeRange range) const override;
  [[nodiscard]] std::vector<int64_t> Tiers() const override;
  [[nodiscard]] std::unique_ptr<storage::TierCursor> ScanTier(std::span<const model::SeriesRef> refs,
                                                              model::TimeRange range, int64_t width_ns) const override;
  [[nodiscard]] Result<std::vector<std::string>> LabelNames(std::span<const model::Matcher> matchers,
                                                            model::TimeRange range) const override;
  [[nodiscard]] Result<std::vector<std::string>> LabelValues(std::string_view name,
                                                             std::span<const model::Matcher> matchers,
                                                             model::TimeRange range) const override;
  [[nodiscard]] std::vector<storage::FieldDescription> Fields() const override;

  [[nodiscard]] const Series& SeriesOf(model::SeriesRef ref) const;
  // Rows that all scans together have handed out.
  [[nodiscard]] uint64_t rows_scanned() const { return rows_scanned_.load(); }
  void CountRows(uint64_t rows) const { rows_scanned_.fetch_add(rows); }
  // How often Scan was called.
  [[nodiscard]] uint64_t scans() const { return scans_.load(); }

 private:
  std::vector<Series> series_;  // sorted by ref
  std::vector<Tier> tiers_;
  mutable std::atomic<uint64_t> rows_scanned_{0};
  mutable std::atomic<uint64_t> scans_{0};
};

}  // namespace tidemark::query::engine

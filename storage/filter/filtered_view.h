// FilteredView: a view that has no other series than those of a filter. Each question is asked of the view behind it
// with the filter's matchers beside its own, so that the index intersects both; there is no way past it, since rows are
// read by the series that Select gave.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "storage/storage.h"

namespace tidemark::storage::filter {

class FilteredView final : public View {
 public:
  FilteredView(std::shared_ptr<const View> all, SeriesFilter filter)
      : all_(std::move(all)), filter_(std::move(filter)) {}

  [[nodiscard]] Result<std::vector<model::SeriesRef>> Select(std::span<const model::Matcher> matchers,
                                                             model::TimeRange range,
                                                             const SelectOptions& options) const override;
  [[nodiscard]] std::vector<model::SeriesRef> Present(std::vector<model::SeriesRef> refs,
                                                      model::TimeRange range) const override {
    return all_->Present(std::move(refs), range);
  }
  [[nodiscard]] Result<model::SeriesPart> SelectPart(std::span<const model::Matcher> matchers, model::TimeRange range,
                                                     const model::PartWanted& wanted) const override;
  [[nodiscard]] std::vector<std::string> ValuesOf(std::string_view label,
                                                  std::span<const model::SeriesRef> refs) const override {
    return all_->ValuesOf(label, refs);
  }
  [[nodiscard]] std::vector<std::string> NamesOf(std::span<const model::SeriesRef> refs) const override {
    return all_->NamesOf(refs);
  }
  [[nodiscard]] std::vector<std::string> KnownNames() const override { return all_->KnownNames(); }
  void LabelsOf(model::SeriesRef ref, model::LabelViews* labels) const override { all_->LabelsOf(ref, labels); }
  [[nodiscard]] model::FieldType TypeOf(model::FieldId field) const override { return all_->TypeOf(field); }
  [[nodiscard]] model::FieldId NewestOf(model::FieldId field) const override { return all_->NewestOf(field); }
  [[nodiscard]] std::unique_ptr<ColumnCursor> Scan(std::span<const model::SeriesRef> refs,
                                                   model::TimeRange range) const override {
    return all_->Scan(refs, range);
  }
  [[nodiscard]] std::vector<int64_t> Tiers() const override { return all_->Tiers(); }
  [[nodiscard]] std::optional<RawGone> RawGoneIn(model::TimeRange range) const override {
    return all_->RawGoneIn(range);
  }
  [[nodiscard]] std::unique_ptr<TierCursor> ScanTier(std::span<const model::SeriesRef> refs, model::TimeRange range,
                                                     int64_t width_ns) const override {
    return all_->ScanTier(refs, range, width_ns);
  }
  [[nodiscard]] std::unique_ptr<SketchCursor> ScanSketches(std::span<const model::SeriesRef> refs,
                                                           model::TimeRange range, int64_t width_ns) const override {
    return all_->ScanSketches(refs, range, width_ns);
  }
  [[nodiscard]] Result<std::vector<std::string>> LabelNames(std::span<const model::Matcher> matchers,
                                                            model::TimeRange range) const override;
  [[nodiscard]] Result<std::vector<std::string>> LabelValues(std::string_view name,
                                                             std::span<const model::Matcher> matchers,
                                                             model::TimeRange range) const override;
  [[nodiscard]] std::vector<FieldDescription> Fields() const override;
  // Nobody has counted rows and bytes by series, and times of rows tell when others write.
  [[nodiscard]] std::vector<PartitionInfo> Partitions() const override { return {}; }
  [[nodiscard]] StagedInfo Staged() const override;
  [[nodiscard]] std::vector<std::string> Warnings() const override { return all_->Warnings(); }
  [[nodiscard]] std::string_view FilterText() const override { return filter_.text(); }
  [[nodiscard]] ChangeMark Changes() const override { return all_->Changes(); }
  [[nodiscard]] std::vector<model::TimeRange> ChangedSince(ChangeMark since) const override {
    return all_->ChangedSince(since);
  }

 private:
  // The union of what `ask` gives for each selector of the filter with `matchers`.
  template <typename T, typename Ask>
  [[nodiscard]] Result<std::vector<T>> Union(std::span<const model::Matcher> matchers, const Ask& ask) const;

  const std::shared_ptr<const View> all_;
  const SeriesFilter filter_;
};

}  // namespace tidemark::storage::filter

// ViewImpl: the View of a store.
#pragma once

#include <algorithm>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "storage/storage.h"
#include "storage/view/scan_cursor.h"

namespace tidemark::storage::view {

class ViewImpl final : public View {
 public:
  // Pins what `database` has now, at `now_ns`. `warnings`: for every answer.
  ViewImpl(std::shared_ptr<const database::Database> database, int64_t now_ns,
           std::shared_ptr<std::atomic<uint64_t>> corrupt_pages, std::vector<std::string> warnings = {});

  [[nodiscard]] Result<std::vector<model::SeriesRef>> Select(std::span<const model::Matcher> matchers,
                                                             model::TimeRange range,
                                                             const SelectOptions& options) const override;
  [[nodiscard]] std::vector<model::SeriesRef> Present(std::vector<model::SeriesRef> refs,
                                                      model::TimeRange range) const override;
  [[nodiscard]] Result<model::SeriesPart> SelectPart(std::span<const model::Matcher> matchers, model::TimeRange range,
                                                     const model::PartWanted& wanted) const override;
  [[nodiscard]] std::vector<std::string> ValuesOf(std::string_view label,
                                                  std::span<const model::SeriesRef> refs) const override;
  [[nodiscard]] std::vector<std::string> NamesOf(std::span<const model::SeriesRef> refs) const override;
  [[nodiscard]] std::vector<std::string> KnownNames() const override;
  void LabelsOf(model::SeriesRef ref, model::LabelViews* labels) const override;
  [[nodiscard]] model::FieldType TypeOf(model::FieldId field) const override;
  [[nodiscard]] model::FieldId NewestOf(model::FieldId field) const override;
  [[nodiscard]] std::unique_ptr<ColumnCursor> Scan(std::span<const model::SeriesRef> refs,
                                                   model::TimeRange range) const override;
  [[nodiscard]] std::vector<int64_t> Tiers() const override;
  [[nodiscard]] std::optional<RawGone> RawGoneIn(model::TimeRange range) const override;
  [[nodiscard]] std::unique_ptr<TierCursor> ScanTier(std::span<const model::SeriesRef> refs, model::TimeRange range,
                                                     int64_t width_ns) const override;
  [[nodiscard]] std::unique_ptr<SketchCursor> ScanSketches(std::span<const model::SeriesRef> refs,
                                                           model::TimeRange range, int64_t width_ns) const override;
  [[nodiscard]] Result<std::vector<std::string>> LabelNames(std::span<const model::Matcher> matchers,
                                                            model::TimeRange range) const override;
  [[nodiscard]] Result<std::vector<std::string>> LabelValues(std::string_view name,
                                                             std::span<const model::Matcher> matchers,
                                                             model::TimeRange range) const override;
  [[nodiscard]] std::vector<FieldDescription> Fields() const override;
  [[nodiscard]] std::vector<PartitionInfo> Partitions() const override;
  [[nodiscard]] StagedInfo Staged() const override;
  [[nodiscard]] std::vector<std::string> Warnings() const override { return warnings_; }
  [[nodiscard]] ChangeMark Changes() const override { return changes_; }
  [[nodiscard]] std::vector<model::TimeRange> ChangedSince(ChangeMark since) const override;

 private:
  // Whether every series that the index knows counts as present in `range`.
  [[nodiscard]] bool AllCount(model::TimeRange range) const;

  // What of `range` readers see.
  [[nodiscard]] model::TimeRange Seen(model::TimeRange range) const {
    return {std::max(range.first, oldest_), range.last};
  }

  // Kept alive for the counter that pinned_ points to.
  const std::shared_ptr<std::atomic<uint64_t>> corrupt_pages_;
  const std::vector<std::string> warnings_;
  // Read before anything is pinned.
  const ChangeMark changes_;
  std::shared_ptr<const Pinned> pinned_;
  model::Timestamp oldest_ = model::Timestamp::Min();
};

}  // namespace tidemark::storage::view

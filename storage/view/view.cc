#include "storage/view/view.h"

#include <algorithm>
#include <map>
#include <utility>

#include "storage/database/retention_plan.h"
#include "storage/partition/partition_builder.h"
#include "storage/view/presence.h"
#include "storage/view/sketch_scan.h"
#include "storage/view/tier_scan.h"

namespace tidemark::storage::view {

ViewImpl::ViewImpl(std::shared_ptr<const database::Database> database, int64_t now_ns,
                   std::shared_ptr<std::atomic<uint64_t>> corrupt_pages, std::vector<std::string> warnings)
    : corrupt_pages_(std::move(corrupt_pages)),
      warnings_(std::move(warnings)),
      changes_{database->changes().id(), database->changes().number()} {
  auto pinned = std::make_shared<Pinned>();
  pinned->state = database->state();
  pinned->database = std::move(database);
  for (const auto& set : pinned->state->frozen) pinned->heads.push_back({set, set->heads().Mark()});
  pinned->heads.push_back({pinned->state->live, pinned->state->live->heads().Mark()});
  pinned->masks = pinned->state->masks;
  // After the heads were marked, so that no series in them is missed.
  for (auto& mask : pinned->database->RetentionMasks(now_ns)) {
    pinned->database->changes().NoteHidden(mask->range().last.ns);
    pinned->masks.push_back(std::move(mask));
  }
  oldest_.ns = database::OldestSeen(pinned->database->options(), now_ns);
  if (oldest_ > model::Timestamp::Min()) pinned->database->changes().NoteHidden(oldest_.ns - 1);
  pinned->corrupt_pages = corrupt_pages_.get();
  pinned_ = std::move(pinned);
}

Result<std::vector<model::SeriesRef>> ViewImpl::Select(std::span<const model::Matcher> matchers, model::TimeRange range,
                                                       const SelectOptions& options) const {
  if (range.empty()) return std::vector<model::SeriesRef>();
  return pinned_->database->index().Select(matchers, options.numeric, options.strings, options.max_series);
}

void ViewImpl::LabelsOf(model::SeriesRef ref, model::LabelViews* labels) const {
  pinned_->database->index().LabelsOf(ref, labels);
}

model::FieldType ViewImpl::TypeOf(model::FieldId field) const { return pinned_->database->index().Field(field).type; }

model::FieldId ViewImpl::NewestOf(model::FieldId field) const { return pinned_->database->index().Field(field).newest; }

std::unique_ptr<ColumnCursor> ViewImpl::Scan(std::span<const model::SeriesRef> refs, model::TimeRange range) const {
  return std::make_unique<ScanCursor>(pinned_, refs, Seen(range));
}

std::vector<int64_t> ViewImpl::Tiers() const {
  std::vector<int64_t> widths;
  for (const auto& epoch : pinned_->state->epochs) {
    const auto directory = epoch->Directory();
    if (!directory.ok()) continue;  // whoever reads it says so
    const std::vector<int64_t>& some = (*directory)->tier_widths_ns();
    widths.insert(widths.end(), some.begin(), some.end());
  }
  std::sort(widths.begin(), widths.end());
  widths.erase(std::unique(widths.begin(), widths.end()), widths.end());
  return widths;
}

std::optional<RawGone> ViewImpl::RawGoneIn(model::TimeRange range) const {
  RawGone out{.range = {model::Timestamp::Max(), model::Timestamp::Min()}, .widths_ns = {}};
  std::vector<const partition::PageDirectory*> directories;
  for (const auto& epoch : pinned_->state->epochs) {
    const meta::EpochRecord& record = epoch->record();
    if (!record.tiers_only) continue;
    const model::TimeRange partition{{record.partition_start_ns},
                                     {record.partition_start_ns + (record.partition_ns - 1)}};
    if (!partition.Overlaps(range)) continue;
    out.range.first = std::min(out.range.first, std::max(partition.first, range.first));
    out.range.last = std::max(out.range.last, std::min(partition.last, range.last));
    // Whoever reads one that is damaged says so.
    if (const auto directory = epoch->Directory(); directory.ok()) directories.push_back(*directory);
  }
  if (out.range.empty()) return std::nullopt;
  for (const partition::PageDirectory* directory : directories) {
    const std::vector<int64_t>& widths = directory->tier_widths_ns();
    out.widths_ns.insert(out.widths_ns.end(), widths.begin(), widths.end());
  }
  std::sort(out.widths_ns.begin(), out.widths_ns.end());
  out.widths_ns.erase(std::unique(out.widths_ns.begin(), out.widths_ns.end()), out.widths_ns.end());
  std::erase_if(out.widths_ns, [&](int64_t width) {
    return !std::all_of(directories.begin(), directories.end(), [&](const partition::PageDirectory* directory) {
      const std::vector<int64_t>& widths = directory->tier_widths_ns();
      return std::any_of(widths.begin(), widths.end(), [&](int64_t own) { return own > 0 && width % own == 0; });
    });
  });
  return out;
}

std::unique_ptr<TierCursor> ViewImpl::ScanTier(std::span<const model::SeriesRef> refs, model::TimeRange range,
                                               int64_t width_ns) const {
  return std::make_unique<TierScan>(pinned_, refs, Seen(range), width_ns);
}

std::unique_ptr<SketchCursor> ViewImpl::ScanSketches(std::span<const model::SeriesRef> refs, model::TimeRange range,
                                                     int64_t width_ns) const {
  return std::make_unique<SketchScan>(pinned_, refs, Seen(range), width_ns);
}

std::vector<model::SeriesRef> ViewImpl::Present(std::vector<model::SeriesRef> refs, model::TimeRange range) const {
  return PresentIn(*pinned_, std::move(refs), Seen(range));
}

bool ViewImpl::AllCount(model::TimeRange range) const { return range == model::TimeRange{} && pinned_->masks.empty(); }

Result<std::vector<std::string>> ViewImpl::LabelNames(std::span<const model::Matcher> matchers,
                                                      model::TimeRange range) const {
  const index::Index& index = pinned_->database->index();
  if (AllCount(range)) return index.LabelNames(matchers);
  TM_TRY_ASSIGN(std::vector<model::SeriesRef> refs, index.Select(matchers, true, true, 0));
  return index.LabelNamesOf(Present(std::move(refs), range));
}

Result<std::vector<std::string>> ViewImpl::LabelValues(std::string_view name, std::span<const model::Matcher> matchers,
                                                       model::TimeRange range) const {
  const index::Index& index = pinned_->database->index();
  if (AllCount(range)) return index.LabelValues(name, matchers);
  TM_TRY_ASSIGN(std::vector<model::SeriesRef> refs, index.Select(matchers, true, true, 0));
  return index.LabelValuesOf(name, Present(std::move(refs), range));
}

std::vector<PartitionInfo> ViewImpl::Partitions() const {
  std::map<int64_t, PartitionInfo> partitions;
  for (const auto& epoch : pinned_->state->epochs) {
    const meta::EpochRecord& record = epoch->record();
    const auto [at, added] = partitions.try_emplace(record.partition_start_ns);
    PartitionInfo& info = at->second;
    if (added) {
      info.bounds = {{record.partition_start_ns}, {record.partition_start_ns + (record.partition_ns - 1)}};
      info.rows = record.range;
      info.sealed = true;
      info.tiers_only = true;
    }
    info.rows = {std::min(info.rows.first, record.range.first), std::max(info.rows.last, record.range.last)};
    info.row_count += record.rows;
    info.bytes += record.bytes;
    ++info.epochs;
    info.sealed = info.sealed && (record.sealed || record.tiers_only);
    info.tiers_only = info.tiers_only && record.tiers_only;
  }
  std::vector<PartitionInfo> out;
  out.reserve(partitions.size());
  for (const auto& [start_ns, info] : partitions) out.push_back(info);
  return out;
}

StagedInfo ViewImpl::Staged() const {
  StagedInfo out;
  const auto widen = [&out](model::TimeRange range) {
    out.rows = {std::min(out.rows.first, range.first), std::max(out.rows.last, range.last)};
  };
  for (const MarkedSet& marked : pinned_->heads) {
    const head::HeadSet& heads = marked.set->heads();
    widen(heads.Range());
    out.series += heads.Stats().series;
    out.bytes += heads.Stats().bytes;
  }
  for (const auto& slab : pinned_->state->slabs) {
    widen(slab->range());
    ++out.slabs;
    out.bytes += slab->bytes();
  }
  return out;
}

std::vector<FieldDescription> ViewImpl::Fields() const {
  const index::Index& index = pinned_->database->index();
  std::vector<FieldDescription> out;
  for (const index::FieldInfo& field : index.Fields()) {
    out.push_back({std::string(field.measurement_name), std::string(field.name), std::string(field.metric), field.type,
                   index.SeriesCountOfName(field.id), field.id, field.older});
  }
  return out;
}

std::vector<model::TimeRange> ViewImpl::ChangedSince(ChangeMark since) const {
  const database::ChangeLog& log = pinned_->database->changes();
  if (since.history != log.id()) return {model::TimeRange{}};
  return log.Since(since.number);
}

}  // namespace tidemark::storage::view

#include <fmt/core.h>

#include <algorithm>
#include <set>
#include <utility>

#include "storage/base/failure_point.h"
#include "storage/database/journal_record.h"
#include "storage/database/partition_epochs.h"
#include "storage/database/retention_plan.h"
#include "storage/engine/deleter.h"
#include "storage/partition/mask_estimate.h"
#include "storage/view/scan_cursor.h"

namespace tidemark::storage {
namespace {

// The times at which answers may change by a deletion of `range`: also those around it where buckets are all that is
// left, because a bucket goes whole and a window may cut it.
model::TimeRange ChangedBy(model::TimeRange range, const database::DatabaseState& state) {
  int64_t widest_ns = 0;
  for (const auto& epoch : state.epochs) {
    if (!epoch->record().tiers_only) continue;
    // One that cannot be read tells nobody anything.
    const auto directory = epoch->Directory();
    if (!directory.ok() || (*directory)->tier_widths_ns().empty()) continue;
    widest_ns = std::max(widest_ns, (*directory)->tier_widths_ns().back());
  }
  model::TimeRange out;
  if (__builtin_sub_overflow(range.first.ns, widest_ns, &out.first.ns)) out.first = model::Timestamp::Min();
  if (__builtin_add_overflow(range.last.ns, widest_ns, &out.last.ns)) out.last = model::Timestamp::Max();
  return out;
}

}  // namespace

DeleteReport Deleter::EstimateHidden(const database::DatabaseState& state, const retention::MaskList& masks) {
  partition::MaskedRows found;
  for (const auto& epoch : state.epochs) {
    partition::AddMaskedRows(*epoch, retention::SourceMasks::OfEpoch(masks, epoch->record()), &found);
  }
  for (const auto& slab : state.slabs)
    partition::AddMaskedRows(*slab, retention::SourceMasks::OfSet(masks, slab->number()), &found);
  // Rows in heads are on disk in the journal only, which goes anyway.
  std::vector<std::shared_ptr<const database::StagedSet>> sets(state.frozen.begin(), state.frozen.end());
  sets.push_back(state.live);
  model::ColumnBuffer buffer;
  std::vector<model::SeriesRef> all;
  for (const auto& mask : masks) {
    mask->refs().AppendTo(&all);
    for (const auto& set : sets) {
      const head::HeadMark mark = set->heads().Mark();
      for (const model::SeriesRef ref : all) {
        if (!set->heads().Touches(ref.series, mark, mask->range())) continue;
        const model::Column column = set->heads().Read(ref, mark, mask->range(), &buffer);
        if (column.empty()) continue;
        found.rows += column.size();
        found.refs.push_back(ref);
      }
    }
    all.clear();
  }
  std::sort(found.refs.begin(), found.refs.end());
  found.refs.erase(std::unique(found.refs.begin(), found.refs.end()), found.refs.end());
  return {found.refs.size(), found.rows, found.bytes};
}

Result<uint64_t> Deleter::JournalDeletion(database::Database& database, const meta::MaskSpec& spec) {
  const std::string encoded = meta::EncodeMaskSpec(spec);
  uint64_t before_set = 0;
  auto appended = parts_.journal->Append([&](uint64_t sequence, std::string* out) {
    before_set = parts_.line.FreezeAt(sequence, &database);
    database::EncodeRecord({.database = database.id(), .definitions = {}, .batch = {}, .deletion = encoded}, out);
    return uint64_t{0};
  });
  FailurePoint("delete.in_line");
  Result<void> durable;
  if (appended.ok()) {
    durable = parts_.journal->WaitDurable(*appended);
  } else {
    durable = std::move(appended).error();
  }
  if (!durable.ok()) {
    parts_.health.Report(durable.error());
    return meta::InDoubt(std::move(durable).error());
  }
  return before_set;
}

Result<DeleteReport> Deleter::Delete(std::string_view name, const DeleteRequest& request) {
  const meta::MaskSpec spec{request.selectors, request.range, request.fields};
  const bool empty = std::any_of(spec.selectors.begin(), spec.selectors.end(), [](const auto& s) { return s.empty(); });
  if (spec.selectors.empty() || empty) return InvalidArgument("a deletion says which series by at least one matcher");
  ReaderLock open(parts_.open_mutex);
  if (parts_.closed) return MakeError(ErrorCode::kUnavailable, "the store is closed");
  if (!request.dry_run) parts_.MakeRoom();
  if (auto refusal = parts_.health.Refusal();
      !request.dry_run && refusal.has_value() && refusal->code != ErrorCode::kResourceExhausted) {
    if (auto resumed = parts_.TryResume(); !resumed.ok() || parts_.health.Refusal().has_value()) return *refusal;
  }
  const DatabasePtr database = parts_.databases.Find(name);
  if (database == nullptr) {
    return NoDatabase(name);
  }
  // Before anything is written: finds expressions that cannot be read.
  TM_TRY_ASSIGN(retention::RefSet selected, retention::RefSet::Select(spec, database->index(), /*open_end=*/true));
  const retention::MaskList planned{
      std::make_shared<const retention::Mask>(retention::Mask::kRetention, retention::Mask::kRetention, spec.range,
                                              std::make_shared<const retention::RefSet>(std::move(selected)))};
  const DeleteReport report = EstimateHidden(*database->state(), planned);
  if (request.dry_run || spec.range.empty()) return report;

  // No checkpoint comes between the deletion's place in the journal and in the order of epochs.
  MutexLock flush(checkpointer_.flush_mutex());
  if (database->dropped()) return NotFound(fmt::format("database \"{}\" has been dropped", database->name()));

  TM_TRY_ASSIGN(const uint64_t before_set, JournalDeletion(*database, spec));
  FailurePoint("delete.durable");
  // The rows of every write that came before are in, so that the index knows which series have which fields.
  const std::shared_ptr<const database::DatabaseState> state = database->state();
  for (const auto& set : state->frozen) set->WaitComplete();
  const database::ChangeLog::Change change = database->changes().Begin(ChangedBy(spec.range, *state));
  TM_RETURN_IF_ERROR(AddMask(*database, before_set, spec));
  FailurePoint("delete.visible");
  return report;
}

Result<void> Deleter::AddMask(database::Database& database, uint64_t before_set, const meta::MaskSpec& spec) {
  TM_TRY_ASSIGN(auto mask, retention::Mask::Make(parts_.meta->TakeEpochNumber(), before_set, spec, database.index()));
  database.AddMask(std::move(mask));
  return {};
}

Result<void> Deleter::LoadMasksOf(database::Database& database) {
  Result<void> result;
  for (const meta::MaskRecord& record : parts_.meta->masks()) {
    if (record.database != database.id()) continue;
    auto spec = meta::DecodeMaskSpec(record.spec);
    if (!spec.ok()) {
      // The others hide what they hide.
      result = std::move(spec).error();
      continue;
    }
    // All rows that it hides are in epochs.
    TM_TRY_ASSIGN(auto mask, retention::Mask::Make(record.number, /*before_set=*/0, *spec, database.index()));
    database.AddMask(std::move(mask));
  }
  return result;
}

Result<void> Deleter::Replay(database::Database& database, std::string_view encoded) {
  TM_TRY_ASSIGN(const meta::MaskSpec spec, meta::DecodeMaskSpec(encoded));
  return AddMask(database, parts_.line.Freeze(&database), spec);
}

Result<void> Deleter::DropSpentMasks() {
  MutexLock flush(checkpointer_.flush_mutex());
  meta::MetaChange change;
  std::vector<std::pair<DatabasePtr, retention::MaskList>> spent;
  for (const DatabasePtr& database : parts_.databases.All()) {
    const std::shared_ptr<const database::DatabaseState> state = database->state();
    retention::MaskList unneeded;
    for (const auto& mask : state->masks) {
      const auto older = [&](const auto& set) { return mask->AppliesToSet(set->number()); };
      if (database::AnyMasked(state->epochs, {mask}) || std::any_of(state->slabs.begin(), state->slabs.end(), older) ||
          std::any_of(state->frozen.begin(), state->frozen.end(), older)) {
        continue;
      }
      change.drop_masks.push_back({database->id(), mask->number(), {}});
      unneeded.push_back(mask);
    }
    if (!unneeded.empty()) spent.emplace_back(database, std::move(unneeded));
  }
  if (spent.empty()) return {};
  FailurePoint("deletions.spent");
  if (auto committed = parts_.meta->Commit(std::move(change)); !committed.ok()) {
    parts_.health.Report(committed.error());
    return committed;
  }
  for (const auto& [database, masks] : spent) database->RemoveMasks(masks);
  FailurePoint("deletions.forgotten");
  return {};
}

Result<void> Deleter::DeleteStaged(Checkpointer& /*checkpointer*/, database::Database& database,
                                   const std::set<database::PartitionId>& partitions) {
  for (const database::PartitionId& partition : partitions) {
    // Of every series.
    const meta::MaskSpec spec{
        {{{model::MatchOp::kNotEqual, "__name__", ""}}}, {{partition.first}, {database::EndNs(partition)}}, {}};
    TM_TRY_ASSIGN(const uint64_t before_set, JournalDeletion(database, spec));
    FailurePoint("retention.deletion_durable");
    for (const auto& set : database.state()->frozen) set->WaitComplete();
    const database::ChangeLog::Change noted = database.changes().Begin(spec.range);
    TM_RETURN_IF_ERROR(AddMask(database, before_set, spec));
  }
  return {};
}

}  // namespace tidemark::storage

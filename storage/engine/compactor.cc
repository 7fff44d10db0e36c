#include <fmt/core.h>

#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include "storage/base/failure_point.h"
#include "storage/base/log.h"
#include "storage/base/text/instant.h"
#include "storage/database/partition_epochs.h"
#include "storage/database/retention_plan.h"
#include "storage/engine/compactor.h"
#include "storage/partition/fold.h"
#include "storage/partition/tier_copy.h"

namespace tidemark::storage {
namespace {

// A compaction deletes what it has replaced each time that so much has been read since.
constexpr uint64_t kFreeBytes = uint64_t{64} << 20;
constexpr uint64_t kFreePartitions = 1024;
// Partitions that are committed together, until one of the two is reached: a synced change of meta for each of
// thousands that have a few rows would be most of the work, and so would a new list of epochs.
constexpr uint64_t kBatchBytes = uint64_t{4} << 20;
constexpr size_t kBatchPartitions = 1024;
// A full disk is not tried for each of them.
constexpr uint64_t kNoRoomMax = 8;
// A fold of more is not brought into meta, where it would be rewritten with the records.
constexpr uint64_t kMostInMetaBytes = uint64_t{64} << 20;
// How often merges are planned anew in one compaction, without what turned out to be damaged.
constexpr int kMergeRounds = 3;

}  // namespace

Result<CompactionProgress> Compactor::Compact(std::string_view name, const std::stop_token& stop,
                                              const std::function<void(const CompactionProgress&)>& progress) {
  parts_.MakeRoom();
  if (auto taken = checkpointer_.Checkpoint(); !taken.ok()) {
    // What is on disk already can be made smaller without it.
    if (taken.error().code != ErrorCode::kResourceExhausted) return std::move(taken).error();
    TM_LOG(kWarn, "compacting without a checkpoint: {}", taken.error().message);
  }
  ReaderLock open(parts_.open_mutex);
  if (parts_.closed) return MakeError(ErrorCode::kUnavailable, "the store is closed");
  const DatabasePtr database = parts_.databases.Find(name);
  if (database == nullptr) return NoDatabase(name);
  compacting_.store(true);
  CompactionProgress done;
  Result<void> result = CompactPartitions(*database, stop, progress, &done);
  if (result.ok()) result = deleter_.DropSpentMasks();
  compacting_.store(false);
  if (!result.ok()) return std::move(result).error();
  // Small pages that were folded away lie in the tables of meta until then. It only frees space, and needs some.
  // Where RocksDB meets damage on that way it takes no changes any more, so what is damaged is not touched.
  if (done.partitions_done > 0 && done.left.empty() && !parts_.reserve.in_use()) {
    if (auto compacted = RewriteRecords(*database); !compacted.ok()) TM_LOG(kWarn, "{}", compacted.error().message);
  }
  return done;
}

Result<void> Compactor::RewriteRecords(const database::Database& database) {
  TM_RETURN_IF_ERROR(parts_.rocks->CompactRecords());
  // RocksDB forgets the sequence numbers of what lies at the bottom. Where nothing but tables is left, a repair knows
  // by the newest number that none is missing: so one record is written behind the others.
  MutexLock change_lock(parts_.databases.change_mutex());
  meta::MetaChange change;
  change.put_databases.push_back({database.id(), database.name(), database.options()});
  return parts_.CommitAct(std::move(change));
}

Result<void> Compactor::CompactPartitions(database::Database& database, const std::stop_token& stop,
                                          const std::function<void(const CompactionProgress&)>& progress,
                                          CompactionProgress* done) {
  MutexLock compact(compact_mutex_);
  LeftPartitions left;
  Result<void> result;
  bool merged = true;
  for (int round = 0; result.ok() && round < kMergeRounds && merged; ++round) {
    const std::vector<Job> merges = PlanMerges(database, MergeCaller::kCompaction, left);
    std::vector<Job> jobs = SealJobs(database, merges, left);
    jobs.insert(jobs.end(), merges.begin(), merges.end());
    std::sort(jobs.begin(), jobs.end(), [](const Job& a, const Job& b) { return a.result < b.result; });
    const size_t left_before = left.size();
    result = RunJobs(database, jobs, stop, progress, &left, done);
    merged = !merges.empty();
    // Without the damaged ones, the others may still fit into shorter merges.
    if (left.size() == left_before) break;
  }
  // What a merge had to leave as it was: rows came to it, or there was no room for all of it at once.
  if (result.ok() && merged) result = RunJobs(database, SealJobs(database, {}, left), stop, progress, &left, done);
  for (const auto& [id, why] : left) done->left.push_back({{{id.first}, {database::EndNs(id)}}, why});
  return result;
}

std::vector<Compactor::Job> Compactor::SealJobs(const database::Database& database, std::span<const Job> merges,
                                                const LeftPartitions& left) const {
  const retention::MaskList hidden = database.HiddenRows(parts_.retention_clock.NowNs());
  const DatabaseOptions options = database.options();
  std::set<database::PartitionId> merged;
  for (const Job& merge : merges) merged.insert(merge.parts.begin(), merge.parts.end());
  std::vector<Job> jobs;
  for (const auto& [id, epochs] : database::ByPartition(*database.state())) {
    const std::vector<RollupTier> tiers = database::LivingTiers(options, id, parts_.retention_clock.NowNs());
    const bool reduced = epochs.front()->record().tiers_only;
    if (merged.contains(id) || left.contains(id)) continue;
    if (epochs.size() > 1 || !epochs.front()->record().sealed || database::AnyMasked(epochs, hidden) ||
        (!reduced && !database::HasTiers(*epochs.front(), tiers)) || !epochs.front()->DirectoryDamage().empty()) {
      jobs.push_back({id, {id}});
    }
  }
  return jobs;
}

Result<void> Compactor::RunJobs(database::Database& database, std::span<const Job> jobs, const std::stop_token& stop,
                                const std::function<void(const CompactionProgress&)>& progress, LeftPartitions* left,
                                CompactionProgress* done) {
  for (const Job& job : jobs) done->partitions_total += job.parts.size();
  uint64_t freed_bytes = done->bytes_read;
  size_t freed_jobs = 0;
  NoRoom no_room;
  Result<void> result;
  for (size_t next = 0; result.ok() && next < jobs.size() && no_room.times < kNoRoomMax;) {
    if (stop.stop_requested() || parts_.closing.load()) break;
    const size_t first = next;
    result = FoldBatch(database, jobs, &next, stop, left, done);
    if (!result.ok() && result.error().code == ErrorCode::kResourceExhausted) {
      result = FoldWithLittleRoom(database, jobs.subspan(first, next - first), &no_room, left, done);
    }
    if (!result.ok()) break;
    for (size_t i = first; i < next; ++i) done->partitions_done += jobs[i].parts.size();
    // Each time brings meta to disk, which for thousands of small partitions would be most of the work.
    if (done->bytes_read - freed_bytes >= kFreeBytes || next - freed_jobs >= kFreePartitions ||
        parts_.reserve.in_use()) {
      freed_bytes = done->bytes_read;
      freed_jobs = next;
      checkpointer_.DropDeadFiles();
    }
    if (progress) progress(*done);
  }
  checkpointer_.DropDeadFiles();
  return result.ok() ? no_room.result : result;
}

Result<void> Compactor::FoldBatch(database::Database& database, std::span<const Job> jobs, size_t* next,
                                  const std::stop_token& stop, LeftPartitions* left, CompactionProgress* done) {
  // Read anew each time: a state that is kept would keep epochs that are folded away.
  std::map<database::PartitionId, database::EpochList> epochs = database::ByPartition(*database.state());
  std::vector<Fold> folds;
  uint64_t bytes = 0;
  while (*next < jobs.size() && bytes < kBatchBytes && folds.size() < kBatchPartitions) {
    if (!folds.empty() && (stop.stop_requested() || parts_.closing.load())) break;
    const Job& job = jobs[(*next)++];
    const bool merge = job.parts.size() > 1;
    const database::EpochList old = EpochsOf(epochs, job);
    auto fold = MakeFold(database, old, job.result, merge ? FoldKind::kMerge : FoldKind::kSeal, stop);
    if (!fold.ok() && fold.error().code == ErrorCode::kCancelled && stop.stop_requested()) {
      --*next;  // it is not done
      break;
    }
    if (!fold.ok() && IsUnreadable(fold.error())) {
      left->merge(NoteUnreadable(database, old, fold.error()));
      continue;
    }
    if (!fold.ok()) return std::move(fold).error();
    if (!fold->has_value()) continue;
    for (const auto& epoch : old) bytes += epoch->record().bytes;
    folds.push_back(std::move(**fold));
  }
  epochs.clear();
  return CommitFolds(database, std::move(folds), done);
}

Result<void> Compactor::FoldWithLittleRoom(database::Database& database, std::span<const Job> jobs, NoRoom* no_room,
                                           LeftPartitions* left, CompactionProgress* done) {
  for (const Job& job : jobs) {
    // A merge needs room for all of it; its partitions are sealed one by one instead.
    if (job.parts.size() > 1) continue;
    parts_.MakeRoom();
    // What the one before has replaced may be what this one needs.
    checkpointer_.DropDeadFiles();
    const database::EpochList old = EpochsOf(database::ByPartition(*database.state()), job);
    auto folded = FoldEpochs(database, old, FoldKind::kSeal, done);
    if (folded.ok()) continue;
    if (folded.error().code == ErrorCode::kCorruption) {
      left->merge(NoteUnreadable(database, old, folded.error()));
      continue;
    }
    if (folded.error().code != ErrorCode::kResourceExhausted) return folded;
    // Others are smaller.
    no_room->result = std::move(folded);
    if (++no_room->times >= kNoRoomMax) break;
  }
  return {};
}

Result<void> Compactor::FoldCrowded() {
  ReaderLock open(parts_.open_mutex);
  // A compaction does this work already.
  if (parts_.closed || compacting_.load()) return {};
  MutexLock compact(compact_mutex_);
  for (const DatabasePtr& database : parts_.databases.All()) {
    for (auto& [partition, epochs] : database::ByPartition(*database->state())) {
      if (epochs.size() <= std::max<size_t>(parts_.options.max_epochs, 2)) continue;
      // From the newest back, as long as an older one is not much larger than all that is folded into it: so each row
      // is rewritten a few times only, however long a partition takes writes.
      size_t begin = epochs.size() - 1;
      uint64_t bytes = epochs[begin]->record().bytes;
      const size_t least = epochs.size() / 2;
      while (begin > 0 && (epochs[begin - 1]->record().bytes <= bytes || begin > least)) {
        bytes += epochs[--begin]->record().bytes;
      }
      epochs.erase(epochs.begin(), epochs.begin() + static_cast<std::ptrdiff_t>(begin));
      if (unfoldable_.Holds(epochs.back()->record().epoch, parts_.clock.SteadyNs())) continue;
      CompactionProgress ignored;
      if (auto folded = FoldUnlessUnreadable(*database, epochs, FoldKind::kFold, &ignored); !folded.ok()) {
        return std::move(folded).error();
      }
    }
  }
  return {};
}

Result<void> Compactor::FoldEpochs(database::Database& database, const database::EpochList& old, FoldKind kind,
                                   CompactionProgress* progress) {
  if (old.empty()) return {};
  const meta::EpochRecord& first = old.front()->record();
  TM_TRY_ASSIGN(std::optional<Fold> fold,
                MakeFold(database, old, {first.partition_start_ns, first.partition_ns}, kind));
  std::vector<Fold> one;
  if (fold) one.push_back(std::move(*fold));
  return CommitFolds(database, std::move(one), progress);
}

Result<std::optional<Compactor::Fold>> Compactor::MakeFold(const database::Database& database,
                                                           const database::EpochList& old,
                                                           const database::PartitionId& result, FoldKind kind,
                                                           const std::stop_token& stop) {
  if (old.empty()) return std::optional<Fold>();
  const retention::MaskList masks = database.HiddenRows(parts_.retention_clock.NowNs());
  const bool were_sealed =
      std::all_of(old.begin(), old.end(), [](const auto& epoch) { return epoch->record().sealed; });
  const bool seal = kind == FoldKind::kSeal || MovesBounds(kind) || were_sealed;
  const bool reduced = old[0]->record().tiers_only;  // then all are
  bool lists_whole = true;
  for (const auto& epoch : old) {
    TM_TRY_ASSIGN([[maybe_unused]] const auto* directory, epoch->Directory());
    // What cannot be found may be there for a repair.
    if (std::string loss = epoch->Loss(); !loss.empty()) return Corruption(std::move(loss));
    lists_whole = lists_whole && epoch->DirectoryDamage().empty();
  }
  const bool reduce = kind == FoldKind::kReduce;
  const std::vector<RollupTier> tiers =
      database::LivingTiers(database.options(), result, parts_.retention_clock.NowNs());
  if (!reduce && !MovesBounds(kind) && lists_whole && old.size() < 2 && seal == were_sealed &&
      !database::AnyMasked(old, masks) && (reduced || !seal || database::HasTiers(*old[0], tiers))) {
    return std::optional<Fold>();
  }
  uint64_t old_bytes = 0;
  for (const auto& epoch : old) old_bytes += epoch->record().bytes;
  if (kind != FoldKind::kReduce && old_bytes > kMostInMetaBytes) {
    const uint64_t newest = old.back()->record().epoch + 1;
    const std::string damage = parts_.rocks->DamageBehind(rocks::EpochKeys(database.id(), result.first, newest).first);
    if (!damage.empty()) return Corruption(fmt::format("the partition behind it is damaged: {}", damage));
  }
  Fold fold{old, result, kind, {}, {}};
  TM_TRY_ASSIGN(fold.pages, MakePages(database, fold, seal, masks, stop));
  FailurePoint("fold.merged");
  meta::EpochRecord& record = fold.record;
  record.database = database.id();
  record.epoch = parts_.meta->TakeEpochNumber();
  // Nothing lies between the epochs that are folded, and what comes meanwhile is newer than all of them.
  record.precedence = old.back()->record().precedence;
  record.tiers_only = reduced || reduce;
  record.sealed = seal || record.tiers_only;
  record.masked_through = retention::HighestNumber(masks);
  for (const auto& epoch : old) record.masked_through = std::max(record.masked_through, epoch->record().masked_through);
  return std::optional<Fold>(std::move(fold));
}

Result<partition::PartitionPages> Compactor::MakePages(const database::Database& database, const Fold& fold, bool seal,
                                                       const retention::MaskList& masks, const std::stop_token& stop) {
  const std::vector<std::shared_ptr<const partition::PageSet>> sources(fold.old.begin(), fold.old.end());
  std::vector<retention::SourceMasks> hidden;
  for (const auto& epoch : fold.old) hidden.push_back(retention::SourceMasks::OfEpoch(masks, epoch->record()));
  const std::vector<RollupTier> tiers =
      database::LivingTiers(database.options(), fold.result, parts_.retention_clock.NowNs());
  if (fold.old.front()->record().tiers_only) return partition::CopyTiers(*fold.old.front(), hidden.front(), tiers);
  const bool reduce = fold.kind == FoldKind::kReduce;
  const bool past = fold.kind == FoldKind::kSeal || MovesBounds(fold.kind);
  // The pieces of a split wait for each other.
  const bool split = fold.kind == FoldKind::kSplit;
  model::TimeRange range;
  if (split) range = {{fold.result.first}, {database::EndNs(fold.result)}};
  return partition::Fold(sources, {fold.result.first, database::EndNs(fold.result)}, parts_.corrupt_pages.get(), hidden,
                         {.effort = seal || reduce ? codec::Effort::kNewest : codec::Effort::kFast,
                          .tiers = tiers,
                          .raw = !reduce,
                          .range = range,
                          .newest_of = [&](model::FieldId field) { return database.index().Field(field).newest; },
                          .progress = past ? &seal_progress_ : nullptr,
                          .scheduler = &parts_.scheduler,
                          .kind = TaskKind::kBackground,
                          .in_background = true,
                          .memory_bytes = parts_.options.fold_memory_bytes / (split ? 8 : 1),
                          .spool_directory = parts_.StagingDirectory(),
                          .memory = &memory_,
                          .stop = &parts_.closing,
                          .cancel = stop});
}

Result<void> Compactor::CommitFolds(database::Database& database, std::vector<Fold> folds,
                                    CompactionProgress* progress) {
  if (folds.empty()) return {};
  auto written = WriteFolds(&folds);
  Result<void> live;
  if (!written.ok()) {
    live = std::move(written).error();
  } else if (std::any_of(folds.begin(), folds.end(), [](const Fold& f) { return MovesBounds(f.kind); })) {
    FailurePoint("merge.made");
    // No slab and no epoch comes to the partitions of a merge or split while it is made live: they would overlap it.
    MutexLock flush(checkpointer_.flush_mutex());
    live = CheckMergesFit(database, folds);
    if (live.ok()) live = MakeLive(database, folds, std::move(written).value(), progress);
  } else {
    live = MakeLive(database, folds, std::move(written).value(), progress);
  }
  if (live.ok()) return {};
  for (const Fold& fold : folds) parts_.rocks->DeleteLeftover(parts_.StagingPath(fold.record.epoch));
  if (live.error().code != ErrorCode::kConflict) {
    parts_.health.Report(live.error());
    return std::move(live).error().Within(fmt::format("compacting database {}", database.name()));
  }
  // Partitions that retention took, or a database that was dropped meanwhile: of those nothing is left to compact.
  // Or rows came to a merge.
  for (const Fold& fold : folds) parts_.graveyard->Bury(meta::KeysOf(fold.record));
  checkpointer_.DropDeadFiles();
  if (folds.size() == 1) return {};
  for (const Fold& fold : folds) {
    if (fold.kind == FoldKind::kMerge) continue;
    TM_TRY_ASSIGN(
        [[maybe_unused]] const bool folded,
        FoldUnlessUnreadable(database, database::ByPartition(*database.state())[fold.result], fold.kind, progress));
  }
  return {};
}

bool Compactor::IsUnreadable(const Error& error) const {
  return error.code == ErrorCode::kCorruption || (error.code == ErrorCode::kIo && !parts_.closing.load());
}

Compactor::LeftPartitions Compactor::NoteUnreadable(const database::Database& database,
                                                    const database::EpochList& epochs, const Error& error) {
  const bool damaged = error.code == ErrorCode::kCorruption;
  const int64_t until_ns =
      damaged ? database::Unfoldable::kForGood : parts_.clock.SteadyNs() + database::Unfoldable::kTryAgainAfterNs;
  std::map<database::PartitionId, database::EpochList> all;
  for (const auto& epoch : epochs) {
    all[{epoch->record().partition_start_ns, epoch->record().partition_ns}].push_back(epoch);
  }
  LeftPartitions left;
  for (const auto& [id, list] : all) {
    uint64_t pages = 0;
    for (const auto& epoch : list) {
      if (damaged) pages += parts_.page_findings.Look(*epoch, database.name(), database.index(), parts_.closing);
    }
    if (pages > 0) left.emplace(id, fmt::format("{} of its pages cannot be read: {}", pages, error.message));
  }
  const bool none_found = left.empty();
  for (const auto& [id, list] : all) {
    if (none_found) left.emplace(id, error.message);
    if (!left.contains(id)) continue;
    unfoldable_.Note(list.back()->record().epoch, until_ns);
    // Each page is as it was written, and what was written cannot be put together.
    if (none_found && damaged && !parts_.closing.load()) {
      const partition::Epoch& newest = *list.back();
      parts_.page_findings.Note(
          {model::Number(newest.record().database), newest.record().epoch, rescue::kWholeEpoch},
          rescue::DamageOf(newest, database.name(), "", fmt::format("it cannot be folded: {}", error.message)));
    }
    TM_LOG(kError, "partition {} of database {} stays as it is: {}", text::PrintSecond(id.first), database.name(),
           left.at(id));
  }
  return left;
}

Result<bool> Compactor::FoldUnlessUnreadable(database::Database& database, const database::EpochList& run,
                                             FoldKind kind, CompactionProgress* progress) {
  if (run.empty()) return true;
  const meta::EpochRecord& first = run.front()->record();
  auto fold = MakeFold(database, run, {first.partition_start_ns, first.partition_ns}, kind);
  if (!fold.ok() && IsUnreadable(fold.error())) {
    NoteUnreadable(database, run, fold.error());
    return false;
  }
  if (!fold.ok()) return std::move(fold).error();
  if (!fold->has_value()) return true;
  std::vector<Fold> one;
  one.push_back(std::move(**fold));
  TM_RETURN_IF_ERROR(CommitFolds(database, std::move(one), progress));
  return true;
}

uint64_t Compactor::partitions_left() const {
  std::set<uint64_t> newest;
  for (const DatabasePtr& database : parts_.databases.All()) {
    for (const auto& [_, epochs] : database::ByPartition(*database->state()))
      newest.insert(epochs.back()->record().epoch);
  }
  return unfoldable_.CountOf(newest);
}

Result<Compactor::Written> Compactor::WriteFolds(std::vector<Fold>* folds) {
  Written out;
  std::set<uint64_t> removed;  // the pieces of a split are made of the same
  for (Fold& fold : *folds) {
    for (const auto& epoch : fold.old) {
      if (removed.insert(epoch->record().epoch).second) out.change.remove.push_back(epoch->record());
    }
    if (fold.pages.pages.empty()) continue;  // all of it was deleted
    const partition::PageDirectory directory = partition::SortAndList(&fold.pages);
    const std::string path = parts_.StagingPath(fold.record.epoch);
    TM_TRY_ASSIGN(fold.record, partition::WriteEpoch(parts_.rocks.get(), path, parts_.options.small_epoch_bytes,
                                                     fold.record, fold.pages, directory, &out.change.records));
    out.change.add.push_back(fold.record);
    out.change.format_version = std::max(out.change.format_version, fold.pages.store_version());
    if (!fold.record.in_meta) out.paths.push_back(path);
  }
  FailurePoint("fold.file_finished");
  return out;
}

Result<void> Compactor::MakeLive(database::Database& database, const std::vector<Fold>& folds, Written written,
                                 CompactionProgress* progress) {
  if (!written.paths.empty()) {
    if (auto ingested = parts_.rocks->Ingest(written.paths); !ingested.ok()) {
      for (const Fold& fold : folds) parts_.graveyard->Bury(meta::KeysOf(fold.record));
      return ingested;
    }
  }
  FailurePoint("fold.ingested");
  if (written.change.format_version > parts_.meta->format_version()) {
    TM_LOG(kInfo,
           "pages are written with codecs that earlier versions of this program do not read: the store has format "
           "version {} from now on",
           written.change.format_version);
  }
  TM_RETURN_IF_ERROR(parts_.meta->Commit(std::move(written.change)));
  FailurePoint("fold.committed");
  PublishFolds(database, folds, progress);
  return {};
}

void Compactor::PublishFolds(database::Database& database, const std::vector<Fold>& folds,
                             CompactionProgress* progress) {
  database::EpochList old;
  database::EpochList made;
  std::vector<model::TimeRange> reduced;
  std::set<uint64_t> replaced;
  for (const Fold& fold : folds) {
    for (const auto& epoch : fold.old) {
      if (replaced.insert(epoch->record().epoch).second) old.push_back(epoch);
    }
    if (!fold.pages.pages.empty()) made.push_back(parts_.MakeEpoch(fold.record));
    if (!fold.record.tiers_only) continue;
    reduced.push_back({{fold.result.first}, {database::EndNs(fold.result)}});
  }
  if (reduced.empty()) {
    database.ReplacePages({}, old, std::move(made));
  } else {
    const database::ChangeLog::Change noted = database.changes().Begin(reduced);
    database.ReplacePages({}, old, std::move(made));
  }
  for (const auto& epoch : old) {
    epoch->Retire();
    unfoldable_.Forget(epoch->record().epoch);
    progress->bytes_read += epoch->record().bytes;
  }
  FailurePoint("fold.published");
  for (const Fold& fold : folds) {
    progress->bytes_written += fold.record.bytes;
    if (fold.kind != FoldKind::kMerge) continue;
    std::set<database::PartitionId> parts;
    for (const auto& epoch : fold.old) parts.emplace(epoch->record().partition_start_ns, epoch->record().partition_ns);
    parts_.counters.merges.fetch_add(1);
    parts_.counters.partitions_merged.fetch_add(parts.size());
  }
}

}  // namespace tidemark::storage

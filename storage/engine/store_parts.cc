#include "storage/engine/store_parts.h"

#include <fmt/core.h>
#include <rocksdb/file_system.h>

#include <utility>

#include "storage/base/log.h"
#include "storage/database/journal_record.h"
#include "storage/model/repair_remedy.h"
#include "storage/rocks/directory.h"
#include "storage/rocks/private_file_system.h"

namespace tidemark::storage {
namespace {

constexpr int64_t kSelfTestIntervalNs = 1'000'000'000;
constexpr int64_t kReserveIntervalNs = 1'000'000'000;
// What must fit on the disk before writes are taken again.
constexpr uint64_t kSelfTestBytes = uint64_t{1} << 20;

// Shards of a head set: a power of two, at least as many as threads that write at once.
uint32_t HeadShards(size_t threads) {
  uint32_t shards = 4;
  while (shards < threads && shards < 64) shards *= 2;
  return shards;
}

}  // namespace

StoreParts::StoreParts(StoreOptions wanted)
    : options(std::move(wanted)),
      files(options.file_system != nullptr
                ? options.file_system
                : std::make_shared<rocks::PrivateFileSystem>(rocksdb::FileSystem::Default())),
      clock(options.clock != nullptr ? *options.clock : SystemClock::Get()),
      retention_clock(clock),
      scheduler(options.scheduler != nullptr ? *options.scheduler : static_cast<Scheduler&>(inline_scheduler)),
      head_shards(HeadShards(scheduler.concurrency())),
      blocks(std::make_shared<head::BlockPool>(options.staged_bytes)),
      reserve(options.directory, options.reserve_bytes),
      heads(options.staged_bytes),
      end_of_checkpoints(clock) {}

std::string StoreParts::StagingPath(uint64_t epoch) const {
  return fmt::format("{}/staging/{}", options.directory, rocks::StagingName(epoch));
}

std::shared_ptr<const partition::Epoch> StoreParts::MakeEpoch(const meta::EpochRecord& record) const {
  return std::make_shared<const partition::Epoch>(record, rocks, graveyard);
}

DatabasePtr StoreParts::MakeDatabase(const meta::DatabaseRecord& record) const {
  const index::IndexOptions limits{.max_series = options.max_series_per_database,
                                   .max_fields = options.max_fields_per_database,
                                   .memory = options.memory};
  return std::make_shared<database::Database>(record.id, record.name, record.options, limits, head_shards, blocks);
}

uint64_t StoreParts::SlabBytes() const {
  uint64_t bytes = 0;
  for (const DatabasePtr& database : databases.All()) {
    const std::shared_ptr<const database::DatabaseState> state = database->state();
    for (const auto& slab : state->slabs) bytes += slab->bytes();
  }
  return bytes;
}

uint64_t StoreParts::HeadBytes() const {
  uint64_t bytes = 0;
  for (const DatabasePtr& database : databases.All()) {
    const std::shared_ptr<const database::DatabaseState> state = database->state();
    bytes += state->live->heads().Stats().bytes;
    for (const auto& set : state->frozen) bytes += set->heads().Stats().bytes;
  }
  return bytes;
}

Result<void> StoreParts::CheckOwnFiles() {
  std::string missing = own_files.Missing();
  if (missing.empty() && journal != nullptr) missing = journal->MissingFile();
  if (missing.empty()) return {};
  model::Finding finding{.area = model::FindingArea::kFiles,
                         .place = missing,
                         .what = "it was removed, moved or replaced while the store had it open"};
  finding.remedy =
      "stop the server: as it stops it writes what is in memory into the directory, if that is still there; then put "
      "back what is missing, and start it again";
  const Error error = MakeError(
      ErrorCode::kUnavailable, fmt::format("the store is read-only: {}; {}", model::Describe(finding), finding.remedy));
  if (findings.Add(std::move(finding))) {
    TM_LOG(kError, "writes are refused: {}", error.message);
    health.RefuseForGood(error);
  }
  return error;
}

void StoreParts::ReportRocks(const Error& error) {
  if (error.code != ErrorCode::kCorruption) {
    health.Report(error);
    return;
  }
  // What follows from the first is not worth another finding.
  if (read_only || damage_reported.test_and_set()) return;
  model::Finding finding{
      .area = model::FindingArea::kMeta, .place = options.directory + "/rocksdb", .what = error.message};
  finding.remedy = model::kRepairRemedy;
  const Error refusal = MakeError(ErrorCode::kUnavailable, fmt::format("the store is read-only: {}; reads go on: {}",
                                                                       model::Describe(finding), finding.remedy));
  TM_LOG(kError, "writes are refused: {}", refusal.message);
  findings.Add(std::move(finding));
  health.RefuseForGood(refusal);
  if (meta != nullptr) meta->RefuseChanges(refusal);
  read_only = true;
}

Result<void> StoreParts::CheckMayWrite() const {
  if (!read_only) return {};
  if (auto refusal = health.Refusal()) return *std::move(refusal);
  return MakeError(ErrorCode::kUnavailable, "the store is read-only");
}

void StoreParts::MakeRoomToEnter() {
  if (!reserve.DiskIsFull() || reserve.in_use()) return;
  reserve.Release();
  TM_LOG(kWarn, "the disk is full: the reserve is in use for what gives space back");
  health.Report(MakeError(ErrorCode::kResourceExhausted, options.directory + ": the disk is full"));
}

void StoreParts::MakeRoom() {
  if (read_only) return;
  MakeRoomToEnter();
  const auto refusal = health.Refusal();
  if (!refusal || refusal->code != ErrorCode::kResourceExhausted) return;
  // RocksDB takes no change after one that did not find room.
  if (auto recovered = rocks->Recover(); !recovered.ok()) TM_LOG(kWarn, "{}", recovered.error().message);
  if (auto settled = meta->Settle(); !settled.ok()) TM_LOG(kWarn, "{}", settled.error().message);
}

void StoreParts::KeepReserve() {
  const int64_t now_ns = clock.SteadyNs();
  if (now_ns - reserve_kept_at_ns.load() < kReserveIntervalNs || reserve.in_use()) return;
  reserve_kept_at_ns.store(now_ns);
  // That there is none is told by the stats; as long as the disk is not full nothing is wrong.
  static_cast<void>(reserve.Keep(rocks->largest_change_bytes()));
}

Result<void> StoreParts::NoteCheckpoint(const LinePlace& place) {
  if (watermark == nullptr) return {};
  // All of them have been waited for. Those of databases that sync by interval come to the disk with the next sync.
  const journal::JournalFailures failed =
      journal != nullptr ? journal->FailuresUpTo(place.sequence) : journal::JournalFailures{};
  return watermark->NoteCheckpoint({place.sequence, place.records - failed.records, place.rows - failed.rows});
}

Result<void> StoreParts::CommitAct(meta::MetaChange change) {
  auto committed = meta->Commit(std::move(change));
  if (committed.ok()) return committed;
  health.Report(committed.error());
  return meta::InDoubt(std::move(committed).error());
}

Result<void> StoreParts::TryResume() {
  if (!health.DueForTest(clock.SteadyNs(), kSelfTestIntervalNs)) return {};
  TM_RETURN_IF_ERROR(CheckOwnFiles());
  // First what the next full disk needs, then rows.
  if (reserve.in_use()) {
    auto kept = reserve.Keep(rocks->largest_change_bytes());
    if (!kept.ok() && kept.error().code == ErrorCode::kResourceExhausted) return {};  // it is waited for
    TM_RETURN_IF_ERROR(std::move(kept));
  }
  TM_RETURN_IF_ERROR(rocks->SelfTest(options.directory + "/staging/self-test", kSelfTestBytes));
  TM_RETURN_IF_ERROR(rocks->Recover());
  TM_RETURN_IF_ERROR(meta->Settle());
  // A record without content: only writing shows that the journal can write.
  TM_TRY_ASSIGN(const uint64_t sequence, journal->Append([this](uint64_t next, std::string* out) {
    return line.Take(next, [out] {
      database::EncodeRecord({}, out);
      return uint64_t{0};
    });
  }));
  TM_RETURN_IF_ERROR(journal->WaitDurable(sequence));
  health.Clear();
  return {};
}

}  // namespace tidemark::storage

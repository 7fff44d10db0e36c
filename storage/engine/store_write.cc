#include <fmt/core.h>

#include <algorithm>
#include <utility>

#include "storage/base/log.h"
#include "storage/database/journal_record.h"
#include "storage/engine/store_impl.h"
#include "storage/journal/batch_record.h"

namespace tidemark::storage {
namespace {

// Heads are weighed again after this many points: often enough to keep to a budget of megabytes.
constexpr uint64_t kPointsPerWeighing = uint64_t{32} * 1024;
// A write that follows a failed one is appended anew this often at most.
constexpr int kMaxAppends = 8;

}  // namespace

Result<model::WriteReport> StoreImpl::Write(std::string_view database_name, const model::Batch& batch) {
  if (closing_.load(std::memory_order_relaxed)) return MakeError(ErrorCode::kUnavailable, "the store is closing");
  ReaderLock open(open_mutex_);
  if (closed_) return MakeError(ErrorCode::kUnavailable, "the store is closed");
  if (auto refusal = health_.Refusal(); refusal.has_value()) {
    if (auto resumed = TryResume(); !resumed.ok() || health_.Refusal().has_value()) return *refusal;
  }
  TM_TRY_ASSIGN(const DatabasePtr database, FindOrCreateDatabase(database_name));
  model::WriteReport report;
  std::unique_ptr<database::BatchResolver> resolver = TakeResolver();
  resolver->RefuseOld(database->keep_rules(), clock_.NowNs());
  Result<void> written;
  for (bool again = true; again;) {
    report = {};
    const int64_t oldest_ns = OldestNs(*database);
    const model::ResolvedBatch resolved =
        resolver->Resolve(database->id(), batch, oldest_ns, &database->index(), &database->shapes(), &report);
    written = {};
    if (!resolved.rows.empty()) {
      resolver->record.clear();
      journal::EncodeBatch(resolved, &resolver->record);
      written = JournalAndApply(*database, resolved, oldest_ns, &resolver->record);
    }
    // Rows that were taken have become too old meanwhile: they are refused in words.
    again = !written.ok() && written.error().code == ErrorCode::kConflict;
  }
  ReturnResolver(std::move(resolver));
  if (!written.ok()) return std::move(written).error();
  counters_.rows_written.fetch_add(report.rows_written, std::memory_order_relaxed);
  counters_.points_written.fetch_add(report.points_written, std::memory_order_relaxed);
  counters_.rows_rejected.fetch_add(report.rows_rejected, std::memory_order_relaxed);
  points_since_checkpoint_.fetch_add(report.points_written, std::memory_order_relaxed);
  KeepWithinBudget(*database, report.points_written);
  return report;
}

Result<void> StoreImpl::JournalAndApply(database::Database& database, const model::ResolvedBatch& batch,
                                        int64_t oldest_ns, std::string* record) {
  const bool wait = database.options().sync_interval_ns == 0;
  for (int attempt = 0; attempt < kMaxAppends; ++attempt) {
    std::shared_ptr<database::StagedSet> set;
    bool too_old = false;
    uint64_t ticket = 0;
    uint64_t sequence_in_line = 0;
    // Sequence, set, ticket and definitions are taken together, so that what the journal says in order is what the
    // heads get in order.
    const auto make = [&](uint64_t sequence, std::string* out) {
      MutexLock order(order_mutex_);
      last_sequence_ = sequence;
      sequence_in_line = sequence;
      // What is reduced to tiers takes no row any more; the floor is raised before the last of its rows are counted.
      const int64_t floor_ns = database.raw_floor_ns();
      too_old = floor_ns > oldest_ns && std::any_of(batch.rows.begin(), batch.rows.end(),
                                                    [&](const auto& row) { return row.time.ns < floor_ns; });
      if (too_old) {
        database::EncodeRecord({}, out);
        return;
      }
      set = database.live();
      ticket = set->TakeTicket();
      database::EncodeRecord({database.id(), database.definitions().Begin(sequence), *record}, out);
    };
    const auto give_up = [&] {
      if (set == nullptr) return;
      set->heads().SkipTicket(ticket);
      set->TicketDone();
    };
    auto appended = journal_->Append(make);
    if (appended.ok() && too_old) return MakeError(ErrorCode::kConflict, "the rows are too old");
    Result<void> durable;
    if (!appended.ok()) {
      durable = std::move(appended).error();
    } else if (wait) {
      durable = journal_->WaitDurable(*appended);
    }
    const database::DefinitionLedger::Verdict verdict =
        set == nullptr ? database::DefinitionLedger::Verdict::kFailed
                       : database.definitions().Settle(sequence_in_line, durable.ok());
    if (verdict == database::DefinitionLedger::Verdict::kAcknowledge) {
      {
        const database::ChangeLog::Change change = database.changes().Begin(database::TouchedRanges(batch.rows));
        set->heads().Append(batch, ticket);
      }
      set->TicketDone();
      if (!wait) database.unsynced.store(true, std::memory_order_relaxed);
      return {};
    }
    give_up();
    if (!durable.ok()) {
      health_.Report(durable.error());
      return durable;
    }
  }
  return MakeError(ErrorCode::kUnavailable, "the journal failed again and again under this write; try again");
}

Result<StoreImpl::DatabasePtr> StoreImpl::FindOrCreateDatabase(std::string_view name) {
  if (name.empty()) name = kDefaultDatabase;
  if (DatabasePtr found = Find(name); found != nullptr) return found;
  if (!options_.create_databases) return NotFound(fmt::format("database not found: \"{}\"", name));
  auto created = Create(name, options_.new_database);
  if (!created.ok() && created.error().code == ErrorCode::kAlreadyExists) {
    if (DatabasePtr found = Find(name); found != nullptr) return found;
  }
  return created;
}

std::unique_ptr<database::BatchResolver> StoreImpl::TakeResolver() {
  MutexLock lock(resolvers_mutex_);
  if (resolvers_.empty()) return std::make_unique<database::BatchResolver>();
  std::unique_ptr<database::BatchResolver> resolver = std::move(resolvers_.back());
  resolvers_.pop_back();
  return resolver;
}

void StoreImpl::ReturnResolver(std::unique_ptr<database::BatchResolver> resolver) {
  MutexLock lock(resolvers_mutex_);
  resolvers_.push_back(std::move(resolver));
}

void StoreImpl::KeepWithinBudget(const database::Database& database, uint64_t points) {
  if (points_unweighed_.fetch_add(points, std::memory_order_relaxed) + points < kPointsPerWeighing) return;
  points_unweighed_.store(0, std::memory_order_relaxed);
  const uint64_t bytes = HeadBytes();
  head_bytes_.store(bytes, std::memory_order_relaxed);
  if (bytes < options_.staged_bytes) return;
  if (!background_.joinable()) {
    // Nobody else does it: while the journal is replayed, or where there is no background work.
    if (auto made = FreezeFull(); !made.ok()) {
      TM_LOG(kError, "making pages of {}: {}", database.name(), made.error().message);
    }
    return;
  }
  MutexLock lock(wake_mutex_);
  wanted_ = true;
  wake_.NotifyAll();
  // Twice the budget is where writers wait for the background, so that memory stays bounded.
  while (head_bytes_.load(std::memory_order_relaxed) > 2 * options_.staged_bytes && !closing_.load()) {
    slabs_made_.Wait(wake_mutex_);
  }
}

}  // namespace tidemark::storage

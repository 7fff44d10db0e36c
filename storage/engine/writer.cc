#include <fmt/core.h>

#include <algorithm>
#include <utility>

#include "storage/base/failure_point.h"
#include "storage/base/log.h"
#include "storage/database/journal_record.h"
#include "storage/database/retention_plan.h"
#include "storage/engine/field_types.h"
#include "storage/engine/writer.h"
#include "storage/index/name_charge.h"
#include "storage/journal/batch_record.h"
#include "storage/model/limits.h"

namespace tidemark::storage {
namespace {

// A write that follows a failed one is appended anew this often at most.
constexpr int kMaxAppends = 8;

}  // namespace

Result<model::WriteReport> Writer::Write(std::string_view database_name, const model::Batch& batch) {
  if (parts_.closing.load(std::memory_order_relaxed)) return MakeError(ErrorCode::kUnavailable, "the store is closing");
  ReaderLock open(parts_.open_mutex);
  if (parts_.closed) return MakeError(ErrorCode::kUnavailable, "the store is closed");
  if (auto refusal = parts_.health.Refusal(); refusal.has_value()) {
    if (auto resumed = parts_.TryResume(); !resumed.ok() || parts_.health.Refusal().has_value()) return *refusal;
  }
  TM_TRY_ASSIGN(const DatabasePtr database, FindOrCreateDatabase(database_name));
  model::WriteReport report;
  std::unique_ptr<database::BatchResolver> resolver = TakeResolver();
  resolver->RefuseOld(database->keep_rules(), parts_.retention_clock.NowNs());
  FieldTypes types(&parts_, database);
  Result<void> written;
  uint64_t record_bytes = 0;
  for (bool again = true; again;) {
    report = {};
    const int64_t oldest_ns = OldestNs(*database);
    const auto resolved = resolver->Resolve({.database = database->id(),
                                             .oldest_ns = oldest_ns,
                                             .index = &database->index(),
                                             .shapes = &database->shapes(),
                                             .conflicts = database->options().type_conflicts,
                                             .changes = &types},
                                            batch, &report);
    written = {};
    if (!resolved.ok()) {
      written = resolved.error();
    } else if (!resolved->rows.empty()) {
      resolver->record.clear();
      journal::EncodeBatch(*resolved, &resolver->record);
      record_bytes = resolver->record.size();
      written = JournalAndApply(*database, *resolved, {oldest_ns, resolver->types_version()}, &resolver->record);
    }
    // Rows that were taken have become too old meanwhile, and are refused in words; or fields have got other types.
    again = !written.ok() && written.error().code == ErrorCode::kConflict;
  }
  ReturnResolver(std::move(resolver));
  if (!written.ok()) return std::move(written).error();
  parts_.counters.rows_written.fetch_add(report.rows_written, std::memory_order_relaxed);
  parts_.counters.points_written.fetch_add(report.points_written, std::memory_order_relaxed);
  parts_.counters.rows_rejected.fetch_add(report.rows_rejected, std::memory_order_relaxed);
  parts_.points_since_checkpoint.fetch_add(report.points_written, std::memory_order_relaxed);
  KeepWithinBudget(*database, report.points_written, record_bytes);
  return report;
}

Result<void> Writer::JournalAndApply(database::Database& database, const model::ResolvedBatch& batch,
                                     const Premise& premise, std::string* record) {
  const bool wait = database.options().sync_interval_ns == 0;
  for (int attempt = 0; attempt < kMaxAppends; ++attempt) {
    std::shared_ptr<database::StagedSet> set;
    bool outdated = false;
    uint64_t ticket = 0;
    uint64_t sequence_in_line = 0;
    // Sequence, set, ticket and definitions are taken together, so that what the journal says in order is what the
    // heads get in order.
    const auto take_place = [&](uint64_t sequence, std::string* out) {
      sequence_in_line = sequence;
      // What is reduced to tiers takes no row any more; the floor is raised before the last of its rows are counted.
      const int64_t floor_ns = database.raw_floor_ns();
      outdated = floor_ns > premise.oldest_ns && std::any_of(batch.rows.begin(), batch.rows.end(),
                                                             [&](const auto& row) { return row.time.ns < floor_ns; });
      // No row of a field follows one of the field that has its name now, so that of rows at one time that of the
      // younger field is the later one.
      outdated |= database.index().types_version() != premise.types_version;
      if (outdated) {
        database::EncodeRecord({}, out);
        return uint64_t{0};
      }
      database.watch().Note(batch.shapes);
      set = database.live();
      ticket = set->TakeTicket();
      database::EncodeRecord({database.id(), database.definitions().Begin(sequence), *record}, out);
      return uint64_t{batch.rows.size()};
    };
    const auto give_up = [&] {
      if (set == nullptr) return;
      set->heads().SkipTicket(ticket);
      set->TicketDone();
    };
    auto appended = parts_.journal->Append([&](uint64_t sequence, std::string* out) {
      return parts_.line.Take(sequence, [&] { return take_place(sequence, out); });
    });
    if (appended.ok() && outdated) return MakeError(ErrorCode::kConflict, "the rows are to be resolved anew");
    Result<void> durable;
    if (!appended.ok()) {
      durable = std::move(appended).error();
    } else if (wait) {
      durable = parts_.journal->WaitDurable(*appended);
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
      parts_.health.Report(durable.error());
      return durable;
    }
  }
  return MakeError(ErrorCode::kUnavailable, "the journal failed again and again under this write; try again");
}

Result<DatabasePtr> Writer::FindOrCreateDatabase(std::string_view name) {
  if (name.empty()) name = kDefaultDatabase;
  if (DatabasePtr found = parts_.databases.Find(name); found != nullptr) return found;
  if (!parts_.options.create_databases) return NoDatabase(name);
  auto created = CreateDatabase(name, parts_.options.new_database);
  if (!created.ok() && created.error().code == ErrorCode::kAlreadyExists) {
    if (DatabasePtr found = parts_.databases.Find(name); found != nullptr) return found;
  }
  return created;
}

std::unique_ptr<database::BatchResolver> Writer::TakeResolver() {
  MutexLock lock(resolvers_mutex_);
  if (resolvers_.empty()) return std::make_unique<database::BatchResolver>();
  std::unique_ptr<database::BatchResolver> resolver = std::move(resolvers_.back());
  resolvers_.pop_back();
  return resolver;
}

void Writer::ReturnResolver(std::unique_ptr<database::BatchResolver> resolver) {
  MutexLock lock(resolvers_mutex_);
  resolvers_.push_back(std::move(resolver));
}

Result<DatabasePtr> Writer::CreateDatabase(std::string_view name, const DatabaseOptions& options) {
  TM_RETURN_IF_ERROR(model::CheckDatabaseName(name));
  TM_RETURN_IF_ERROR(CheckOptions(options));
  MutexLock change_lock(parts_.databases.change_mutex());
  if (parts_.databases.Find(name) != nullptr) {
    return MakeError(ErrorCode::kAlreadyExists, fmt::format("database \"{}\" exists already", name));
  }
  if (parts_.databases.size() >= parts_.options.max_databases) {
    return InvalidArgument(fmt::format(
        "max-databases limit exceeded: ({}): database \"{}\" is not made; drop one, or raise storage.max_databases",
        parts_.options.max_databases, name));
  }
  const auto admitted = index::AdmitNames(parts_.options.memory, fmt::format("a new database \"{}\"", name),
                                          memory::kDatabaseBytes + memory::kFieldBytes);
  // Not as something that is to be tried again: whoever sends for many databases would hold those back that are known.
  if (!admitted.ok()) return InvalidArgument(admitted.error().message);
  const meta::DatabaseRecord record{parts_.meta->TakeDatabaseId(), std::string(name), options};
  meta::MetaChange change;
  change.put_databases.push_back(record);
  TM_RETURN_IF_ERROR(parts_.CommitAct(std::move(change)));
  FailurePoint("database.created");
  DatabasePtr database = parts_.MakeDatabase(record);
  parts_.databases.Add(database);
  return database;
}

int64_t Writer::OldestNs(const database::Database& database) const {
  return std::max(database::OldestKept(parts_.retention_clock.NowNs(), database.options().retention_ns),
                  database.raw_floor_ns());
}

void Writer::KeepWithinBudget(const database::Database& database, uint64_t points, uint64_t record_bytes) {
  if (!parts_.heads.Added(points, record_bytes) || !parts_.heads.Weighed(parts_.HeadBytes())) return;
  if (background_.load(std::memory_order_relaxed)) {
    parts_.heads.AskForSlabs(parts_.closing);
    return;
  }
  // Nobody else does it: while the journal is replayed, or where there is no background work.
  if (auto made = checkpointer_.FreezeFull(); !made.ok()) {
    TM_LOG(kError, "making pages of {}: {}", database.name(), made.error().message);
  }
}

}  // namespace tidemark::storage

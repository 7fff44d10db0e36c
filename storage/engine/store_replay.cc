#include <fmt/core.h>

#include <algorithm>
#include <utility>

#include "storage/base/log.h"
#include "storage/database/journal_record.h"
#include "storage/engine/store_impl.h"
#include "storage/journal/batch_record.h"

namespace tidemark::storage {
namespace {

// Whether the index knows every id that the batch uses. Ids are given out without gaps.
bool AllKnown(const model::ResolvedBatch& batch, const index::IndexStats& stats) {
  for (const model::ResolvedShape& shape : batch.shapes) {
    if (model::Number(shape.measurement) > stats.measurements) return false;
    for (const model::ResolvedField& field : shape.fields) {
      if (model::Number(field.id) > stats.fields) return false;
    }
  }
  return std::all_of(batch.rows.begin(), batch.rows.end(),
                     [&](const model::ResolvedRow& row) { return model::Number(row.series) <= stats.series; });
}

}  // namespace

StoreImpl::Replayed StoreImpl::BeginReplay() const {
  Replayed replayed;
  for (const DatabasePtr& database : parts_.databases.All()) replayed.databases.emplace(database->id(), database);
  return replayed;
}

Result<void> StoreImpl::ReplayRecord(uint64_t sequence, std::string_view bytes, Replayed* replayed) {
  auto decoded = database::DecodeRecord(bytes);
  if (!decoded.ok()) return std::move(decoded).error().Within(fmt::format("journal record {}", sequence));
  parts_.line.Note(sequence);
  if (*decoded == database::JournalRecord{}) return {};  // of a self-test
  const auto found = replayed->databases.find(decoded->database);
  if (found == replayed->databases.end()) {
    if (parts_.read_only) return {};  // that its database is not known has been found by the look
    return CheckOnceKnown(sequence, decoded->database);
  }
  if (unreadable_.contains(decoded->database)) return {};
  database::Database& database = *found->second;
  if (!decoded->deletion.empty()) {
    auto deleted = deleter_.Replay(database, decoded->deletion);
    if (!deleted.ok()) return std::move(deleted).error().Within(fmt::format("journal record {}", sequence));
    return {};
  }
  // A record whose names are not defined was never acknowledged: see DefinitionLedger.
  if (!decoded->definitions.empty()) {
    if (auto defined = database.index().ApplyDefinitions(decoded->definitions); !defined.ok()) {
      TM_LOG(kWarn, "journal record {} is left out, it was never acknowledged or comes after what was lost: {}",
             sequence, defined.error().message);
      ++replayed->skipped;
      return {};
    }
  }
  if (decoded->batch.empty()) return {};
  if (auto rows = journal::DecodeBatch(decoded->batch, &replayed->batch); !rows.ok()) {
    return std::move(rows).error().Within(fmt::format("journal record {}", sequence));
  }
  if (!AllKnown(replayed->batch.View(), database.index().Stats())) {
    TM_LOG(kWarn,
           "journal record {} is left out, it was never acknowledged or comes after what was lost: it names what is "
           "not defined",
           sequence);
    ++replayed->skipped;
    return {};
  }
  const std::shared_ptr<database::StagedSet> set = database.live();
  set->heads().Append(replayed->batch.View(), set->TakeTicket());
  set->TicketDone();
  const uint64_t points = replayed->batch.values.size();
  parts_.counters.recovered_points.fetch_add(points);
  parts_.points_since_checkpoint.fetch_add(points);
  writer_.KeepWithinBudget(database, points, decoded->batch.size());
  return {};
}

Result<void> StoreImpl::ReplayJournal() {
  Replayed replayed = BeginReplay();
  TM_RETURN_IF_ERROR(parts_.journal->Replay(parts_.meta->checkpoint_sequence() + 1,
                                            [&](uint64_t sequence, std::string_view bytes) -> Result<void> {
                                              return ReplayRecord(sequence, bytes, &replayed);
                                            }));
  parts_.line.Note(parts_.meta->checkpoint_sequence());
  // Ids that such records name may be given to something else now, so they must not be seen again.
  if (replayed.skipped == 0) return {};
  auto written = checkpointer_.Checkpoint();
  // Damage that it met has made the store read-only; then nothing is given away either.
  return parts_.read_only ? Result<void>() : written;
}

}  // namespace tidemark::storage

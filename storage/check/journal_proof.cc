#include "storage/check/journal_proof.h"

#include <algorithm>

#include "storage/base/clock.h"
#include "storage/database/journal_record.h"
#include "storage/meta/meta_store.h"
#include "storage/rocks/store_identity.h"
#include "storage/watermark/accepted_losses.h"

namespace tidemark::storage::check {

Result<MetaMark> ReadMetaMark(const rocks::RocksStore& rocks) {
  MetaMark mark;
  TM_TRY_ASSIGN(const std::optional<std::string> store, rocks.Get(rocks::Family::kMeta, rocks::kStoreKey));
  if (!store) return Corruption("meta has no store record");
  TM_TRY_ASSIGN(const meta::StoreRecord record, meta::DecodeStoreRecord(*store));
  mark.checkpoint_sequence = record.checkpoint_sequence;
  mark.next_database = record.next_database;
  std::vector<meta::EpochId> epochs;
  const auto read = rocks.ForEach(rocks::Family::kMeta, rocks::kEpochPrefix,
                                  [&](std::string_view, std::string_view value) -> Result<void> {
                                    TM_TRY_ASSIGN(const meta::EpochRecord epoch, meta::DecodeEpochRecord(value));
                                    epochs.emplace_back(epoch.database, epoch.epoch);
                                    return {};
                                  });
  if (read.ok()) mark.epochs_hash = meta::HashOfEpochs(std::move(epochs));
  mark.rocks_sequence = rocks.LatestSequence();
  return mark;
}

Result<JournalProof> ProveJournal(rocksdb::FileSystem* files, const std::string& directory, const MetaMark& meta,
                                  const journal::RecordFn& check_record) {
  JournalProof proof;
  TM_TRY_ASSIGN(proof.sight, watermark::ReadWatermark(files, directory));
  const auto identity = rocks::ReadIdentity(files, directory);
  proof.found.directory = directory;
  if (identity.ok() && *identity) proof.found.store_id = (*identity)->id;
  proof.found.boot_id = watermark::SystemBootId();
  proof.found.checkpoint_sequence = meta.checkpoint_sequence;
  proof.found.rocks_sequence = meta.rocks_sequence;
  proof.found.epochs_hash = meta.epochs_hash;
  watermark::JournalTally tally(proof.sight, meta.checkpoint_sequence.value_or(0));
  const auto count = [&](uint64_t sequence, std::string_view bytes) -> Result<void> {
    TM_RETURN_IF_ERROR(check_record(sequence, bytes));
    TM_TRY_ASSIGN(const database::JournalRecord record, database::DecodeRecord(bytes));
    TM_TRY_ASSIGN(const uint64_t rows, database::RowsOf(record));
    tally.Count(sequence, rows);
    return {};
  };
  const std::optional<uint64_t> first =
      meta.checkpoint_sequence ? std::optional<uint64_t>(*meta.checkpoint_sequence + 1) : std::nullopt;
  TM_TRY_ASSIGN(proof.check, journal::CheckJournal(files, directory + "/journal", first, count, tally.watched()));
  proof.journal = tally.all();
  proof.findings = watermark::Judge(proof.sight, proof.found, proof.check, tally);
  return proof;
}

Result<void> AcceptLosses(rocksdb::FileSystem* files, const JournalProof& proof, const MetaMark& meta,
                          const journal::RecordFn& check_record) {
  const model::Timestamp now{SystemClock::Get().NowNs()};
  const std::string& directory = proof.found.directory;
  std::vector<model::Finding> given_up = proof.findings;
  std::erase_if(given_up, [](const model::Finding& finding) { return !finding.stops_writes && !finding.loss; });
  if (!given_up.empty()) TM_RETURN_IF_ERROR(watermark::AcceptLosses(files, directory, given_up, now));
  TM_TRY_ASSIGN(const JournalProof mended, ProveJournal(files, directory, meta, check_record));
  watermark::Found found = mended.found;
  found.rocks_sequence = meta.rocks_sequence;
  const watermark::Watermark first =
      watermark::WatermarkOf(mended.sight, found, mended.check.last_sequence, mended.journal, now.ns);
  TM_TRY_ASSIGN(const auto file,
                watermark::WatermarkFile::Begin(files, directory, first, {{now.ns, first.durable.sequence}}));
  return file->Close();
}

}  // namespace tidemark::storage::check

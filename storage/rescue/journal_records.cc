#include "storage/rescue/journal_records.h"

#include "storage/journal/journal_scan.h"

namespace tidemark::storage::rescue {
namespace {

std::string JournalOf(const std::string& directory) { return directory + "/journal"; }

}  // namespace

Result<uint64_t> FirstJournalSequence(rocksdb::FileSystem* files, const std::string& directory) {
  TM_TRY_ASSIGN(const auto segments, journal::ListSegments(files, JournalOf(directory)));
  for (const journal::SegmentFile& segment : segments) {
    if (segment.header && segment.header->first_sequence > 0) return segment.header->first_sequence;
  }
  return uint64_t{0};
}

Result<void> ForEachJournalRecord(rocksdb::FileSystem* files, const std::string& directory, uint64_t first_sequence,
                                  const JournalRecordFn& visit) {
  const auto read = [&](uint64_t, std::string_view bytes) -> Result<void> {
    TM_TRY_ASSIGN(const database::JournalRecord record, database::DecodeRecord(bytes));
    if (record == database::JournalRecord{}) return {};
    return visit(record);
  };
  // Its damages are the look's and the repair's to find.
  TM_RETURN_IF_ERROR(journal::CheckJournal(files, JournalOf(directory), first_sequence, read));
  return {};
}

}  // namespace tidemark::storage::rescue

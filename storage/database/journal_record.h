// JournalRecord: one record of the journal: definitions of new names, and the rows of one write that uses them; or a
// deletion of what came before it.
// A record of database 0 with neither is what the self-test writes.
// Format: storage/FORMAT.md, "Journal records".
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "storage/base/result.h"
#include "storage/model/ids.h"

namespace tidemark::storage::database {

struct JournalRecord {
  model::DatabaseId database{};
  std::string_view definitions;  // of the database's index
  std::string_view batch;        // journal::EncodeBatch; empty when there are no rows
  std::string_view deletion{};   // EncodeMaskSpec; a record that has it has neither definitions nor a batch
  friend bool operator==(const JournalRecord&, const JournalRecord&) = default;
};

// Appends the record to `out`.
void EncodeRecord(const JournalRecord& record, std::string* out);
// Errors: kCorruption, kUnsupported for a kind that a later version wrote.
Result<JournalRecord> DecodeRecord(std::string_view bytes);

// How many rows it writes. Errors: kCorruption.
Result<uint64_t> RowsOf(const JournalRecord& record);

// What is said of record `sequence` when there never was a database of its id.
Error UnknownDatabase(uint64_t sequence, model::DatabaseId database);

}  // namespace tidemark::storage::database

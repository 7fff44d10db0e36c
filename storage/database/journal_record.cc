#include "storage/database/journal_record.h"

#include <fmt/core.h>

#include "storage/base/bytes.h"
#include "storage/journal/batch_record.h"

namespace tidemark::storage::database {
namespace {

constexpr uint8_t kWrite = 1;
constexpr uint8_t kDelete = 2;

}  // namespace

void EncodeRecord(const JournalRecord& record, std::string* out) {
  out->push_back(static_cast<char>(record.deletion.empty() ? kWrite : kDelete));
  PutVarint(out, model::Number(record.database));
  if (!record.deletion.empty()) {
    out->append(record.deletion);
    return;
  }
  PutString(out, record.definitions);
  out->append(record.batch);
}

Result<JournalRecord> DecodeRecord(std::string_view bytes) {
  ByteReader reader(bytes);
  const uint8_t kind = reader.Little<uint8_t>();
  JournalRecord record;
  record.database = model::DatabaseId{static_cast<uint32_t>(reader.Varint())};
  if (kind == kDelete) {
    record.deletion = reader.Bytes(reader.remaining());
    if (record.deletion.empty()) return Corruption("a deletion in the journal says nothing");
    return record;
  }
  record.definitions = reader.String();
  record.batch = reader.Bytes(reader.remaining());
  if (!reader.ok()) return Corruption("a journal record is shorter than its header says");
  if (kind != kWrite) {
    return Unsupported(
        fmt::format("a journal record is of kind {}, this version knows {} and {}", kind, kWrite, kDelete));
  }
  return record;
}

Result<uint64_t> RowsOf(const JournalRecord& record) {
  if (record.batch.empty()) return uint64_t{0};
  return journal::RowsOfBatch(record.batch);
}

Error UnknownDatabase(uint64_t sequence, model::DatabaseId database) {
  return Corruption(fmt::format(
      "journal record {} is of database {}, which there never was: the end of RocksDB's log, which says so, "
      "is missing; nothing was changed: put rocksdb/*.log back, or restore a copy of the directory",
      sequence, model::Number(database)));
}

}  // namespace tidemark::storage::database

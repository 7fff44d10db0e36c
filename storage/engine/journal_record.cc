#include "storage/engine/journal_record.h"

#include <fmt/core.h>

#include "storage/base/bytes.h"

namespace tidemark::storage {
namespace {

constexpr uint8_t kWrite = 1;

}  // namespace

void EncodeRecord(const JournalRecord& record, std::string* out) {
  out->push_back(static_cast<char>(kWrite));
  PutVarint(out, model::Number(record.database));
  PutString(out, record.definitions);
  out->append(record.batch);
}

Result<JournalRecord> DecodeRecord(std::string_view bytes) {
  ByteReader reader(bytes);
  const uint8_t kind = reader.Little<uint8_t>();
  JournalRecord record;
  record.database = model::DatabaseId{static_cast<uint32_t>(reader.Varint())};
  record.definitions = reader.String();
  record.batch = reader.Bytes(reader.remaining());
  if (!reader.ok()) return Corruption("a journal record is shorter than its header says");
  if (kind != kWrite)
    return Unsupported(fmt::format("a journal record is of kind {}, this version knows {}", kind, kWrite));
  return record;
}

}  // namespace tidemark::storage

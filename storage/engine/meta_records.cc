#include "storage/engine/meta_records.h"

#include <fmt/core.h>

#include "storage/base/bytes.h"
#include "storage/base/hash.h"

namespace tidemark::storage {
namespace {

constexpr uint8_t kLayout = 1;

Result<ByteReader> OpenRecord(std::string_view bytes, std::string_view what) {
  TM_TRY_ASSIGN(const std::string_view body, Unseal(bytes, what));
  ByteReader reader(body);
  const uint8_t layout = reader.Little<uint8_t>();
  if (layout != kLayout) {
    return Unsupported(fmt::format("{} in meta has layout {}, this version reads layout {}", what, layout, kLayout));
  }
  return reader;
}

Result<void> Finished(const ByteReader& reader, std::string_view what) {
  if (reader.ok() && reader.empty()) return {};
  return Corruption(fmt::format("{} in meta has a length that does not fit its content", what));
}

}  // namespace

void Seal(std::string* bytes) { PutLittle(bytes, Hash64(*bytes, 0)); }

Result<std::string_view> Unseal(std::string_view bytes, std::string_view what) {
  if (bytes.size() < sizeof(uint64_t)) {
    return Corruption(fmt::format("{} has {} bytes, too few for its checksum", what, bytes.size()));
  }
  const std::string_view body = bytes.substr(0, bytes.size() - sizeof(uint64_t));
  const auto expected = LoadLittle<uint64_t>(bytes.data() + body.size());
  const uint64_t found = Hash64(body, 0);
  if (expected != found) {
    return Corruption(fmt::format("{}: checksum expected {:016x}, found {:016x}", what, expected, found));
  }
  return body;
}

std::string Encode(const StoreRecord& record) {
  std::string out;
  // The version comes first and fixed in width: every version must be able to read it.
  PutLittle(&out, record.format_version);
  PutVarint(&out, record.next_database);
  PutVarint(&out, record.next_epoch);
  PutVarint(&out, record.checkpoint_sequence);
  Seal(&out);
  return out;
}

Result<StoreRecord> DecodeStoreRecord(std::string_view bytes) {
  TM_TRY_ASSIGN(const std::string_view body, Unseal(bytes, "the store record"));
  ByteReader reader(body);
  StoreRecord record;
  record.format_version = reader.Little<uint32_t>();
  if (record.format_version != kFormatVersion) {
    return Unsupported(fmt::format("the data directory has format version {}, this program reads version {}",
                                   record.format_version, kFormatVersion));
  }
  record.next_database = static_cast<uint32_t>(reader.Varint());
  record.next_epoch = reader.Varint();
  record.checkpoint_sequence = reader.Varint();
  TM_RETURN_IF_ERROR(Finished(reader, "the store record"));
  return record;
}

std::string Encode(const DatabaseRecord& record) {
  std::string out(1, static_cast<char>(kLayout));
  PutVarint(&out, model::Number(record.id));
  PutString(&out, record.name);
  PutSignedVarint(&out, record.options.partition_ns);
  PutSignedVarint(&out, record.options.retention_ns);
  PutSignedVarint(&out, record.options.sync_interval_ns);
  Seal(&out);
  return out;
}

Result<DatabaseRecord> DecodeDatabaseRecord(std::string_view bytes) {
  TM_TRY_ASSIGN(ByteReader reader, OpenRecord(bytes, "a database record"));
  DatabaseRecord record;
  record.id = model::DatabaseId{static_cast<uint32_t>(reader.Varint())};
  record.name = std::string(reader.String());
  record.options.partition_ns = reader.SignedVarint();
  record.options.retention_ns = reader.SignedVarint();
  record.options.sync_interval_ns = reader.SignedVarint();
  TM_RETURN_IF_ERROR(Finished(reader, "a database record"));
  if (record.options.partition_ns <= 0) return Corruption("a database record in meta has no partition length");
  return record;
}

std::string Encode(const EpochRecord& record) {
  std::string out(1, static_cast<char>(kLayout));
  PutVarint(&out, model::Number(record.database));
  PutSignedVarint(&out, record.partition_start_ns);
  PutSignedVarint(&out, record.partition_ns);
  PutVarint(&out, record.epoch);
  PutVarint(&out, record.precedence);
  PutVarint(&out, record.pages);
  PutVarint(&out, record.bytes);
  PutVarint(&out, record.rows);
  PutSignedVarint(&out, record.range.first.ns);
  PutSignedVarint(&out, record.range.last.ns);
  Seal(&out);
  return out;
}

Result<EpochRecord> DecodeEpochRecord(std::string_view bytes) {
  TM_TRY_ASSIGN(ByteReader reader, OpenRecord(bytes, "an epoch record"));
  EpochRecord record;
  record.database = model::DatabaseId{static_cast<uint32_t>(reader.Varint())};
  record.partition_start_ns = reader.SignedVarint();
  record.partition_ns = reader.SignedVarint();
  record.epoch = reader.Varint();
  record.precedence = reader.Varint();
  record.pages = reader.Varint();
  record.bytes = reader.Varint();
  record.rows = reader.Varint();
  record.range.first.ns = reader.SignedVarint();
  record.range.last.ns = reader.SignedVarint();
  TM_RETURN_IF_ERROR(Finished(reader, "an epoch record"));
  if (record.partition_ns <= 0) return Corruption("an epoch record in meta has no partition length");
  return record;
}

}  // namespace tidemark::storage

#include "storage/documents/document_record.h"

#include <fmt/core.h>

#include "storage/base/bytes.h"
#include "storage/base/hash.h"
#include "storage/meta/meta_records.h"
#include "storage/rocks/keys.h"

namespace tidemark::storage::documents {
namespace {

constexpr uint8_t kDocumentLayout = 1;
constexpr uint8_t kBytesLayout = 1;
constexpr uint8_t kKindLayout = 1;

std::string VersionKey(std::string_view prefix, std::string_view kind, std::string_view name, uint64_t version) {
  std::string out(prefix);
  out.append(kind);
  out.push_back('/');
  out.append(name);
  PutBig(&out, version);
  return out;
}

Result<void> CheckKey(std::string_view key, std::string_view expected, std::string_view what) {
  if (key == expected) return {};
  return Corruption(fmt::format("{} lies under the key of another record", what));
}

}  // namespace

std::string DocumentKey(std::string_view kind, std::string_view name, uint64_t version) {
  return VersionKey(rocks::kDocumentPrefix, kind, name, version);
}

std::string DocumentBytesKey(std::string_view kind, std::string_view name, uint64_t version) {
  return VersionKey(rocks::kDocumentBytesPrefix, kind, name, version);
}

std::string DocumentKindKey(std::string_view kind) {
  std::string out(rocks::kDocumentKindPrefix);
  out.append(kind);
  return out;
}

std::string Describe(std::string_view kind, std::string_view name, uint64_t version) {
  return fmt::format("{} \"{}\", version {}", kind, name, version);
}

std::string Encode(const DocumentRecord& record) {
  std::string out(1, static_cast<char>(kDocumentLayout));
  PutString(&out, record.kind);
  PutString(&out, record.name);
  PutVarint(&out, record.version);
  PutVarint(&out, record.change);
  PutSignedVarint(&out, record.time_ns);
  PutString(&out, record.author);
  PutVarint(&out, record.deleted ? 1 : 0);
  PutVarint(&out, record.bytes);
  PutLittle(&out, record.hash);
  meta::Seal(&out);
  return out;
}

std::string Encode(const KindRecord& record) {
  std::string out(1, static_cast<char>(kKindLayout));
  PutString(&out, record.kind);
  PutVarint(&out, record.forgotten_through);
  meta::Seal(&out);
  return out;
}

std::string EncodeDocumentBytes(std::string_view bytes) {
  std::string out;
  out.reserve(1 + bytes.size() + sizeof(uint64_t));
  out.push_back(static_cast<char>(kBytesLayout));
  out.append(bytes);
  meta::Seal(&out);
  return out;
}

Result<DocumentRecord> DecodeDocumentRecord(std::string_view key, std::string_view value) {
  constexpr std::string_view kWhat = "a document";
  TM_TRY_ASSIGN(meta::OpenedRecord opened, meta::OpenRecord(value, kWhat, kDocumentLayout));
  ByteReader& reader = opened.reader;
  DocumentRecord record;
  record.kind = std::string(reader.String());
  record.name = std::string(reader.String());
  record.version = reader.Varint();
  record.change = reader.Varint();
  record.time_ns = reader.SignedVarint();
  record.author = std::string(reader.String());
  record.deleted = reader.Varint() != 0;
  record.bytes = reader.Varint();
  record.hash = reader.Little<uint64_t>();
  TM_RETURN_IF_ERROR(meta::CheckEnd(reader, kWhat));
  TM_RETURN_IF_ERROR(CheckKey(key, DocumentKey(record.kind, record.name, record.version), kWhat));
  return record;
}

Result<KindRecord> DecodeKindRecord(std::string_view key, std::string_view value) {
  constexpr std::string_view kWhat = "a kind of documents";
  TM_TRY_ASSIGN(meta::OpenedRecord opened, meta::OpenRecord(value, kWhat, kKindLayout));
  KindRecord record;
  record.kind = std::string(opened.reader.String());
  record.forgotten_through = opened.reader.Varint();
  TM_RETURN_IF_ERROR(meta::CheckEnd(opened.reader, kWhat));
  TM_RETURN_IF_ERROR(CheckKey(key, DocumentKindKey(record.kind), kWhat));
  return record;
}

Result<std::string_view> DecodeDocumentBytes(const DocumentRecord& header, std::string_view value) {
  const std::string what = Describe(header.kind, header.name, header.version);
  TM_TRY_ASSIGN(meta::OpenedRecord opened, meta::OpenRecord(value, what, kBytesLayout));
  const std::string_view bytes = opened.reader.Bytes(opened.reader.remaining());
  if (bytes.size() != header.bytes) {
    return Corruption(fmt::format("{}: {} bytes, its header says {}", what, bytes.size(), header.bytes));
  }
  if (const uint64_t found = Hash64(bytes, 0); found != header.hash) {
    return Corruption(
        fmt::format("{}: the header expects the checksum {:016x}, found {:016x}", what, header.hash, found));
  }
  return bytes;
}

}  // namespace tidemark::storage::documents

// The records of documents in column family `meta`: a header and the bytes of each version, and what a kind has
// forgotten. storage/FORMAT.md, "Documents", has every byte.
//
// Headers are small and all read when a store is opened; bytes are read when somebody asks for them.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "storage/base/result.h"

namespace tidemark::storage::documents {

struct DocumentRecord {
  std::string kind;
  std::string name;
  uint64_t version = 0;
  uint64_t change = 0;
  int64_t time_ns = 0;
  std::string author = {};
  bool deleted = false;  // this version is the deletion, and has no record of bytes
  uint64_t bytes = 0;
  uint64_t hash = 0;  // of the bytes: XXH3, seed 0
  friend bool operator==(const DocumentRecord&, const DocumentRecord&) = default;
};

// What is left of the deleted documents of a kind that have been forgotten.
struct KindRecord {
  std::string kind;
  uint64_t forgotten_through = 0;  // the highest version of any of them
  friend bool operator==(const KindRecord&, const KindRecord&) = default;
};

std::string DocumentKey(std::string_view kind, std::string_view name, uint64_t version);
std::string DocumentBytesKey(std::string_view kind, std::string_view name, uint64_t version);
std::string DocumentKindKey(std::string_view kind);
// For messages: dashboard "overview", version 3.
std::string Describe(std::string_view kind, std::string_view name, uint64_t version);

std::string Encode(const DocumentRecord& record);
std::string Encode(const KindRecord& record);
std::string EncodeDocumentBytes(std::string_view bytes);
// Errors: kUnsupported for a layout of a later version, kCorruption for damage. `key`: where it was found; a record
// under the key of another one is damage.
Result<DocumentRecord> DecodeDocumentRecord(std::string_view key, std::string_view value);
Result<KindRecord> DecodeKindRecord(std::string_view key, std::string_view value);
// The bytes that `value` holds, checked against the header. They lie in `value`.
Result<std::string_view> DecodeDocumentBytes(const DocumentRecord& header, std::string_view value);

}  // namespace tidemark::storage::documents

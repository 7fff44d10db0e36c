#include "storage/documents/document_check.h"

#include <fmt/core.h>

#include "storage/rocks/keys.h"

namespace tidemark::storage::documents {

Result<void> DocumentCheck::See(std::string_view key, std::string_view value) {
  if (key.starts_with(rocks::kDocumentPrefix)) {
    TM_TRY_ASSIGN(DocumentRecord record, DecodeDocumentRecord(key, value));
    if (record.deleted) return {};
    std::string bytes_key = DocumentBytesKey(record.kind, record.name, record.version);
    headers_.emplace(std::move(bytes_key), std::move(record));
  } else if (key.starts_with(rocks::kDocumentBytesPrefix)) {
    const auto header = headers_.find(key);
    if (header == headers_.end()) return Corruption("bytes of a document without a header that can be read");
    const DocumentRecord record = std::move(header->second);
    headers_.erase(header);
    TM_RETURN_IF_ERROR(DecodeDocumentBytes(record, value));
  } else if (key.starts_with(rocks::kDocumentKindPrefix)) {
    TM_RETURN_IF_ERROR(DecodeKindRecord(key, value));
  }
  return {};
}

std::vector<std::string> DocumentCheck::Missing() const {
  std::vector<std::string> out;
  for (const auto& [key, record] : headers_) {
    out.push_back(fmt::format("{}: its bytes are gone", Describe(record.kind, record.name, record.version)));
  }
  return out;
}

}  // namespace tidemark::storage::documents

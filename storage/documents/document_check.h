// DocumentCheck: whether the records of documents are whole and belong together. For `tidemark admin verify`.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "storage/base/result.h"
#include "storage/documents/document_record.h"

namespace tidemark::storage::documents {

// Not thread-safe.
class DocumentCheck {
 public:
  // For each record of `meta` in the order of their keys, so that headers come before bytes; those that are of no
  // document are passed over. Errors: kCorruption, kUnsupported.
  Result<void> See(std::string_view key, std::string_view value);
  // In words, after the last: headers whose bytes have not been seen.
  [[nodiscard]] std::vector<std::string> Missing() const;

 private:
  std::map<std::string, DocumentRecord, std::less<>> headers_;  // by the key of their bytes, until those are seen
};

}  // namespace tidemark::storage::documents

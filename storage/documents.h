// DocumentStore: the one home of small durable state: dashboards, rules, silences, tokens, jobs. A document is a name
// within a kind, and bytes; each change makes a new version of it, and the last versions are kept.
//
//   DocumentStore& documents = *store->Documents();
//   TM_TRY_ASSIGN(Document board, documents.Get("dashboard", "overview"));
//   TM_TRY_ASSIGN(uint64_t version, documents.Put("dashboard", "overview", json, "ada", board.info.version));
//
// A change says which version it is made from (`expected`), so that nobody writes over what he has not seen. What
// changes together goes through Apply, in one commit. Documents are never under retention.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <span>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "storage/base/result.h"

namespace tidemark::storage {

inline constexpr size_t kMaxDocumentKindBytes = 32;
inline constexpr size_t kMaxDocumentNameBytes = 256;
inline constexpr size_t kMaxDocumentAuthorBytes = 256;
inline constexpr size_t kMaxDocumentBytes = size_t{1} << 20;
// Of one Apply.
inline constexpr size_t kMaxDocumentChanges = 1'000;
inline constexpr size_t kMaxDocumentChangeBytes = size_t{16} << 20;
// Entries of one page of List.
inline constexpr size_t kMaxDocumentListPage = 1'000;

// How much there may be of one kind. A kind that a store is not told about has these values.
struct DocumentKind {
  std::string word;
  // Versions of a document that are kept, the newest included. At least 1.
  uint32_t history = 20;
  // Deleted documents that are remembered, with their history; the first deleted goes first. At least 1.
  uint32_t deleted = 100;
  // Documents that are there, and their bytes together. More are refused. Old versions take no more than what is left
  // of the bytes, and make room where a new one needs it.
  uint64_t max_documents = 10'000;
  uint64_t max_bytes = uint64_t{64} << 20;
};

// One version of a document, without its bytes.
struct DocumentInfo {
  std::string name;
  // Ascends by one with every change of the document, from 1 on; never given twice for a name, also after a deletion.
  // (A name that was deleted and has been forgotten goes on behind the highest version that its kind has forgotten.)
  uint64_t version = 0;
  // The number of the change among all changes of the store's documents. Ascends, and is never given twice.
  uint64_t change = 0;
  int64_t time_ns = 0;  // when it was made, since 1970
  std::string author;
  bool deleted = false;
  uint64_t bytes = 0;
  friend bool operator==(const DocumentInfo&, const DocumentInfo&) = default;
};

struct Document {
  DocumentInfo info;
  std::string bytes;
};

struct DocumentChange {
  std::string kind;
  std::string name;
  // None: the document is deleted.
  std::optional<std::string> bytes;
  std::string author;
  // The version that must be there, 0: there must be no such document. None: whatever is there.
  std::optional<uint64_t> expected;
};

struct DocumentListOptions {
  std::string_view prefix = {};
  // Only names that come after it: the last name of the page before.
  std::string_view after = {};
  // Range [1, kMaxDocumentListPage].
  size_t limit = kMaxDocumentListPage;
  // Whether deleted documents that are remembered are listed too.
  bool deleted = false;
};

struct DocumentKindUsage {
  std::string word;
  uint64_t documents = 0;
  uint64_t bytes = 0;       // of the documents that are there
  uint64_t kept_bytes = 0;  // with old versions
};

// Thread-safe. Lives as long as its Store.
class DocumentStore {
 public:
  virtual ~DocumentStore() = default;

  // The newest version. Errors: kNotFound (also of a deleted one), kCorruption (the bytes are not what was written),
  // kIo, kUnavailable (the store is closed).
  [[nodiscard]] virtual Result<Document> Get(std::string_view kind, std::string_view name) const = 0;
  // One version that is kept, of a deleted document too. Errors: as Get; kNotFound of a version that is a deletion.
  [[nodiscard]] virtual Result<Document> GetVersion(std::string_view kind, std::string_view name,
                                                    uint64_t version) const = 0;
  // The versions that are kept, deletions included, newest first; at most `limit`. kNotFound when the name is unknown.
  [[nodiscard]] virtual Result<std::vector<DocumentInfo>> History(std::string_view kind, std::string_view name,
                                                                  size_t limit) const = 0;
  // One page of the documents of a kind, newest versions, ascending by the bytes of their names. Empty: no more.
  [[nodiscard]] virtual std::vector<DocumentInfo> List(std::string_view kind,
                                                       const DocumentListOptions& options) const = 0;
  // All kinds that have documents, or had some that are remembered, ascending.
  [[nodiscard]] virtual std::vector<DocumentKindUsage> Kinds() const = 0;

  // Makes all changes, or none, in one commit that is durable when it returns; the new versions, in the same order.
  // Errors, which change nothing: kConflict when another version is there than was expected (the message names it),
  // kNotFound for the deletion of what is not there, kInvalidArgument (a word, name or author that is none, one
  // document twice, too many changes or bytes), kLimitExceeded (of a document or its kind), kUnavailable.
  // After kIo or kResourceExhausted nothing has changed for this process, but a restart before the next change may
  // find the changes made, all of them.
  virtual Result<std::vector<uint64_t>> Apply(std::span<const DocumentChange> changes) = 0;

  // Apply of one change. `bytes`: at most kMaxDocumentBytes.
  Result<uint64_t> Put(std::string_view kind, std::string_view name, std::string bytes, std::string_view author,
                       std::optional<uint64_t> expected = std::nullopt);
  Result<uint64_t> Delete(std::string_view kind, std::string_view name, std::string_view author,
                          std::optional<uint64_t> expected = std::nullopt);

  // The number of the last change of a kind, of all kinds where it is empty; 0 before the first. It is the same as
  // long as every reply would be the same, also over a restart.
  [[nodiscard]] virtual uint64_t LastChange(std::string_view kind) const = 0;
  // Waits until LastChange(kind) is more than `since`, for at most `timeout` (and an hour) or until `stop` is
  // requested. Returns LastChange(kind).
  [[nodiscard]] virtual uint64_t WaitForChange(std::string_view kind, uint64_t since, std::chrono::nanoseconds timeout,
                                               std::stop_token stop) const = 0;
};

}  // namespace tidemark::storage

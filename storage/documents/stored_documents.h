// StoredDocuments: the DocumentStore of a store on disk: an index in memory, and records in `meta` that are changed
// through MetaStore.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "storage/base/clock.h"
#include "storage/base/mutex.h"
#include "storage/documents.h"
#include "storage/documents/kind_index.h"
#include "storage/meta/meta_store.h"
#include "storage/rocks/rocks_store.h"

namespace tidemark::storage::documents {

// Different kinds of one store, at most.
inline constexpr size_t kMaxKinds = 64;

struct StoredDocumentsOptions {
  std::shared_ptr<rocks::RocksStore> rocks;
  meta::MetaStore* meta = nullptr;  // outlives it, as the clock does
  Clock* clock = nullptr;
  std::vector<DocumentKind> kinds = {};
  // Called with what made a commit fail.
  std::function<void(const Error&)> on_error;
};

class StoredDocuments final : public DocumentStore {
 public:
  explicit StoredDocuments(StoredDocumentsOptions options);

  // Reads all headers. Before anything else, once. Errors: kUnsupported, kCorruption, kIo.
  Result<void> Load();

  [[nodiscard]] Result<Document> Get(std::string_view kind, std::string_view name) const override;
  [[nodiscard]] Result<Document> GetVersion(std::string_view kind, std::string_view name,
                                            uint64_t version) const override;
  [[nodiscard]] Result<std::vector<DocumentInfo>> History(std::string_view kind, std::string_view name,
                                                          size_t limit) const override;
  [[nodiscard]] std::vector<DocumentInfo> List(std::string_view kind,
                                               const DocumentListOptions& options) const override;
  [[nodiscard]] std::vector<DocumentKindUsage> Kinds() const override;
  Result<std::vector<uint64_t>> Apply(std::span<const DocumentChange> changes) override;
  // The same in one commit with `change`, which is of other records: both are there afterwards, or neither.
  Result<std::vector<uint64_t>> ApplyWith(std::span<const DocumentChange> changes, meta::MetaChange change);
  [[nodiscard]] uint64_t LastChange(std::string_view kind) const override;
  [[nodiscard]] uint64_t WaitForChange(std::string_view kind, uint64_t since, std::chrono::nanoseconds timeout,
                                       std::stop_token stop) const override;

 private:
  struct Amount {
    uint64_t documents = 0;
    uint64_t bytes = 0;
  };

  // Null before the first change of the kind.
  [[nodiscard]] const KindIndex* FindKind(std::string_view word) const TM_REQUIRES(mutex_);
  KindIndex& KindOf(std::string_view word) TM_REQUIRES(mutex_);
  // What may be of a kind: as the store was told, or the values of every kind.
  [[nodiscard]] DocumentKind Allowed(std::string_view word) const;
  // The header of a version that is kept; none named: of the newest, unless that is a deletion.
  [[nodiscard]] Result<DocumentRecord> Header(std::string_view kind, std::string_view name,
                                              std::optional<uint64_t> version) const;
  [[nodiscard]] Result<Document> Read(std::string_view kind, std::string_view name,
                                      std::optional<uint64_t> version) const;
  [[nodiscard]] uint64_t LastChangeLocked(std::string_view kind) const TM_REQUIRES(mutex_);
  // The headers that `changes` make, which the state allows.
  [[nodiscard]] Result<std::vector<DocumentRecord>> Plan(std::span<const DocumentChange> changes) const
      TM_REQUIRES(mutex_);
  // That no kind grows beyond what it may have. `after`: of the kinds that change.
  [[nodiscard]] Result<void> CheckLimits(const std::map<std::string_view, Amount>& after) const TM_REQUIRES(mutex_);
  // Adds to a commit that all that is spent goes.
  void DropSpent(std::vector<meta::RecordChange>* out) const TM_REQUIRES(commit_mutex_, mutex_);
  void NoteSpent(const KindIndex& kind, std::vector<SpentVersion> spent) TM_REQUIRES(commit_mutex_);

  const StoredDocumentsOptions options_;
  // One commit at a time. Before the lock of MetaStore and mutex_; the index changes only while it and mutex_ are held.
  mutable Mutex commit_mutex_;
  // Kind and version of what is spent and still on disk.
  std::vector<std::pair<std::string, SpentVersion>> spent_ TM_GUARDED_BY(commit_mutex_);

  mutable Mutex mutex_;
  mutable CondVar changed_;
  std::map<std::string, KindIndex, std::less<>> kinds_ TM_GUARDED_BY(mutex_);
  uint64_t last_change_ TM_GUARDED_BY(mutex_) = 0;
};

}  // namespace tidemark::storage::documents

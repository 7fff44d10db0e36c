// QuotaBook: what databases may take, all tokens together: documents of kind `quota`, one a database that has any. The
// quotas of tokens are in the tokens (access/token.h).
//
//   QuotaBook quotas(store->Documents(), &clock);
//   TM_RETURN_IF_ERROR(quotas.Load());
//   if (Account* account = quotas.Find("metrics")) ... account->AdmitPoints(points) ...
#pragma once

#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "storage/base/clock.h"
#include "storage/base/mutex.h"
#include "storage/base/result.h"
#include "storage/documents.h"
#include "tools/server/quota/account.h"

namespace tidemark::server::quota {

storage::DocumentKind QuotaDocuments();

// Thread-safe.
class QuotaBook {
 public:
  // Both outlive it.
  QuotaBook(storage::DocumentStore* documents, const Clock* clock) : documents_(documents), clock_(clock) {}

  // Reads what is stored. An Error names the database whose quotas cannot be read.
  Status Load() TM_EXCLUDES(mutex_);

  // Null for a database without quotas. "" is the default one. Costs a load while no database has any.
  [[nodiscard]] Account* Find(std::string_view database) const TM_EXCLUDES(mutex_);

  // Those of a database from now on; none for none. Durable when it returns. kInvalidArgument: a name that is none, or
  // query_memory, which tokens have; errors of the documents.
  Status Set(std::string_view database, const QuotaLimits& limits, std::string_view author) TM_EXCLUDES(mutex_);

  // A database gets another name, and its quotas go with it: what it has taken is counted anew. Calls `commit` with
  // what changes of the documents, and believes it when that succeeds. Quotas that the name `to` has already stay where
  // `from` has none. Errors: those of `commit`.
  using Commit = std::function<Status(std::vector<storage::DocumentChange> changes)>;
  Status RenameDatabase(std::string_view from, std::string_view to, std::string_view author, const Commit& commit)
      TM_EXCLUDES(mutex_);

  struct Entry {
    std::string database;
    QuotaLimits limits;
    Usage usage;
  };
  // By name.
  [[nodiscard]] std::vector<Entry> List() const TM_EXCLUDES(mutex_);

 private:
  void Adopt(const std::string& database, const QuotaLimits& limits) TM_REQUIRES(mutex_);

  storage::DocumentStore* const documents_;
  const Clock* const clock_;
  // Whether any database has quotas.
  std::atomic<bool> any_{false};
  mutable Mutex mutex_;
  // None goes before the book.
  std::map<std::string, std::unique_ptr<Account>, std::less<>> accounts_ TM_GUARDED_BY(mutex_);
};

}  // namespace tidemark::server::quota

// PolicyBook: what the retention policies of databases are called. A database has one policy, for all its points, which
// goes by "autogen" and by the name that its client has given it: who writes with rp=two_weeks means that one.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "storage/base/mutex.h"
#include "storage/base/result.h"
#include "storage/documents.h"

namespace tidemark::server {

// What 1.x calls the policy that a database has from the beginning.
inline constexpr std::string_view kFirstPolicy = "autogen";

// Thread-safe. The names are documents, one for each database whose policy has another name than kFirstPolicy.
class PolicyBook {
 public:
  static storage::DocumentKind Kind();

  // `documents` outlives it; null: names are forgotten with the process.
  explicit PolicyBook(storage::DocumentStore* documents) : documents_(documents) {}

  // Reads what is kept. A name that cannot be read any more is left out, which the log says. Before threads use it.
  void Load();
  [[nodiscard]] std::string NameOf(std::string_view database) const;
  // Whether the policy of `database` goes by `policy`: its name, "autogen", or "default", which 1.x takes too.
  [[nodiscard]] bool Knows(std::string_view database, std::string_view policy) const;
  // Errors: those of DocumentStore::Apply.
  Status Rename(std::string_view database, std::string_view policy, std::string_view author);
  // The database has gone. Errors: those of DocumentStore::Apply; then the name is still known.
  Status Forget(std::string_view database, std::string_view author);
  // A database gets another name, and its policy keeps its own. Calls `commit` with what changes of the documents, and
  // believes it when that succeeds; no policy changes meanwhile. Errors: those of `commit`.
  using Commit = std::function<Status(std::vector<storage::DocumentChange> changes)>;
  Status RenameDatabase(std::string_view from, std::string_view to, std::string_view author, const Commit& commit);

 private:
  storage::DocumentStore* const documents_;
  Mutex change_mutex_;  // one change at a time; before mutex_
  mutable Mutex mutex_;
  std::map<std::string, std::string, std::less<>> names_ TM_GUARDED_BY(mutex_);
};

}  // namespace tidemark::server

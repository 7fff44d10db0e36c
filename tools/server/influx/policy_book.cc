#include "tools/server/influx/policy_book.h"

#include <optional>
#include <utility>
#include <vector>

#include "storage/base/log.h"

namespace tidemark::server {
namespace {

constexpr std::string_view kKind = "influx_policy";

// No policy: the name is forgotten.
storage::DocumentChange ChangeOf(std::string_view database, std::optional<std::string> policy,
                                 std::string_view author) {
  return {.kind = std::string(kKind),
          .name = std::string(database),
          .bytes = std::move(policy),
          .author = std::string(author),
          .expected = std::nullopt};
}

Status Note(storage::DocumentStore* documents, const storage::DocumentChange& change) {
  if (documents == nullptr) return {};
  TM_RETURN_IF_ERROR(documents->Apply({&change, 1}));
  return {};
}

}  // namespace

storage::DocumentKind PolicyBook::Kind() { return {.word = std::string(kKind), .history = 1, .deleted = 1}; }

void PolicyBook::Load() {
  if (documents_ == nullptr) return;
  MutexLock lock(mutex_);
  std::string after;
  for (;;) {
    const std::vector<storage::DocumentInfo> page = documents_->List(kKind, {.after = after});
    if (page.empty()) return;
    for (const storage::DocumentInfo& info : page) {
      Result<storage::Document> document = documents_->Get(kKind, info.name);
      if (!document.ok()) {
        TM_LOG(kError, "what the retention policy of the database {} is called is not known any more: {}", info.name,
               document.error().message);
        continue;
      }
      names_[info.name] = std::move(document->bytes);
    }
    after = page.back().name;
  }
}

std::string PolicyBook::NameOf(std::string_view database) const {
  MutexLock lock(mutex_);
  const auto known = names_.find(database);
  return known == names_.end() ? std::string(kFirstPolicy) : known->second;
}

bool PolicyBook::Knows(std::string_view database, std::string_view policy) const {
  return policy == kFirstPolicy || policy == "default" || policy == NameOf(database);
}

Status PolicyBook::Rename(std::string_view database, std::string_view policy, std::string_view author) {
  MutexLock change(change_mutex_);
  TM_RETURN_IF_ERROR(Note(documents_, ChangeOf(database, std::string(policy), author)));
  MutexLock lock(mutex_);
  names_.insert_or_assign(std::string(database), std::string(policy));
  return {};
}

Status PolicyBook::Forget(std::string_view database, std::string_view author) {
  MutexLock change(change_mutex_);
  {
    MutexLock lock(mutex_);
    if (!names_.contains(database)) return {};
  }
  TM_RETURN_IF_ERROR(Note(documents_, ChangeOf(database, std::nullopt, author)));
  MutexLock lock(mutex_);
  if (const auto known = names_.find(database); known != names_.end()) names_.erase(known);
  return {};
}

Status PolicyBook::RenameDatabase(std::string_view from, std::string_view to, std::string_view author,
                                  const Commit& commit) {
  MutexLock change(change_mutex_);
  std::optional<std::string> policy;
  std::vector<storage::DocumentChange> changes;
  {
    MutexLock lock(mutex_);
    if (const auto known = names_.find(from); known != names_.end()) {
      policy = known->second;
      changes.push_back(ChangeOf(from, std::nullopt, author));
    }
    // One that a database of the new name has left behind goes.
    if (policy || names_.contains(to)) changes.push_back(ChangeOf(to, policy, author));
  }
  if (documents_ == nullptr) changes.clear();
  TM_RETURN_IF_ERROR(commit(std::move(changes)));
  MutexLock lock(mutex_);
  for (const std::string_view name : {from, to}) {
    if (const auto known = names_.find(name); known != names_.end()) names_.erase(known);
  }
  if (policy) names_.emplace(std::string(to), std::move(*policy));
  return {};
}

}  // namespace tidemark::server

#include "tools/server/influx/policy_book.h"

#include <optional>
#include <utility>
#include <vector>

namespace tidemark::server {
namespace {

constexpr std::string_view kKind = "influx_policy";

// No bytes: the name is forgotten.
Status Note(storage::DocumentStore* documents, std::string_view database, std::optional<std::string> policy,
            std::string_view author) {
  if (documents == nullptr) return {};
  const storage::DocumentChange change{.kind = std::string(kKind),
                                       .name = std::string(database),
                                       .bytes = std::move(policy),
                                       .author = std::string(author),
                                       .expected = std::nullopt};
  TM_RETURN_IF_ERROR(documents->Apply({&change, 1}));
  return {};
}

}  // namespace

storage::DocumentKind PolicyBook::Kind() { return {.word = std::string(kKind), .history = 1, .deleted = 1}; }

Status PolicyBook::Load() {
  if (documents_ == nullptr) return {};
  MutexLock lock(mutex_);
  std::string after;
  for (;;) {
    const std::vector<storage::DocumentInfo> page = documents_->List(kKind, {.after = after});
    if (page.empty()) return {};
    for (const storage::DocumentInfo& info : page) {
      TM_TRY_ASSIGN(storage::Document document, documents_->Get(kKind, info.name));
      names_[info.name] = std::move(document.bytes);
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
  TM_RETURN_IF_ERROR(Note(documents_, database, std::string(policy), author));
  MutexLock lock(mutex_);
  names_.insert_or_assign(std::string(database), std::string(policy));
  return {};
}

Status PolicyBook::Forget(std::string_view database, std::string_view author) {
  {
    MutexLock lock(mutex_);
    const auto known = names_.find(database);
    if (known == names_.end()) return {};
    names_.erase(known);
  }
  return Note(documents_, database, std::nullopt, author);
}

}  // namespace tidemark::server

#include "tools/server/rules/rule_book.h"

#include <fmt/core.h>

#include <span>

#include "query/rules/rule_text.h"
#include "storage/base/log.h"
#include "storage/base/text/query_escape.h"

namespace tidemark::server {
namespace {

using query::rules::Group;
using storage::Document;
using storage::DocumentChange;
using storage::DocumentInfo;

constexpr std::string_view kKind = "rules";
// In front of the YAML: what the bytes are, for a later version that writes others. The namespace follows, as it is.
constexpr std::string_view kHeader = "# tidemark rules 1 ";

std::string NameOf(std::string_view space, std::string_view group) {
  return text::QueryEscape(space) + "/" + text::QueryEscape(group);
}

// A stored document: its namespace is on the first line, as it is, since it has no control characters.
std::string BytesOf(std::string_view space, std::string_view text) {
  return fmt::format("{}{}\n{}", kHeader, space, text);
}

Result<RuleBook::Entry> EntryOf(const Document& document) {
  std::string_view bytes = document.bytes;
  const size_t line = bytes.find('\n');
  if (!bytes.starts_with(kHeader) || line == std::string_view::npos) {
    return MakeError(ErrorCode::kUnsupported, "it is not of a form that this version reads");
  }
  RuleBook::Entry entry;
  entry.space = bytes.substr(kHeader.size(), line - kHeader.size());
  entry.text = bytes.substr(line + 1);
  return entry;
}

// A namespace stands in a line of a document and in messages.
Status CheckNames(std::string_view space, std::string_view group) {
  for (const char c : space) {
    if (static_cast<unsigned char>(c) < 0x20) return InvalidArgument("a namespace has no control characters");
  }
  if (space.empty()) return InvalidArgument("a namespace needs a name");
  if (NameOf(space, group).size() <= storage::kMaxDocumentNameBytes) return {};
  return InvalidArgument(fmt::format("the names of a namespace and a group have at most {} bytes together, escaped",
                                     storage::kMaxDocumentNameBytes - 1));
}

}  // namespace

storage::DocumentKind RulesKind() {
  return {.word = std::string(kKind),
          .history = 20,
          .deleted = 200,
          .max_documents = 10'000,
          .max_bytes = uint64_t{64} << 20};
}

void RuleBook::Load() {
  MutexLock lock(mutex_);
  groups_.clear();
  std::string after;
  for (;;) {
    const std::vector<DocumentInfo> page = documents_->List(kKind, {.after = after});
    if (page.empty()) return;
    after = page.back().name;
    for (const DocumentInfo& info : page) {
      const Result<Document> document = documents_->Get(kKind, info.name);
      Result<Entry> entry = document.ok() ? EntryOf(*document) : Result<Entry>(document.error());
      Result<Group> group =
          entry.ok() ? query::rules::ParseRuleGroup(entry->text, entry->space, parse_) : Result<Group>(entry.error());
      if (!group.ok()) {
        TM_LOG(kError, "the stored rules {} are not in force: {}", info.name, group.error().message);
        continue;
      }
      Key key{entry->space, group->name};
      groups_[std::move(key)] = {std::move(entry->text), std::move(group).value()};
    }
  }
}

std::vector<RuleBook::Entry> RuleBook::List(std::optional<std::string_view> space) const {
  MutexLock lock(mutex_);
  std::vector<Entry> out;
  for (const auto& [key, stored] : groups_) {
    if (!space || key.first == *space) out.push_back({key.first, key.second, stored.text});
  }
  return out;
}

Result<RuleBook::Entry> RuleBook::Find(std::string_view space, std::string_view group) const {
  MutexLock lock(mutex_);
  const auto at = groups_.find(Key(space, group));
  if (at == groups_.end()) return NotFound("group does not exist");
  return Entry{at->first.first, at->first.second, at->second.text};
}

std::vector<Group> RuleBook::Groups() const {
  MutexLock lock(mutex_);
  std::vector<Group> out;
  for (const auto& [key, stored] : groups_) out.push_back(stored.group);
  return out;
}

Status RuleBook::Put(std::string_view space, std::string_view text, std::string_view author) {
  TM_RETURN_IF_ERROR(CheckNames(space, ""));
  // Whoever asks for it must get it back.
  if (const auto printed = query::rules::PrintGroupText(text, 0, false);
      !printed.ok() && printed.error().code == ErrorCode::kLimitExceeded) {
    return printed.error();
  }
  TM_TRY_ASSIGN(Group group, query::rules::ParseRuleGroup(text, std::string(space), parse_));
  TM_RETURN_IF_ERROR(CheckNames(space, group.name));
  MutexLock lock(mutex_);
  TM_TRY_ASSIGN([[maybe_unused]] const uint64_t version,
                documents_->Put(kKind, NameOf(space, group.name), BytesOf(space, text), author));
  Key key(space, group.name);
  groups_[std::move(key)] = {std::string(text), std::move(group)};
  return {};
}

Status RuleBook::Delete(std::string_view space, std::string_view group, std::string_view author) {
  MutexLock lock(mutex_);
  Key key(space, group);
  if (!groups_.contains(key)) return NotFound("group does not exist");
  return Remove({std::move(key)}, author);
}

Status RuleBook::DeleteAll(std::string_view space, std::string_view author) {
  MutexLock lock(mutex_);
  std::vector<Key> keys;
  for (const auto& [key, stored] : groups_) {
    if (key.first == space) keys.push_back(key);
  }
  if (keys.empty()) return NotFound("no rule groups found");
  return Remove(keys, author);
}

Status RuleBook::Remove(const std::vector<Key>& keys, std::string_view author) {
  for (size_t begin = 0; begin < keys.size(); begin += storage::kMaxDocumentChanges) {
    const std::span<const Key> some =
        std::span(keys).subspan(begin, std::min(storage::kMaxDocumentChanges, keys.size() - begin));
    std::vector<DocumentChange> changes;
    for (const Key& key : some) {
      changes.push_back({.kind = std::string(kKind),
                         .name = NameOf(key.first, key.second),
                         .bytes = std::nullopt,
                         .author = std::string(author),
                         .expected = std::nullopt});
    }
    TM_TRY_ASSIGN([[maybe_unused]] const std::vector<uint64_t> versions, documents_->Apply(changes));
    for (const Key& key : some) groups_.erase(key);
  }
  return {};
}

}  // namespace tidemark::server

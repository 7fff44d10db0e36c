#include "tools/server/rules/rule_book.h"

#include <fmt/core.h>

#include <algorithm>
#include <charconv>
#include <span>

#include "query/filter/filter_text.h"
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
// The same of rules whose maker sees some series only: the selectors of his filter follow, a line each, as many as the
// number in front of the namespace says. A version that does not know this leaves such rules out.
constexpr std::string_view kHeldHeader = "# tidemark rules 2 ";

std::string NameOf(std::string_view space, std::string_view group) {
  return text::QueryEscape(space) + "/" + text::QueryEscape(group);
}

// A stored document: its namespace is on the first line, as it is, since it has no control characters.
std::string BytesOf(std::string_view space, std::string_view text, const storage::SeriesFilter& filter) {
  if (filter.everything()) return fmt::format("{}{}\n{}", kHeader, space, text);
  const auto selectors = 1 + std::ranges::count(filter.text(), '\n');
  return fmt::format("{}{} {}\n{}\n{}", kHeldHeader, selectors, space, filter.text(), text);
}

// What BytesOf writes behind the first header: the number of selectors, the namespace, and those.
Status ReadHeld(std::string_view bytes, RuleBook::Entry* entry) {
  const Error broken = MakeError(ErrorCode::kCorruption, "the filter of who made it cannot be read");
  size_t count = 0;
  const auto [end, error] = std::from_chars(bytes.data(), bytes.data() + bytes.size(), count);
  if (error != std::errc() || count == 0 || end == bytes.data() + bytes.size() || *end != ' ') return broken;
  bytes.remove_prefix(static_cast<size_t>(end - bytes.data()) + 1);
  std::string filter;
  for (size_t i = 0; i <= count; ++i) {
    const size_t line = bytes.find('\n');
    if (line == std::string_view::npos) return broken;
    if (i == 0) {
      entry->space = bytes.substr(0, line);
    } else {
      filter.append(filter.empty() ? "" : "\n").append(bytes.substr(0, line));
    }
    bytes.remove_prefix(line + 1);
  }
  TM_TRY_ASSIGN(entry->filter, query::filter::ParseFilterText(filter));
  entry->text = bytes;
  return {};
}

Result<RuleBook::Entry> EntryOf(const Document& document) {
  std::string_view bytes = document.bytes;
  if (bytes.starts_with(kHeldHeader)) {
    RuleBook::Entry held;
    TM_RETURN_IF_ERROR(ReadHeld(bytes.substr(kHeldHeader.size()), &held));
    return held;
  }
  const size_t line = bytes.find('\n');
  if (!bytes.starts_with(kHeader) || line == std::string_view::npos) {
    return MakeError(ErrorCode::kUnsupported, "it is not of a form that this version reads");
  }
  RuleBook::Entry entry;
  entry.space = bytes.substr(kHeader.size(), line - kHeader.size());
  entry.text = bytes.substr(line + 1);
  return entry;
}

// Rules see and write what their maker may.
void Hold(const storage::SeriesFilter& filter, Group* group) {
  for (query::rules::Rule& rule : group->rules) rule.filter = filter;
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
      Hold(entry->filter, &*group);
      groups_.insert_or_assign(std::move(key),
                               Stored{std::move(entry->text), std::move(group).value(), std::move(entry->filter)});
    }
  }
}

std::vector<RuleBook::Entry> RuleBook::List(std::optional<std::string_view> space,
                                            const storage::SeriesFilter& reader) const {
  MutexLock lock(mutex_);
  std::vector<Entry> out;
  for (const auto& [key, stored] : groups_) {
    if (!MayUse(reader, stored)) continue;
    if (!space || key.first == *space) out.push_back({key.first, key.second, stored.text, stored.filter});
  }
  return out;
}

Result<RuleBook::Entry> RuleBook::Find(std::string_view space, std::string_view group,
                                       const storage::SeriesFilter& reader) const {
  MutexLock lock(mutex_);
  const auto at = groups_.find(Key(space, group));
  if (at == groups_.end() || !MayUse(reader, at->second)) return NotFound("group does not exist");
  return Entry{at->first.first, at->first.second, at->second.text, at->second.filter};
}

std::vector<Group> RuleBook::Groups() const {
  MutexLock lock(mutex_);
  std::vector<Group> out;
  for (const auto& [key, stored] : groups_) out.push_back(stored.group);
  return out;
}

Status RuleBook::Put(std::string_view space, std::string_view text, std::string_view author,
                     const storage::SeriesFilter& maker) {
  TM_RETURN_IF_ERROR(CheckNames(space, ""));
  // Whoever asks for it must get it back.
  if (const auto printed = query::rules::PrintGroupText(text, 0, false);
      !printed.ok() && printed.error().code == ErrorCode::kLimitExceeded) {
    return printed.error();
  }
  TM_TRY_ASSIGN(Group group, query::rules::ParseRuleGroup(text, std::string(space), parse_));
  TM_RETURN_IF_ERROR(CheckNames(space, group.name));
  Hold(maker, &group);
  MutexLock lock(mutex_);
  Key key(space, group.name);
  if (const auto known = groups_.find(key); known != groups_.end() && !MayUse(maker, known->second)) {
    return MakeError(
        ErrorCode::kConflict,
        fmt::format("somebody who sees other series made a group {} in {}: take another name", group.name, space));
  }
  TM_TRY_ASSIGN([[maybe_unused]] const uint64_t version,
                documents_->Put(kKind, NameOf(space, group.name), BytesOf(space, text, maker), author));
  groups_.insert_or_assign(std::move(key), Stored{std::string(text), std::move(group), maker});
  return {};
}

Status RuleBook::Delete(std::string_view space, std::string_view group, std::string_view author,
                        const storage::SeriesFilter& maker) {
  MutexLock lock(mutex_);
  Key key(space, group);
  const auto known = groups_.find(key);
  if (known == groups_.end() || !MayUse(maker, known->second)) return NotFound("group does not exist");
  return Remove({std::move(key)}, author);
}

Status RuleBook::DeleteAll(std::string_view space, std::string_view author, const storage::SeriesFilter& maker) {
  MutexLock lock(mutex_);
  std::vector<Key> keys;
  for (const auto& [key, stored] : groups_) {
    if (key.first == space && MayUse(maker, stored)) keys.push_back(key);
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

// Documents in memory, for tests of what is kept in them.
#pragma once

#include <algorithm>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "storage/documents.h"

namespace tidemark::server::access {

// Keeps the newest version of each only. One thread.
class MemoryDocuments final : public storage::DocumentStore {
 public:
  [[nodiscard]] Result<storage::Document> Get(std::string_view kind, std::string_view name) const override {
    if (!unreadable.empty() && name == unreadable) return Corruption("it is not what was written");
    const auto found = documents_.find({std::string(kind), std::string(name)});
    if (found == documents_.end()) return NotFound("no such document");
    return found->second;
  }
  [[nodiscard]] Result<storage::Document> GetVersion(std::string_view kind, std::string_view name,
                                                     uint64_t version) const override {
    TM_TRY_ASSIGN(storage::Document document, Get(kind, name));
    if (document.info.version != version) return NotFound("no such version");
    return document;
  }
  [[nodiscard]] Result<std::vector<storage::DocumentInfo>> History(std::string_view kind, std::string_view name,
                                                                   size_t /*limit*/) const override {
    TM_TRY_ASSIGN(const storage::Document document, Get(kind, name));
    return std::vector<storage::DocumentInfo>{document.info};
  }
  [[nodiscard]] std::vector<storage::DocumentInfo> List(std::string_view kind,
                                                        const storage::DocumentListOptions& options) const override {
    std::vector<storage::DocumentInfo> page;
    for (const auto& [key, document] : documents_) {
      if (key.first == kind && key.second > options.after && page.size() < options.limit) page.push_back(document.info);
    }
    return page;
  }
  [[nodiscard]] std::vector<storage::DocumentKindUsage> Kinds() const override { return {}; }
  Result<std::vector<uint64_t>> Apply(std::span<const storage::DocumentChange> changes) override {
    if (fail_with && fail_after == 0) return *fail_with;
    if (fail_with) --fail_after;
    std::vector<uint64_t> versions;
    for (const storage::DocumentChange& change : changes) {
      const std::pair<std::string, std::string> key(change.kind, change.name);
      const auto found = documents_.find(key);
      const uint64_t version = found == documents_.end() ? 0 : found->second.info.version;
      if (change.expected && *change.expected != version) return MakeError(ErrorCode::kConflict, "another version");
      if (!change.bytes && found == documents_.end()) return NotFound("no such document");
      last_change_[change.kind] = ++changes_;
      versions.push_back(version + 1);
      if (!change.bytes) {
        documents_.erase(found);
        continue;
      }
      documents_[key] = {{.name = change.name, .version = version + 1, .change = changes_, .author = change.author},
                         *change.bytes};
    }
    return versions;
  }
  [[nodiscard]] uint64_t LastChange(std::string_view kind) const override {
    const auto found = last_change_.find(kind);
    return found == last_change_.end() ? 0 : found->second;
  }
  [[nodiscard]] uint64_t WaitForChange(std::string_view kind, uint64_t /*since*/, std::chrono::nanoseconds /*timeout*/,
                                       std::stop_token /*stop*/) const override {
    return LastChange(kind);
  }

  std::optional<Error> fail_with;  // of every change
  uint64_t fail_after = 0;         // that many changes are made before
  std::string unreadable;          // the name of a document that Get finds damaged

 private:
  std::map<std::pair<std::string, std::string>, storage::Document> documents_;
  std::map<std::string, uint64_t, std::less<>> last_change_;
  uint64_t changes_ = 0;
};

}  // namespace tidemark::server::access

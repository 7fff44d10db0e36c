#include "storage/documents/kind_index.h"

#include <fmt/core.h>

#include <algorithm>

namespace tidemark::storage::documents {

Result<void> KindIndex::Add(const DocumentRecord& record) {
  Versions& versions = names_[record.name];
  if (!versions.empty()) {
    const Version& newest = versions.back();
    if (record.version <= newest.version || record.change <= newest.change) {
      return Corruption(fmt::format("{} does not come after version {}",
                                    Describe(record.kind, record.name, record.version), newest.version));
    }
    if (newest.deleted) {
      deleted_.erase(newest.change);
    } else {
      bytes_ -= newest.bytes;
    }
  }
  versions.push_back(
      {record.version, record.change, record.time_ns, record.author, record.deleted, record.bytes, record.hash});
  if (record.deleted) {
    deleted_.emplace(record.change, record.name);
  } else {
    bytes_ += record.bytes;
  }
  kept_bytes_ += record.bytes;
  last_change_ = std::max(last_change_, record.change);
  return {};
}

void KindIndex::RaiseForgotten(uint64_t version) { forgotten_through_ = std::max(forgotten_through_, version); }

std::vector<SpentVersion> KindIndex::TakeSpent(std::string_view name) {
  std::vector<SpentVersion> spent;
  if (name.empty()) {
    for (auto& [each, versions] : names_) TrimHistory(each, &versions, &spent);
  } else if (const auto found = names_.find(name); found != names_.end()) {
    TrimHistory(found->first, &found->second, &spent);
  }
  ForgetDeleted(&spent);
  MakeRoom(&spent);
  return spent;
}

void KindIndex::TrimHistory(const std::string& name, Versions* versions, std::vector<SpentVersion>* spent) {
  if (versions->size() > kind_.history) Spend(name, versions, versions->size() - kind_.history, spent);
}

void KindIndex::ForgetDeleted(std::vector<SpentVersion>* spent) {
  while (deleted_.size() > kind_.deleted) {
    const auto first = deleted_.begin();
    const auto found = names_.find(first->second);
    RaiseForgotten(found->second.back().version);
    Spend(found->first, &found->second, found->second.size(), spent);
    names_.erase(found);
    deleted_.erase(first);
  }
}

void KindIndex::MakeRoom(std::vector<SpentVersion>* spent) {
  if (kept_bytes_ <= kind_.max_bytes || kept_bytes_ == bytes_) return;
  struct Old {
    uint64_t change;
    Names::iterator name;
  };
  std::vector<Old> olds;
  for (auto it = names_.begin(); it != names_.end(); ++it) {
    for (size_t i = 0; i + 1 < it->second.size(); ++i) olds.push_back({it->second[i].change, it});
  }
  std::sort(olds.begin(), olds.end(), [](const Old& a, const Old& b) { return a.change < b.change; });
  // A little more than is needed, so that not every change looks through all of them.
  const uint64_t enough = kind_.max_bytes - kind_.max_bytes / 16;
  for (const Old& old : olds) {
    if (kept_bytes_ <= enough) break;
    Spend(old.name->first, &old.name->second, 1, spent);
  }
}

void KindIndex::Spend(const std::string& name, Versions* versions, size_t count, std::vector<SpentVersion>* spent) {
  const auto end = versions->begin() + static_cast<ptrdiff_t>(count);
  for (auto it = versions->begin(); it != end; ++it) {
    kept_bytes_ -= it->bytes;
    spent->push_back({name, it->version});
  }
  versions->erase(versions->begin(), end);
}

const KindIndex::Versions* KindIndex::Find(std::string_view name) const {
  const auto found = names_.find(name);
  return found == names_.end() ? nullptr : &found->second;
}

const KindIndex::Version* KindIndex::Current(std::string_view name) const {
  const Versions* const versions = Find(name);
  if (versions == nullptr || versions->back().deleted) return nullptr;
  return &versions->back();
}

uint64_t KindIndex::NextVersion(std::string_view name) const {
  const Versions* const versions = Find(name);
  return (versions != nullptr ? versions->back().version : forgotten_through_) + 1;
}

}  // namespace tidemark::storage::documents

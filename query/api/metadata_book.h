// MetadataBook: type, help and unit of metric families, as remote write sends them now and then. In memory only: the
// senders repeat them every minute.
//
// What senders who are held to a filter say (storage::SeriesFilter) is kept apart, by the filter's text: who is held to
// the same one reads it first, who sees everything reads it where nobody else has said anything, and others never do.
// So nobody can change what a family is called by people whose series he does not see.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "storage/base/mutex.h"

namespace tidemark::query::api {

struct FamilyMetadata {
  std::string type;
  std::string help;
  std::string unit;
};

// Thread-safe.
class MetadataBook {
 public:
  // Families kept for one database, and bytes (Cost) for all of them; what would go over is not kept.
  static constexpr size_t kMaxFamilies = 100'000;
  static constexpr size_t kMaxBytes = size_t{32} << 20;
  // Of those, what all who are held to filters may take together, so that they leave room for the others.
  static constexpr size_t kMaxFilteredBytes = kMaxBytes / 4;

  // `filter`: the text of what the sender is held to; "" for nothing.
  void Put(std::string_view database, std::string_view filter, std::string_view family, FamilyMetadata metadata) {
    if (database.empty()) database = "default";
    MutexLock lock(mutex_);
    const auto sections = databases_.find(database);
    const Families* known = nullptr;
    if (sections != databases_.end()) {
      if (const auto at = sections->second.find(filter); at != sections->second.end()) known = &at->second;
    }
    size_t more = Cost(family, metadata);
    size_t less = 0;
    if (known == nullptr) {
      more += kEntryBytes + database.size() + filter.size();
    } else if (const auto at = known->find(family); at != known->end()) {
      less = Cost(family, at->second);
    } else if (known->size() >= kMaxFamilies) {
      return;
    }
    if (bytes_ - less + more > kMaxBytes) return;
    if (!filter.empty()) {
      if (filtered_bytes_ - less + more > kMaxFilteredBytes) return;
      filtered_bytes_ = filtered_bytes_ - less + more;
    }
    bytes_ = bytes_ - less + more;
    databases_[std::string(database)][std::string(filter)].insert_or_assign(std::string(family), std::move(metadata));
  }

  [[nodiscard]] size_t bytes() const {
    MutexLock lock(mutex_);
    return bytes_;
  }

  struct Family {
    std::string name;
    FamilyMetadata metadata;
  };

  // Of the metric's own name, else of the family that it is a part of (x_bucket, x_sum, x_count, x_total of x).
  // `filter`: the text of what the reader is held to; "" for nothing.
  [[nodiscard]] std::optional<Family> Find(std::string_view database, std::string_view filter,
                                           std::string_view metric) const {
    MutexLock lock(mutex_);
    const auto sections = databases_.find(database.empty() ? std::string_view("default") : database);
    if (sections == databases_.end()) return std::nullopt;
    if (const auto own = sections->second.find(filter); own != sections->second.end()) {
      if (auto found = FindIn(own->second, metric)) return found;
    }
    if (!filter.empty()) {
      const auto all = sections->second.find("");
      return all == sections->second.end() ? std::nullopt : FindIn(all->second, metric);
    }
    for (const auto& [held, families] : sections->second) {
      if (auto found = FindIn(families, metric)) return found;
    }
    return std::nullopt;
  }

 private:
  using Families = std::map<std::string, FamilyMetadata, std::less<>>;
  using Sections = std::map<std::string, Families, std::less<>>;  // by the text of a filter

  static std::optional<Family> FindIn(const Families& families, std::string_view metric) {
    for (const std::string_view suffix : {"", "_bucket", "_sum", "_count", "_total"}) {
      if (!metric.ends_with(suffix)) continue;
      const auto at = families.find(metric.substr(0, metric.size() - suffix.size()));
      if (at != families.end()) return Family{at->first, at->second};
    }
    return std::nullopt;
  }

  // What a map's node takes beside its texts, roughly.
  static constexpr size_t kEntryBytes = 256;
  static size_t Cost(std::string_view family, const FamilyMetadata& metadata) {
    return kEntryBytes + family.size() + metadata.type.size() + metadata.help.size() + metadata.unit.size();
  }

  mutable Mutex mutex_;
  std::map<std::string, Sections, std::less<>> databases_ TM_GUARDED_BY(mutex_);
  size_t bytes_ TM_GUARDED_BY(mutex_) = 0;           // of all
  size_t filtered_bytes_ TM_GUARDED_BY(mutex_) = 0;  // of senders who are held to a filter
};

}  // namespace tidemark::query::api

// MetadataBook: type, help and unit of metric families, as remote write sends them now and then. In memory only: the
// senders repeat them every minute.
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

  void Put(std::string_view database, std::string_view family, FamilyMetadata metadata) {
    if (database.empty()) database = "default";
    MutexLock lock(mutex_);
    const auto families = databases_.find(database);
    if (families != databases_.end()) {
      if (const auto at = families->second.find(family); at != families->second.end()) {
        const size_t bytes = bytes_ - Cost(family, at->second) + Cost(family, metadata);
        if (bytes > kMaxBytes) return;
        bytes_ = bytes;
        at->second = std::move(metadata);
        return;
      }
      if (families->second.size() >= kMaxFamilies) return;
    }
    const size_t bytes =
        bytes_ + Cost(family, metadata) + (families == databases_.end() ? kEntryBytes + database.size() : 0);
    if (bytes > kMaxBytes) return;
    bytes_ = bytes;
    auto& kept = families == databases_.end() ? databases_[std::string(database)] : families->second;
    kept.emplace(family, std::move(metadata));
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
  [[nodiscard]] std::optional<Family> Find(std::string_view database, std::string_view metric) const {
    MutexLock lock(mutex_);
    const auto families = databases_.find(database.empty() ? std::string_view("default") : database);
    if (families == databases_.end()) return std::nullopt;
    for (const std::string_view suffix : {"", "_bucket", "_sum", "_count", "_total"}) {
      if (!metric.ends_with(suffix)) continue;
      const auto at = families->second.find(metric.substr(0, metric.size() - suffix.size()));
      if (at != families->second.end()) return Family{at->first, at->second};
    }
    return std::nullopt;
  }

 private:
  // What a map's node takes beside its texts, roughly.
  static constexpr size_t kEntryBytes = 256;
  static size_t Cost(std::string_view family, const FamilyMetadata& metadata) {
    return kEntryBytes + family.size() + metadata.type.size() + metadata.help.size() + metadata.unit.size();
  }

  mutable Mutex mutex_;
  std::map<std::string, std::map<std::string, FamilyMetadata, std::less<>>, std::less<>> databases_
      TM_GUARDED_BY(mutex_);
  size_t bytes_ TM_GUARDED_BY(mutex_) = 0;
};

}  // namespace tidemark::query::api

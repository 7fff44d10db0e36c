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
  // Families kept for one database; further ones are not.
  static constexpr size_t kMaxFamilies = 100'000;

  void Put(std::string_view database, std::string_view family, FamilyMetadata metadata) {
    MutexLock lock(mutex_);
    auto& families = databases_[std::string(database.empty() ? "default" : database)];
    const auto at = families.find(family);
    if (at != families.end()) {
      at->second = std::move(metadata);
    } else if (families.size() < kMaxFamilies) {
      families.emplace(family, std::move(metadata));
    }
  }

  // Of the metric's own name, else of the family that it is a part of (x_bucket, x_sum, x_count, x_total of x).
  [[nodiscard]] std::optional<FamilyMetadata> Find(std::string_view database, std::string_view metric) const {
    MutexLock lock(mutex_);
    const auto families = databases_.find(database.empty() ? std::string_view("default") : database);
    if (families == databases_.end()) return std::nullopt;
    for (const std::string_view suffix : {"", "_bucket", "_sum", "_count", "_total"}) {
      if (!metric.ends_with(suffix)) continue;
      const auto at = families->second.find(metric.substr(0, metric.size() - suffix.size()));
      if (at != families->second.end()) return at->second;
    }
    return std::nullopt;
  }

 private:
  mutable Mutex mutex_;
  std::map<std::string, std::map<std::string, FamilyMetadata, std::less<>>, std::less<>> databases_
      TM_GUARDED_BY(mutex_);
};

}  // namespace tidemark::query::api

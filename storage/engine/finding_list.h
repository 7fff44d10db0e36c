// FindingList: what is known of a store that is not as it was written.
#pragma once

#include <algorithm>
#include <utility>
#include <vector>

#include "storage/base/mutex.h"
#include "storage/model/finding.h"

namespace tidemark::storage {

// Thread-safe. Nothing is taken under its lock.
class FindingList {
 public:
  // One that is there already is not added again. Returns whether it was new.
  bool Add(model::Finding finding) {
    MutexLock lock(mutex_);
    if (std::find(findings_.begin(), findings_.end(), finding) != findings_.end()) return false;
    findings_.push_back(std::move(finding));
    return true;
  }
  [[nodiscard]] std::vector<model::Finding> All() const {
    MutexLock lock(mutex_);
    return findings_;
  }
  [[nodiscard]] bool StopsWrites() const {
    MutexLock lock(mutex_);
    return std::any_of(findings_.begin(), findings_.end(), [](const auto& finding) { return finding.stops_writes; });
  }

 private:
  mutable Mutex mutex_;
  std::vector<model::Finding> findings_ TM_GUARDED_BY(mutex_);
};

}  // namespace tidemark::storage

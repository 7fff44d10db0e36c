// FindingList: what is known of a store that is not as it was written.
#pragma once

#include <algorithm>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "storage/base/mutex.h"
#include "storage/model/finding.h"

namespace tidemark::storage {

// Thread-safe. Nothing is taken under its lock.
class FindingList {
 public:
  // One that is there already is not added again. Returns whether it was new. `database`: whose rows it is about; "":
  // it may be those of any.
  bool Add(model::Finding finding, std::string database = {}) {
    MutexLock lock(mutex_);
    if (std::find(findings_.begin(), findings_.end(), finding) != findings_.end()) return false;
    findings_.push_back(std::move(finding));
    databases_.push_back(std::move(database));
    return true;
  }
  // Those that are about rows of `database`, or may be.
  [[nodiscard]] std::vector<model::Finding> Of(std::string_view database) const {
    MutexLock lock(mutex_);
    std::vector<model::Finding> some;
    for (size_t i = 0; i < findings_.size(); ++i) {
      if (databases_[i].empty() || databases_[i] == database) some.push_back(findings_[i]);
    }
    return some;
  }
  void Clear() {
    MutexLock lock(mutex_);
    findings_.clear();
    databases_.clear();
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
  std::vector<std::string> databases_ TM_GUARDED_BY(mutex_);  // one each
};

}  // namespace tidemark::storage

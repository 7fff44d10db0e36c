// ConnectionCounts: how many connections are open, of all and of each address, and who may open one more.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <unordered_map>

#include "storage/base/mutex.h"
#include "storage/base/result.h"

namespace tidemark::http {

// Thread-safe. Outlives its places.
class ConnectionCounts {
 public:
  // `per_address_max` 0: half of `all_max`, at least one.
  ConnectionCounts(size_t all_max, size_t per_address_max);

  // A connection's place, given back when this goes.
  using Place = std::shared_ptr<const void>;
  // kResourceExhausted when there are too many; the message is for who is refused, and names the setting.
  Result<Place> Enter(const std::string& address) TM_EXCLUDES(mutex_);

 private:
  void Leave(const std::string& address) TM_EXCLUDES(mutex_);

  const size_t all_max_;
  const size_t per_address_max_;
  Mutex mutex_;
  size_t all_ TM_GUARDED_BY(mutex_) = 0;
  std::unordered_map<std::string, size_t> by_address_ TM_GUARDED_BY(mutex_);  // none is 0
};

}  // namespace tidemark::http

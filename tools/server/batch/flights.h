// Flights: questions that are being answered. Who asks what somebody else is asking at this moment waits for that
// answer instead of having it worked out twice.
//
//   std::shared_ptr<const Reply> reply = flights.Ask(key, stop, [&] { return api.Query(request); });
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <stop_token>
#include <string>
#include <string_view>
#include <unordered_map>

#include "query/api/envelope.h"
#include "storage/base/mutex.h"

namespace tidemark::server {

// Thread-safe.
class Flights {
 public:
  using Answer = std::shared_ptr<const query::api::Reply>;

  // `ask()`, or what the same of another caller with the same key gives. An answer that was given up because its
  // asker went away is not taken by those who waited for it: one of them asks anew. `stop` ends the waiting with the
  // reply of a request that was given up. Waits as long as the question takes.
  Answer Ask(const std::string& key, const std::stop_token& stop, const std::function<query::api::Reply()>& ask)
      TM_EXCLUDES(mutex_);

  // Callers that wait for the answer of another one, now.
  [[nodiscard]] size_t waiting() const TM_EXCLUDES(mutex_);
  // Answers that were taken from somebody else, since the start.
  [[nodiscard]] uint64_t shared() const TM_EXCLUDES(mutex_);

 private:
  struct Flight {
    CondVar landed;
    Answer answer;  // null until it is there
  };

  mutable Mutex mutex_;
  std::unordered_map<std::string, std::shared_ptr<Flight>> flights_ TM_GUARDED_BY(mutex_);
  size_t waiting_ TM_GUARDED_BY(mutex_) = 0;
  uint64_t shared_ TM_GUARDED_BY(mutex_) = 0;
};

}  // namespace tidemark::server

#include "tools/server/batch/flights.h"

#include <chrono>
#include <utility>

namespace tidemark::server {
namespace {

using query::api::ErrorReply;
using query::api::ErrorType;
using query::api::Reply;

// How often who waits looks whether its client is still there.
constexpr std::chrono::milliseconds kLook{20};

bool GivenUp(const Reply& reply) { return reply.status == query::api::HttpStatus(ErrorType::kCanceled); }

}  // namespace

Flights::Answer Flights::Ask(const std::string& key, const std::stop_token& stop, const std::function<Reply()>& ask) {
  for (;;) {
    std::shared_ptr<Flight> flight;
    {
      MutexLock lock(mutex_);
      const auto [at, first] = flights_.try_emplace(key, nullptr);
      if (first) {
        at->second = std::make_shared<Flight>();
        flight = at->second;
      } else {
        flight = at->second;
        ++waiting_;
        while (flight->answer == nullptr && !stop.stop_requested()) flight->landed.WaitFor(mutex_, kLook);
        --waiting_;
        if (flight->answer == nullptr) {
          return std::make_shared<const Reply>(ErrorReply(ErrorType::kCanceled, "the client went away"));
        }
        if (GivenUp(*flight->answer)) continue;
        ++shared_;
        return flight->answer;
      }
    }
    Answer answer = std::make_shared<const Reply>(ask());
    MutexLock lock(mutex_);
    flight->answer = answer;
    flights_.erase(key);
    flight->landed.NotifyAll();
    return answer;
  }
}

size_t Flights::waiting() const {
  MutexLock lock(mutex_);
  return waiting_;
}

uint64_t Flights::shared() const {
  MutexLock lock(mutex_);
  return shared_;
}

}  // namespace tidemark::server

#include "tools/service/time_extension.h"

#include <algorithm>
#include <chrono>

namespace tidemark::service {
namespace {

constexpr std::chrono::seconds kMore{30};
// Three of them may get lost.
constexpr std::chrono::seconds kEvery{10};

}  // namespace

TimeExtension::TimeExtension(const Supervisor* supervisor, Within within)
    : supervisor_(supervisor), lives_(within == Within::kRestart && supervisor->watchdog().count() != 0) {
  if (supervisor_->listens()) thread_ = std::jthread([this] { Run(); });
}

TimeExtension::~TimeExtension() {
  MutexLock lock(mutex_);
  ended_ = true;
  wake_.NotifyAll();
}

void TimeExtension::Run() {
  std::chrono::microseconds every = kEvery;
  // Twice as often as it is asked for.
  if (lives_) every = std::min(every, supervisor_->watchdog() / 2);
  MutexLock lock(mutex_);
  while (!ended_) {
    supervisor_->NeedsTime(kMore);
    if (lives_) supervisor_->Alive();
    wake_.WaitFor(mutex_, every);
  }
}

}  // namespace tidemark::service

#include "tools/service/time_extension.h"

#include <chrono>

namespace tidemark::service {
namespace {

constexpr std::chrono::seconds kMore{30};
// Three of them may get lost.
constexpr std::chrono::seconds kEvery{10};

}  // namespace

TimeExtension::TimeExtension(const Supervisor* supervisor) : supervisor_(supervisor) {
  if (supervisor_->listens()) thread_ = std::jthread([this] { Run(); });
}

TimeExtension::~TimeExtension() {
  MutexLock lock(mutex_);
  ended_ = true;
  wake_.NotifyAll();
}

void TimeExtension::Run() {
  MutexLock lock(mutex_);
  while (!ended_) {
    supervisor_->NeedsTime(kMore);
    wake_.WaitFor(mutex_, kEvery);
  }
}

}  // namespace tidemark::service

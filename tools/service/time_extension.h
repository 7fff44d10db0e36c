// TimeExtension: as long as it lives, the supervisor is told again and again that what runs needs more time: a start
// that replays a long journal, or a stop that writes a large checkpoint.
#pragma once

#include <thread>

#include "storage/base/mutex.h"
#include "tools/service/supervisor.h"

namespace tidemark::service {

class TimeExtension {
 public:
  // `supervisor` outlives it. Without a supervisor it does nothing.
  explicit TimeExtension(const Supervisor* supervisor);
  ~TimeExtension();
  TimeExtension(const TimeExtension&) = delete;
  TimeExtension& operator=(const TimeExtension&) = delete;

 private:
  void Run();

  const Supervisor* const supervisor_;
  Mutex mutex_;
  CondVar wake_;
  bool ended_ TM_GUARDED_BY(mutex_) = false;
  std::jthread thread_;
};

}  // namespace tidemark::service

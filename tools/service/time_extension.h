// TimeExtension: as long as it lives, the supervisor is told again and again that what runs needs more time: a start
// that replays a long journal, or a stop that writes a large checkpoint. In a restart of a process that the supervisor
// believes to be up it gives signs of life too.
#pragma once

#include <thread>

#include "storage/base/mutex.h"
#include "tools/service/supervisor.h"

namespace tidemark::service {

class TimeExtension {
 public:
  enum class Within { kStartOrStop, kRestart };
  // `supervisor` outlives it. Without a supervisor it does nothing.
  explicit TimeExtension(const Supervisor* supervisor, Within within = Within::kStartOrStop);
  ~TimeExtension();
  TimeExtension(const TimeExtension&) = delete;
  TimeExtension& operator=(const TimeExtension&) = delete;

 private:
  void Run();

  const Supervisor* const supervisor_;
  const bool lives_;  // signs of life are due
  Mutex mutex_;
  CondVar wake_;
  bool ended_ TM_GUARDED_BY(mutex_) = false;
  std::jthread thread_;
};

}  // namespace tidemark::service

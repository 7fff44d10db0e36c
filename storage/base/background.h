// Background: lets a thread compute so that threads which wake up to answer somebody get its core at once.
//
// A core is not given to a thread that wakes up before the running one has had its slice of some milliseconds, and on
// many machines the kernel does not look for another core that is idle. A short request is handed on a few times, and
// would wait for a slice each time. What computes for long therefore says so:
//
//   BackgroundScope background({.deadline_ns = deadline, .stop = stop});
//   for (Block& block : blocks) Work(block);
//
// The thread is in the kernel's class SCHED_IDLE meanwhile, whose threads make way at once for any other. They also get
// next to no time while others compute, whoever these are, and then cannot even look at the clock. A thread that is
// never in the background therefore looks after all that are (background_watch.h), and takes one out: for a while when
// it starves; for good when its deadline is near or it was told to stop, so that it sees that and gives back what it
// holds. Whoever keeps deadlines of others is never in the background. Going back takes a right that not every process
// has (CAP_SYS_NICE, or RLIMIT_NICE of 20 or more, as systemd's LimitNICE=+0 gives); without it a scope only asks for
// long slices, before which threads with the usual slice may come since Linux 6.12. Source: Linux, sched(7) and
// kernel/sched/fair.c.
#pragma once

#include <cstdint>
#include <stop_token>

namespace tidemark {

// When a thread has to leave the background for good.
struct BackgroundLimits {
  int64_t deadline_ns = 0;  // on SystemClock::SteadyNs; 0: none
  std::stop_token stop{};
};

// While it lives, the thread that made it is in the background. Scopes nest; the limits of the outermost count. Not
// thread-safe: ends on its own thread.
class BackgroundScope {
 public:
  explicit BackgroundScope(const BackgroundLimits& limits = {});
  ~BackgroundScope();
  BackgroundScope(const BackgroundScope&) = delete;
  BackgroundScope& operator=(const BackgroundScope&) = delete;
};

// How a scope works in this process. Tried out once.
enum class BackgroundMeans : uint8_t {
  kNone,       // not at all: the process has a class of its own, or the kernel refuses
  kLongSlice,  // longer slices
  kIdleClass,  // SCHED_IDLE
};
BackgroundMeans HowBackgroundWorks();

// How often the calling thread has been taken out of the background because it starved, in scopes that have ended.
uint64_t BackgroundEscapes();

}  // namespace tidemark

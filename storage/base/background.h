// Background: lets a thread compute so that threads which wake up to answer somebody get its core at once.
//
// A core is not given to a thread that wakes up before the running one has had its slice of some milliseconds, and on
// many machines the kernel does not look for another core that is idle. A short request is handed on a few times, and
// would wait for a slice each time. What computes for long therefore says so:
//
//   BackgroundScope background;
//   for (Block& block : blocks) { BackgroundTick(); Work(block); }
//
// The thread is in the kernel's class SCHED_IDLE meanwhile, whose threads make way at once for any other. They also get
// next to no time while others compute, so a thread that starves goes back to its own class for a while
// (BackgroundTick). Going back takes a right that not every process has (CAP_SYS_NICE, or RLIMIT_NICE of 20 or more,
// as systemd's LimitNICE=+0 gives); without it a scope only asks for long slices, before which threads with the usual
// slice may come since Linux 6.12.
// Source: Linux, sched(7) and kernel/sched/fair.c.
#pragma once

#include <cstdint>

namespace tidemark {

// While it lives, the thread that made it is in the background. Scopes nest. Not thread-safe: ends on its own thread.
class BackgroundScope {
 public:
  BackgroundScope();
  ~BackgroundScope();
  BackgroundScope(const BackgroundScope&) = delete;
  BackgroundScope& operator=(const BackgroundScope&) = delete;
};

// Keeps the calling thread from starving if it is in the background; else does nothing. Some nanoseconds; to be called
// every few milliseconds of work.
void BackgroundTick();

// How a scope works in this process. Tried out once.
enum class BackgroundMeans : uint8_t {
  kNone,       // not at all: the process has a class of its own, or the kernel refuses
  kLongSlice,  // longer slices
  kIdleClass,  // SCHED_IDLE
};
BackgroundMeans HowBackgroundWorks();

// How often the calling thread has gone back to its own class because it starved.
uint64_t BackgroundEscapes();

}  // namespace tidemark

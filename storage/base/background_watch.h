// BackgroundWatch: looks after threads in the background (background.h) from a thread that is not. One that others keep
// from running cannot see that itself: it would have to run. Internal to background.cc.
#pragma once

#include <sys/types.h>

#include <atomic>
#include <cstdint>
#include <optional>
#include <stop_token>
#include <thread>
#include <vector>

#include "storage/base/background.h"
#include "storage/base/mutex.h"

namespace tidemark {

// struct sched_attr of sched_setattr(2), which the C library of Debian 12 does not have.
struct SchedAttr {
  uint32_t size = sizeof(SchedAttr);
  uint32_t policy = 0;
  uint64_t flags = 0;
  int32_t nice = 0;
  uint32_t priority = 0;
  uint64_t runtime_ns = 0;
  uint64_t deadline_ns = 0;
  uint64_t period_ns = 0;

  // Of a thread; 0: the calling one. nullopt where the system does not say.
  static std::optional<SchedAttr> Of(pid_t thread);
  // False where the system refuses.
  bool SetOn(pid_t thread) const;

  [[nodiscard]] SchedAttr InIdleClass() const;
  // The kernel takes 0.1 to 100 ms; 0: its own.
  [[nodiscard]] SchedAttr WithSlice(uint64_t slice_ns) const;
};

// What a look at a thread shows.
struct ThreadSample {
  int64_t ran_ns = 0;  // since the thread began
  // Runs or waits for a core.
  bool runnable = false;
};

// Decides in which class a thread in the background should be, out of one look after the other. A plain value.
class BackgroundStay {
 public:
  // How often it wants to be asked.
  static constexpr int64_t kLookEveryNs = 20'000'000;
  // So long before its deadline a thread leaves the idle class.
  static constexpr int64_t kNearDeadlineNs = 100'000'000;

  BackgroundStay(const BackgroundLimits& limits, int64_t now_ns, const ThreadSample& first)
      : limits_(limits), looked_at_ns_(now_ns), moved_at_ns_(now_ns), seen_(first) {}

  // What it ran since the last Decide.
  [[nodiscard]] int64_t RanSince(const ThreadSample& sample) const { return sample.ran_ns - seen_.ran_ns; }
  // Whether it may be in the idle class until the next look. `all_ran_ns`: what all threads in the background together
  // ran since the last one.
  bool Decide(int64_t now_ns, const ThreadSample& sample, int64_t all_ran_ns);

  // How often it was taken out because it starved.
  [[nodiscard]] uint64_t escapes() const { return escapes_; }

 private:
  BackgroundLimits limits_;
  int64_t looked_at_ns_;
  int64_t moved_at_ns_;  // the last look that found it moving, or asleep
  ThreadSample seen_;
  int64_t out_until_ns_ = 0;
  bool out_for_good_ = false;
  uint64_t escapes_ = 0;
};

// Thread-safe. One for the process.
class BackgroundWatch {
 public:
  static BackgroundWatch& Get();
  ~BackgroundWatch();
  BackgroundWatch(const BackgroundWatch&) = delete;
  BackgroundWatch& operator=(const BackgroundWatch&) = delete;

  // One thread's stay. Made, entered and left by that thread.
  class Guest {
   public:
    Guest();
    ~Guest();
    Guest(const Guest&) = delete;
    Guest& operator=(const Guest&) = delete;

    // The thread goes into the idle class. False, and nothing changed, where nobody could see how it fares there.
    bool Enter(const SchedAttr& own, const BackgroundLimits& limits);
    void Leave();
    [[nodiscard]] uint64_t escapes() const { return escapes_.load(std::memory_order_relaxed); }

   private:
    friend class BackgroundWatch;
    [[nodiscard]] std::optional<ThreadSample> Sample() const;

    const pid_t thread_;
    // Stay open from one stay to the next.
    int run_times_file_;
    int state_file_;
    SchedAttr own_;
    std::optional<BackgroundStay> stay_;  // guarded by the watch's mutex while it is inside
    std::atomic<bool> leaving_{false};
    std::atomic<uint64_t> escapes_{0};
  };

 private:
  BackgroundWatch();
  void Add(Guest* guest) TM_EXCLUDES(mutex_);
  void Remove(Guest* guest) TM_EXCLUDES(mutex_);
  void Watch() TM_EXCLUDES(mutex_);
  void LookLocked() TM_REQUIRES(mutex_);
  void Apply(Guest* guest, bool may_stay) TM_REQUIRES(mutex_);

  // Never held by a thread in the idle class: it would keep the watch from running.
  Mutex mutex_;
  CondVar changed_;
  std::vector<Guest*> guests_ TM_GUARDED_BY(mutex_);
  bool ending_ TM_GUARDED_BY(mutex_) = false;
  std::jthread thread_;
};

}  // namespace tidemark

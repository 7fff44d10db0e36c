#include "storage/base/background.h"

#include <fcntl.h>
#include <sched.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <charconv>
#include <optional>
#include <string_view>
#include <thread>

namespace tidemark {
namespace {

constexpr int64_t kNsPerMs = 1'000'000;
// What a thread in the background asks for where it cannot be in the idle class. The kernel takes 0.1 to 100 ms.
constexpr uint64_t kLongSliceNs = 50 * kNsPerMs;
// How often a thread looks whether it starves, and how long it is in its own class when it does.
constexpr int64_t kLookEveryNs = 20 * kNsPerMs;
constexpr int64_t kEscapeNs = 40 * kNsPerMs;
// It starves when it waited more than this often as long as it ran, while all threads in the background together ran
// for less than this part of the time: those that only wait for each other do not starve.
constexpr int64_t kStarvedWaitsPerRun = 3;
constexpr int64_t kStarvedPart = 8;

// What the threads of the process ran in the background, as far as they have looked.
std::atomic<int64_t> all_ran_ns{0};

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
};

std::optional<SchedAttr> Get() {
  SchedAttr attr;
  if (::syscall(SYS_sched_getattr, 0, &attr, sizeof(attr), 0) != 0) return std::nullopt;
  attr.size = sizeof(attr);
  return attr;
}

bool Set(const SchedAttr& attr) { return ::syscall(SYS_sched_setattr, 0, &attr, 0) == 0; }

// SCHED_IDLE ignores the slice, and what was set stays: 0 is the kernel's own.
SchedAttr InIdleClass(SchedAttr own) {
  own.policy = SCHED_IDLE;
  own.runtime_ns = 0;
  return own;
}

SchedAttr WithSlice(SchedAttr own, uint64_t slice_ns) {
  own.runtime_ns = slice_ns;
  return own;
}

bool CanGoAndComeBack(const SchedAttr& there, const SchedAttr& own) { return Set(there) && Set(own); }

// On threads that end at once: one may be stuck in the idle class.
BackgroundMeans TryOut() {
  const std::optional<SchedAttr> found = Get();
  if (!found || found->policy != SCHED_OTHER) return BackgroundMeans::kNone;
  const SchedAttr own = WithSlice(*found, 0);
  const auto on_a_thread = [&own](const SchedAttr& there) {
    bool works = false;
    std::jthread([&] { works = CanGoAndComeBack(there, own); }).join();
    return works;
  };
  if (on_a_thread(InIdleClass(own))) return BackgroundMeans::kIdleClass;
  if (on_a_thread(WithSlice(own, kLongSliceNs))) return BackgroundMeans::kLongSlice;
  return BackgroundMeans::kNone;
}

int64_t NowNs() {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
  return int64_t{now.tv_sec} * 1'000'000'000 + now.tv_nsec;
}

// How long a thread has run and has waited for a core. Source: Linux, Documentation/scheduler/sched-stats.rst,
// "/proc/<pid>/schedstat".
struct RunTimes {
  int64_t ran_ns = 0;
  int64_t waited_ns = 0;
};

class ThreadBackground {
 public:
  ~ThreadBackground() {
    if (stat_file_ >= 0) ::close(stat_file_);
  }

  void Enter() {
    if (++depth_ > 1) return;
    means_ = HowBackgroundWorks();
    if (means_ == BackgroundMeans::kNone) return;
    const std::optional<SchedAttr> own = Get();
    if (!own || own->policy != SCHED_OTHER) {
      means_ = BackgroundMeans::kNone;
      return;
    }
    own_ = WithSlice(*own, 0);
    if (means_ == BackgroundMeans::kLongSlice) {
      Set(WithSlice(own_, kLongSliceNs));
      return;
    }
    // Who cannot see that it starves must not go where it may.
    if (stat_file_ < 0) stat_file_ = ::open("/proc/thread-self/schedstat", O_RDONLY | O_CLOEXEC);
    const std::optional<RunTimes> times = Times();
    if (!times) {
      means_ = BackgroundMeans::kNone;
      return;
    }
    seen_ = *times;
    escaped_ = false;
    Look(NowNs(), kLookEveryNs);
    Set(InIdleClass(own_));
  }

  void Leave() {
    if (--depth_ > 0 || means_ == BackgroundMeans::kNone) return;
    Set(own_);
    means_ = BackgroundMeans::kNone;
  }

  void Tick() {
    if (means_ != BackgroundMeans::kIdleClass) return;
    const int64_t now_ns = NowNs();
    if (now_ns < look_at_ns_) return;
    const RunTimes times = Times().value_or(seen_);
    const int64_t ran_ns = times.ran_ns - seen_.ran_ns;
    const int64_t waited_ns = times.waited_ns - seen_.waited_ns;
    const int64_t all_ns = all_ran_ns.fetch_add(ran_ns, std::memory_order_relaxed) + ran_ns - all_seen_ns_;
    const bool starves =
        !escaped_ && waited_ns > kStarvedWaitsPerRun * ran_ns && all_ns < (now_ns - looked_at_ns_) / kStarvedPart;
    seen_ = times;
    Look(now_ns, starves ? kEscapeNs : kLookEveryNs);
    if (starves == escaped_) return;
    escaped_ = starves;
    if (starves) ++escapes_;
    Set(starves ? WithSlice(own_, kLongSliceNs) : InIdleClass(own_));
  }

  [[nodiscard]] uint64_t escapes() const { return escapes_; }

 private:
  void Look(int64_t now_ns, int64_t next_ns) {
    looked_at_ns_ = now_ns;
    look_at_ns_ = now_ns + next_ns;
    all_seen_ns_ = all_ran_ns.load(std::memory_order_relaxed);
  }

  [[nodiscard]] std::optional<RunTimes> Times() const {
    std::array<char, 64> text{};
    const ssize_t size = ::pread(stat_file_, text.data(), text.size(), 0);
    if (size <= 0) return std::nullopt;
    RunTimes times;
    const char* const end = text.data() + size;
    const auto [after, error] = std::from_chars(text.data(), end, times.ran_ns);
    if (error != std::errc() || after == end) return std::nullopt;
    if (std::from_chars(after + 1, end, times.waited_ns).ec != std::errc()) return std::nullopt;
    return times;
  }

  int depth_ = 0;
  BackgroundMeans means_ = BackgroundMeans::kNone;  // of the scope that is open
  SchedAttr own_;
  int stat_file_ = -1;  // stays open for the next scope
  int64_t looked_at_ns_ = 0;
  int64_t look_at_ns_ = 0;
  int64_t all_seen_ns_ = 0;
  RunTimes seen_;
  bool escaped_ = false;
  uint64_t escapes_ = 0;
};

thread_local ThreadBackground current_thread;

}  // namespace

BackgroundMeans HowBackgroundWorks() {
  static const BackgroundMeans kMeans = TryOut();
  return kMeans;
}

BackgroundScope::BackgroundScope() { current_thread.Enter(); }
BackgroundScope::~BackgroundScope() { current_thread.Leave(); }
void BackgroundTick() { current_thread.Tick(); }
uint64_t BackgroundEscapes() { return current_thread.escapes(); }

}  // namespace tidemark

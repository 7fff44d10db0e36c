#include "storage/base/background_watch.h"

#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <charconv>
#include <chrono>
#include <string_view>

#include "storage/base/clock.h"

namespace tidemark {
namespace {

// A thread is in its own class for so long when it starves.
constexpr int64_t kEscapeNs = 40'000'000;
// It does not move when it ran for less than this part of the time although it could.
constexpr int64_t kMovesPart = 16;
// It starves when it does not move while all threads in the background together ran for less than this part of the
// time, or for so long: those that take turns with each other do not starve.
constexpr int64_t kStarvedPart = 8;
constexpr int64_t kStarvedNs = 100'000'000;

template <size_t kSize>
std::string_view ReadFrom(int file, std::array<char, kSize>* text) {
  const ssize_t size = ::pread(file, text->data(), text->size(), 0);
  return size <= 0 ? std::string_view() : std::string_view(text->data(), static_cast<size_t>(size));
}

}  // namespace

std::optional<SchedAttr> SchedAttr::Of(pid_t thread) {
  SchedAttr attr;
  if (::syscall(SYS_sched_getattr, thread, &attr, sizeof(attr), 0) != 0) return std::nullopt;
  attr.size = sizeof(attr);
  return attr;
}

bool SchedAttr::SetOn(pid_t thread) const { return ::syscall(SYS_sched_setattr, thread, this, 0) == 0; }

// SCHED_IDLE ignores the slice, and what was set stays: 0 is the kernel's own.
SchedAttr SchedAttr::InIdleClass() const {
  SchedAttr attr = WithSlice(0);
  attr.policy = SCHED_IDLE;
  return attr;
}

SchedAttr SchedAttr::WithSlice(uint64_t slice_ns) const {
  SchedAttr attr = *this;
  attr.runtime_ns = slice_ns;
  return attr;
}

bool BackgroundStay::Decide(int64_t now_ns, const ThreadSample& sample, int64_t all_ran_ns) {
  const int64_t elapsed_ns = now_ns - looked_at_ns_;
  const bool moved = !sample.runnable || !seen_.runnable || RanSince(sample) > elapsed_ns / kMovesPart;
  if (moved) moved_at_ns_ = now_ns;
  looked_at_ns_ = now_ns;
  seen_ = sample;
  if (limits_.stop.stop_requested()) out_for_good_ = true;
  if (limits_.deadline_ns != 0 && now_ns >= limits_.deadline_ns - kNearDeadlineNs) out_for_good_ = true;
  if (out_for_good_) return false;
  if (now_ns < out_until_ns_) return false;
  if (moved || (all_ran_ns >= elapsed_ns / kStarvedPart && now_ns - moved_at_ns_ < kStarvedNs)) return true;
  ++escapes_;
  out_until_ns_ = now_ns + kEscapeNs;
  moved_at_ns_ = out_until_ns_;
  return false;
}

BackgroundWatch& BackgroundWatch::Get() {
  static BackgroundWatch watch;
  return watch;
}

// A thread has the class of the one that made it, and this one must not be in the background: Enter makes the watch
// before it changes anything.
BackgroundWatch::BackgroundWatch() : thread_([this] { Watch(); }) {
  pthread_setname_np(thread_.native_handle(), "tm-background");
}

BackgroundWatch::~BackgroundWatch() {
  {
    MutexLock lock(mutex_);
    ending_ = true;
    changed_.NotifyAll();
  }
  thread_.join();
}

void BackgroundWatch::Add(Guest* guest) {
  MutexLock lock(mutex_);
  guests_.push_back(guest);
  if (guests_.size() == 1) changed_.NotifyAll();
}

void BackgroundWatch::Remove(Guest* guest) {
  MutexLock lock(mutex_);
  std::erase(guests_, guest);
  guest->escapes_.fetch_add(guest->stay_->escapes(), std::memory_order_relaxed);
  guest->stay_.reset();
}

void BackgroundWatch::Watch() {
  MutexLock lock(mutex_);
  while (!ending_) {
    if (guests_.empty()) {
      changed_.Wait(mutex_);
      continue;
    }
    changed_.WaitFor(mutex_, std::chrono::nanoseconds(BackgroundStay::kLookEveryNs));
    LookLocked();
  }
}

void BackgroundWatch::LookLocked() {
  const int64_t now_ns = SystemClock::Get().SteadyNs();
  std::vector<std::optional<ThreadSample>> samples;
  samples.reserve(guests_.size());
  int64_t all_ran_ns = 0;
  for (Guest* const guest : guests_) {
    samples.push_back(guest->Sample());
    if (samples.back()) all_ran_ns += guest->stay_->RanSince(*samples.back());
  }
  for (size_t i = 0; i < guests_.size(); ++i) {
    // Who cannot be seen any more may starve.
    Apply(guests_[i], samples[i] && guests_[i]->stay_->Decide(now_ns, *samples[i], all_ran_ns));
  }
}

// Compares with what is there, because the guest may have gone into the class after the last look. One that is about to
// leave needs the core for that.
void BackgroundWatch::Apply(Guest* guest, bool may_stay) {
  const bool in_idle_class = may_stay && !guest->leaving_.load();
  const std::optional<SchedAttr> now = SchedAttr::Of(guest->thread_);
  if (!now || (now->policy == SCHED_IDLE) == in_idle_class) return;
  (in_idle_class ? guest->own_.InIdleClass() : guest->own_).SetOn(guest->thread_);
  // It may have gone back to its own class, to leave, just before.
  if (in_idle_class && guest->leaving_.load()) guest->own_.SetOn(guest->thread_);
}

BackgroundWatch::Guest::Guest()
    : thread_(static_cast<pid_t>(::syscall(SYS_gettid))),
      run_times_file_(::open("/proc/thread-self/schedstat", O_RDONLY | O_CLOEXEC)),
      state_file_(::open("/proc/thread-self/stat", O_RDONLY | O_CLOEXEC)) {}

BackgroundWatch::Guest::~Guest() {
  if (run_times_file_ >= 0) ::close(run_times_file_);
  if (state_file_ >= 0) ::close(state_file_);
}

bool BackgroundWatch::Guest::Enter(const SchedAttr& own, const BackgroundLimits& limits) {
  const std::optional<ThreadSample> sample = Sample();
  if (!sample) return false;
  own_ = own;
  leaving_.store(false);
  stay_.emplace(limits, SystemClock::Get().SteadyNs(), *sample);
  BackgroundWatch::Get().Add(this);
  own_.InIdleClass().SetOn(0);
  return true;
}

void BackgroundWatch::Guest::Leave() {
  leaving_.store(true);
  own_.SetOn(0);
  BackgroundWatch::Get().Remove(this);
}

// Sources: Linux, Documentation/scheduler/sched-stats.rst, "/proc/<pid>/schedstat": time on the core in nanoseconds
// comes first; proc(5), /proc/pid/stat: the state follows the name, which is in parentheses and may hold some itself.
std::optional<ThreadSample> BackgroundWatch::Guest::Sample() const {
  std::array<char, 128> run_times;
  std::array<char, 128> state;
  const std::string_view times = ReadFrom(run_times_file_, &run_times);
  const std::string_view stat = ReadFrom(state_file_, &state);
  ThreadSample sample;
  if (std::from_chars(times.data(), times.data() + times.size(), sample.ran_ns).ec != std::errc()) return std::nullopt;
  const size_t name_end = stat.rfind(')');
  if (name_end == std::string_view::npos || name_end + 2 >= stat.size()) return std::nullopt;
  sample.runnable = stat[name_end + 2] == 'R';
  return sample;
}

}  // namespace tidemark

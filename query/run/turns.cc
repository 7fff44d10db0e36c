#include "query/run/turns.h"

#include <time.h>

#include <algorithm>
#include <chrono>
#include <utility>

#include <fmt/core.h>

#include "storage/base/lent_thread.h"
#include "storage/base/usable_cpus.h"

namespace tidemark::query::run {
namespace {

// How soon a waiting query notices that it was cancelled or is too late.
constexpr std::chrono::milliseconds kLookEvery{5};
// The same for one that waits to be long: of these there are many.
constexpr std::chrono::nanoseconds kLookIfEnteringEvery = std::chrono::milliseconds(50);

int64_t ReadClock(clockid_t clock) {
  timespec time{};
  clock_gettime(clock, &time);
  return int64_t{time.tv_sec} * 1'000'000'000 + time.tv_nsec;
}

int64_t ThreadCpuNs() { return ReadClock(CLOCK_THREAD_CPUTIME_ID); }
// Costs a tenth of that, and bounds it from above.
int64_t RealNs() { return ReadClock(CLOCK_MONOTONIC); }

TurnOptions Settle(TurnOptions options) {
  const size_t cores = UsableCpus();
  if (options.places == 0) options.places = std::max<size_t>(cores / 2, 1);
  if (options.places_alone == 0) options.places_alone = std::max(cores, options.places);
  if (options.clock == nullptr) options.clock = &SystemClock::Get();
  return options;
}

}  // namespace

Turns::Turns(const TurnOptions& options)
    : options_(Settle(options)), last_short_ns_(options_.clock->SteadyNs() - options_.quiet_ns) {}

size_t Turns::places_now() const {
  const int64_t since_ns = options_.clock->SteadyNs() - last_short_ns_.load(std::memory_order_relaxed);
  return since_ns < options_.quiet_ns ? options_.places : options_.places_alone;
}

bool Turns::memory_is_short() const {
  return options_.memory != nullptr && options_.memory->bytes_max() != 0 &&
         options_.memory->bytes() > options_.memory->bytes_max() / 2;
}

bool Turns::crowded() const { return somebody_waits() || taken_.load(std::memory_order_relaxed) > places_now(); }

void Turns::NoteShortQuery() { last_short_ns_.store(options_.clock->SteadyNs(), std::memory_order_relaxed); }

bool Turns::TakeLocked() {
  const size_t taken = taken_.load(std::memory_order_relaxed);
  if (taken >= places_now()) return false;
  taken_.store(taken + 1, std::memory_order_relaxed);
  return true;
}

void Turns::GrantLocked() {
  while (!queue_.empty() && TakeLocked()) {
    queue_.front()->granted = true;
    queue_.front()->changed.NotifyOne();
    queue_.PopFront();
  }
  waiting_.store(queue_.size(), std::memory_order_relaxed);
}

Turns::Stats Turns::stats() const {
  MutexLock lock(mutex_);
  return {.long_queries = long_queries_,
          .waiting = queue_.size(),
          .entering = entering_.size(),
          .refused = refused_.load(std::memory_order_relaxed)};
}

Error Turns::TooMany(std::string_view what) const {
  return {.code = ErrorCode::kResourceExhausted,
          .message = fmt::format("{}: {} long queries run and {} wait for their turn; try again later, or ask for a "
                                 "shorter range, a longer step or fewer series",
                                 what, long_queries_, entering_.size())};
}

Result<uint64_t> Turns::EnterLong(uint64_t client, int64_t deadline_ns, const std::function<Status()>& interrupted) {
  Waiter waiter;
  MutexLock lock(mutex_);
  if (long_queries_ < options_.long_queries_max && entering_.empty()) {
    ++long_queries_;
    return ++numbers_;
  }
  if (entering_.size() >= options_.waiting_max) {
    Waiter* const dropped = entering_.DropFor(client);
    refused_.fetch_add(1, std::memory_order_relaxed);
    if (dropped == nullptr) return TooMany("the queue of long queries is full");
    dropped->dropped = true;
    dropped->changed.NotifyOne();
  }
  entering_.Push(client, &waiter);
  while (!waiter.granted) {
    if (waiter.dropped) return TooMany("the queue of long queries is full, and most in it are of this client");
    const std::chrono::nanoseconds left(deadline_ns == 0 ? kLookIfEnteringEvery.count()
                                                         : std::max<int64_t>(deadline_ns - RealNs(), 0));
    waiter.changed.WaitFor(mutex_, std::min<std::chrono::nanoseconds>(left, kLookIfEnteringEvery));
    if (waiter.granted || waiter.dropped) continue;
    const Status status = interrupted();
    if (status.ok()) continue;
    entering_.Erase(&waiter);
    if (status.error().code != ErrorCode::kTimeout) return status.error();
    refused_.fetch_add(1, std::memory_order_relaxed);
    return TooMany("the query waited for its turn until its timeout");
  }
  return ++numbers_;
}

void Turns::LeaveLong() {
  MutexLock lock(mutex_);
  --long_queries_;
  while (!entering_.empty() && long_queries_ < options_.long_queries_max) {
    ++long_queries_;
    entering_.front()->granted = true;
    entering_.front()->changed.NotifyOne();
    entering_.PopFront();
  }
}

bool Turns::TryAcquire() {
  MutexLock lock(mutex_);
  return queue_.empty() && TakeLocked();
}

Status Turns::Acquire(uint64_t client, uint64_t number, bool held, const std::function<Status()>& interrupted) {
  Waiter waiter;
  waiter.number = number;
  MutexLock lock(mutex_);
  if (memory_is_short()) {
    queue_.PushBefore(client, &waiter, [number](const Waiter* other) { return other->number > number; });
  } else {
    queue_.Push(client, &waiter);
  }
  // Only now, since it may be its turn again.
  if (held) taken_.store(taken_.load(std::memory_order_relaxed) - 1, std::memory_order_relaxed);
  GrantLocked();
  while (!waiter.granted) {
    if (waiter.changed.WaitFor(mutex_, kLookEvery)) continue;
    // There are more places once short queries stop coming, and nobody else tells.
    GrantLocked();
    if (waiter.granted) break;
    Status status = interrupted();
    if (status.ok()) continue;
    queue_.Erase(&waiter);
    waiting_.store(queue_.size(), std::memory_order_relaxed);
    return status;
  }
  return {};
}

void Turns::Release() {
  MutexLock lock(mutex_);
  taken_.store(taken_.load(std::memory_order_relaxed) - 1, std::memory_order_relaxed);
  GrantLocked();
}

Turn::Turn(Turns* turns, Work work, BackgroundLimits limits, uint64_t client)
    : turns_(turns),
      work_(work),
      limits_(std::move(limits)),
      client_(client),
      began_ns_(turns != nullptr ? RealNs() : 0),
      cpu_began_ns_(turns != nullptr ? ThreadCpuNs() : 0) {}

Turn::~Turn() {
  if (turns_ == nullptr) return;
  Rest();
  if (work_ == Work::kWriting) return;
  if (long_.load(std::memory_order_relaxed)) {
    turns_->LeaveLong();
  } else {
    turns_->NoteShortQuery();
  }
}

void Turn::Rest() {
  if (!held_) return;
  held_ = false;
  turns_->Release();
}

Status Turn::Pass(const std::function<Status()>& interrupted) {
  if (turns_ == nullptr || std::this_thread::get_id() != caller_) return {};
  if (!long_.load(std::memory_order_relaxed)) {
    const TurnOptions& options = turns_->options();
    if (RealNs() - began_ns_ < std::min(options.lent_ns, options.grace_ns)) return {};
    const int64_t ran_ns = ThreadCpuNs() - cpu_began_ns_;
    if (ran_ns >= options.lent_ns) ThisThreadIsBusy();
    if (ran_ns < options.grace_ns) return {};
    ThisThreadIsBusy();
    if (work_ == Work::kQuery) {
      TM_TRY_ASSIGN(number_, turns_->EnterLong(client_, limits_.deadline_ns, interrupted));
    }
    long_.store(true, std::memory_order_relaxed);
    background_.emplace(limits_);
  } else if (held_) {
    if (!turns_->crowded() || turns_->options().clock->SteadyNs() - held_since_ns_ < turns_->options().turn_ns) {
      return {};
    }
  }
  TM_RETURN_IF_ERROR(turns_->Acquire(client_, number_, std::exchange(held_, false), interrupted));
  held_ = true;
  held_since_ns_ = turns_->options().clock->SteadyNs();
  return {};
}

Turn::Place::~Place() {
  if (held_) turn_->turns_->Release();
}

bool Turn::Place::MayGoOn() {
  if (!helper_ || !turn_->long_.load(std::memory_order_relaxed)) return true;
  if (!held_) {
    held_ = turn_->turns_->TryAcquire();
    if (held_) background_.emplace(turn_->limits_);
    return held_;
  }
  if (!turn_->turns_->crowded()) return true;
  held_ = false;
  turn_->turns_->Release();
  return false;
}

}  // namespace tidemark::query::run

#include "storage/base/memory/watch.h"

#ifdef __GLIBC__
#include <malloc.h>
#endif

#include <chrono>
#include <utility>

#include "storage/base/log.h"
#include "storage/base/text/byte_size.h"

namespace tidemark::memory {
namespace {

constexpr std::chrono::milliseconds kLookEvery{100};
constexpr uint64_t kLooksPerLimit = 100;
// Trimming walks all arenas with their locks: it is done when at least this much came since the last time, and not
// more often than each second where memory is short or very much came, each five seconds elsewhere.
constexpr uint64_t kTrimFromBytes = uint64_t{32} << 20;
constexpr uint64_t kTrimSoonFromBytes = uint64_t{256} << 20;
constexpr uint64_t kLooksPerTrimInNeed = 10;
constexpr uint64_t kLooksPerTrim = 50;

}  // namespace

Watch::Watch(Budget* budget, WatchOptions options) : budget_(*budget), options_(std::move(options)) { FindLimit(); }

void Watch::FindLimit() {
  Ceiling found = FindCeiling(options_.setting_bytes, options_.places);
  budget_.SetLimit(BudgetOf(found.bytes));
  MutexLock lock(mutex_);
  if (ceiling_.bytes != 0 && ceiling_.bytes != found.bytes) {
    TM_LOG(kInfo, "memory: {} says {} now, instead of {}", found.source, text::PrintMebibytes(found.bytes),
           text::PrintMebibytes(ceiling_.bytes));
  }
  ceiling_ = std::move(found);
}

Ceiling Watch::ceiling() const {
  MutexLock lock(mutex_);
  return ceiling_;
}

void Watch::LookOnce() {
  if (++looks_ % kLooksPerLimit == 0) FindLimit();
  auto anonymous = AnonymousBytes(options_.places);
  // Without it what is accounted still counts.
  Level level = budget_.Look(anonymous.ok() ? *anonymous : 0);
#ifdef __GLIBC__
  const uint64_t other = budget_.usage().other_bytes;
  if (other < trimmed_at_bytes_) trimmed_at_bytes_ = other;
  const bool soon = level >= Level::kShrinkCaches || other - trimmed_at_bytes_ >= kTrimSoonFromBytes;
  const uint64_t pause = soon ? kLooksPerTrimInNeed : kLooksPerTrim;
  const bool much = other - trimmed_at_bytes_ >= kTrimFromBytes;
  if ((much || trim_again_) && looks_ - looks_at_trim_ >= pause) {
    // What came was perhaps in use still: once it has stopped coming, what is left of it goes with the next.
    trim_again_ = much;
    malloc_trim(0);
    if (anonymous = AnonymousBytes(options_.places); anonymous.ok()) level = budget_.Look(*anonymous);
    trimmed_at_bytes_ = budget_.usage().other_bytes;
    looks_at_trim_ = looks_;
  }
#endif
  if (options_.looked) options_.looked(level);
}

void Watch::Start() {
  thread_ = std::jthread([this](const std::stop_token& stop) {
    while (!stop.stop_requested()) {
      {
        MutexLock lock(mutex_);
        if (!stop.stop_requested()) ended_.WaitFor(mutex_, kLookEvery);
      }
      if (!stop.stop_requested()) LookOnce();
    }
  });
}

void Watch::Stop() {
  if (!thread_.joinable()) return;
  thread_.request_stop();
  {
    MutexLock lock(mutex_);
    ended_.NotifyAll();
  }
  thread_.join();
}

}  // namespace tidemark::memory

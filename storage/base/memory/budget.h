// Budget: the one memory budget of a process. Whoever keeps memory that grows with what comes from outside takes it
// here first, by class (memory_class.h). What nobody accounts for is seen as the difference to what the system says
// (Look), and counts as "other".
//
//   Lease lease(&budget, Class::kRequests);
//   if (!lease.Grow(bytes)) return budget.Refused(Class::kRequests, "a body");     // does not wait
//   TM_TRY_ASSIGN(Lease waited, budget.Wait(Class::kRequests, bytes, terms));      // waits its turn
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <list>
#include <map>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "storage/base/clock.h"
#include "storage/base/memory/lease.h"
#include "storage/base/memory/memory_class.h"
#include "storage/base/mutex.h"
#include "storage/base/result.h"

namespace tidemark::memory {

// A cache whose size the budget decides. Called on any thread, one call at a time; outlives its registration.
class Cache {
 public:
  virtual ~Cache() = default;
  // What it holds now, in bytes.
  [[nodiscard]] virtual uint64_t bytes() const = 0;
  // From now on at most so many bytes; what is above is given up before this returns.
  virtual void SetCapacity(uint64_t bytes) = 0;
};

// Something that holds memory of kRequests for longer and can be ended: a query. It looks at told_to_end() often.
class Holder {
 public:
  void Add(uint64_t bytes) { bytes_.fetch_add(bytes, std::memory_order_relaxed); }
  void Subtract(uint64_t bytes) { bytes_.fetch_sub(bytes, std::memory_order_relaxed); }
  [[nodiscard]] uint64_t bytes() const { return bytes_.load(std::memory_order_relaxed); }
  [[nodiscard]] bool told_to_end() const { return told_to_end_.load(std::memory_order_relaxed); }
  void TellToEnd() { told_to_end_.store(true, std::memory_order_relaxed); }

 private:
  std::atomic<uint64_t> bytes_{0};
  std::atomic<bool> told_to_end_{false};
};

// How a request waits for memory.
struct WaitTerms {
  int64_t deadline_ns = 0;  // on Clock::SteadyNs; 0: not at all
  std::stop_token stop{};   // ends the wait with kCancelled
  uint64_t client = 0;      // clients take turns
  std::string_view what = "the request";
};

struct ClassUsage {
  uint64_t used_bytes = 0;
  uint64_t limit_bytes = 0;
  uint64_t waiting = 0;                               // requests
  std::array<uint64_t, kRefusals.size()> refusals{};  // since the start, by reason
};

struct Usage {
  uint64_t limit_bytes = 0;
  uint64_t other_bytes = 0;
  uint64_t total_bytes = 0;  // with other_bytes
  uint64_t cancelled = 0;    // requests that were ended because memory was short
  Level level = Level::kEasy;
  std::array<ClassUsage, kClassCount> classes{};
};

// Thread-safe. Outlives all leases, holders and caches.
class Budget {
 public:
  static constexpr uint64_t kNoLimit = UINT64_MAX / 1024;
  // Requests that wait at once, of a class; more are refused.
  static constexpr size_t kWaitersMax = 1024;

  // `limit_bytes`: of the whole process.
  explicit Budget(uint64_t limit_bytes = kNoLimit, const Clock* clock = nullptr);
  Budget(const Budget&) = delete;
  Budget& operator=(const Budget&) = delete;

  // False, and nothing taken, when the class or the process has not so much left. Whoever holds memory already and
  // needs more does not stand in the queue: it would wait for itself.
  [[nodiscard]] bool TryTake(Class id, uint64_t bytes);
  // For memory that is held already, or that must be had: acknowledged rows.
  void TakeAnyway(Class id, uint64_t bytes);
  void Give(Class id, uint64_t bytes);

  // Waits behind those who came before, a client's requests behind those of other clients. Errors: kResourceExhausted
  // when the deadline passes, too many wait or it can never fit; kCancelled.
  [[nodiscard]] Result<Lease> Wait(Class id, uint64_t bytes, const WaitTerms& terms) TM_EXCLUDES(mutex_);
  // The error of a TryTake that gave nothing: says how much the class has, and what helps. Counts nothing.
  [[nodiscard]] Error Refused(Class id, std::string_view what) const;

  // Whether names may be added at all; a look without a lock, for every row that brings one.
  [[nodiscard]] bool NamesAdmitted() const;

  // ---- what watches over the process (watch.h) ----
  void SetLimit(uint64_t limit_bytes);
  // Charges what the system says the process holds, less what is accounted, as "other"; sizes the caches; from kCancel
  // on tells the largest holder to end, one after the other. Returns the level.
  Level Look(uint64_t anonymous_bytes) TM_EXCLUDES(mutex_, caches_mutex_);

  // `bytes_max`: what it may have when nothing else needs memory.
  void AddCache(Cache* cache, uint64_t bytes_max) TM_EXCLUDES(caches_mutex_);
  void RemoveCache(Cache* cache) TM_EXCLUDES(caches_mutex_);
  void AddHolder(Holder* holder) TM_EXCLUDES(mutex_);
  void RemoveHolder(Holder* holder) TM_EXCLUDES(mutex_);

  [[nodiscard]] uint64_t limit_bytes() const { return limit_.load(std::memory_order_relaxed); }
  [[nodiscard]] uint64_t used_bytes(Class id) const;
  // What a class may have at most now.
  [[nodiscard]] uint64_t limit_bytes(Class id) const;
  [[nodiscard]] uint64_t total_bytes() const;
  [[nodiscard]] Level level() const { return LevelOf(total_bytes()); }
  [[nodiscard]] Usage usage() const TM_EXCLUDES(mutex_);

 private:
  friend class Lease;
  struct Waiter {
    uint64_t bytes = 0;
    uint64_t client = 0;
    CondVar changed;
    bool granted = false;
  };
  // By turn, then by arrival: the nth request of each client that waits has the nth turn.
  using Queue = std::map<std::pair<uint64_t, uint64_t>, Waiter*>;
  struct ClassState {
    std::atomic<uint64_t> used{0};
    std::atomic<uint64_t> waiting{0};
    std::array<std::atomic<uint64_t>, kRefusals.size()> refusals{};
  };

  [[nodiscard]] Level LevelOf(uint64_t total) const;
  // Why `bytes` more, which are counted already, may not be had; nothing when they may.
  [[nodiscard]] std::optional<Refusal> WhyNot(Class id, uint64_t bytes) const;
  [[nodiscard]] std::optional<Refusal> TakeOr(Class id, uint64_t bytes);
  [[nodiscard]] uint64_t Share(Class id) const;
  // What caches could give up.
  [[nodiscard]] uint64_t Shrinkable() const;
  [[nodiscard]] bool CanEverFit(Class id, uint64_t bytes) const;
  void GrantLocked(Class id) TM_REQUIRES(mutex_);
  void SizeCaches() TM_EXCLUDES(caches_mutex_);
  Error Say(Class id, Refusal why, std::string_view what) const;
  void Count(Class id, Refusal why) { StateOf(id).refusals[static_cast<size_t>(why)].fetch_add(1); }
  ClassState& StateOf(Class id) { return classes_[static_cast<size_t>(id)]; }
  [[nodiscard]] const ClassState& StateOf(Class id) const { return classes_[static_cast<size_t>(id)]; }

  const Clock& clock_;
  std::atomic<uint64_t> limit_;
  std::atomic<uint64_t> other_{0};
  std::atomic<uint64_t> accounted_{0};  // all classes together
  std::atomic<uint64_t> cancelled_{0};
  std::array<ClassState, kClassCount> classes_;

  mutable Mutex mutex_;
  std::array<Queue, kClassCount> queues_ TM_GUARDED_BY(mutex_);
  std::array<uint64_t, kClassCount> turn_ TM_GUARDED_BY(mutex_){};
  uint64_t arrivals_ TM_GUARDED_BY(mutex_) = 0;
  std::list<Holder*> holders_ TM_GUARDED_BY(mutex_);
  int64_t told_at_ns_ TM_GUARDED_BY(mutex_) = 0;  // a holder, to end

  std::atomic<bool> sizing_{false};
  Mutex caches_mutex_;
  struct CacheRow {
    Cache* cache;
    uint64_t bytes_max;
    uint64_t capacity;
  };
  std::vector<CacheRow> caches_ TM_GUARDED_BY(caches_mutex_);
};

}  // namespace tidemark::memory

// Turns: shares the processor between long queries, so that short ones find a core free.
//
// A query is short until its calling thread has computed for TurnOptions::grace_ns; most end before. From then on it is
// long, and each thread that computes for it needs a place. There is one for each core, but while short queries come
// (one in the last TurnOptions::quiet_ns) only for some of the cores. Long queries take turns: one that has had its
// place for TurnOptions::turn_ns goes to the end of the queue if somebody waits. Threads of the pool never wait for a
// place: they help where one is free and leave when somebody waits or there are too many. Only so many long queries
// share the places; one that becomes long beyond them waits until another has ended, holding what it has. Wherever
// somebody waits, clients take turns (fair_queue.h), so that one that sends forty queries at once waits for itself.
// While queries hold much of the memory that there is for them, the queries of one client no longer share its turns,
// but go on in the order in which they became long: all at once they would grow until there is no room for any to end.
// Who computes for a long query does so in the background (storage/base/background.h), so that a short one is not kept
// waiting on a core either.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <thread>

#include "query/run/fair_queue.h"
#include "query/run/memory_total.h"
#include "storage/base/background.h"
#include "storage/base/clock.h"
#include "storage/base/mutex.h"
#include "storage/base/result.h"

namespace tidemark::query::run {

struct TurnOptions {
  // Threads that compute for long queries at once: when nobody else asks (0: as many as cores), and while short queries
  // come (0: half the cores). Cores are those that the process may use.
  size_t places_alone = 0;
  size_t places = 0;
  size_t long_queries_max = 24;  // that share the places; others wait until one of them has ended
  // Long queries that wait to be among them. Each waits on its thread. One more, and the last of the client that waits
  // for most is refused with kResourceExhausted.
  size_t waiting_max = 232;
  int64_t grace_ns = 5'000'000;  // of processor time of the calling thread
  int64_t lent_ns = 500'000;     // the same, after which a thread that somebody lent is busy (lent_thread.h)
  int64_t turn_ns = 100'000'000;
  int64_t quiet_ns = 500'000'000;
  const Clock* clock = nullptr;  // null: the system's
  // Of all queries; outlives the turns. Much of it is held when it is half. Null: the order never matters.
  const MemoryTotal* memory = nullptr;
};

// What all queries of a server share. Outlives them. Thread-safe.
class Turns {
 public:
  explicit Turns(const TurnOptions& options = {});

  struct Stats {
    size_t long_queries = 0;  // now, that share the places
    size_t waiting = 0;       // of them, for a place
    size_t entering = 0;      // those that wait to be among them
    uint64_t refused = 0;     // since start
  };
  [[nodiscard]] Stats stats() const;
  [[nodiscard]] const TurnOptions& options() const { return options_; }

 private:
  friend class Turn;
  struct Waiter {
    CondVar changed;
    uint64_t number = 0;  // in the order in which queries became long; 0: what writes a reply, which gives memory back
    bool granted = false;
    bool dropped = false;
  };

  bool TakeLocked() TM_REQUIRES(mutex_);
  void GrantLocked() TM_REQUIRES(mutex_);

  // Waits until it may be long. Errors: kResourceExhausted when it is dropped, or its deadline passes before; those of
  // `interrupted`. `deadline_ns` on the system's clock; 0: none. Returns its number, from 1 on.
  Result<uint64_t> EnterLong(uint64_t client, int64_t deadline_ns, const std::function<Status()>& interrupted);
  [[nodiscard]] Error TooMany(std::string_view what) const TM_REQUIRES(mutex_);
  void LeaveLong();
  // Waits behind those who came before; while memory is short, behind those of the client with a lower number.
  // `held`: gives back a place that it has, before. `interrupted` is asked every few milliseconds; its error ends the
  // wait.
  Status Acquire(uint64_t client, uint64_t number, bool held, const std::function<Status()>& interrupted);
  bool TryAcquire();
  void Release();
  // Whether a helper should make room.
  [[nodiscard]] bool crowded() const;
  [[nodiscard]] bool somebody_waits() const { return waiting_.load(std::memory_order_relaxed) > 0; }
  [[nodiscard]] size_t places_now() const;
  [[nodiscard]] bool memory_is_short() const;
  void NoteShortQuery();

  const TurnOptions options_;
  std::atomic<size_t> waiting_{0};
  std::atomic<size_t> taken_{0};  // places; changed under the mutex
  std::atomic<int64_t> last_short_ns_;
  std::atomic<uint64_t> refused_{0};
  mutable Mutex mutex_;
  size_t long_queries_ TM_GUARDED_BY(mutex_) = 0;
  uint64_t numbers_ TM_GUARDED_BY(mutex_) = 0;        // given
  FairQueue<Waiter> queue_ TM_GUARDED_BY(mutex_);     // for a place
  FairQueue<Waiter> entering_ TM_GUARDED_BY(mutex_);  // to be long
};

// One query's part in it, or that of the writing of a result. Made on the thread that calls it, which alone may wait.
class Turn {
 public:
  enum class Work : uint8_t { kQuery, kWriting };  // writing is never refused, since its reply has begun
  // `turns` null: it is never long.
  // `limits`: when its threads leave the background, and how long it waits to be long. `client`: whose it is.
  explicit Turn(Turns* turns, Work work = Work::kQuery, BackgroundLimits limits = {}, uint64_t client = 0);
  ~Turn();
  Turn(const Turn&) = delete;
  Turn& operator=(const Turn&) = delete;

  // Lets others go first where it is their turn. At once on other threads than the caller's. Errors: those of
  // `interrupted`, kResourceExhausted when too many wait or it has waited to its deadline.
  Status Pass(const std::function<Status()>& interrupted);
  // Gives the place back until the next Pass: before waiting for something else.
  void Rest();

  // One thread's place while it works on parts of the query. Not thread-safe.
  class Place {
   public:
    explicit Place(Turn* turn) : turn_(turn), helper_(std::this_thread::get_id() != turn->caller_) {}
    ~Place();
    Place(const Place&) = delete;
    Place& operator=(const Place&) = delete;
    // Whether this thread may do one more part. The caller always may.
    bool MayGoOn();

   private:
    Turn* turn_;
    bool helper_;
    bool held_ = false;
    std::optional<BackgroundScope> background_;
  };

 private:
  Turns* const turns_;
  const Work work_;
  const BackgroundLimits limits_;
  const uint64_t client_;
  const std::thread::id caller_ = std::this_thread::get_id();
  const int64_t began_ns_;
  const int64_t cpu_began_ns_;
  std::atomic<bool> long_{false};
  // The caller's alone.
  std::optional<BackgroundScope> background_;
  uint64_t number_ = 0;
  bool held_ = false;
  int64_t held_since_ns_ = 0;
};

}  // namespace tidemark::query::run

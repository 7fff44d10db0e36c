// Scrubber: reads all pages of the store again and again at a low rate, so that damage is known before a query meets it
// and while a backup has what is lost. What it finds is a finding of the store (/health); /metrics has how far it is.
//
// Where it stands is a document, so that a restart goes on; so are the pages that were damaged, which are looked at
// first then.
#pragma once

#include <cstdint>
#include <set>
#include <stop_token>
#include <string>
#include <string_view>
#include <thread>

#include "storage/base/clock.h"
#include "storage/base/mutex.h"
#include "storage/base/result.h"
#include "storage/storage.h"

namespace tidemark::server {

struct ScrubConfig {
  uint64_t bytes_per_second = uint64_t{1} << 20;  // 0: nothing is read
  int64_t interval_ms = 7 * 86'400'000;           // from the beginning of one round to that of the next
};

struct ScrubState {
  storage::ScrubPlace place;
  int64_t round_begun_ns = 0;  // of the round that is under way, since 1970; 0: none is
  int64_t last_begun_ns = 0;   // of the last that was done; 0: none was
  int64_t last_ended_ns = 0;
  uint64_t round_pages = 0;
  uint64_t round_bytes = 0;
  uint64_t rounds = 0;
  bool paused = false;                    // by an operator
  std::set<storage::ScrubPlace> damaged;  // pages that were so when they were read last
  friend bool operator==(const ScrubState&, const ScrubState&) = default;
};

std::string PrintScrubState(const ScrubState& state);
// kCorruption.
Result<ScrubState> ReadScrubState(std::string_view text);

// Thread-safe.
class Scrubber {
 public:
  // All outlive it. It works from Start to Stop.
  Scrubber(storage::Store* store, const Clock* clock, ScrubConfig config);
  ~Scrubber() { Stop(); }
  Scrubber(const Scrubber&) = delete;
  Scrubber& operator=(const Scrubber&) = delete;

  void Start();
  // Idempotent. Where it stands is stored.
  void Stop();

  [[nodiscard]] ScrubState state() const;
  [[nodiscard]] const ScrubConfig& config() const { return config_; }
  // Kept over restarts.
  Status SetPaused(bool paused, std::string_view who);

  // Reads for about `seconds` of its rate, one page at least, when a round is under way or due; what Start does again
  // and again. Returns the bytes that were read; 0: there is nothing to do now.
  uint64_t Step(double seconds);
  // The pages that the state says are damaged are read again.
  void LookAtDamaged();

 private:
  void Run(const std::stop_token& stop);
  Status Save(std::string_view who) TM_REQUIRES(mutex_);
  void SaveOrTell() TM_REQUIRES(mutex_);
  void Take(const storage::ScrubPlace& from, const storage::ScrubStep& step) TM_REQUIRES(mutex_);

  storage::Store* const store_;
  const Clock* const clock_;
  const ScrubConfig config_;
  mutable Mutex mutex_;
  CondVar wake_;
  ScrubState state_ TM_GUARDED_BY(mutex_);
  int64_t saved_at_ns_ TM_GUARDED_BY(mutex_) = 0;  // steady
  std::jthread thread_;
};

}  // namespace tidemark::server

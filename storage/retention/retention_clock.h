// RetentionClock: the time by which rows grow old. Dropping, the refusal of old rows, the floor of readers, retentions
// of selectors and tiers ask it and nobody else, so that a machine's clock that is set wrong neither deletes, hides nor
// refuses anything.
//
// What is trusted is the time that was known last and what has passed since, by a clock that nobody sets. A machine's
// clock within an hour of that is followed at once. One that is further off has jumped: until the jump is confirmed,
// the earlier of the two times counts. It is confirmed when the machine's clock has gone on for 24 h of running without
// going back, over restarts too, or when somebody says that it is right. A clock that has never been set (1970) is
// trusted by nobody.
#pragma once

#include <atomic>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "storage/base/clock.h"
#include "storage/base/mutex.h"
#include "storage/base/result.h"
#include "storage/storage.h"

namespace tidemark::storage::retention {

// What is known of the time, for the next process.
struct KeptClock {
  int64_t trusted_ns = 0;  // since 1970
  int64_t machine_ns = 0;
  int64_t steady_ns = 0;  // Clock::SteadyNs, which goes on in another process of the same boot
  bool jumped = false;
  int64_t agreed_ns = 0;
  std::string store_id;  // of the store that knew it: one that was restored from its backup is another
  std::string boot_id;
  friend bool operator==(const KeptClock&, const KeptClock&) = default;
};

// One line: "clock 1 TRUSTED MACHINE STEADY JUMPED AGREED STORE_ID BOOT_ID".
std::string EncodeKeptClock(const KeptClock& kept);
// kCorruption for what EncodeKeptClock did not write.
Result<KeptClock> DecodeKeptClock(std::string_view text);

// Thread-safe.
class RetentionClock {
 public:
  // A machine's clock that is not further off is followed.
  static constexpr int64_t kToleranceNs = 3'600'000'000'000;
  // A jump is confirmed when the clock has gone on for so long.
  static constexpr int64_t kAgreementNs = 24 * 3'600'000'000'000;

  // `clock` outlives it. Until Begin, the machine's clock is trusted.
  explicit RetentionClock(const Clock& clock);

  // Goes on from what the last process knew; nothing: the machine's clock is trusted. Before threads use it.
  void Begin(const std::optional<KeptClock>& kept, std::string boot_id);

  // Nanoseconds since 1970.
  [[nodiscard]] int64_t NowNs() const;
  [[nodiscard]] RetentionTime Read() const;
  // Compares the clocks; about once a second. true: the time by which rows grow old has jumped, or may do so now.
  bool Look();
  // The machine's clock is right.
  void Accept();
  [[nodiscard]] KeptClock Keep() const;

 private:
  [[nodiscard]] int64_t TrustedNs() const {
    return clock_.SteadyNs() + trusted_since_steady_ns_.load(std::memory_order_relaxed);
  }
  // Trusts the machine's clock.
  void Follow() TM_REQUIRES(mutex_);
  void NoteJump() TM_REQUIRES(mutex_);
  void TellJump() const TM_REQUIRES(mutex_);

  const Clock& clock_;
  // The trusted time less the steady one.
  std::atomic<int64_t> trusted_since_steady_ns_;
  mutable Mutex mutex_;
  std::string boot_id_ TM_GUARDED_BY(mutex_);
  bool jumped_ TM_GUARDED_BY(mutex_) = false;
  int64_t agreed_ns_ TM_GUARDED_BY(mutex_) = 0;
  // At the last look while the clock has jumped.
  int64_t looked_machine_ns_ TM_GUARDED_BY(mutex_) = 0;
  int64_t looked_steady_ns_ TM_GUARDED_BY(mutex_) = 0;
};

}  // namespace tidemark::storage::retention

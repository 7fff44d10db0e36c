#include "storage/retention/retention_clock.h"

#include <fmt/core.h>

#include <algorithm>
#include <charconv>
#include <utility>

#include "storage/base/log.h"
#include "storage/base/set_clock.h"
#include "storage/base/text/instant.h"
#include "storage/base/text/take_word.h"

namespace tidemark::storage::retention {
namespace {

constexpr std::string_view kMagic = "clock 1";
constexpr std::string_view kNoStore = "-";

bool IsWithin(int64_t a_ns, int64_t b_ns, int64_t tolerance_ns) {
  int64_t off_ns = 0;
  if (__builtin_sub_overflow(a_ns, b_ns, &off_ns)) return false;
  return off_ns >= -tolerance_ns && off_ns <= tolerance_ns;
}

}  // namespace

std::string EncodeKeptClock(const KeptClock& kept) {
  return fmt::format("{} {} {} {} {} {} {} {}", kMagic, kept.trusted_ns, kept.machine_ns, kept.steady_ns,
                     kept.jumped ? 1 : 0, kept.agreed_ns, kept.store_id.empty() ? kNoStore : kept.store_id,
                     kept.boot_id);
}

Result<KeptClock> DecodeKeptClock(std::string_view text) {
  const Error bad = Corruption(fmt::format("the note of the clock reads \"{}\"", text.substr(0, 200)));
  if (!text.starts_with(kMagic) || !text.substr(kMagic.size()).starts_with(' ')) return bad;
  text.remove_prefix(kMagic.size() + 1);
  KeptClock kept;
  int64_t jumped = 0;
  for (int64_t* number : {&kept.trusted_ns, &kept.machine_ns, &kept.steady_ns, &jumped, &kept.agreed_ns}) {
    const std::string_view word = text::TakeWord(&text);
    const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), *number);
    if (error != std::errc() || end != word.data() + word.size()) return bad;
  }
  if (jumped != 0 && jumped != 1) return bad;
  kept.jumped = jumped == 1;
  kept.store_id = text::TakeWord(&text);
  if (kept.store_id.empty()) return bad;
  if (kept.store_id == kNoStore) kept.store_id.clear();
  kept.boot_id = text;
  return kept;
}

RetentionClock::RetentionClock(const Clock& clock)
    : clock_(clock), trusted_since_steady_ns_(clock.NowNs() - clock.SteadyNs()) {}

void RetentionClock::Begin(const std::optional<KeptClock>& kept, std::string boot_id) {
  {
    MutexLock lock(mutex_);
    boot_id_ = std::move(boot_id);
    Follow();
    if (!kept) return;
    const int64_t steady_ns = clock_.SteadyNs();
    // In another boot nobody knows how much time has passed.
    const bool same_boot = kept->boot_id == boot_id_ && kept->steady_ns <= steady_ns;
    const int64_t passed_ns = same_boot ? steady_ns - kept->steady_ns : 0;
    trusted_since_steady_ns_.store(kept->trusted_ns + passed_ns - steady_ns, std::memory_order_relaxed);
    looked_machine_ns_ = clock_.NowNs();
    looked_steady_ns_ = steady_ns;
    jumped_ = kept->jumped && looked_machine_ns_ >= kept->machine_ns - kToleranceNs;
    agreed_ns_ = jumped_ ? kept->agreed_ns : 0;
    if (jumped_) TellJump();
  }
  Look();
}

int64_t RetentionClock::NowNs() const { return std::min(TrustedNs(), clock_.NowNs()); }

RetentionTime RetentionClock::Read() const {
  MutexLock lock(mutex_);
  return {.trusted = {TrustedNs()},
          .machine = {clock_.NowNs()},
          .jumped = jumped_,
          .agreed_ns = agreed_ns_,
          .confirmed_after_ns = kAgreementNs};
}

KeptClock RetentionClock::Keep() const {
  MutexLock lock(mutex_);
  return {.trusted_ns = TrustedNs(),
          .machine_ns = clock_.NowNs(),
          .steady_ns = clock_.SteadyNs(),
          .jumped = jumped_,
          .agreed_ns = agreed_ns_,
          .store_id = {},
          .boot_id = boot_id_};
}

void RetentionClock::Follow() {
  trusted_since_steady_ns_.store(clock_.NowNs() - clock_.SteadyNs(), std::memory_order_relaxed);
  jumped_ = false;
  agreed_ns_ = 0;
}

void RetentionClock::NoteJump() {
  jumped_ = true;
  agreed_ns_ = 0;
  looked_machine_ns_ = clock_.NowNs();
  looked_steady_ns_ = clock_.SteadyNs();
  TellJump();
}

void RetentionClock::TellJump() const {
  TM_LOG(
      kWarn,
      "the machine's clock shows {}, and it should be about {}: rows grow old by the earlier of both until the clock "
      "has gone on for 24 h, or `tidemark admin clock accept` says that it is right",
      text::PrintSecond(looked_machine_ns_), text::PrintSecond(TrustedNs()));
}

bool RetentionClock::Look() {
  MutexLock lock(mutex_);
  const int64_t machine_ns = clock_.NowNs();
  const int64_t trusted_ns = TrustedNs();
  // The first time that a clock shows which has been set.
  const bool first = trusted_ns < kClockIsSetNs && machine_ns >= kClockIsSetNs;
  if (first || IsWithin(machine_ns, trusted_ns, kToleranceNs)) {
    const bool jumps = jumped_ || first;
    if (jumps) TM_LOG(kInfo, "the machine's clock shows {}, which is trusted", text::PrintSecond(machine_ns));
    Follow();
    return jumps;
  }
  if (!jumped_ || machine_ns < looked_machine_ns_ - kToleranceNs) {
    NoteJump();
    return true;
  }
  agreed_ns_ += clock_.SteadyNs() - looked_steady_ns_;
  looked_machine_ns_ = std::max(looked_machine_ns_, machine_ns);
  looked_steady_ns_ = clock_.SteadyNs();
  if (agreed_ns_ < kAgreementNs) return false;
  TM_LOG(kWarn, "the machine's clock shows {} and has gone on for 24 h: rows grow old by it from now on",
         text::PrintSecond(machine_ns));
  Follow();
  return true;
}

void RetentionClock::Accept() {
  MutexLock lock(mutex_);
  TM_LOG(kWarn, "the machine's clock is said to be right: rows grow old by {}, it was {}",
         text::PrintSecond(clock_.NowNs()), text::PrintSecond(TrustedNs()));
  Follow();
}

}  // namespace tidemark::storage::retention

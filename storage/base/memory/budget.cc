#include "storage/base/memory/budget.h"

#include <algorithm>
#include <chrono>

#include <fmt/core.h>

#include "storage/base/text/byte_size.h"

namespace tidemark::memory {
namespace {

// How soon the first in a queue notices that other classes have given memory back, and the others that their time is
// up.
constexpr std::chrono::milliseconds kFirstLooksEvery{5};
constexpr std::chrono::milliseconds kOthersLookEvery{50};
// How long a holder that was told to end may take before the next one is told.
constexpr int64_t kNextHolderAfterNs = 1'000'000'000;
// Below this taking memory does not look at the caches: Look does, soon.
constexpr uint64_t kLookAtCachesFrom = Lease::kGrainBytes;

uint64_t Less(uint64_t from, uint64_t bytes) { return from > bytes ? from - bytes : 0; }
uint64_t Percent(uint64_t of, uint32_t percent) { return of / 100 * percent; }

}  // namespace

Budget::Budget(uint64_t limit_bytes, const Clock* clock)
    : clock_(clock != nullptr ? *clock : SystemClock::Get()), limit_(std::min(limit_bytes, kNoLimit)) {}

void Budget::SetLimit(uint64_t limit_bytes) {
  limit_.store(std::min(limit_bytes, kNoLimit), std::memory_order_relaxed);
}

uint64_t Budget::used_bytes(Class id) const { return StateOf(id).used.load(std::memory_order_relaxed); }

uint64_t Budget::total_bytes() const {
  return accounted_.load(std::memory_order_relaxed) + other_.load(std::memory_order_relaxed);
}

Level Budget::LevelOf(uint64_t total) const {
  Level level = Level::kEasy;
  for (const LevelRow& row : kLevels) {
    if (total >= Percent(limit_bytes(), row.from)) level = row.id;
  }
  return level;
}

uint64_t Budget::Share(Class id) const {
  return Percent(Less(limit_bytes(), kCachesFloorBytes + kReserveBytes), RowOf(id).share);
}

uint64_t Budget::Shrinkable() const { return Less(used_bytes(Class::kCaches), kCachesFloorBytes); }

uint64_t Budget::limit_bytes(Class id) const {
  const uint64_t easy = Percent(limit_bytes(), PercentOf(Level::kShrinkCaches));
  const uint64_t others = Less(total_bytes(), used_bytes(id));
  switch (id) {
    case Class::kCaches: return std::max(Less(easy, others), kCachesFloorBytes);
    case Class::kReserve: return kReserveBytes;
    case Class::kRequests: return std::max(Share(id), Less(easy, Less(others, Shrinkable())));
    case Class::kStaged:
    case Class::kWork:
    case Class::kNames: return Share(id);
  }
  return 0;
}

std::optional<Refusal> Budget::WhyNot(Class id, uint64_t bytes) const {
  const uint64_t used = used_bytes(id);
  const uint64_t pressing = Less(total_bytes(), Shrinkable());
  // One piece of work always goes on: it is what gives memory back.
  if (id == Class::kWork && used <= bytes) return std::nullopt;
  if (used > limit_bytes(id)) return Refusal::kShare;
  if (id == Class::kReserve) return std::nullopt;
  const Level most = id == Class::kWork ? Level::kCheckpoint : id == Class::kStaged ? Level::kCancel : Level::kRefuse;
  if (pressing > Percent(limit_bytes(), PercentOf(most))) return Refusal::kLevel;
  return std::nullopt;
}

std::optional<Refusal> Budget::TakeOr(Class id, uint64_t bytes) {
  TakeAnyway(id, bytes);
  const std::optional<Refusal> why = WhyNot(id, bytes);
  if (why.has_value()) {
    StateOf(id).used.fetch_sub(bytes, std::memory_order_relaxed);
    accounted_.fetch_sub(bytes, std::memory_order_relaxed);
  } else if (bytes >= kLookAtCachesFrom && Shrinkable() > 0 && level() >= Level::kShrinkCaches) {
    SizeCaches();
  }
  return why;
}

bool Budget::TryTake(Class id, uint64_t bytes) {
  const std::optional<Refusal> why = TakeOr(id, bytes);
  if (why.has_value()) Count(id, *why);
  return !why.has_value();
}

void Budget::TakeAnyway(Class id, uint64_t bytes) {
  StateOf(id).used.fetch_add(bytes, std::memory_order_relaxed);
  accounted_.fetch_add(bytes, std::memory_order_relaxed);
}

void Budget::Give(Class id, uint64_t bytes) {
  StateOf(id).used.fetch_sub(bytes, std::memory_order_relaxed);
  accounted_.fetch_sub(bytes, std::memory_order_relaxed);
  if (StateOf(id).waiting.load(std::memory_order_relaxed) == 0) return;
  MutexLock lock(mutex_);
  GrantLocked(id);
}

bool Budget::NamesAdmitted() const {
  return used_bytes(Class::kNames) < Share(Class::kNames) &&
         Less(total_bytes(), Shrinkable()) < Percent(limit_bytes(), PercentOf(Level::kRefuse));
}

// With all other requests gone.
bool Budget::CanEverFit(Class id, uint64_t bytes) const { return bytes <= limit_bytes(id) || id == Class::kWork; }

void Budget::GrantLocked(Class id) {
  Queue& queue = queues_[static_cast<size_t>(id)];
  while (!queue.empty()) {
    const auto first = queue.begin();
    if (TakeOr(id, first->second->bytes).has_value()) break;
    turn_[static_cast<size_t>(id)] = first->first.first;
    first->second->granted = true;
    first->second->changed.NotifyOne();
    queue.erase(first);
  }
  StateOf(id).waiting.store(queue.size(), std::memory_order_relaxed);
}

Result<Lease> Budget::Wait(Class id, uint64_t bytes, const WaitTerms& terms) {
  const auto refuse = [&](Refusal why) {
    Count(id, why);
    return Say(id, why, terms.what);
  };
  if (StateOf(id).waiting.load(std::memory_order_relaxed) == 0 && !TakeOr(id, bytes).has_value()) {
    return Lease(this, id, bytes, bytes);
  }
  if (!CanEverFit(id, bytes)) return refuse(Refusal::kTooLarge);
  Waiter waiter;
  waiter.bytes = bytes;
  waiter.client = terms.client;
  MutexLock lock(mutex_);
  Queue& queue = queues_[static_cast<size_t>(id)];
  if (queue.size() >= kWaitersMax) return refuse(Refusal::kQueue);
  uint64_t turn = turn_[static_cast<size_t>(id)];
  for (const auto& [place, other] : queue) {
    if (other->client == terms.client) turn = std::max(turn, place.first + 1);
  }
  const auto place = std::pair(turn, ++arrivals_);
  queue.emplace(place, &waiter);
  GrantLocked(id);
  while (!waiter.granted) {
    const bool is_first = queue.begin()->second == &waiter;
    waiter.changed.WaitFor(mutex_, is_first ? kFirstLooksEvery : kOthersLookEvery);
    if (!waiter.granted) GrantLocked(id);
    if (waiter.granted) break;
    const bool stopped = terms.stop.stop_requested();
    if (!stopped && clock_.SteadyNs() < terms.deadline_ns) continue;
    queue.erase(place);
    GrantLocked(id);
    if (stopped) return MakeError(ErrorCode::kCancelled, fmt::format("{} was cancelled", terms.what));
    return refuse(Refusal::kDeadline);
  }
  return Lease(this, id, bytes, bytes);
}

Error Budget::Refused(Class id, std::string_view what) const {
  const bool full = used_bytes(id) >= limit_bytes(id) || LevelOf(Less(total_bytes(), Shrinkable())) < Level::kRefuse;
  return Say(id, full ? Refusal::kShare : Refusal::kLevel, what);
}

Error Budget::Say(Class id, Refusal why, std::string_view what) const {
  std::string reason;
  switch (why) {
    case Refusal::kShare:
      reason = fmt::format("of the {} that {} may have, {} are in use", text::PrintMebibytes(limit_bytes(id)),
                           RowOf(id).name, text::PrintMebibytes(used_bytes(id)));
      break;
    case Refusal::kLevel:
      reason = fmt::format("of the {} that this process may have, {} are in use", text::PrintMebibytes(limit_bytes()),
                           text::PrintMebibytes(total_bytes()));
      break;
    case Refusal::kTooLarge:
      reason = fmt::format("it needs more than the {} that {} may have at present, alone",
                           text::PrintMebibytes(limit_bytes(id)), RowOf(id).name);
      break;
    case Refusal::kQueue: reason = fmt::format("{} wait already", kWaitersMax); break;
    case Refusal::kDeadline:
      reason = fmt::format("none was free in time: of the {} that {} may have, {} are in use",
                           text::PrintMebibytes(limit_bytes(id)), RowOf(id).name, text::PrintMebibytes(used_bytes(id)));
      break;
  }
  const std::string_view next = id == Class::kNames
                                    ? "known series are taken; delete series, shorten retention, or raise memory.limit"
                                    : "try again later, or raise memory.limit";
  return MakeError(ErrorCode::kResourceExhausted, fmt::format("there is no memory for {}: {}; {}", what, reason, next));
}

Level Budget::Look(uint64_t anonymous_bytes) {
  SizeCaches();
  other_.store(Less(anonymous_bytes, accounted_.load(std::memory_order_relaxed)), std::memory_order_relaxed);
  SizeCaches();
  const Level level = LevelOf(total_bytes());
  MutexLock lock(mutex_);
  for (const ClassRow& row : kClasses) GrantLocked(row.id);
  const int64_t now_ns = clock_.SteadyNs();
  if (level < Level::kCancel) return level;
  Holder* largest = nullptr;
  for (Holder* holder : holders_) {
    // One that was told will have given its memory back soon.
    if (holder->told_to_end() && now_ns - told_at_ns_ < kNextHolderAfterNs) return level;
    if (!holder->told_to_end() && (largest == nullptr || holder->bytes() > largest->bytes())) largest = holder;
  }
  if (largest == nullptr || largest->bytes() == 0) return level;
  largest->TellToEnd();
  told_at_ns_ = now_ns;
  cancelled_.fetch_add(1, std::memory_order_relaxed);
  return level;
}

void Budget::SizeCaches() {
  // Whoever takes memory meanwhile goes on: one sizes them.
  if (sizing_.exchange(true, std::memory_order_acquire)) return;
  {
    MutexLock lock(caches_mutex_);
    const auto weigh = [&]() TM_REQUIRES(caches_mutex_) {
      uint64_t bytes = 0;
      for (const CacheRow& row : caches_) bytes += row.cache->bytes();
      const uint64_t before = StateOf(Class::kCaches).used.exchange(bytes, std::memory_order_relaxed);
      accounted_.fetch_add(bytes - before, std::memory_order_relaxed);
    };
    weigh();
    uint64_t wanted = 0;
    for (const CacheRow& row : caches_) wanted += row.bytes_max;
    const uint64_t allowed = std::min(limit_bytes(Class::kCaches), wanted);
    for (CacheRow& row : caches_) {
      const uint64_t capacity = wanted == 0
                                    ? 0
                                    : static_cast<uint64_t>(static_cast<double>(row.bytes_max) *
                                                            static_cast<double>(allowed) / static_cast<double>(wanted));
      const uint64_t difference = std::max(capacity, row.capacity) - std::min(capacity, row.capacity);
      // Small changes are not worth the locks of the cache.
      const bool small = difference < row.bytes_max / 32 && row.capacity != 0 && row.cache->bytes() <= capacity;
      if (difference == 0 || (small && capacity != row.bytes_max)) continue;
      row.cache->SetCapacity(capacity);
      row.capacity = capacity;
    }
    weigh();
  }
  sizing_.store(false, std::memory_order_release);
}

void Budget::AddCache(Cache* cache, uint64_t bytes_max) {
  {
    MutexLock lock(caches_mutex_);
    caches_.push_back({cache, bytes_max, 0});
  }
  SizeCaches();
}

void Budget::RemoveCache(Cache* cache) {
  MutexLock lock(caches_mutex_);
  std::erase_if(caches_, [&](const CacheRow& row) { return row.cache == cache; });
}

void Budget::AddHolder(Holder* holder) {
  MutexLock lock(mutex_);
  holders_.push_back(holder);
}

void Budget::RemoveHolder(Holder* holder) {
  MutexLock lock(mutex_);
  holders_.remove(holder);
}

Usage Budget::usage() const {
  Usage usage;
  usage.limit_bytes = limit_bytes();
  usage.other_bytes = other_.load(std::memory_order_relaxed);
  usage.total_bytes = total_bytes();
  usage.cancelled = cancelled_.load(std::memory_order_relaxed);
  usage.level = level();
  for (const ClassRow& row : kClasses) {
    ClassUsage& out = usage.classes[static_cast<size_t>(row.id)];
    out.used_bytes = used_bytes(row.id);
    out.limit_bytes = limit_bytes(row.id);
    out.waiting = StateOf(row.id).waiting.load(std::memory_order_relaxed);
    for (size_t i = 0; i < kRefusals.size(); ++i) out.refusals[i] = StateOf(row.id).refusals[i].load();
  }
  return usage;
}

}  // namespace tidemark::memory

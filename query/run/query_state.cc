#include "query/run/query_state.h"

#include <algorithm>
#include <utility>

#include <fmt/core.h>

#include "query/frame/time_math.h"
#include "query/promql/counterpart.h"
#include "query/promql/numbers.h"
#include "query/run/small_share.h"
#include "storage/base/text/byte_size.h"

namespace tidemark::query::run {
namespace {

using frame::kNsPerMs;
using frame::LabelArena;

// Of one step: windows, one row of values and the arithmetic of one scalar operator.
constexpr uint64_t kBytesPerStep = 64;

// Gives back what has been taken.
std::shared_ptr<const void> GiveLater(MemoryTotal* total, uint64_t bytes) {
  if (total == nullptr) return nullptr;
  return {nullptr, [total, bytes](const void*) { total->Give(bytes); }};
}

// A deadline on a clock that is not the system's says nothing of when the system should let the query run.
BackgroundLimits LimitsOf(const QueryContext& context, const Clock& clock) {
  return {.deadline_ns = &clock == &SystemClock::Get() ? context.deadline_ns : 0, .stop = context.stop};
}

}  // namespace

Error TimedOut() {
  return MakeError(ErrorCode::kTimeout, "query timed out; ask for a shorter range, a longer step or fewer series");
}

Status TakeBytes(MemoryTotal* total, uint64_t bytes) {
  const MemoryTotal* const full = total == nullptr ? nullptr : total->TakeUnlessFull(bytes);
  if (full == nullptr) return {};
  if (!full->whose().empty()) {
    return MakeError(ErrorCode::kResourceExhausted,
                     fmt::format("{}{} is used up: {} for all its queries; try again when others have ended, or ask "
                                 "for a shorter range, a longer step or fewer series",
                                 kQuotaWords, full->whose(), text::PrintMebibytes(full->bytes_max())));
  }
  return MakeError(ErrorCode::kResourceExhausted,
                   fmt::format("all queries together need more than their memory budget of {}; try again later, or "
                               "ask for a shorter range, a longer step or fewer series",
                               text::PrintMebibytes(full->bytes_max())));
}

Result<std::shared_ptr<const void>> HoldBytes(MemoryTotal* total, uint64_t bytes) {
  TM_RETURN_IF_ERROR(TakeBytes(total, bytes));
  return GiveLater(total, bytes);
}

QueryState::QueryState(const QueryContext& context)
    : context_(context),
      scheduler_(context.scheduler != nullptr ? context.scheduler : &inline_scheduler_),
      clock_(context.clock != nullptr ? context.clock : &SystemClock::Get()),
      turn_(context.turns, Turn::Work::kQuery, LimitsOf(context, *clock_), context.client) {}

QueryState::~QueryState() { Release(bytes_.load(std::memory_order_relaxed)); }

Status QueryState::CheckInterrupt() const {
  TM_RETURN_IF_ERROR(CheckEnd());
  return turn_.Pass([this] { return CheckEnd(); });
}

Status QueryState::CheckEnd() const {
  if (context_.stop.stop_requested()) return MakeError(ErrorCode::kCancelled, "query was cancelled");
  if (context_.deadline_ns != 0 && clock_->SteadyNs() >= context_.deadline_ns) {
    return TimedOut();
  }
  return {};
}

Status QueryState::Charge(uint64_t bytes) {
  const uint64_t now = bytes_.fetch_add(bytes, std::memory_order_relaxed) + bytes;
  uint64_t peak = peak_bytes_.load(std::memory_order_relaxed);
  while (now > peak && !peak_bytes_.compare_exchange_weak(peak, now, std::memory_order_relaxed)) {
  }
  if (context_.budget.max_bytes != 0 && now > context_.budget.max_bytes) {
    bytes_.fetch_sub(bytes, std::memory_order_relaxed);
    return LimitExceeded(
        fmt::format("query needs more than its memory budget of {}; ask for a shorter range, a longer "
                    "step or fewer series",
                    text::PrintMebibytes(context_.budget.max_bytes)));
  }
  if (context_.memory != nullptr && now > kLittleBytes && !LeavesShareOfSmall(*context_.memory, bytes)) {
    bytes_.fetch_sub(bytes, std::memory_order_relaxed);
    return MakeError(ErrorCode::kResourceExhausted, kShareOfSmallWords);
  }
  if (Status taken = TakeBytes(context_.memory, bytes); !taken.ok()) {
    bytes_.fetch_sub(bytes, std::memory_order_relaxed);
    return taken;
  }
  return {};
}

void QueryState::Release(uint64_t bytes) {
  bytes_.fetch_sub(bytes, std::memory_order_relaxed);
  if (context_.memory != nullptr) context_.memory->Give(bytes);
}

Status QueryState::CheckPoints(uint64_t series, uint64_t steps) const {
  const uint64_t budget = context_.budget.max_points;
  if (budget == 0 || steps == 0 || series <= budget / steps) return {};
  return LimitExceeded(fmt::format(
      "query holds more than its budget of {} points at once, {} or more series at {} steps; aggregate, add "
      "label matchers, or ask for a longer step or a shorter range",
      budget, series, steps));
}

Result<Reservation> QueryState::TakeSteps(uint64_t steps, std::string_view what) {
  TM_RETURN_IF_ERROR(CheckSteps(steps, what));
  Reservation memory(this);
  TM_RETURN_IF_ERROR(memory.Set(steps * kBytesPerStep));
  return memory;
}

Status QueryState::CheckSteps(uint64_t steps, std::string_view what) const {
  constexpr uint64_t kStepsMax = uint64_t{1} << 31;  // rows are counted in 32 bits
  const uint64_t budget = context_.budget.max_bytes;
  if (steps <= kStepsMax && (budget == 0 || steps <= budget / kBytesPerStep)) return {};
  return LimitExceeded(
      fmt::format("the {} has {} steps, more than its memory budget allows; ask for a shorter range or "
                  "a longer step",
                  what, steps));
}

Status QueryState::CountSamples(uint64_t samples, uint64_t series) {
  series_.fetch_add(series, std::memory_order_relaxed);
  const uint64_t now = samples_.fetch_add(samples, std::memory_order_relaxed) + samples;
  if (context_.budget.max_samples != 0 && now > context_.budget.max_samples) {
    return LimitExceeded(
        fmt::format("query reads more than its budget of {} samples; ask for a shorter range or fewer "
                    "series",
                    context_.budget.max_samples));
  }
  return {};
}

void QueryState::CountTierBuckets(uint64_t buckets, int64_t width_ns) {
  tier_buckets_.fetch_add(buckets, std::memory_order_relaxed);
  MutexLock lock(mutex_);
  tier_widths_.insert(width_ns);
}

std::string QueryState::Place(const promql::SourceRange& range) const {
  size_t line = 1;
  size_t column = size_t{range.start} + 1;
  const std::string_view before = context_.text.substr(0, range.start);
  if (const size_t line_break = before.rfind('\n'); line_break != std::string_view::npos) {
    line += static_cast<size_t>(std::ranges::count(before, '\n'));
    column = range.start - line_break;
  }
  return fmt::format("({}:{})", line, column);
}

void QueryState::Warn(std::string_view message, const promql::SourceRange& range) {
  Add({.severity = Severity::kWarning, .range = range, .message = std::string(message)});
}

void QueryState::Info(std::string_view message, const promql::SourceRange& range) {
  Add({.severity = Severity::kInfo, .range = range, .message = std::string(message)});
}

void QueryState::Add(Note note) {
  MutexLock lock(mutex_);
  notes_.insert(std::move(note));
}

void QueryState::SayAgain(const promql::Expr& from, const promql::Expr& to) {
  std::vector<Note> again;
  {
    MutexLock lock(mutex_);
    for (const Note& note : notes_) {
      if (note.range.start >= from.range.start && note.range.end <= from.range.end) again.push_back(note);
    }
  }
  for (Note& note : again) {
    note.range = promql::Counterpart(from, to, note.range);
    Add(std::move(note));
  }
}

void QueryState::WarnPlain(std::string message) {
  MutexLock lock(mutex_);
  plain_warnings_.insert(std::move(message));
}

void QueryState::WarnMissing(std::string message) {
  MutexLock lock(mutex_);
  missing_.insert(message);
  plain_warnings_.insert(std::move(message));
}

void QueryState::Keep(std::unique_ptr<LabelArena> arena) {
  // Labels stay to the end; whoever asks for memory next finds the budget smaller.
  bytes_.fetch_add(arena->allocated_bytes(), std::memory_order_relaxed);
  if (context_.memory != nullptr) context_.memory->TakeAnyway(arena->allocated_bytes());
  MutexLock lock(mutex_);
  arenas_.push_back(std::move(arena));
}

void QueryState::Finish(QueryResult* result) {
  MutexLock lock(mutex_);
  std::set<std::string> warnings = std::move(plain_warnings_);
  std::set<std::string> infos;
  for (const Note& note : notes_) {
    const bool warning = note.severity == Severity::kWarning;
    (warning ? warnings : infos)
        .insert(fmt::format("PromQL {}: {} {}", warning ? "warning" : "info", note.message, Place(note.range)));
  }
  result->warnings.assign(warnings.begin(), warnings.end());
  result->infos.assign(infos.begin(), infos.end());
  result->missing.assign(missing_.begin(), missing_.end());
  result->arenas = std::move(arenas_);
  result->view = context_.view;
  result->stats.samples = samples_.load(std::memory_order_relaxed);
  result->stats.series = series_.load(std::memory_order_relaxed);
  result->stats.tier_buckets = tier_buckets_.load(std::memory_order_relaxed);
  std::string& resolution = result->stats.resolution;
  resolution.clear();
  for (const int64_t width_ns : tier_widths_) {
    if (!resolution.empty()) resolution += "+";
    resolution += promql::DurationToString(width_ns / kNsPerMs);
  }
  if (resolution.empty()) {
    resolution = "raw";
  } else if (result->stats.samples > 0) {
    resolution += "+raw";
  }
  if (context_.memory != nullptr) {
    // What is in bytes_ now, labels and raw series, goes with the result.
    const uint64_t bytes = bytes_.load(std::memory_order_relaxed) + result->frame.bytes();
    context_.memory->TakeAnyway(bytes);
    result->memory = GiveLater(context_.memory, bytes);
  }
  result->stats.peak_bytes = peak_bytes_.load(std::memory_order_relaxed);
}

Status Reservation::Set(uint64_t bytes) {
  if (bytes > bytes_) {
    TM_RETURN_IF_ERROR(state_->Charge(bytes - bytes_));
  } else {
    state_->Release(bytes_ - bytes);
  }
  bytes_ = bytes;
  return {};
}

}  // namespace tidemark::query::run

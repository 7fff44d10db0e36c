// QueryState: what all operators of one running query share: the context, budgets, messages, statistics, and the
// memory of labels.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include "query/frame/interrupt.h"
#include "query/promql/ast.h"
#include "query/run/query_context.h"
#include "storage/base/mutex.h"
#include "storage/base/result.h"

namespace tidemark::query::run {

class Reservation;

// The error of a query that has passed its deadline.
Error TimedOut();

// Takes `bytes` of what all queries may hold; MemoryTotal::Give gives them back. kResourceExhausted when so much is not
// there. Without a total there is nothing to count.
Status TakeBytes(MemoryTotal* total, uint64_t bytes);

// Counts `bytes` of a result in `total` until what is returned goes. kResourceExhausted when so much is not there.
// Without a total there is nothing to count.
Result<std::shared_ptr<const void>> HoldBytes(MemoryTotal* total, uint64_t bytes);

// Thread-safe unless a member says otherwise.
class QueryState final : public frame::Interrupt {
 public:
  explicit QueryState(const QueryContext& context);
  ~QueryState() override;
  QueryState(const QueryState&) = delete;
  QueryState& operator=(const QueryState&) = delete;

  [[nodiscard]] const QueryContext& context() const { return context_; }
  [[nodiscard]] const storage::View& view() const { return *context_.view; }
  [[nodiscard]] Scheduler& scheduler() const { return *scheduler_; }
  [[nodiscard]] const Clock& clock() const { return *clock_; }

  // kCancelled or kTimeout once the query should end. Cheap enough for every few thousand values. On the query's own
  // thread it may first wait for the turn of a long query (turns.h).
  [[nodiscard]] Status CheckInterrupt() const override;
  [[nodiscard]] Turn* turn() const { return &turn_; }

  // Counts memory against the budget; kLimitExceeded when it is used up. Release gives it back.
  [[nodiscard]] Status Charge(uint64_t bytes);
  void Release(uint64_t bytes);
  // Whether one table may have so many points.
  [[nodiscard]] Status CheckPoints(uint64_t series, uint64_t steps) const;
  // Whether a grid of `steps` can be evaluated at all within the budget; `what` names it in the error.
  [[nodiscard]] Status CheckSteps(uint64_t steps, std::string_view what) const;
  // The same, and takes the memory that working on so many steps needs besides tables of series.
  [[nodiscard]] Result<Reservation> TakeSteps(uint64_t steps, std::string_view what);
  // Counts decoded values against the budget.
  [[nodiscard]] Status CountSamples(uint64_t samples, uint64_t series);
  void CountTierBuckets(uint64_t buckets, int64_t width_ns);
  [[nodiscard]] uint64_t samples() const { return samples_.load(std::memory_order_relaxed); }
  [[nodiscard]] uint64_t tier_buckets() const { return tier_buckets_.load(std::memory_order_relaxed); }

  // Adds a message about the expression at `range`; equal ones count once. Warn and Info put "PromQL warning: " and
  // "PromQL info: " in front, and "(line:column)" behind.
  void Warn(std::string_view message, const promql::SourceRange& range);
  void Info(std::string_view message, const promql::SourceRange& range);
  // Says again of `to` what was said of `from` and its parts: the same expression, which is not evaluated anew.
  void SayAgain(const promql::Expr& from, const promql::Expr& to);
  // A warning that does not come from PromQL: series that were merged.
  void WarnPlain(std::string message);
  // The same of what the answer lacks: rows of damaged pages, detail that is gone.
  void WarnMissing(std::string message);

  // Keeps the arena until the result goes. Its memory counts against the budget.
  void Keep(std::unique_ptr<frame::LabelArena> arena);

  // Moves messages, statistics and arenas into `result`. Not to be called while operators run.
  void Finish(QueryResult* result);

 private:
  enum class Severity : uint8_t { kWarning, kInfo };
  struct Note {
    Severity severity = Severity::kInfo;
    promql::SourceRange range;
    std::string message;
    friend bool operator<(const Note& a, const Note& b) {
      return std::tie(a.severity, a.range.start, a.range.end, a.message) <
             std::tie(b.severity, b.range.start, b.range.end, b.message);
    }
  };
  void Add(Note note);
  [[nodiscard]] std::string Place(const promql::SourceRange& range) const;
  [[nodiscard]] Status CheckEnd() const;

  QueryContext context_;
  InlineScheduler inline_scheduler_;
  Scheduler* scheduler_;
  const Clock* clock_;
  mutable Turn turn_;
  std::atomic<uint64_t> bytes_{0};
  std::atomic<uint64_t> peak_bytes_{0};
  std::atomic<uint64_t> samples_{0};
  std::atomic<uint64_t> series_{0};
  std::atomic<uint64_t> tier_buckets_{0};

  Mutex mutex_;
  std::set<std::string> plain_warnings_ TM_GUARDED_BY(mutex_);
  std::set<std::string> missing_ TM_GUARDED_BY(mutex_);
  std::set<Note> notes_ TM_GUARDED_BY(mutex_);
  std::set<int64_t> tier_widths_ TM_GUARDED_BY(mutex_);
  std::vector<std::unique_ptr<frame::LabelArena>> arenas_ TM_GUARDED_BY(mutex_);
};

// Memory that a frame or buffer holds, given back when this goes. Not thread-safe.
class Reservation {
 public:
  explicit Reservation(QueryState* state) : state_(state) {}
  Reservation(Reservation&& other) noexcept : state_(other.state_), bytes_(other.bytes_) { other.bytes_ = 0; }
  Reservation& operator=(Reservation&& other) noexcept {
    std::swap(state_, other.state_);
    std::swap(bytes_, other.bytes_);
    return *this;
  }
  ~Reservation() { state_->Release(bytes_); }

  // Makes it `bytes` in all.
  [[nodiscard]] Status Set(uint64_t bytes);

 private:
  QueryState* state_;
  uint64_t bytes_ = 0;
};

}  // namespace tidemark::query::run

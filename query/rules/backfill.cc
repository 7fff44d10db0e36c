#include "query/rules/backfill.h"

#include <fmt/core.h>

#include <algorithm>
#include <map>
#include <utility>
#include <vector>

#include "query/rules/grid.h"
#include "storage/model/timestamp.h"

namespace tidemark::query::rules {
namespace {

// Times for which is read at once what is there.
constexpr int64_t kTimesAtOnce = 256;

bool Chosen(const Rule& rule, const BackfillRange& range) {
  return !rule.alerting && (range.rules.empty() || range.rules.contains(rule.name));
}

int64_t IntervalOf(const ManagerOptions& options, const Group& group) {
  return group.interval_ms > 0 ? group.interval_ms : options.default_interval_ms;
}

// The times of the grid, both included; first > last: none.
struct Times {
  int64_t first_ms = 0;
  int64_t last_ms = 0;
  int64_t interval_ms = 1;
  [[nodiscard]] uint64_t count() const {
    return first_ms > last_ms ? 0 : static_cast<uint64_t>((last_ms - first_ms) / interval_ms) + 1;
  }
};

Times TimesOf(const ManagerOptions& options, const Group& group, const BackfillRange& range) {
  const int64_t interval_ms = IntervalOf(options, group);
  const Grid grid(interval_ms, options.offset_ms(group, interval_ms));
  return {
      .first_ms = grid.After(range.from_ms - 1), .last_ms = grid.AtOrBefore(range.to_ms), .interval_ms = interval_ms};
}

// The rows of recorded series that are there, within some time.
class PresentRows {
 public:
  explicit PresentRows(const storage::Store* store) : store_(store) {}

  void Clear() {
    times_.clear();
    marks_.clear();
  }

  Status Load(const std::string& database, const std::string& name, int64_t first_ms, int64_t last_ms) {
    const auto view = store_->OpenView(database);
    // What is not there yet has no rows; the sink makes it.
    if (!view.ok()) return view.error().code == ErrorCode::kNotFound ? Status() : Status(view.error());
    // Of several names the first one's: what has changed since then is looked at once more.
    marks_.try_emplace(database, (*view)->Changes());
    return Take(**view, database, name, first_ms, last_ms);
  }

  // What has come since then to one of the times that were loaded.
  Status LookAgain(const std::string& database, const std::string& name, int64_t ms) {
    const auto view = store_->OpenView(database);
    if (!view.ok()) return view.error().code == ErrorCode::kNotFound ? Status() : Status(view.error());
    const auto mark = marks_.find(database);
    const model::TimeRange at{model::Timestamp::FromMs(ms), model::Timestamp::FromMs(ms)};
    const auto touched = [&](const model::TimeRange& range) { return range.Overlaps(at); };
    if (mark != marks_.end() && std::ranges::none_of((*view)->ChangedSince(mark->second), touched)) return {};
    return Take(**view, database, name, ms, ms);
  }

  // A row that the back-fill itself writes, which another rule of the group may write once more.
  void NoteOwn(const std::string& database, const model::Labels& series, int64_t ms) {
    if (own_ms_ != ms) own_.clear();
    own_ms_ = ms;
    own_.emplace(database, series);
  }

  [[nodiscard]] bool Has(const std::string& database, const model::Labels& series, int64_t ms) const {
    if (own_ms_ == ms && own_.contains({database, series})) return false;
    const auto all = times_.find(database);
    if (all == times_.end()) return false;
    const auto times = all->second.find(series);
    // A cursor may give a series in pieces that are not in order.
    return times != all->second.end() &&
           std::ranges::find(times->second, model::Timestamp::FromMs(ms).ns) != times->second.end();
  }

 private:
  Status Take(const storage::View& there, const std::string& database, const std::string& name, int64_t first_ms,
              int64_t last_ms) {
    const model::TimeRange range{model::Timestamp::FromMs(first_ms), model::Timestamp::FromMs(last_ms)};
    const std::vector<model::Matcher> matchers = {{model::MatchOp::kEqual, std::string(model::kMetricNameLabel), name}};
    TM_TRY_ASSIGN(const std::vector<model::SeriesRef> refs, there.Select(matchers, range));
    const auto cursor = there.Scan(refs, range);
    model::Column column;
    model::LabelViews labels;
    for (;;) {
      TM_TRY_ASSIGN(const bool more, cursor->Next(&column));
      if (!more) break;
      there.LabelsOf(column.ref, &labels);
      std::vector<int64_t>& times = times_[database][model::ToLabels(labels)];
      for (size_t i = 0; i < column.size(); ++i) times.push_back(column.times[i]);
    }
    if (cursor->warnings().empty()) return {};
    return MakeError(ErrorCode::kCorruption,
                     fmt::format("what is recorded already cannot be read whole: {}", cursor->warnings().front()));
  }

  const storage::Store* const store_;
  std::map<std::string, storage::ChangeMark> marks_;  // as of which the rows were read, by database
  int64_t own_ms_ = 0;
  std::set<std::pair<std::string, model::Labels>> own_;  // rows of own_ms_
  std::map<std::string, std::map<model::Labels, std::vector<int64_t>>> times_;
};

class CountingSink final : public model::PointSink {
 public:
  CountingSink(model::PointSink* sink, uint64_t* rows) : sink_(sink), rows_(rows) {}
  Result<model::WriteReport> Write(std::string_view database, const model::Batch& batch) override {
    TM_TRY_ASSIGN(model::WriteReport report, sink_->Write(database, batch));
    *rows_ += report.rows_written;
    return report;
  }

 private:
  model::PointSink* const sink_;
  uint64_t* const rows_;
};

// One back-fill.
class Run {
 public:
  Run(const ManagerDependencies& dependencies, const ManagerOptions& options, const Group& group,
      const BackfillRange& range)
      : options_(options),
        group_(group),
        times_(TimesOf(options, group, range)),
        there_(dependencies.store),
        sink_(dependencies.sink, &progress_.rows_written),
        evaluator_(Dependencies(dependencies), options) {
    progress_.times_total = times_.count();
    for (const Rule& rule : group.rules) {
      if (Chosen(rule, range)) states_.emplace_back().rule = &rule;
    }
  }

  Result<BackfillProgress> All(const std::stop_token& stop,
                               const std::function<void(const BackfillProgress&)>& progress) {
    for (int64_t at_ms = times_.first_ms; at_ms <= times_.last_ms; at_ms += times_.interval_ms) {
      if (progress_.times_done % kTimesAtOnce == 0) TM_RETURN_IF_ERROR(Load(at_ms));
      for (RuleState& state : states_) TM_RETURN_IF_ERROR(Evaluate(&state, at_ms, stop));
      ++progress_.times_done;
      progress(progress_);
    }
    return progress_;
  }

 private:
  ManagerDependencies Dependencies(ManagerDependencies dependencies) {
    dependencies.sink = &sink_;
    if (dependencies.recording == nullptr) dependencies.recording = &alone_;
    dependencies.look = [this](const std::string& database, const std::string& name, int64_t ms) {
      return there_.LookAgain(database, name, ms);
    };
    dependencies.is_there = [this](const std::string& database, const model::Labels& series, int64_t ms) {
      if (there_.Has(database, series, ms)) {
        ++progress_.rows_there;
        return true;
      }
      there_.NoteOwn(database, series, ms);
      return false;
    };
    return dependencies;
  }

  Status Load(int64_t first_ms) {
    there_.Clear();
    for (const RuleState& state : states_) {
      const std::string& into = state.rule->into.empty() ? options_.database : state.rule->into;
      TM_RETURN_IF_ERROR(
          there_.Load(into, state.rule->name, first_ms, first_ms + (kTimesAtOnce - 1) * times_.interval_ms));
    }
    return {};
  }

  Status Evaluate(RuleState* state, int64_t at_ms, const std::stop_token& stop) {
    if (stop.stop_requested()) return MakeError(ErrorCode::kCancelled, "it was cancelled");
    const Result<void> done = evaluator_.Evaluate(group_, state, at_ms, stop);
    if (done.ok()) return {};
    switch (done.error().code) {
      // A server's evaluation would have failed too, or kept what it was at.
      case ErrorCode::kInvalidArgument:
      case ErrorCode::kLimitExceeded:
      case ErrorCode::kCorruption:
        ++progress_.failures;
        if (progress_.first_failure.empty()) progress_.first_failure = done.error().message;
        return {};
      default: return done.error().Within(fmt::format("rule \"{}\"", state->rule->name));
    }
  }

  const ManagerOptions& options_;
  const Group& group_;
  const Times times_;
  BackfillProgress progress_;
  SharedMutex alone_;
  PresentRows there_;
  CountingSink sink_;
  RuleEvaluator evaluator_;
  std::vector<RuleState> states_;
};

}  // namespace

Status CheckBackfill(const ManagerOptions& options, const Group& group, const BackfillRange& range) {
  if (range.from_ms > range.to_ms) return InvalidArgument("the start is behind the end");
  // What a rule looks back to is a time too.
  constexpr int64_t kYearMs = int64_t{366} * 24 * 3600 * 1000;
  if (range.from_ms < model::kMinTime.FloorMs() + kYearMs || range.to_ms > model::kMaxTime.FloorMs()) {
    return InvalidArgument(
        "points lie between 1677 and 2262: start must lie a year behind the one, end before the other");
  }
  for (const std::string& name : range.rules) {
    const bool records =
        std::ranges::any_of(group.rules, [&](const Rule& rule) { return !rule.alerting && rule.name == name; });
    if (!records) return InvalidArgument(fmt::format("no rule of the group {} records {}", group.name, name));
  }
  if (std::ranges::none_of(group.rules, [&](const Rule& rule) { return Chosen(rule, range); })) {
    return InvalidArgument(fmt::format("the group {} has no rule that records", group.name));
  }
  const uint64_t count = TimesOf(options, group, range).count();
  if (count == 0) return InvalidArgument("no time at which the group is evaluated lies between start and end");
  if (count <= kBackfillTimesMax) return {};
  return InvalidArgument(
      fmt::format("{} evaluations are too many for one back-fill: at most {}", count, kBackfillTimesMax));
}

Result<BackfillProgress> Backfill(const ManagerDependencies& dependencies, const ManagerOptions& options,
                                  const Group& group, const BackfillRange& range, const std::stop_token& stop,
                                  const std::function<void(const BackfillProgress&)>& progress) {
  TM_RETURN_IF_ERROR(CheckBackfill(options, group, range));
  return Run(dependencies, options, group, range).All(stop, progress);
}

}  // namespace tidemark::query::rules

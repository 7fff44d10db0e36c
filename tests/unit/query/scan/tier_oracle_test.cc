// Queries over rows of which rollup buckets are all that is left, at any alignment of windows and buckets, against an
// oracle: each bucket whose rows are gone is written out as what the answer may take it for (tier_part.h), and the
// ordinary kernels run over that.
#include <fmt/core.h>

#include <cmath>
#include <map>
#include <random>

#include "query/engine/engine.h"
#include "query/promql/parser.h"
#include "query/scan/extrapolation.h"
#include "tests/test_seed.h"
#include "tests/unit/query/engine/fake_view.h"
#include "tests/unit/storage/engine/store_fixture.h"

namespace tidemark::query::scan {
namespace {

using engine::Execute;
using engine::FakeView;
using run::QueryResult;
using run::RangeSpec;
using storage::kNsPerDay;
using storage::kNsPerHour;

constexpr int64_t kMs = 1'000'000;
constexpr int64_t kSecond = 1000 * kMs;
constexpr int64_t kMinute = 60 * kSecond;
constexpr int64_t kStart = 1'699'999'200 * kSecond;  // an hour begins
constexpr int64_t kSpan = 6 * kNsPerHour;
constexpr int64_t kWidth = 5 * kMinute;

using Rows = std::map<int64_t, double>;

// What a bucket's rows are taken for.
enum class As {
  kMean,
  kMin,
  kMax,
  kCounter,      // rises evenly; the answer is computed here, as its resets are no rows
  kCounterRows,  // the same with a reset that is one
  kChord,        // on a line from the first to the last
  kLine,         // on one as steep through the mean
  kEnds,         // its first and last row
  kPresence,     // a row at every time between them
  kKnown,        // those of buckets with values that are all alike or two at most
  kReset,        // its first and last row, and one reset between them where it had any
  kNothing,      // left out, with a warning
};

struct Function {
  const char* text;  // with the window in place of {}
  As as;
};
constexpr Function kFunctions[] = {
    {"count_over_time(m[{}])", As::kMean},
    {"sum_over_time(m[{}])", As::kMean},
    {"avg_over_time(m[{}])", As::kMean},
    {"min_over_time(m[{}])", As::kMin},
    {"max_over_time(m[{}])", As::kMax},
    {"rate(m[{}])", As::kCounter},
    {"increase(m[{}])", As::kCounter},
    {"first_over_time(m[{}])", As::kEnds},
    {"last_over_time(m[{}])", As::kEnds},
    {"present_over_time(m[{}])", As::kPresence},
    {"absent_over_time(m[{}])", As::kPresence},
    {"m", As::kEnds},
    {"timestamp(m)", As::kEnds},
    {"ts_of_first_over_time(m[{}])", As::kEnds},
    {"ts_of_last_over_time(m[{}])", As::kEnds},
    {"m smoothed", As::kEnds},
    {"delta(m[{}])", As::kChord},
    {"delta(m[{}] anchored)", As::kChord},
    {"deriv(m[{}])", As::kLine},
    {"predict_linear(m[{}], 600)", As::kLine},
    {"increase(m[{}] anchored)", As::kCounterRows},
    {"increase(m[{}] smoothed)", As::kCounterRows},
    {"rate(m[{}] smoothed)", As::kCounterRows},
    {"tm_forecast_linear(m[{}], 60)", As::kLine},
    {"tm_calendar_sum(m[30h], 'day', 'UTC')", As::kMean},
    {"tm_calendar_max(m[30h], 'day', 'UTC')", As::kMax},
    {"tm_calendar_increase(m[30h], 'day', 'UTC')", As::kCounterRows},
    {"stddev_over_time(m[{}])", As::kKnown},
    {"stdvar_over_time(m[{}])", As::kKnown},
    {"changes(m[{}])", As::kKnown},
    {"changes(m[{}] anchored)", As::kKnown},
    {"resets(m[{}])", As::kReset},
    {"resets(m[{}] anchored)", As::kReset},
    {"irate(m[{}])", As::kNothing},
    {"idelta(m[{}])", As::kNothing},
    {"mad_over_time(m[{}])", As::kKnown},
    {"ts_of_max_over_time(m[{}])", As::kNothing},
    {"ts_of_min_over_time(m[{}])", As::kNothing},
    {"double_exponential_smoothing(m[{}], 0.5, 0.5)", As::kNothing},
};

int64_t EndOfBucket(int64_t time_ns) { return (time_ns + kWidth - 1) / kWidth * kWidth; }

// The rows of one bucket, those that are still there left out.
struct Bucket {
  std::vector<std::pair<int64_t, double>> rows;

  [[nodiscard]] int64_t first_ns() const { return rows.front().first; }
  [[nodiscard]] int64_t last_ns() const { return rows.back().first; }
  [[nodiscard]] int64_t TimeOf(size_t row) const {
    if (rows.size() == 1) return first_ns();
    __extension__ using Wide = __int128;
    return first_ns() + static_cast<int64_t>(Wide{last_ns() - first_ns()} * static_cast<int64_t>(row) /
                                             static_cast<int64_t>(rows.size() - 1));
  }
  [[nodiscard]] double Increase() const {
    double sum = 0;
    for (size_t i = 1; i < rows.size(); ++i) {
      sum += rows[i].second < rows[i - 1].second ? rows[i].second : rows[i].second - rows[i - 1].second;
    }
    return sum;
  }
  [[nodiscard]] double RiseTo(size_t row) const {
    return rows.size() == 1 ? 0 : Increase() * static_cast<double>(row) / static_cast<double>(rows.size() - 1);
  }
  [[nodiscard]] double Noise() const {
    return 1e-9 * std::max({std::fabs(rows.front().second), std::fabs(rows.back().second), std::fabs(Increase())});
  }
  [[nodiscard]] bool HasReset() const { return Increase() - (rows.back().second - rows.front().second) > Noise(); }
  // The value of a row if the reset was before it.
  [[nodiscard]] double BehindReset(size_t row) const { return rows.back().second - (Increase() - RiseTo(row)); }
  // Values of rows that rise to the bucket's increase with one reset, as late as the last value allows.
  [[nodiscard]] std::vector<double> CounterRows() const {
    const double increase = Increase(), first = rows.front().second, last = rows.back().second;
    const size_t steps = rows.size() - 1;
    std::vector<double> out;
    if (steps < 2 || !HasReset()) {
      for (size_t i = 0; i < steps; ++i) {
        out.push_back(first + std::max(0.0, last - first) * static_cast<double>(i) / static_cast<double>(steps));
      }
      out.push_back(last);
      return out;
    }
    // No counter loses less than its first value.
    const double lost = first + increase - last;
    const bool at_once = lost <= first + Noise();
    const double peak = at_once ? first : lost;
    size_t reset = at_once ? 1 : 2;
    while (reset < steps && BehindReset(reset) < -Noise()) ++reset;
    out.push_back(first);
    for (size_t i = 1; i < reset; ++i) {
      out.push_back(first + (peak - first) * static_cast<double>(i) / static_cast<double>(reset - 1));
    }
    const double low = std::min({last, last / static_cast<double>(steps - reset + 1), peak / 2});
    for (size_t i = reset; i < steps; ++i) {
      out.push_back(low + (last - low) * static_cast<double>(i - reset) / static_cast<double>(steps - reset));
    }
    out.push_back(last);
    return out;
  }
  [[nodiscard]] double Min() const {
    return std::ranges::min_element(rows, {}, [](auto r) { return r.second; })->second;
  }
  [[nodiscard]] double Max() const {
    return std::ranges::max_element(rows, {}, [](auto r) { return r.second; })->second;
  }
  [[nodiscard]] double Mean() const {
    double sum = 0;
    for (const auto& [_, value] : rows) sum += value;
    return sum / static_cast<double>(rows.size());
  }
};

class TierOracleTest : public storage::StoreFixture, public ::testing::WithParamInterface<int> {
 protected:
  uint64_t Below(uint64_t limit) { return random_() % limit; }
  bool OneIn(uint64_t n) { return Below(n) == 0; }

  // A series of one kind with resets, gaps, jitter and rows on the ends of buckets, in parts that may come late.
  void WriteSeries() {
    enum Kind { kCounter, kGauge, kDecimal, kFree, kBool, kKinds };
    const auto kind = static_cast<Kind>(Below(kKinds));
    const int64_t interval =
        std::vector<int64_t>{7 * kSecond, 15 * kSecond, 30 * kSecond, kMinute, 8 * kMinute}[Below(5)];
    const bool jitter = OneIn(2);
    double value = kind == kCounter ? static_cast<double>(Below(1000)) : 0;
    for (int64_t at = kStart + static_cast<int64_t>(Below(uint64_t{kWidth})); at < kStart + kSpan; at += interval) {
      if (OneIn(200)) at += static_cast<int64_t>(Below(uint64_t{40 * kMinute}));
      int64_t time = at;
      if (jitter) time += static_cast<int64_t>(Below(static_cast<uint64_t>(interval / 2)));
      if (OneIn(20)) time = EndOfBucket(time);
      time = time / kMs * kMs;
      switch (kind) {
        case kCounter:
          value = OneIn(60) ? static_cast<double>(Below(20)) : value + static_cast<double>(Below(50));
          break;
        case kGauge: value += static_cast<double>(Below(301)) - 150; break;
        case kBool: value = OneIn(3) ? 0 : 1; break;
        case kDecimal: value = std::round(value * 100 + static_cast<double>(Below(301)) - 150) / 100; break;
        default: value = std::sqrt(static_cast<double>(Below(1'000'000))) - 300; break;
      }
      rows_[time] = value;
    }
    // Late rows come in an order of their own.
    std::vector<std::pair<int64_t, double>> order(rows_.begin(), rows_.end());
    if (OneIn(2)) std::rotate(order.begin(), order.begin() + static_cast<int64_t>(Below(order.size())), order.end());
    model::BatchBuilder builder;
    for (size_t i = 0; i < order.size(); ++i) {
      builder.Row("m", {{"host", "a"}}, {order[i].first});
      if (kind == kBool) {
        builder.Field("value", order[i].second != 0);
      } else if (kind == kCounter || kind == kGauge) {
        builder.Field("value", static_cast<int64_t>(order[i].second));
      } else {
        builder.Field("value", order[i].second);
      }
      if (i % 500 == 499 || i + 1 == order.size()) {
        Write(builder.batch());
        builder.Clear();
        if (OneIn(3)) {
          ASSERT_TRUE(store_->Checkpoint().ok());
        }
      }
    }
  }

  void Delete() {
    const int64_t first = kStart + static_cast<int64_t>(Below(uint64_t{kSpan}));
    storage::DeleteRequest request;
    request.selectors = {{Equal("host", "a")}};
    request.range = {{first}, {first + static_cast<int64_t>(Below(uint64_t{20 * kMinute}))}};
    ASSERT_TRUE(store_->Delete("", request).ok());
    // Of what is in buckets only, those go whole that are touched.
    std::erase_if(rows_, [&](const auto& row) {
      const int64_t time = row.first;
      if (time > gone_until_ns_) return time >= request.range.first.ns && time <= request.range.last.ns;
      // What a partition has of a bucket goes if the deletion meets the partition.
      const auto [oldest, newest] = reduced_.at(time / kNsPerHour);
      if (request.range.last.ns < oldest || request.range.first.ns > newest) return false;
      const int64_t end = EndOfBucket(time);
      return request.range.first.ns <= end && request.range.last.ns > end - kWidth;
    });
  }

  void Reduce(int64_t hours) {
    ASSERT_TRUE(store_->Checkpoint().ok());
    storage::DatabaseOptions options = store_->Databases()[0].options;
    options.retention_ns = clock_.NowNs() - (kStart + hours * kNsPerHour);
    ASSERT_TRUE(store_->SetDatabaseOptions("default", options).ok());
    ASSERT_TRUE(store_->ApplyRetention().ok());
    const auto gone = (*store_->OpenView(""))->RawGoneIn({});
    if (gone) gone_until_ns_ = gone->range.last.ns;
    std::map<int64_t, std::pair<int64_t, int64_t>> now;
    for (auto row = rows_.begin(); row != rows_.end() && row->first <= gone_until_ns_; ++row) {
      now.try_emplace(row->first / kNsPerHour, row->first, row->first).first->second.second = row->first;
    }
    reduced_.insert(now.begin(), now.end());
  }

  [[nodiscard]] std::vector<Bucket> Buckets() const {
    std::map<int64_t, Bucket> out;
    for (const auto& row : rows_) {
      if (row.first <= gone_until_ns_) out[EndOfBucket(row.first)].rows.push_back(row);
    }
    std::vector<Bucket> buckets;
    for (auto& [_, bucket] : out) buckets.push_back(std::move(bucket));
    return buckets;
  }

  // The rows of a view that stand for what is gone, and those that are there.
  [[nodiscard]] std::shared_ptr<const FakeView> Written(As as) const {
    std::vector<std::pair<int64_t, double>> out;
    const auto add = [&](int64_t time_ns, double value) { out.emplace_back(time_ns, value); };
    for (const Bucket& bucket : Buckets()) {
      if (as == As::kNothing) break;
      if (as == As::kKnown) {
        if (bucket.rows.size() > 2 && bucket.Min() != bucket.Max()) continue;
        for (size_t i = 0; i < bucket.rows.size(); ++i) add(bucket.TimeOf(i), bucket.rows[i].second);
        continue;
      }
      if (as == As::kReset) {
        const double first = bucket.rows.front().second, last = bucket.rows.back().second;
        const int64_t third_ns = (bucket.last_ns() - bucket.first_ns()) / 3;
        add(bucket.first_ns(), first);
        if (bucket.HasReset() && last >= first) {
          if (bucket.Max() > first) add(bucket.first_ns() + third_ns, bucket.Max());
          if (bucket.Min() < last) add(bucket.first_ns() + 2 * third_ns, bucket.Min());
        }
        if (bucket.rows.size() > 1) add(bucket.last_ns(), last);
        continue;
      }
      if (as == As::kCounterRows) {
        const std::vector<double> values = bucket.CounterRows();
        for (size_t i = 0; i < values.size(); ++i) add(bucket.TimeOf(i), values[i]);
        continue;
      }
      if (as == As::kChord || as == As::kLine) {
        const double half = (bucket.rows.back().second - bucket.rows.front().second) / 2;
        const double middle = as == As::kLine ? bucket.Mean() : bucket.rows.front().second + half;
        for (size_t i = 0; i < bucket.rows.size(); ++i) {
          const double share =
              bucket.rows.size() == 1 ? 0.5 : static_cast<double>(i) / static_cast<double>(bucket.rows.size() - 1);
          add(bucket.TimeOf(i), middle - half + 2 * half * share);
        }
        continue;
      }
      if (as == As::kEnds) {
        add(bucket.first_ns(), bucket.rows.front().second);
        add(bucket.last_ns(), bucket.rows.back().second);
        continue;
      }
      const double value = as == As::kMin ? bucket.Min() : as == As::kMax ? bucket.Max() : bucket.Mean();
      for (size_t i = 0; i < bucket.rows.size(); ++i) add(bucket.TimeOf(i), value);
    }
    for (auto row = rows_.upper_bound(gone_until_ns_); row != rows_.end(); ++row) add(row->first, row->second);
    return FakeView::Builder().AddRows({{"__name__", "m"}, {"host", "a"}}, out).Build();
  }

  // All rows that were written and not deleted.
  [[nodiscard]] std::shared_ptr<const FakeView> Truth() const {
    return FakeView::Builder().AddRows({{"__name__", "m"}, {"host", "a"}}, {rows_.begin(), rows_.end()}).Build();
  }

  using Cells = std::vector<std::optional<double>>;

  static Cells CellsOf(const QueryResult& result) {
    Cells out(result.grid.count);
    for (size_t step = 0; step < out.size() && result.frame.size() == 1; ++step) {
      if (result.frame.RowPresent(0)[step] != 0) out[step] = result.frame.RowValues(0)[step];
    }
    return out;
  }
  static QueryResult Run(const std::string& text, const RangeSpec& range, std::shared_ptr<const storage::View> view) {
    const auto expr = promql::Parse(text, promql::ParseOptions::Experimental());
    EXPECT_TRUE(expr.ok()) << text;
    auto result = Execute(**expr, range, {.view = std::move(view)});
    EXPECT_TRUE(result.ok()) << result.error().message;
    EXPECT_LE(result->frame.size(), 1U);
    return std::move(result).value();
  }

  // rate() or increase() of a window.
  [[nodiscard]] std::optional<double> Change(const std::vector<Bucket>& buckets, int64_t end_ms, int64_t length_ms,
                                             bool rate) const {
    const int64_t after_ns = (end_ms - length_ms) * kMs;
    const int64_t last_ns = end_ms * kMs;
    double count = 0, first = 0, change = 0, before = 0;
    int64_t first_ns = 0, row_ns = 0;
    // A row, which has risen by `step` from the one before it where that is in the same bucket.
    const auto take = [&](int64_t time_ns, double value, std::optional<double> step) {
      if (time_ns <= after_ns || time_ns > last_ns) return;
      if (count++ == 0) {
        first = value;
        first_ns = time_ns;
      } else {
        change += step ? *step : value < before ? value : value - before;
      }
      before = value;
      row_ns = time_ns;
    };
    for (const Bucket& bucket : buckets) {
      const double increase = bucket.Increase();
      const size_t size = bucket.rows.size();
      const double low = bucket.Min(), high = bucket.Max();
      const bool reset = bucket.HasReset();
      for (size_t i = 0; i < size; ++i) {
        double value = bucket.rows.front().second + bucket.RiseTo(i);
        const double after = bucket.BehindReset(i);
        if (reset) value = std::clamp(after >= -bucket.Noise() ? after : value, low, high);
        if (i == 0) value = bucket.rows.front().second;
        if (i + 1 == size) value = bucket.rows.back().second;
        std::optional<double> step;
        if (i > 0) step = increase / static_cast<double>(size - 1);
        take(bucket.TimeOf(i), value, step);
      }
    }
    for (auto row = rows_.upper_bound(gone_until_ns_); row != rows_.end(); ++row) {
      take(row->first, row->second, std::nullopt);
    }
    if (count < 2) return std::nullopt;
    return Extrapolated(
        rate ? RateKind::kRate : RateKind::kIncrease,
        {.end_ms = end_ms, .length_ms = length_ms, .first_ns = first_ns, .last_ns = row_ns, .count = count}, first,
        change);
  }

  // Whether a window may have a row.
  [[nodiscard]] bool MayHaveRow(const std::vector<Bucket>& buckets, int64_t after_ns, int64_t last_ns) const {
    for (const Bucket& bucket : buckets) {
      if (bucket.first_ns() <= last_ns && bucket.last_ns() > after_ns) return true;
    }
    const auto row = rows_.upper_bound(std::max(after_ns, gone_until_ns_));
    return row != rows_.end() && row->first <= last_ns;
  }

  [[nodiscard]] Cells Expected(const Function& function, const std::string& text, const RangeSpec& range,
                               int64_t window_ms) const {
    const std::vector<Bucket> buckets = Buckets();
    const std::string_view name = function.text;
    Cells out;
    if (function.as != As::kCounter && function.as != As::kPresence) {
      out = CellsOf(Run(text, range, Written(function.as)));
    }
    size_t step = 0;
    for (int64_t at = range.start_ms; at <= range.end_ms; at += range.step_ms, ++step) {
      if (step >= out.size()) out.emplace_back();
      if (function.as == As::kCounter) out[step] = Change(buckets, at, window_ms, name.starts_with("rate"));
      if (function.as == As::kPresence &&
          MayHaveRow(buckets, (at - window_ms) * kMs, at * kMs) != name.starts_with("absent")) {
        out[step] = 1.0;
      }
      // Ranges narrower than a bucket are answered as a plain selector is that looks back for one.
      if (function.as == As::kEnds && !out[step] && window_ms * kMs < kWidth && at * kMs <= gone_until_ns_) {
        const RangeSpec once{.start_ms = at, .end_ms = at, .step_ms = 1, .instant = false};
        const char* const last = name.starts_with("ts_of") ? "ts_of_last_over_time(m[5m])" : "last_over_time(m[5m])";
        out[step] = CellsOf(Run(last, once, Written(As::kEnds)))[0];
      }
    }
    return out;
  }

  void CheckQuery() {
    const Function& function = kFunctions[Below(std::size(kFunctions))];
    const bool narrow = Below(10) < 4;
    int64_t window_ms = narrow ? 1 + static_cast<int64_t>(Below(kWidth / kMs - 1))
                               : static_cast<int64_t>(kWidth / kMs + static_cast<int64_t>(Below(7'200'000)));
    if (OneIn(4)) window_ms = (window_ms / (kWidth / kMs) + 1) * (kWidth / kMs);
    const std::string text = fmt::format(fmt::runtime(function.text), fmt::format("{}ms", window_ms));
    if (std::string_view(function.text).find('{') == std::string_view::npos) window_ms = 300'000;  // the look-back
    RangeSpec range{.start_ms = kStart / kMs + static_cast<int64_t>(Below(7 * 3'600'000)),
                    .end_ms = 0,
                    .step_ms = 1 + static_cast<int64_t>(Below(1'800'000)),
                    .instant = false};
    if (OneIn(3)) range.start_ms = range.start_ms / (kWidth / kMs) * (kWidth / kMs);
    if (OneIn(3)) range.step_ms = (range.step_ms / (kWidth / kMs) + 1) * (kWidth / kMs);
    range.end_ms = range.start_ms + static_cast<int64_t>(Below(12)) * range.step_ms;
    SCOPED_TRACE(fmt::format("{} from {} to {} step {} ms, gone until {}", text, range.start_ms, range.end_ms,
                             range.step_ms, gone_until_ns_));
    const QueryResult result = Run(text, range, *store_->OpenView(""));
    const Cells found = CellsOf(result);
    const Cells expected = Expected(function, text, range, window_ms);
    ASSERT_EQ(found.size(), expected.size());
    // What rows would have said and buckets do not is never left out without a word.
    const Cells truth = CellsOf(Run(text, range, Truth()));
    for (size_t step = 0; step < found.size(); ++step) {
      if (truth[step] && !found[step] && !std::string_view(function.text).starts_with("absent")) {
        ASSERT_FALSE(result.warnings.empty()) << "step " << step;
      }
    }
    for (size_t step = 0; step < found.size(); ++step) {
      const int64_t at = range.start_ms + static_cast<int64_t>(step) * range.step_ms;
      ASSERT_EQ(found[step].has_value(), expected[step].has_value()) << "at " << at;
      if (!found[step]) continue;
      if (std::isnan(*expected[step])) {
        ASSERT_TRUE(std::isnan(*found[step])) << "at " << at;
        continue;
      }
      const double allowed = 1e-7 * std::max(1.0, std::fabs(*expected[step]));
      ASSERT_NEAR(*found[step], *expected[step], allowed) << "at " << at << " from " << result.stats.resolution;
      ++values_;
    }
  }

  std::mt19937_64 random_;
  Rows rows_;
  int64_t gone_until_ns_ = INT64_MIN;
  std::map<int64_t, std::pair<int64_t, int64_t>> reduced_;  // by partition, its first and last row
  uint64_t values_ = 0;
};

TEST_P(TierOracleTest, AnAnswerIsWhatTheBucketsWrittenOutGive) {
  constexpr int kQueries = 100;  // times the rounds below, times three
  random_.seed(TestSeed() + static_cast<uint64_t>(GetParam()));
  storage::StoreOptions options = Options();
  options.new_database.partition_ns = kNsPerHour;
  options.new_database.tiers = {{kWidth, 0}};
  clock_.Set(kStart + kNsPerDay);
  Open(options);
  WriteSeries();
  // Raw rows, both, buckets alone.
  for (const int64_t hours : {int64_t{0}, 1 + static_cast<int64_t>(Below(4)), int64_t{7}}) {
    if (hours > 0) Reduce(hours);
    if (OneIn(2)) Delete();
    for (int query = 0; query < kQueries && !HasFatalFailure(); ++query) CheckQuery();
    if (HasFatalFailure()) return;
  }
  EXPECT_GT(values_, 100U);
}

INSTANTIATE_TEST_SUITE_P(Rounds, TierOracleTest, ::testing::Range(0, 34));

}  // namespace
}  // namespace tidemark::query::scan

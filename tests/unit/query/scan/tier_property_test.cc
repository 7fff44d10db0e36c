// Queries over rollup tiers against a plain map, bit for bit: whatever was written (in order, late, twice, over
// others), deleted, folded, sealed, replayed or reduced to tiers, an answer is what the rows give, however it came
// about.
#include <fmt/core.h>

#include <bit>
#include <cmath>
#include <map>
#include <random>

#include "query/engine/engine.h"
#include "query/promql/parser.h"
#include "tests/test_seed.h"
#include "tests/unit/storage/engine/store_fixture.h"

namespace tidemark::query::scan {
namespace {

using engine::Execute;
using run::RangeSpec;
using run::Resolution;
using storage::kNsPerDay;
using storage::kNsPerHour;

constexpr int64_t kSecond = 1'000'000'000;
constexpr int64_t kMinute = 60 * kSecond;
constexpr int64_t kStart = 1'699'999'200 * kSecond;  // an hour begins
constexpr int64_t kSpan = 6 * kNsPerHour;
constexpr int64_t kNarrow = kMinute;
constexpr int64_t kWide = 30 * kMinute;

struct Kind {
  const char* field;
  uint8_t scale;
};
constexpr Kind kKinds[] = {{"gauge", 0}, {"counter", 0}, {"decimal", 2}};
constexpr const char* kFunctions[] = {"count_over_time", "min_over_time",  "max_over_time",
                                      "first_over_time", "last_over_time", "sum_over_time",
                                      "avg_over_time",   "rate",           "increase"};

using Rows = std::map<int64_t, int64_t>;  // mantissas

struct Reduced {
  int64_t start_ns = 0;
  int64_t first_ns = 0;  // of its rows
  int64_t last_ns = 0;
};

class TierPropertyTest : public storage::StoreFixture, public ::testing::WithParamInterface<int> {
 protected:
  uint64_t Below(uint64_t limit) { return random_() % limit; }
  int64_t FloorTo(int64_t time_ns, int64_t width_ns) { return time_ns / width_ns * width_ns; }

  void WriteRun() {
    const std::string host = "h" + std::to_string(Below(2));
    const Kind& kind = kKinds[Below(std::size(kKinds))];
    const auto rows = static_cast<int64_t>(Below(3) != 0 ? 300 + Below(2500) : 1 + Below(20));
    const int64_t oldest = floor_ns_ + static_cast<int64_t>(Below(static_cast<uint64_t>(kStart + kSpan - floor_ns_)));
    int64_t time = FloorTo(oldest, kSecond);
    if (time < floor_ns_) time = floor_ns_;
    auto walk = static_cast<int64_t>(Below(10'000));
    model::BatchBuilder builder;
    std::vector<int64_t> mantissas;
    for (int64_t i = 0; i < rows; ++i, time += kSecond) {
      if (kind.scale == 0 && kind.field[0] == 'c') {
        walk = Below(300) == 0 ? static_cast<int64_t>(Below(10)) : walk + static_cast<int64_t>(Below(50));
      } else {
        walk += static_cast<int64_t>(Below(301)) - 150;
      }
      builder.Row("m", {{"host", host}}, {time});
      if (kind.scale == 0) {
        builder.Field(kind.field, walk);
      } else {
        builder.Field(kind.field, static_cast<double>(walk) / 100);
      }
      mantissas.push_back(walk);
      model_[{host, kind.field}][time] = walk;
    }
    model::Batch& batch = builder.batch();
    // As a parser of text hands in decimals: "1.5" is 15 with one place.
    const bool short_form = Below(2) == 0;
    for (size_t i = 0; i < batch.values.size() && kind.scale != 0; ++i) {
      int64_t mantissa = mantissas[i];
      uint8_t scale = kind.scale;
      for (; short_form && scale > 0 && mantissa % 10 == 0; --scale) mantissa /= 10;
      batch.values[i] = mantissa;
      batch.scales[i] = scale;
    }
    Write(batch);
  }

  void Delete() {
    const std::string host = "h" + std::to_string(Below(2));
    const char* field = kKinds[Below(std::size(kKinds))].field;
    storage::DeleteRequest request;
    request.selectors = {{Equal("host", host)}};
    request.fields = {field};
    const int64_t first = kStart + static_cast<int64_t>(Below(static_cast<uint64_t>(kSpan / kSecond))) * kSecond;
    request.range = {{first}, {first + static_cast<int64_t>(Below(1200)) * kSecond}};
    ASSERT_TRUE(store_->Delete("", request).ok());
    Rows& rows = model_[{host, field}];
    const auto inside = [&](int64_t time) { return time >= request.range.first.ns && time <= request.range.last.ns; };
    std::erase_if(rows, [&](const auto& row) { return inside(row.first) || BucketGoes(row.first, request.range); });
  }
  // Whether a row that is in tiers only lies in a bucket that a deletion touches.
  bool BucketGoes(int64_t time_ns, model::TimeRange range) {
    for (const Reduced& partition : reduced_) {
      if (time_ns < partition.start_ns || time_ns >= partition.start_ns + kNsPerHour) continue;
      if (range.last.ns < partition.first_ns || range.first.ns > partition.last_ns) return false;
      const int64_t end = FloorTo(time_ns + kNarrow - 1, kNarrow);
      return range.first.ns <= end && range.last.ns > end - kNarrow;
    }
    return false;
  }

  // Raw rows of the oldest hours go.
  void Reduce(int64_t hours) {
    const int64_t until_ns = kStart + hours * kNsPerHour;
    storage::DatabaseOptions options = store_->Databases()[0].options;
    options.retention_ns = clock_.NowNs() - until_ns;
    ASSERT_TRUE(store_->SetDatabaseOptions("default", options).ok());
    ASSERT_TRUE(store_->Checkpoint().ok());  // rows in heads are not weighed
    ASSERT_TRUE(store_->ApplyRetention().ok());
    // Time goes on, and nothing else may go with it. What is reduced stays so.
    options.retention_ns = 0;
    ASSERT_TRUE(store_->SetDatabaseOptions("default", options).ok());
    for (int64_t start = floor_ns_; start < until_ns; start += kNsPerHour) {
      Reduced partition{start, INT64_MAX, INT64_MIN};
      for (const auto& [_, rows] : model_) {
        for (auto row = rows.lower_bound(start); row != rows.end() && row->first < start + kNsPerHour; ++row) {
          partition.first_ns = std::min(partition.first_ns, row->first);
          partition.last_ns = std::max(partition.last_ns, row->first);
        }
      }
      reduced_.push_back(partition);
    }
    floor_ns_ = until_ns;
  }

  static double Seconds(int64_t ns) { return static_cast<double>(ns / 1'000'000) / 1000.0; }

  // What a counter lost by its resets: added to its change one after the other, as rows do it, or all at once.
  enum class Losses { kInOrder, kExact };

  // What the function is of rows in (after, last].
  static std::optional<double> Expected(const std::string& function, const Rows& rows, double power, int64_t after_ns,
                                        int64_t last_ns, Losses losses) {
    const auto begin = rows.upper_bound(after_ns);
    const auto end = rows.upper_bound(last_ns);
    const auto count = static_cast<double>(std::distance(begin, end));
    if (count == 0) return std::nullopt;
    const auto number = [&](int64_t mantissa) { return static_cast<double>(mantissa) / power; };
    int64_t sum = 0;
    int64_t min = begin->second;
    int64_t max = begin->second;
    int64_t lost = 0;
    for (auto row = begin; row != end; ++row) {
      sum += row->second;
      min = std::min(min, row->second);
      max = std::max(max, row->second);
      if (row != begin && row->second < std::prev(row)->second) lost += std::prev(row)->second;
    }
    const auto last = std::prev(end);
    if (function == "count_over_time") return count;
    if (function == "min_over_time") return number(min);
    if (function == "max_over_time") return number(max);
    if (function == "first_over_time") return number(begin->second);
    if (function == "last_over_time") return number(last->second);
    if (function == "sum_over_time") return number(sum);
    if (function == "avg_over_time") return number(sum) / count;
    if (count < 2) return std::nullopt;
    const double first_value = number(begin->second);
    double change = number(last->second) - first_value;
    if (losses == Losses::kExact) {
      if (lost != 0) change += number(lost);
    } else {
      for (auto row = std::next(begin); row != end; ++row) {
        if (row->second < std::prev(row)->second) change += number(std::prev(row)->second);
      }
    }
    double to_start = Seconds(begin->first - after_ns);
    double to_end = Seconds(last_ns - last->first);
    const double sampled = Seconds(last->first - begin->first);
    const double average = sampled / (count - 1);
    if (to_start >= average * 1.1) to_start = average / 2;
    double to_zero = to_start;
    if (change > 0 && first_value >= 0) to_zero = sampled * (first_value / change);
    to_start = std::min(to_start, to_zero);
    if (to_end >= average * 1.1) to_end = average / 2;
    double factor = (sampled + to_start + to_end) / sampled;
    if (function == "rate") factor /= Seconds(last_ns - after_ns);
    return change * factor;
  }

  void CheckQuery() {
    const std::string host = "h" + std::to_string(Below(2));
    const Kind& kind = kKinds[Below(std::size(kKinds))];
    const Rows& rows = model_[{host, kind.field}];
    const std::string function = kFunctions[Below(std::size(kFunctions))];
    // Where raw rows are gone only whole buckets can be asked for.
    const int64_t unit = !reduced_.empty() ? kWide : Below(2) == 0 ? kMinute : kSecond;
    const auto some = [&](int64_t limit_ns) {
      return unit * (1 + static_cast<int64_t>(Below(static_cast<uint64_t>(limit_ns / unit))));
    };
    const int64_t window_ns = some(3 * kNsPerHour);
    const int64_t step_ns = some(kNsPerHour);
    const int64_t start_ns = kStart - kNsPerHour + some(2 * kNsPerHour);
    const int64_t end_ns = start_ns + some(7 * kNsPerHour);
    const std::string text =
        fmt::format("{}(m_{}{{host=\"{}\"}}[{}s])", function, kind.field, host, window_ns / kSecond);
    SCOPED_TRACE(fmt::format("{} from {} to {} step {} s", text, start_ns, end_ns, step_ns / kSecond));
    const auto expr = promql::Parse(text);
    ASSERT_TRUE(expr.ok());
    auto view = store_->OpenView("");
    ASSERT_TRUE(view.ok());
    const RangeSpec range{.start_ms = start_ns / 1'000'000,
                          .end_ms = end_ns / 1'000'000,
                          .step_ms = step_ns / 1'000'000,
                          .instant = false};
    for (const Resolution resolution :
         {Resolution{.kind = Resolution::Kind::kAuto}, Resolution{.kind = Resolution::Kind::kRaw},
          Resolution{.kind = Resolution::Kind::kTier, .tier_ns = kNarrow}}) {
      if (resolution.kind == Resolution::Kind::kRaw && !reduced_.empty()) continue;
      SCOPED_TRACE(static_cast<int>(resolution.kind));
      auto result = Execute(**expr, range, {.view = *view, .resolution = resolution});
      ASSERT_TRUE(result.ok()) << result.error().message;
      ASSERT_TRUE(result->warnings.empty()) << result->warnings[0];
      ASSERT_LE(result->frame.size(), 1U);
      tier_buckets_ += result->stats.tier_buckets;
      for (size_t step = 0; step < result->grid.count; ++step) {
        const int64_t last_ns = start_ns + static_cast<int64_t>(step) * step_ns;
        const double power = kind.scale == 2 ? 100 : 1;
        auto expected = Expected(function, rows, power, last_ns - window_ns, last_ns, Losses::kInOrder);
        const bool there = result->frame.size() == 1 && result->frame.RowPresent(0)[step] != 0;
        ASSERT_EQ(there, expected.has_value()) << "at " << last_ns;
        if (!there) continue;
        const double found = result->frame.RowValues(0)[step];
        // Buckets of decimals know the exact sum of what was lost. They answer where they must.
        if (found != *expected && (resolution.kind == Resolution::Kind::kTier || !reduced_.empty())) {
          expected = Expected(function, rows, power, last_ns - window_ns, last_ns, Losses::kExact);
        }
        ASSERT_EQ(std::bit_cast<uint64_t>(found), std::bit_cast<uint64_t>(*expected))
            << "at " << last_ns << ": " << found << ", not " << *expected << ", from " << result->stats.resolution;
        ++values_;
      }
    }
  }

  std::mt19937_64 random_;
  std::map<std::pair<std::string, std::string>, Rows> model_;
  std::vector<Reduced> reduced_;
  int64_t floor_ns_ = kStart;
  uint64_t tier_buckets_ = 0;
  uint64_t values_ = 0;
};

TEST_P(TierPropertyTest, AnAnswerIsWhatTheRowsGive) {
  random_.seed(TestSeed() + static_cast<uint64_t>(GetParam()));
  storage::StoreOptions options = Options();
  options.staged_bytes = 1;
  options.max_epochs = 3;
  options.seal_quiet_ns = kMinute;
  options.new_database.partition_ns = kNsPerHour;
  options.longest_merge_ns = 0;  // the model reduces hour by hour
  options.new_database.tiers = {{kNarrow, 0}, {kWide, 0}};
  clock_.Set(kStart + kNsPerDay);
  Open(options);
  WriteRun();
  constexpr int kSteps = 60;
  for (int step = 0; step < kSteps; ++step) {
    SCOPED_TRACE(step);
    switch (Below(12)) {
      case 0: ASSERT_TRUE(store_->Checkpoint().ok()); break;
      case 1: ASSERT_TRUE(store_->RunMaintenance().ok()); break;
      case 2:
        // Time to seal.
        clock_.Advance(61 * kSecond);
        ASSERT_TRUE(store_->RunMaintenance().ok());
        break;
      case 3:
        if (Below(3) == 0) {
          ASSERT_TRUE(store_->Compact("default", {}, nullptr).ok());
        }
        break;
      case 4:
        if (Below(2) == 0) {
          ASSERT_TRUE(store_->Close().ok());
        }
        Open(options);
        break;
      case 5: Delete(); break;
      default: WriteRun(); break;
    }
    if (HasFatalFailure()) return;
    if (step == kSteps / 2) Reduce(1 + static_cast<int64_t>(Below(2)));
    if (step == kSteps * 3 / 4) Reduce(3 + static_cast<int64_t>(Below(2)));
    for (int query = 0; query < 8 && !HasFatalFailure(); ++query) CheckQuery();
    if (HasFatalFailure()) return;
  }
  EXPECT_GT(tier_buckets_, 0U);
  EXPECT_GT(values_, 1000U);
}

INSTANTIATE_TEST_SUITE_P(Rounds, TierPropertyTest, ::testing::Range(0, 4));

}  // namespace
}  // namespace tidemark::query::scan

// Tiers against a plain map: whatever was written (in order, late, twice, over others), folded, sealed or replayed, a
// bucket that is trusted says what the rows say, bit for bit; and once everything is sealed all buckets of integers are
// trusted.
#include <fmt/core.h>

#include <bit>
#include <cmath>
#include <limits>
#include <map>
#include <random>

#include "store_fixture.h"
#include "tests/test_seed.h"

namespace tidemark::storage {
namespace {

constexpr int64_t kSecond = 1'000'000'000;
constexpr int64_t kStart = 1'699'999'200 * kSecond;  // an hour begins
constexpr int64_t kSpan = 4 * kNsPerHour;
constexpr uint64_t kStale = 0x7ff0000000000002;

// Values of one series: numbers of the model, mantissas of `scale` where it is not free.
struct Kind {
  const char* field;
  bool free_doubles;
  uint8_t scale;
};
constexpr Kind kKinds[] = {{"gauge", false, 0}, {"counter", false, 0}, {"decimal", false, 2}, {"free", true, 0}};

struct Value {
  int64_t mantissa = 0;
  double number = 0;  // the double that a reader sees
};
using Rows = std::map<int64_t, Value>;

class TierModelTest : public StoreFixture, public ::testing::WithParamInterface<int> {
 protected:
  uint64_t Below(uint64_t limit) { return random_() % limit; }

  Value RandomValue(size_t kind, int64_t* walk) {
    Value value;
    switch (kind) {
      case 0: value.mantissa = *walk += static_cast<int64_t>(Below(5)) - 2; break;
      case 1: value.mantissa = *walk = Below(400) == 0 ? static_cast<int64_t>(Below(10)) : *walk + Below(50); break;
      case 2: value.mantissa = *walk += static_cast<int64_t>(Below(301)) - 150; break;
      default:
        value.number = std::ldexp(static_cast<double>(1 + Below(1'000'000)), static_cast<int>(Below(20)) - 30);
        if (Below(60) == 0) value.number = std::bit_cast<double>(kStale);
        if (Below(60) == 0) value.number = std::numeric_limits<double>::quiet_NaN();
        return value;
    }
    value.number = static_cast<double>(value.mantissa) / (kind == 2 ? 100 : 1);
    return value;
  }

  void WriteRun() {
    const size_t host = Below(2);
    const size_t kind = Below(std::size(kKinds));
    const bool bulk = Below(3) != 0;
    const int64_t seconds = kSpan / kSecond;
    const auto rows = static_cast<int64_t>(bulk ? 300 + Below(1500) : 1 + Below(20));
    int64_t time = kStart + static_cast<int64_t>(Below(static_cast<uint64_t>(seconds))) * kSecond;
    if (Below(4) == 0) time += static_cast<int64_t>(Below(1000)) * 1'000'000;
    int64_t walk = static_cast<int64_t>(Below(10'000));
    model::BatchBuilder builder;
    const std::string name = "h" + std::to_string(host);
    for (int64_t i = 0; i < rows; ++i, time += kSecond) {
      const Value value = RandomValue(kind, &walk);
      builder.Row("m", {{"host", name}}, {time});
      if (kind < 2) {
        builder.Field(kKinds[kind].field, value.mantissa);
      } else {
        builder.Field(kKinds[kind].field, value.number);
      }
      model_[{name, kKinds[kind].field}][time] = value;
    }
    Write(builder.batch());
  }

  // Compares every trusted bucket. `all`: every bucket of integers must be trusted.
  void Check(bool all) {
    auto view = store_->OpenView("");
    ASSERT_TRUE(view.ok());
    auto refs = (*view)->Select({}, {});
    ASSERT_TRUE(refs.ok());
    model::LabelViews labels;
    for (const int64_t width : (*view)->Tiers()) {
      SCOPED_TRACE(width);
      auto cursor = (*view)->ScanTier(*refs, {{kStart - kNsPerDay}, {kStart + kNsPerDay}}, width);
      TierColumn column;
      for (const model::SeriesRef ref : *refs) {
        ASSERT_TRUE(*cursor->Next(&column));
        (*view)->LabelsOf(ref, &labels);
        std::pair<std::string, std::string> name;
        for (const model::LabelView& label : labels) {
          if (label.name == "host") name.first = label.value;
          if (label.name == "__name__") name.second = std::string(label.value.substr(2));
        }
        SCOPED_TRACE(name.first + " " + name.second);
        for (size_t b = 0; b < column.buckets; ++b) {
          // Doubles of several partitions may have several scales.
          if (all && (name.second == "gauge" || name.second == "counter")) {
            ASSERT_TRUE(column.trusted[b]) << b;
          }
          if (column.trusted[b] == 0) continue;
          CheckBucket(column, b, name);
          if (HasFatalFailure()) return;
        }
      }
    }
  }

  void CheckBucket(const TierColumn& column, size_t b, const std::pair<std::string, std::string>& name) {
    const Rows& rows = model_[name];
    const Kind& kind =
        *std::find_if(std::begin(kKinds), std::end(kKinds), [&](const Kind& k) { return name.second == k.field; });
    const int64_t start = column.first_start_ns + static_cast<int64_t>(b) * column.width_ns;
    SCOPED_TRACE(start);
    std::vector<std::pair<int64_t, Value>> inside;
    for (auto row = rows.upper_bound(start); row != rows.end() && row->first <= start + column.width_ns; ++row) {
      if (std::bit_cast<uint64_t>(row->second.number) != kStale) inside.emplace_back(*row);
    }
    ASSERT_EQ(column.count[b], inside.size());
    if (inside.empty()) return;
    ++buckets_with_rows_;
    double min = inside[0].second.number;
    double max = min;
    int64_t sum = 0;
    int64_t increase = 0;
    for (size_t i = 0; i < inside.size(); ++i) {
      const Value& value = inside[i].second;
      if (value.number < min || std::isnan(min)) min = value.number;
      if (value.number > max || std::isnan(max)) max = value.number;
      sum += value.mantissa;
      if (i == 0) continue;
      const int64_t before = inside[i - 1].second.mantissa;
      increase += value.mantissa < before ? value.mantissa : value.mantissa - before;
    }
    const auto bits = [](double value) { return std::isnan(value) ? 1 : std::bit_cast<uint64_t>(value); };
    ASSERT_EQ(bits(column.min[b]), bits(min));
    ASSERT_EQ(bits(column.max[b]), bits(max));
    ASSERT_EQ(bits(column.first[b]), bits(inside.front().second.number));
    ASSERT_EQ(bits(column.last[b]), bits(inside.back().second.number));
    ASSERT_EQ(column.first_ns[b], inside.front().first);
    ASSERT_EQ(column.last_ns[b], inside.back().first);
    if (kind.free_doubles) return;
    ASSERT_TRUE(column.sum_exact);
    const double power = kind.scale == 2 ? 100 : 1;
    ASSERT_EQ(bits(column.sum[b]), bits(static_cast<double>(sum) / power));
    if (!std::isnan(column.increase[b])) {
      ASSERT_EQ(bits(column.increase[b]), bits(static_cast<double>(increase) / power));
    }
  }

  std::mt19937_64 random_;
  std::map<std::pair<std::string, std::string>, Rows> model_;
  size_t buckets_with_rows_ = 0;
};

TEST_P(TierModelTest, ATrustedBucketSaysWhatTheRowsSay) {
  random_.seed(TestSeed() + static_cast<uint64_t>(GetParam()));
  StoreOptions options = Options();
  options.staged_bytes = 1;
  options.max_epochs = 3;
  options.seal_quiet_ns = 60 * kSecond;
  options.new_database.partition_ns = kNsPerHour;
  options.new_database.tiers = {{60 * kSecond, 0}, {1800 * kSecond, 0}};
  clock_.Set(kStart + kNsPerDay);
  Open(options);
  for (int step = 0; step < 60; ++step) {
    SCOPED_TRACE(step);
    switch (Below(10)) {
      case 0:
      case 1: ASSERT_TRUE(store_->Checkpoint().ok()); break;
      case 2: ASSERT_TRUE(store_->RunMaintenance().ok()); break;
      case 3:
        // Time to seal.
        clock_.Advance(61 * kSecond);
        ASSERT_TRUE(store_->RunMaintenance().ok());
        break;
      case 4:
        if (Below(3) == 0) {
          auto compacted = store_->Compact("", {}, nullptr);
          ASSERT_TRUE(compacted.ok() || compacted.error().code == ErrorCode::kNotFound) << compacted.error().message;
        }
        break;
      case 5:
        if (Below(2) == 0) {
          ASSERT_TRUE(store_->Close().ok());
        }
        Open(options);
        break;
      default: WriteRun(); break;
    }
    if (HasFatalFailure()) return;
    if (model_.empty()) continue;
    Check(/*all=*/false);
    if (HasFatalFailure()) return;
  }
  WriteRun();
  ASSERT_TRUE(store_->Compact("", {}, nullptr).ok());
  buckets_with_rows_ = 0;
  Check(/*all=*/true);
  EXPECT_GT(buckets_with_rows_, 0U);
  CloseAndOpen();
  Check(/*all=*/true);
}

INSTANTIATE_TEST_SUITE_P(Rounds, TierModelTest, ::testing::Range(0, 4));

}  // namespace
}  // namespace tidemark::storage

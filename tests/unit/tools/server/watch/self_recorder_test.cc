#include "tools/server/watch/self_recorder.h"

#include <gtest/gtest.h>

#include <map>
#include <string>

#include "query/rules/rule_file.h"
#include "storage/model/batch.h"
#include "tools/server/watch/self_alerts.h"

namespace tidemark::server {
namespace {

constexpr int64_t kSecond = 1'000'000'000;

// Two clocks that are set apart.
class TwoClocks final : public Clock {
 public:
  [[nodiscard]] int64_t NowNs() const override { return now_ns; }
  [[nodiscard]] int64_t SteadyNs() const override { return steady_ns; }
  int64_t now_ns = 1'700'000'000 * kSecond;
  int64_t steady_ns = 5 * kSecond;
};

// The fields of the last point.
class LastPoint final : public model::PointSink {
 public:
  Result<model::WriteReport> Write(std::string_view database, const model::Batch& batch) override {
    EXPECT_EQ(database, "_server");
    fields.clear();
    const model::Row& row = batch.rows.at(0);
    const model::Shape& shape = batch.shapes[row.shape];
    for (size_t i = 0; i < shape.fields.size(); ++i) {
      const model::FieldValue value = model::ValueOf(batch, shape.fields[i].type, row.first_value + i);
      const auto* whole = std::get_if<int64_t>(&value);
      fields[std::string(shape.fields[i].name)] =
          whole != nullptr ? static_cast<double>(*whole) : std::get<double>(value);
    }
    return report;
  }
  std::map<std::string, double> fields;
  model::WriteReport report;
};

TEST(SelfRecorder, WritesWhatItSees) {
  TwoClocks clock;
  LastPoint point;
  SelfFigures figures{.findings = 2,
                      .corrupt_pages = 3,
                      .memory_used_ratio = 0.5,
                      .receivers_failing = 1,
                      .reserve_missing_bytes = 4,
                      .certificate_ends_seconds = 1'800'000'000};
  SelfRecorder recorder(point, clock, [&] { return figures; });
  ASSERT_TRUE(recorder.Record().ok());
  EXPECT_EQ(point.fields, (std::map<std::string, double>{{"findings", 2},
                                                         {"corrupt_pages_total", 3},
                                                         {"memory_used_ratio", 0.5},
                                                         {"receivers_failing", 1},
                                                         {"reserve_missing_bytes", 4},
                                                         {"certificate_ends_seconds", 1'800'000'000},
                                                         {"clock_jump_seconds", 0}}));
  figures = {};
  clock.now_ns += 15 * kSecond - 3600 * kSecond;
  clock.steady_ns += 15 * kSecond;
  ASSERT_TRUE(recorder.Record().ok());
  EXPECT_EQ(point.fields.at("clock_jump_seconds"), -3600);
  EXPECT_FALSE(point.fields.contains("certificate_ends_seconds"));
  clock.now_ns += 15 * kSecond + kSecond / 2;
  clock.steady_ns += 15 * kSecond;
  ASSERT_TRUE(recorder.Record().ok());
  EXPECT_EQ(point.fields.at("clock_jump_seconds"), 0) << "a clock that is led on in small steps";
}

TEST(SelfRecorder, APointThatIsRefusedIsAnError) {
  TwoClocks clock;
  LastPoint point;
  point.report.Reject(1, LimitExceeded("too many series"));
  SelfRecorder recorder(point, clock, [] { return SelfFigures{}; });
  const Result<void> done = recorder.Record();
  ASSERT_FALSE(done.ok());
  EXPECT_EQ(done.error().message, "too many series");
}

TEST(SelfRecorder, KnowsTheMemoryOfThisProcess) {
  const auto ratio = MemoryUsedRatio();
  ASSERT_TRUE(ratio);
  EXPECT_GT(*ratio, 0);
  EXPECT_LT(*ratio, 1);
}

TEST(SelfAlerts, AreRules) {
  const auto groups = query::rules::ParseRuleFile(SelfAlertsText(), std::string(kSelfAlertsFile));
  ASSERT_TRUE(groups.ok()) << groups.error().message;
  EXPECT_EQ(groups->front().rules.size(), 8U);
}

}  // namespace
}  // namespace tidemark::server

// What the rules of a group have to say is written together: rows of the database once, rows of the history once.
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "query/rules/history.h"
#include "tests/unit/query/rules/manager_fixture.h"

namespace tidemark::query::rules {
namespace {

// Counts how often each database is written to.
class CountingSink final : public model::PointSink {
 public:
  explicit CountingSink(MemoryStore* store) : store_(store) {}
  Result<model::WriteReport> Write(std::string_view database, const model::Batch& batch) override {
    ++writes[std::string(database)];
    return store_->Write(database, batch);
  }

  std::map<std::string, int> writes;

 private:
  MemoryStore* const store_;
};

class OneWriteTest : public ManagerTest {
 protected:
  // How often each was written to, by one evaluation.
  std::map<std::string, int> Evaluate(const std::string& rules, int64_t at_ms) {
    auto groups = ParseRuleFile("groups:\n  - name: g\n    interval: 1m\n    rules:\n" + rules, "rules.yml");
    EXPECT_TRUE(groups.ok()) << groups.error().message;
    counted_.SetGroups(std::move(groups).value());
    return EvaluateAgain(at_ms);
  }
  std::map<std::string, int> EvaluateAgain(int64_t at_ms) {
    clock_.Set(at_ms * 1'000'000);
    Up(0, 1);
    sink_.writes.clear();
    counted_.RunDue();
    return sink_.writes;
  }

  CountingSink sink_{&store_};
  Manager counted_{
      {.store = &store_, .sink = &sink_, .scheduler = &scheduler_, .clock = &clock_, .execute = &engine::Execute},
      OnStart("_server")};
};

TEST(History, ValuesAreForPeople) {
  EXPECT_EQ(ShortValue(0.1 + 0.2), "0.3");
  EXPECT_EQ(ShortValue(1.0 / 3), "0.333333");
  EXPECT_EQ(ShortValue(-1234.56789), "-1234.57");
  EXPECT_EQ(ShortValue(123'456'789), "123456789");
  EXPECT_EQ(ShortValue(123'456'789.75), "123456790");
  EXPECT_EQ(ShortValue(-0.0), "-0");
  EXPECT_EQ(ShortValue(0), "0");
  EXPECT_EQ(ShortValue(1.5e-7), "1.5e-07");
  EXPECT_EQ(ShortValue(3e20), "3e+20");
  EXPECT_EQ(ShortValue(std::numeric_limits<double>::infinity()), "+Inf");
}

using Writes = std::map<std::string, int>;

TEST_F(OneWriteTest, ChangesOfManyRulesAreOneWrite) {
  const std::string rules =
      "      - {alert: A, expr: up == 0}\n      - {alert: B, expr: up == 0, for: 1m}\n"
      "      - {record: r, expr: up}\n      - {alert: C, expr: up == 1, no_data: keep}\n";
  EXPECT_EQ(Evaluate(rules, kStart), (Writes{{"", 1}, {"_server", 1}}));
  EXPECT_EQ(Rows({{"__name__", "_alerts_state"}, {"alertname", "A"}}, "_server").at(kStart).first, 2);
  EXPECT_EQ(Rows({{"__name__", "_alerts_state"}, {"alertname", "B"}}, "_server").at(kStart).first, 1);
  EXPECT_EQ(Rows({{"__name__", "_rule_question"}, {"rule", "C"}}, "_server").size(), 1U);
  EXPECT_EQ(Rows({{"__name__", "r"}, {"job", "a"}}).size(), 1U);
  // B fires.
  EXPECT_EQ(EvaluateAgain(kStart + kMinute), (Writes{{"", 1}, {"_server", 1}}));
  EXPECT_EQ(Rows({{"__name__", "_alerts_state"}, {"alertname", "B"}}, "_server").at(kStart + kMinute).first, 2);
}

TEST_F(OneWriteTest, FailuresOfManyRulesAreOneWrite) {
  const std::string rules =
      "      - {record: x, expr: 'up * on () up'}\n      - {record: y, expr: 'up * on () up'}\n"
      "      - {record: z, expr: 'up * on () up'}\n";
  EXPECT_EQ(Evaluate(rules, kStart), (Writes{{"_server", 1}}));
  EXPECT_EQ(EvaluateAgain(kStart + kMinute), Writes{});
}

// A rule that reads what one before it has noted sees it.
TEST_F(OneWriteTest, WhoReadsTheHistorySeesWhatTheRulesBeforeNoted) {
  Evaluate(
      "      - {alert: A, expr: up == 0}\n"
      "      - {record: seen, expr: 'count(_alerts_state)', database: _server, into: other}\n",
      kStart);
  EXPECT_EQ(Rows({{"__name__", "seen"}}, "other").at(kStart).first, 1);
}

// Series that go on are known although they are not noted anew, and those that end have their marker.
TEST_F(OneWriteTest, SeriesThatGoOnAndEndAreToldApart) {
  Evaluate("      - {record: low, expr: up == 0}\n", kStart);
  EvaluateAgain(kStart + kMinute);
  clock_.Set((kStart + 2 * kMinute) * 1'000'000);
  Up(1, 1);
  counted_.RunDue();
  const auto rows = Rows({{"__name__", "low"}, {"job", "a"}});
  ASSERT_EQ(rows.size(), 3U);
  EXPECT_EQ(rows.at(kStart + kMinute).first, 0);
  EXPECT_TRUE(std::isnan(rows.at(kStart + 2 * kMinute).first));
}

// As in Prometheus, where the second one has the error too.
TEST_F(OneWriteTest, OfTwoRulesThatGiveOneSeriesTheFirstCounts) {
  Evaluate("      - {record: x, expr: up}\n      - {record: x, expr: up + 5}\n      - {record: x, expr: up}\n", kStart);
  EXPECT_EQ(Rows({{"__name__", "x"}, {"job", "b"}}).at(kStart).first, 1);
  const std::vector<RuleStatus> rules = counted_.Status().groups[0].rules;
  EXPECT_EQ(rules[0].last_error, "");
  EXPECT_TRUE(rules[1].last_error.starts_with("duplicate sample for timestamp")) << rules[1].last_error;
  EXPECT_EQ(rules[2].last_error, "");
}

// What one rule gives no more another may still give.
TEST_F(OneWriteTest, ASeriesThatAnotherRuleGivesHasNotEnded) {
  const std::string rules = "      - {record: x, expr: up >= 0}\n      - {record: x, expr: up == 0}\n";
  Evaluate(rules, kStart);
  clock_.Set((kStart + kMinute) * 1'000'000);
  Up(1, 1);
  counted_.RunDue();
  EXPECT_EQ(Rows({{"__name__", "x"}, {"job", "a"}}).at(kStart + kMinute).first, 1);
}

}  // namespace
}  // namespace tidemark::query::rules

// A manager over a store in memory, with a clock that tests set.
#pragma once

#include <gtest/gtest.h>

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "query/engine/engine.h"
#include "query/rules/manager.h"
#include "storage/model/batch.h"
#include "tests/unit/query/api/memory_store.h"

namespace tidemark::query::rules {

constexpr int64_t kStart = 1'700'000'000'000;  // ms
constexpr int64_t kMinute = 60'000;

// Options with which kStart lies on the grid of every interval that divides a minute or is one.
inline ManagerOptions OnStart(std::string history_database = "") {
  return {.history_database = std::move(history_database),
          .offset_ms = [](const Group&, int64_t interval_ms) { return kStart % interval_ms; }};
}

class ManagerTest : public ::testing::Test {
 protected:
  void Load(const std::string& text, const std::string& file = "rules.yml") {
    auto groups = ParseRuleFile(text, file);
    ASSERT_TRUE(groups.ok()) << groups.error().message;
    manager_.SetGroups(std::move(groups).value());
  }
  void Up(double a, double b) {
    model::BatchBuilder rows;
    const model::Timestamp now{clock_.NowNs()};
    rows.Row("up", {{"job", "a"}}, now).Field("value", a);
    rows.Row("up", {{"job", "b"}}, now).Field("value", b);
    ASSERT_TRUE(store_.Write("", rows.batch()).ok());
  }
  void Run(int64_t at_ms) {
    clock_.Set(at_ms * 1'000'000);
    Up(at_ms < down_until_ms_ ? 0 : 1, 1);
    manager_.RunDue();
  }
  // The first rule of the first group.
  [[nodiscard]] RuleStatus First() const { return manager_.Status().groups[0].rules[0]; }
  // The rows of the one series that has all these labels.
  std::map<int64_t, std::pair<double, std::string>> Rows(const model::Labels& labels,
                                                         const std::string& database = "") {
    std::map<int64_t, std::pair<double, std::string>> rows;
    const auto view = store_.OpenView(database);
    if (!view.ok()) return rows;
    std::vector<model::Matcher> matchers;
    for (const model::Label& label : labels) matchers.push_back({model::MatchOp::kEqual, label.name, label.value});
    const auto refs = (*view)->Select(matchers, {});
    if (refs->size() != 1) return rows;
    const auto cursor = (*view)->Scan(*refs, {});
    model::Column column;
    EXPECT_TRUE(*cursor->Next(&column));
    for (size_t i = 0; i < column.size(); ++i) rows[column.times[i] / 1'000'000] = {column.floats[i], ""};
    return rows;
  }

  MemoryStore store_;
  ManualClock clock_{kStart * 1'000'000};
  InlineScheduler scheduler_;
  int64_t down_until_ms_ = 0;
  // What answers in place of the engine, where a test sets it.
  engine::Executor execute_ = &engine::Execute;
  Manager manager_{{.store = &store_,
                    .sink = &store_,
                    .scheduler = &scheduler_,
                    .clock = &clock_,
                    .execute = [this](const auto& expr, const auto& at,
                                      const auto& context) { return execute_(expr, at, context); }},
                   OnStart()};
};

}  // namespace tidemark::query::rules

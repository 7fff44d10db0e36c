#include "tools/cli/exec/exec_history.h"

#include <gtest/gtest.h>

#include <map>

namespace tidemark::cli {
namespace {

// Answers from a table; what is not in it is an answer of nothing.
class FakeApi final : public ApiSource {
 public:
  Result<ApiAnswer> Ask(std::string_view path, const ApiParameters& parameters) override {
    if (away) return MakeError(ErrorCode::kUnavailable, "away");
    std::string question(path);
    for (const auto& [name, value] : parameters) {
      if (name == "query" || name == "match[]") question += " " + value;
      if (name == "limit") limits.push_back(value);
      if (name == "db") databases.push_back(value);
    }
    asked.push_back(question);
    if (const auto found = answers.find(question); found != answers.end()) return found->second;
    if (path == "/api/v1/events") return ApiAnswer{200, R"({"status":"success","data":[]})"};
    return ApiAnswer{200, R"({"status":"success","data":{"resultType":"vector","result":[]}})"};
  }

  bool away = false;
  std::map<std::string, ApiAnswer> answers;
  std::vector<std::string> asked, limits, databases;
};

std::string Matrix(const std::string& series) {
  return R"({"status":"success","data":{"resultType":"matrix","result":[)" + series + "]}}";
}

TEST(ParseDurations, NamesMayHoldEqualSigns) {
  EXPECT_EQ(ParseDurations("a=1.5 b=c=0.25"), (executor::KnownDurations{{"a", 1'500'000'000}, {"b=c", 250'000'000}}));
}

TEST(ParseDurations, WhatDoesNotReadAsExpectedIsLeftOut) {
  EXPECT_TRUE(ParseDurations("").empty());
  EXPECT_EQ(ParseDurations("=1 a= b c=x d=-1 e=nan f=inf g=1e300 h=1s  ok=2"),
            (executor::KnownDurations{{"ok", 2'000'000'000}}));
}

TEST(ReadHistory, RunsWithTheirNumbersNewestFirst) {
  FakeApi api;
  api.answers["/api/v1/events exec_run_outcome{pipeline=\"a\"}"] = {200, R"({"status":"success","data":[
      {"time_ns":"1700000000000000000","text":"succeeded",
       "labels":{"__name__":"exec_run_outcome","pipeline":"a","mode":"parallel","era":"v1"}},
      {"time_ns":"1700000060000000000","text":"failed",
       "labels":{"__name__":"exec_run_outcome","pipeline":"a","mode":"sequential"}}]})"};
  api.answers["/api/v1/query exec_run_duration_seconds{pipeline=\"a\"}[3650d]"] = {
      200, Matrix(R"({"metric":{"__name__":"exec_run_duration_seconds","era":"v1","mode":"parallel","pipeline":"a"},
                      "values":[[1700000000,"2.5"],[1700000005,"7"]]},
                     {"metric":{"__name__":"exec_run_duration_seconds","mode":"sequential","pipeline":"a"},
                      "values":[[1700000060,"4"]]})")};
  api.answers["/api/v1/query exec_run_tasks{pipeline=\"a\"}[3650d]"] = {
      200, Matrix(R"({"metric":{"__name__":"exec_run_tasks","era":"v1","mode":"parallel","pipeline":"a"},
                      "values":[[1700000000,"64"]]})")};
  const auto runs = ReadHistory(api, "_exec", "a", 20);
  ASSERT_TRUE(runs.ok()) << runs.error().message;
  ASSERT_EQ(runs->size(), 2);
  const PastRun& newest = (*runs)[0];
  EXPECT_EQ(newest.outcome, "failed");
  EXPECT_EQ(newest.mode, "sequential");
  EXPECT_EQ(newest.seconds, 4);
  EXPECT_TRUE(newest.labels.empty());
  const PastRun& oldest = (*runs)[1];
  EXPECT_EQ(oldest.time_ms, 1'700'000'000'000);
  EXPECT_EQ(oldest.pipeline, "a");
  EXPECT_EQ(oldest.labels, (model::Labels{{"era", "v1"}}));
  EXPECT_EQ(oldest.seconds, 2.5);
  EXPECT_EQ(oldest.tasks, 64);
  EXPECT_EQ(oldest.speedup, 0) << "not reported";
  EXPECT_EQ(api.limits.at(0), "20");
  EXPECT_EQ(api.databases.at(0), "_exec");
}

TEST(HistoryLine, EstimatesAreMarkedAndCancelledRunsHaveNoSpeedup) {
  PastRun run;
  run.mode = "parallel";
  run.outcome = "succeeded";
  run.id = "17-ab";
  run.speedup = 1.5;
  EXPECT_NE(HistoryLine(run).find("~1.50x"), std::string::npos);
  EXPECT_NE(HistoryLine(run).find("17-ab"), std::string::npos);
  run.sequential_measured = 1;
  EXPECT_EQ(HistoryLine(run).find('~'), std::string::npos);
  EXPECT_NE(HistoryLine(run).find(" 1.50x"), std::string::npos);
  run.outcome = "cancelled";
  run.speedup = 0;
  EXPECT_EQ(HistoryLine(run).find("x "), std::string::npos) << HistoryLine(run);
}

TEST(ReadHistory, ADatabaseThatIsNotThereHasNoRuns) {
  FakeApi api;
  api.answers["/api/v1/events exec_run_outcome"] = {404, R"({"status":"error","error":"no such database"})"};
  const auto runs = ReadHistory(api, "_exec", "", 20);
  ASSERT_TRUE(runs.ok()) << runs.error().message;
  EXPECT_TRUE(runs->empty());
  EXPECT_EQ(api.asked.size(), 1) << "nothing else to ask";
}

TEST(ReadHistory, AnAnswerThatIsNoneIsAnError) {
  FakeApi api;
  api.answers["/api/v1/events exec_run_outcome"] = {200, "<html>"};
  EXPECT_FALSE(ReadHistory(api, "_exec", "", 20).ok());
  api.away = true;
  EXPECT_EQ(ReadHistory(api, "_exec", "", 20).error().code, ErrorCode::kUnavailable);
}

TEST(ReadHistory, NamesAreQuoted) {
  FakeApi api;
  ASSERT_TRUE(ReadHistory(api, "_exec", "a\"} or b{x=\"\\\n", 1).ok());
  EXPECT_EQ(api.asked.at(0), "/api/v1/events exec_run_outcome{pipeline=\"a\\\"} or b{x=\\\"\\\\\\n\"}");
}

TEST(ReadDurations, OfTheNewestRunThatKnew) {
  FakeApi api;
  api.answers["/api/v1/events exec_run_durations{pipeline=\"a\"}"] = {
      200, R"({"status":"success","data":[{"time_ns":"1","text":"x=1.5","labels":{}}]})"};
  const auto durations = ReadDurations(api, "_exec", "a");
  ASSERT_TRUE(durations.ok()) << durations.error().message;
  EXPECT_EQ(*durations, (executor::KnownDurations{{"x", 1'500'000'000}}));
  EXPECT_TRUE(ReadDurations(api, "_exec", "b")->empty());
}

TEST(ReadBaseline, FromItsOwnDatabaseAndForAsManyTasks) {
  FakeApi api;
  const auto none = ReadBaseline(api, "_exec", "a", 64);
  ASSERT_TRUE(none.ok()) << none.error().message;
  EXPECT_EQ(*none, 0);
  EXPECT_EQ(api.databases.at(0), "_exec_baselines");
  EXPECT_NE(api.asked.at(0).find("exec_baseline_tasks{pipeline=\"a\"}[3650d]) == 64"), std::string::npos);
  api.answers[api.asked.at(0)] = {
      200, R"({"status":"success","data":{"resultType":"vector","result":[{"metric":{},"value":[1,"12.5"]}]}})"};
  EXPECT_EQ(*ReadBaseline(api, "_exec", "a", 64), 12'500'000'000);
}

}  // namespace
}  // namespace tidemark::cli

#include "tools/cli/exec/run_tasks.h"

#include <fmt/core.h>
#include <gtest/gtest.h>

#include <map>

namespace tidemark::cli {
namespace {

// What a server answers whose database has two runs that went at the same time; times in seconds.
class TwoRuns final : public ApiSource {
 public:
  Result<ApiAnswer> Ask(std::string_view path, const ApiParameters& parameters) override {
    std::string what;
    for (const auto& [name, value] : parameters) {
      if (name == "query" || name == "match[]") what = value;
      if (name == "start") starts.push_back(value);
      if (name == "time") times.push_back(value);
    }
    if (path == "/api/v1/events") return ApiAnswer{200, R"({"status":"success","data":[)" + events[what] + "]}"};
    queries.push_back(what);
    return ApiAnswer{200, R"({"status":"success","data":{"resultType":"matrix","result":[)" +
                              series[what.substr(0, what.find('['))] + "]}}"};
  }
  void Task(int second, const char* run, const char* task, const char* kind, const char* agent, const char* outcome,
            double seconds, int last_attempt) {
    const std::string labels = fmt::format(R"("agent":"{}","kind":"{}","mode":"parallel")", agent, kind);
    const auto event = [&](const char* field, const char* text) {
      if (*text == '\0') return;
      std::string& all = events[std::string("exec_task_") + field];
      if (!all.empty()) all += ',';
      all += fmt::format(R"({{"time_ns":"{}000000000","text":"{}","labels":{{"__name__":"x",{}}}}})", second, text,
                         labels);
    };
    event("run_id", run);
    event("task", task);
    event("outcome", outcome);
    const auto number = [&](const char* field, double value) {
      std::string& all = series[std::string("exec_task_") + field];
      if (!all.empty()) all += ',';
      all += fmt::format(R"({{"metric":{{"__name__":"x",{}}},"values":[[{},"{}"]]}})", labels, second, value);
    };
    number("duration_seconds", seconds);
    number("last_attempt", last_attempt);
  }

  std::map<std::string, std::string> events, series;
  std::vector<std::string> starts, times, queries;
};

constexpr const char* kRun = "17979cfe362a0000-00000001";  // begins at 1700000000 s
constexpr const char* kOther = "17979cfe362a0000-00000002";

TEST(RunTasks, OnlyThoseOfTheRun) {
  TwoRuns api;
  api.Task(1'700'000'001, kRun, "a", "build", "Agent-1", "failed", 1, 0);
  api.Task(1'700'000'002, kOther, "a", "build", "Agent-1", "succeeded", 9, 1);
  api.Task(1'700'000'003, kRun, "a", "build", "Agent-2", "succeeded", 2, 1);
  api.Task(1'700'000'004, kRun, "b", "test", "Agent-1", "succeeded", 3, 1);
  api.Task(1'700'000'005, kRun, "b", "test", "Agent-1", "", 0, 0);  // a row of progress
  const auto tasks = ReadRunTasks(api, "_exec", kRun);
  ASSERT_TRUE(tasks.ok()) << tasks.error().message;
  ASSERT_EQ(tasks->size(), 3U);
  EXPECT_EQ(api.starts.at(0), "1700000000.000") << "the id says when the run began";
  EXPECT_EQ(api.times.at(0), "1700000005.001") << "rows lie up to a millisecond behind their printed time";
  EXPECT_EQ(api.queries.at(0), "exec_task_duration_seconds[4002ms]");
  EXPECT_FALSE((*tasks)[0].last_attempt);
  EXPECT_EQ((*tasks)[1].agent, "Agent-2");
  EXPECT_EQ((*tasks)[2].seconds, 3);
  const std::string text = RunTasksText(*tasks);
  EXPECT_NE(text.find("tasks  Agent-1  Agent-2\nbuild        0        1\ntest         1        0\n"), std::string::npos)
      << text;
  EXPECT_EQ(text.find("9.000"), std::string::npos) << text;
  EXPECT_NE(text.find("1.000  tried again"), std::string::npos) << text;
}

TEST(RunTasks, AnIdThatIsNoneHasNoTasks) {
  TwoRuns api;
  api.Task(1'700'000'001, kRun, "a", "build", "Agent-1", "succeeded", 1, 1);
  for (const char* const id : {"", "x", "-", "17979cfe362a0000", "demo-3"}) {
    const auto tasks = ReadRunTasks(api, "_exec", id);
    ASSERT_TRUE(tasks.ok()) << tasks.error().message;
    EXPECT_TRUE(tasks->empty()) << id;
  }
  EXPECT_TRUE(api.starts.empty()) << "those say no time";
}

}  // namespace
}  // namespace tidemark::cli

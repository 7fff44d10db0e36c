#include "executor/agent/pipeline/schedule.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>
#include <set>

namespace tidemark::executor {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

TaskSpec MakeTask(const std::string& name, std::vector<size_t> needs = {}) {
  TaskSpec task;
  task.name = name;
  task.command = {"true"};
  task.needs = std::move(needs);
  return task;
}

TEST(ScheduleTest, WithoutDurationsTheDeepestChainGoesFirst) {
  // a; b <- c <- d
  const Pipeline pipeline{"p", {MakeTask("a"), MakeTask("b"), MakeTask("c", {1}), MakeTask("d", {2})}};
  Schedule schedule(pipeline, {});
  EXPECT_EQ(schedule.way_to_end(0), 1);
  EXPECT_EQ(schedule.way_to_end(1), 3);
  EXPECT_EQ(schedule.queued(), 4U);
  EXPECT_EQ(schedule.Take(), 1U);
  EXPECT_EQ(schedule.Take(), 0U);
  EXPECT_EQ(schedule.ready(), 0U);
  EXPECT_THAT(schedule.Succeeded(1), ElementsAre(2U));
  EXPECT_EQ(schedule.Take(), 2U);
  EXPECT_THAT(schedule.Succeeded(0), IsEmpty());
  EXPECT_THAT(schedule.Succeeded(2), ElementsAre(3U));
  EXPECT_EQ(schedule.Take(), 3U);
  EXPECT_EQ(schedule.queued(), 0U);
}

TEST(ScheduleTest, KnownDurationsDecideTheCriticalPath) {
  const Pipeline pipeline{"p", {MakeTask("short"), MakeTask("long"), MakeTask("unknown"), MakeTask("end", {0})}};
  // The unknown ones count as the mean, 6; so short + end = 8.
  Schedule schedule(pipeline, {{"short", 2}, {"long", 10}});
  EXPECT_EQ(schedule.way_to_end(0), 8);
  EXPECT_EQ(schedule.Take(), 1U);
  EXPECT_EQ(schedule.Take(), 0U);
  EXPECT_EQ(schedule.Take(), 2U);
}

TEST(ScheduleTest, EqualsGoInTheOrderOfTheFile) {
  const Pipeline pipeline{"p", {MakeTask("a"), MakeTask("b"), MakeTask("c")}};
  Schedule schedule(pipeline, {});
  EXPECT_EQ(schedule.Take(), 0U);
  EXPECT_EQ(schedule.Take(), 1U);
  EXPECT_EQ(schedule.Take(), 2U);
}

TEST(ScheduleTest, AFailureTakesEverythingThatNeedsIt) {
  // 0 <- 1 <- 2, 0 <- 3 -> also needs 4; 4 stands alone
  const Pipeline pipeline{
      "p", {MakeTask("0"), MakeTask("1", {0}), MakeTask("2", {1}), MakeTask("3", {0, 4}), MakeTask("4")}};
  Schedule schedule(pipeline, {});
  EXPECT_EQ(schedule.Take(), 0U);
  EXPECT_THAT(schedule.Failed(0), ElementsAre(1U, 2U, 3U));
  EXPECT_EQ(schedule.Take(), 4U);
  EXPECT_THAT(schedule.Succeeded(4), IsEmpty());
  EXPECT_THAT(schedule.SkipAll(), IsEmpty());
}

TEST(ScheduleTest, SkipAllLeavesTakenOnesAlone) {
  const Pipeline pipeline{"p", {MakeTask("0"), MakeTask("1"), MakeTask("2", {0})}};
  Schedule schedule(pipeline, {});
  EXPECT_EQ(schedule.Take(), 0U);
  EXPECT_THAT(schedule.SkipAll(), ElementsAre(1U, 2U));
  EXPECT_EQ(schedule.ready(), 0U);
  EXPECT_THAT(schedule.Succeeded(0), IsEmpty());
  EXPECT_EQ(schedule.ready(), 0U);
}

TEST(ScheduleTest, EveryOrderIsADependencyOrder) {
  const auto seed = std::random_device{}();
  SCOPED_TRACE(seed);
  std::mt19937 random(seed);
  for (int round = 0; round < 100; ++round) {
    Pipeline pipeline{"p", {}};
    const size_t count = 1 + random() % 60;
    for (size_t i = 0; i < count; ++i) {
      std::vector<size_t> needs;
      for (size_t j = 0; j < i; ++j) {
        if (random() % 8 == 0) needs.push_back(j);
      }
      pipeline.tasks.push_back(MakeTask("t" + std::to_string(i), needs));
    }
    ASSERT_TRUE(pipeline.Check().ok());
    Schedule schedule(pipeline, {});
    std::set<size_t> ended;
    std::vector<size_t> running;
    while (ended.size() < count) {
      if (schedule.ready() > 0 && random() % 2 == 0) {
        running.push_back(schedule.Take());
        for (const size_t need : pipeline.tasks[running.back()].needs) ASSERT_TRUE(ended.contains(need));
      } else if (!running.empty()) {
        const size_t at = random() % running.size();
        schedule.Succeeded(running[at]);
        ASSERT_TRUE(ended.insert(running[at]).second);
        running.erase(running.begin() + static_cast<std::ptrdiff_t>(at));
      } else {
        ASSERT_GT(schedule.ready(), 0U);
      }
    }
    EXPECT_EQ(schedule.queued(), 0U);
  }
}

TEST(CriticalPathTest, IsTheLongestChain) {
  const Pipeline pipeline{"p", {MakeTask("a"), MakeTask("b", {0}), MakeTask("c", {0}), MakeTask("d", {1, 2})}};
  EXPECT_EQ(CriticalPath(pipeline, {5, 1, 7, 2}), 14);
}

TEST(FindCycleTest, LongChainsAreNoProblem) {
  std::vector<TaskSpec> tasks;
  for (size_t i = 0; i < 100'000; ++i) {
    tasks.push_back(MakeTask("t" + std::to_string(i), i == 0 ? std::vector<size_t>{} : std::vector<size_t>{i - 1}));
  }
  EXPECT_THAT(FindCycle(tasks), IsEmpty());
  tasks[0].needs = {99'999};
  EXPECT_EQ(FindCycle(tasks).size(), 100'001U);
}

TEST(PipelineCheckTest, RefusesWhatCannotRun) {
  EXPECT_FALSE((Pipeline{"p", {}}.Check().ok()));
  EXPECT_FALSE((Pipeline{"", {MakeTask("a")}}.Check().ok()));
  EXPECT_FALSE((Pipeline{"p", {MakeTask("a"), MakeTask("a")}}.Check().ok()));
  EXPECT_FALSE((Pipeline{"p", {MakeTask("a", {7})}}.Check().ok()));
  EXPECT_FALSE((Pipeline{"p", {MakeTask("a", {1}), MakeTask("b", {0})}}.Check().ok()));
  Pipeline no_command{"p", {MakeTask("a")}};
  no_command.tasks[0].command.clear();
  EXPECT_FALSE(no_command.Check().ok());
  EXPECT_TRUE((Pipeline{"p", {MakeTask("a")}}.Check().ok()));
}

}  // namespace
}  // namespace tidemark::executor

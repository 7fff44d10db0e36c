#include "executor/telemetry/run_sampler.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "tests/temp_directory.h"
#include "tests/unit/executor/telemetry/recording_sink.h"

namespace tidemark::executor {
namespace {

using ::testing::Contains;

class RunSamplerTest : public ::testing::Test {
 protected:
  RunSamplerTest() {
    std::filesystem::create_directories(root_ + "/block/sda");
    File("stat",
         "cpu  100 0 100 700 100 0 0 0 0 0\ncpu0 50 0 50 350 50 0 0 0 0 0\ncpu1 50 0 50 350 50 0 0 0 0 0\nintr 1\n");
    File("meminfo", "MemTotal: 1000 kB\nMemAvailable: 250 kB\nSwapTotal: 100 kB\nSwapFree: 90 kB\n");
    File("pressure/memory", "some avg10=0.00 avg60=0.00 avg300=0.00 total=0\nfull avg10=0 avg60=0 avg300=0 total=0\n");
    File("diskstats", "8 0 sda 10 0 100 0 20 0 200 0 3 0 0\n8 1 sda1 10 0 100 0 20 0 200 0 3 0 0\n");
    Process(10, 100, 5, "11");
    Process(11, 50, 7, "");
  }

  void File(const std::string& name, const std::string& text) const {
    const std::string path = root_ + "/" + name;
    std::filesystem::create_directories(std::filesystem::path(path).parent_path());
    std::ofstream(path) << text;
  }
  // `ticks` of user time, `pages` resident.
  void Process(int pid, int64_t ticks, int64_t pages, const std::string& children) const {
    const std::string folder = std::to_string(pid);
    File(folder + "/stat", folder + " (a) b) S 1 10 10 0 -1 0 0 0 0 0 " + std::to_string(ticks) +
                               " 0 0 0 20 0 1 0 5 1000 " + std::to_string(pages) + " 0\n");
    File(folder + "/io", "rchar: 1\nread_bytes: 4096\nwrite_bytes: 0\n");
    File(folder + "/task/" + folder + "/children", children);
  }

  const TempDirectory directory_;
  const std::string& root_ = directory_.path();
  ManualClock clock_{1'700'000'000'000'000'000};
  RecordingSink sink_;
};

TEST_F(RunSamplerTest, RatesAreOfTheTimeBetweenTwoSamples) {
  RunReporter reporter({}, {.run_id = "r", .pipeline = "p", .mode = "parallel"}, &sink_, clock_);
  RunSampler sampler(
      {.memory_budget_bytes = 1 << 20, .proc_root = root_, .sys_root = root_}, reporter,
      [] { return std::vector<AgentProcesses>{{"Agent-1", {10}}, {"Agent-2", {}}}; }, clock_, clock_.SteadyNs());
  sampler.Tick();
  clock_.Advance(100'000'000);
  File("stat", "cpu  160 0 100 710 130 0 0 0 0 0\ncpu0 110 0 50 350 50 0 0 0 0 0\ncpu1 50 0 50 360 80 0 0 0 0 0\n");
  File("diskstats", "8 0 sda 15 0 300 0 25 0 600 0 2 0 0\n8 1 sda1 99 0 999 0 99 0 999 0 9 0 0\n");
  File("pressure/memory", "some avg10=12.50 avg60=0.00 avg300=0.00 total=0\n");
  Process(11, 60, 9, "");
  sampler.Tick();
  const SampledTotals totals = sampler.Stop();
  reporter.Finish();
  const auto rows = sink_.Of("exec_resource");
  ASSERT_EQ(rows.size(), 1U);
  EXPECT_DOUBLE_EQ(rows[0].Float("after_seconds"), 0.1);
  EXPECT_DOUBLE_EQ(rows[0].Float("cpu_percent"), 60);
  EXPECT_DOUBLE_EQ(rows[0].Float("iowait_percent"), 30);
  EXPECT_DOUBLE_EQ(rows[0].Float("memory_used_percent"), 75);
  EXPECT_EQ(rows[0].Int("swap_used_bytes"), 10 * 1024);
  EXPECT_EQ(rows[0].Int("memory_pressure"), 1);
  EXPECT_DOUBLE_EQ(rows[0].Float("read_bytes_per_second"), 200 * 512 * 10);
  EXPECT_DOUBLE_EQ(rows[0].Float("written_bytes_per_second"), 400 * 512 * 10);
  EXPECT_DOUBLE_EQ(rows[0].Float("operations_per_second"), 100);
  EXPECT_EQ(rows[0].Int("queue_depth"), 2);
  EXPECT_EQ(rows[0].Int("budget_bytes"), 1 << 20);
  const int64_t page = sysconf(_SC_PAGESIZE);
  EXPECT_EQ(rows[0].Int("agents_rss_bytes"), 14 * page);
  const auto cores = sink_.Of("exec_core");
  ASSERT_EQ(cores.size(), 2U);
  EXPECT_EQ(cores[0].tags.at("cpu"), "cpu0");
  EXPECT_DOUBLE_EQ(cores[0].Float("busy_percent"), 100);
  EXPECT_DOUBLE_EQ(cores[1].Float("busy_percent"), 0);
  const auto agents = sink_.Of("exec_agent");
  ASSERT_EQ(agents.size(), 2U);
  EXPECT_EQ(agents[0].Int("processes"), 2);
  EXPECT_EQ(agents[0].Int("rss_bytes"), 14 * page);
  // 10 ticks of 10 ms within 100 ms.
  EXPECT_DOUBLE_EQ(agents[0].Float("cores"), 10.0 / static_cast<double>(sysconf(_SC_CLK_TCK)) / 0.1);
  EXPECT_EQ(agents[1].Int("processes"), 0);
  EXPECT_DOUBLE_EQ(totals.io_wait, 0.3);
  EXPECT_EQ(totals.peak_rss_bytes, 14 * page);
  std::vector<std::string> texts;
  for (const SeenRow& row : sink_.Of("exec_event")) texts.push_back(row.Text("text"));
  EXPECT_THAT(texts, Contains("System: memory pressure increased to MEDIUM"));
}

TEST_F(RunSamplerTest, MissingAndBrokenFilesCostNoMoreThanTheirFigures) {
  for (const char* const text : {"", "cpu", "\xff\xfe\n\n", "cpu a b c d e f\ncpu0 -5 99999999999999999999 1\n"}) {
    for (const char* const name :
         {"stat", "meminfo", "pressure/memory", "diskstats", "10/stat", "10/task/10/children"}) {
      File(name, text);
    }
    RunReporter reporter({}, {.run_id = "r", .pipeline = "p", .mode = "parallel"}, &sink_, clock_);
    RunSampler sampler(
        {.proc_root = root_, .sys_root = root_}, reporter,
        [] { return std::vector<AgentProcesses>{{"Agent-1", {10, 999}}}; }, clock_, 0);
    sampler.Tick();
    clock_.Advance(100'000'000);
    sampler.Tick();
    EXPECT_EQ(sampler.Stop().io_wait, 0);
    EXPECT_EQ(reporter.Finish().rows_lost, 0U);
  }
}

TEST(PressureLevelTest, Levels) {
  EXPECT_EQ(LevelOf(0), PressureLevel::kLow);
  EXPECT_EQ(LevelOf(9.99), PressureLevel::kLow);
  EXPECT_EQ(LevelOf(10), PressureLevel::kMedium);
  EXPECT_EQ(LevelOf(40), PressureLevel::kHigh);
}

}  // namespace
}  // namespace tidemark::executor

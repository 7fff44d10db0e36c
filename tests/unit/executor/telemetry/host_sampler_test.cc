#include "executor/telemetry/host_sampler.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <latch>
#include <optional>
#include <set>
#include <string>

#include "executor/telemetry/host_reporter.h"
#include "tests/temp_directory.h"
#include "tests/unit/executor/telemetry/recording_sink.h"

namespace tidemark::executor {
namespace {

using ::testing::IsEmpty;
using ::testing::Not;

class HostSamplerTest : public ::testing::Test {
 protected:
  HostSamplerTest() { sampler_.emplace(Options()); }

  [[nodiscard]] HostSamplerOptions Options() const {
    return {.proc_root = root_ + "/proc", .sys_root = root_ + "/sys", .host = "h1"};
  }
  void Put(const std::string& file, const std::string& text) {
    const std::string path = root_ + "/" + file;
    std::filesystem::create_directories(std::filesystem::path(path).parent_path());
    std::ofstream(path) << text;
  }
  std::vector<SeenRow> Sample(int64_t steady_ns = 0) {
    model::BatchBuilder rows;
    sampler_->Sample({42}, steady_ns, rows);
    return SeenRows(rows.batch());
  }

  const TempDirectory directory_;
  const std::string& root_ = directory_.path();
  std::optional<HostSampler> sampler_;
};

TEST_F(HostSamplerTest, WithoutFilesThereIsNothing) { EXPECT_THAT(Sample(), IsEmpty()); }

TEST_F(HostSamplerTest, CpuIsThePercentageOfTheIntervalByMode) {
  Put("proc/stat", "cpu  100 10 50 800 20 5 5 10 0 0\ncpu0 100 10 50 800 20 5 5 10 0 0\nintr 5\n");
  EXPECT_THAT(Sample(), IsEmpty());
  Put("proc/stat", "cpu  150 15 60 820 30 6 4 15 7 0\ncpu0 100 10 50 900 20 5 5 10 0 0\nintr 9\n");
  const auto rows = Sample();
  ASSERT_EQ(rows.size(), 2U);
  EXPECT_EQ(rows[0].measurement, "cpu");
  EXPECT_EQ(rows[0].time_ns, 42);
  EXPECT_EQ(rows[0].tags, (std::map<std::string, std::string>{{"cpu", "cpu-total"}, {"host", "h1"}}));
  // 50 + 5 + 10 + 20 + 10 + 1 + 0 (it went back) + 5
  EXPECT_DOUBLE_EQ(rows[0].Float("usage_user"), 100.0 * 50 / 101);
  EXPECT_DOUBLE_EQ(rows[0].Float("usage_idle"), 100.0 * 20 / 101);
  EXPECT_DOUBLE_EQ(rows[0].Float("usage_softirq"), 0.0);
  EXPECT_DOUBLE_EQ(rows[0].Float("usage_steal"), 100.0 * 5 / 101);
  EXPECT_DOUBLE_EQ(rows[0].Float("usage_active"), 100.0 * 71 / 101);
  EXPECT_EQ(rows[1].tags.at("cpu"), "cpu0");
  EXPECT_DOUBLE_EQ(rows[1].Float("usage_idle"), 100.0);
  // Nothing moved: no percentages rather than a division by zero.
  EXPECT_THAT(Sample(), IsEmpty());
}

TEST_F(HostSamplerTest, LoadAndUptime) {
  Put("proc/loadavg", "0.50 1.25 2.00 3/456 7890\n");
  Put("proc/uptime", "1234.5 99.0\n");
  const auto rows = Sample();
  ASSERT_EQ(rows.size(), 1U);
  EXPECT_EQ(rows[0].measurement, "system");
  EXPECT_DOUBLE_EQ(rows[0].Float("load5"), 1.25);
  EXPECT_EQ(rows[0].Int("threads_running"), 3);
  EXPECT_EQ(rows[0].Int("threads"), 456);
  EXPECT_DOUBLE_EQ(rows[0].Float("uptime_seconds"), 1234.5);
}

TEST_F(HostSamplerTest, MemoryAndSwapInBytes) {
  Put("proc/meminfo",
      "MemTotal:  1000 kB\nMemFree: 100 kB\nMemAvailable: 400 kB\nBuffers: 10 kB\nCached: 200 kB\nDirty: 3 kB\n"
      "SwapTotal: 500 kB\nSwapFree: 450 kB\n");
  Put("proc/vmstat", "pgfault 3\npswpin 2\npswpout 5\n");
  const auto rows = Sample();
  ASSERT_EQ(rows.size(), 2U);
  EXPECT_EQ(rows[0].measurement, "mem");
  EXPECT_EQ(rows[0].Int("total"), 1'024'000);
  EXPECT_EQ(rows[0].Int("used"), 600 * 1024);
  EXPECT_DOUBLE_EQ(rows[0].Float("used_percent"), 60.0);
  EXPECT_EQ(rows[0].Int("dirty"), 3072);
  EXPECT_EQ(rows[1].measurement, "swap");
  EXPECT_EQ(rows[1].Int("used"), 50 * 1024);
  EXPECT_EQ(rows[1].Int("in"), 2 * sysconf(_SC_PAGESIZE));
  EXPECT_EQ(rows[1].Int("out"), 5 * sysconf(_SC_PAGESIZE));
}

TEST_F(HostSamplerTest, Pressure) {
  Put("proc/pressure/cpu", "some avg10=1.50 avg60=2.00 avg300=0.25 total=3000000\n");
  Put("proc/pressure/io",
      "some avg10=0.00 avg60=0.00 avg300=0.00 total=1\nfull avg10=9.00 avg60=0.00 avg300=0.00 total=2\n");
  const auto rows = Sample();
  ASSERT_EQ(rows.size(), 3U);
  EXPECT_EQ(rows[0].measurement, "pressure");
  EXPECT_EQ(rows[0].tags.at("resource"), "cpu");
  EXPECT_EQ(rows[0].tags.at("share"), "some");
  EXPECT_DOUBLE_EQ(rows[0].Float("avg10"), 1.5);
  EXPECT_DOUBLE_EQ(rows[0].Float("stalled_seconds"), 3.0);
  EXPECT_EQ(rows[2].tags.at("share"), "full");
  EXPECT_DOUBLE_EQ(rows[2].Float("avg10"), 9.0);
}

TEST_F(HostSamplerTest, DisksWithoutPartitionsAndIdleOnes) {
  Put("proc/diskstats",
      "   7 0 loop0 9 0 9 0 9 0 9 0 0 0 0\n"
      " 254 0 vda 10 1 200 30 40 2 300 50 1 60 70 0 0 0 0\n"
      " 254 1 vda1 10 1 200 30 40 2 300 50 1 60 70 0 0 0 0\n"
      " 254 16 vdb 0 0 0 0 0 0 0 0 0 0 0\n"
      " 254 32 short 1 2\n");
  std::filesystem::create_directories(root_ + "/sys/block/vda");
  std::filesystem::create_directories(root_ + "/sys/block/vdb");
  const auto rows = Sample();
  ASSERT_EQ(rows.size(), 1U);
  EXPECT_EQ(rows[0].measurement, "diskio");
  EXPECT_EQ(rows[0].tags.at("name"), "vda");
  EXPECT_EQ(rows[0].Int("reads"), 10);
  EXPECT_EQ(rows[0].Int("read_bytes"), 200 * 512);
  EXPECT_EQ(rows[0].Int("write_bytes"), 300 * 512);
  EXPECT_EQ(rows[0].Int("io_time_ms"), 60);
}

TEST_F(HostSamplerTest, NetworkInterfacesThatCarriedSomething) {
  Put("proc/net/dev",
      "Inter-|   Receive  |  Transmit\n face |bytes packets errs|bytes\n"
      "    lo: 100 2 0 0 0 0 0 0 100 2 0 0 0 0 0 0\n"
      "  eth0:7000 70 1 2 0 0 0 0 8000 80 3 4 0 0 0 0\n"
      "eth0:1: 5 1 0 0 0 0 0 0 5 1 0 0 0 0 0 0\n"
      "  idle: 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0\n");
  const auto rows = Sample();
  ASSERT_EQ(rows.size(), 3U);
  EXPECT_EQ(rows[1].tags.at("interface"), "eth0");
  EXPECT_EQ(rows[1].Int("bytes_recv"), 7000);
  EXPECT_EQ(rows[1].Int("bytes_sent"), 8000);
  EXPECT_EQ(rows[1].Int("drop_out"), 4);
  EXPECT_EQ(rows[2].tags.at("interface"), "eth0:1");
}

TEST_F(HostSamplerTest, NetworkInPercentWhereTheSpeedIsKnown) {
  const auto net = [&](int64_t received, int64_t sent) {
    std::string text;
    for (const char* const name : {"eth0", "veth", "down"})
      text += std::string(name) + ": " + std::to_string(received) + " 1 0 0 0 0 0 0 " + std::to_string(sent) +
              " 1 0 0 0 0 0 0\n";
    Put("proc/net/dev", text);
  };
  Put("sys/class/net/eth0/speed", "1000\n");
  Put("sys/class/net/down/speed", "-1\n");
  net(0, 0);
  auto rows = Sample(1'000'000'000);
  ASSERT_EQ(rows.size(), 3U);
  EXPECT_EQ(rows[0].Int("speed_bytes_per_second"), 125'000'000);
  EXPECT_FALSE(rows[0].fields.contains("used_percent")) << "there is no interval yet";
  // Half of the one direction, a tenth of the other, for two seconds.
  net(125'000'000, 25'000'000);
  rows = Sample(3'000'000'000);
  EXPECT_DOUBLE_EQ(rows[0].Float("used_percent"), 50);
  EXPECT_FALSE(rows[1].fields.contains("speed_bytes_per_second"));
  EXPECT_FALSE(rows[2].fields.contains("used_percent"));
  net(5, 5);
  EXPECT_FALSE(Sample(4'000'000'000)[0].fields.contains("used_percent")) << "the counters began anew";
  // Another link is seen within a minute.
  Put("sys/class/net/eth0/speed", "100\n");
  net(5, 6'250'005);
  rows = Sample(64'000'000'000);
  EXPECT_EQ(rows[0].Int("speed_bytes_per_second"), 12'500'000);
  EXPECT_NEAR(rows[0].Float("used_percent"), 100.0 * 6'250'000 / 60 / 12'500'000, 1e-9);
}

TEST_F(HostSamplerTest, ProcessUnderAnyName) {
  const auto stat = [&](int user, int system) {
    Put("proc/self/stat", "15 (a) b ) R 1 1 1 0 -1 0 0 0 0 0 " + std::to_string(user) + " " + std::to_string(system) +
                              " 0 0 20 0 9 0 1000 4096000 250 18446744073709551615 0\n");
  };
  stat(100, 50);
  Put("proc/self/io", "rchar: 1\nread_bytes: 4096\nwrite_bytes: 8192\n");
  auto rows = Sample(1'000'000'000);
  ASSERT_EQ(rows.size(), 1U);
  EXPECT_EQ(rows[0].measurement, "process");
  EXPECT_EQ(rows[0].Int("threads"), 9);
  EXPECT_EQ(rows[0].Int("rss_bytes"), 250 * sysconf(_SC_PAGESIZE));
  EXPECT_EQ(rows[0].Int("virtual_bytes"), 4'096'000);
  EXPECT_EQ(rows[0].Int("write_bytes"), 8192);
  EXPECT_FALSE(rows[0].fields.contains("cpu_percent"));
  const auto ticks = static_cast<double>(sysconf(_SC_CLK_TCK));
  EXPECT_DOUBLE_EQ(rows[0].Float("cpu_user_seconds"), 100 / ticks);
  stat(150, 100);
  rows = Sample(3'000'000'000);
  EXPECT_DOUBLE_EQ(rows[0].Float("cpu_percent"), 100.0 * (100 / ticks) / 2);
}

TEST_F(HostSamplerTest, NonsenseCostsItsOwnRowsOnly) {
  const std::string huge = "9223372036854775807";
  Put("proc/stat", "cpu\ncpu0 a b c d\ncpu1 1 2\ncpu2 " + huge + " " + huge + " " + huge + " " + huge + "\n");
  Put("proc/loadavg", "nan inf x y z\n");
  Put("proc/meminfo", "MemTotal\nMemFree: -5 kB\nMemTotal: " + huge + " kB\n:\n");
  Put("proc/pressure/cpu", "some\nsome avg10 avg60= total=x\nother avg10=1\n");
  Put("proc/diskstats", "254 0 vda " + huge + " 0 " + huge + " 0 0 0 0 0 0 0 0 0\n");
  Put("proc/net/dev", ":::\n  : 1 2 3\nno colon\n");
  Put("proc/self/stat", "15 no name");
  Sample();
  const auto rows = Sample();
  ASSERT_EQ(rows.size(), 1U);
  EXPECT_EQ(rows[0].measurement, "diskio");
  EXPECT_EQ(rows[0].Int("read_bytes"), INT64_MAX);
}

TEST_F(HostSamplerTest, ThisMachine) {
  HostSampler sampler({.data_directory = "/"});
  model::BatchBuilder rows;
  sampler.Sample({1}, 1, rows);
  std::set<std::string> measurements;
  for (const SeenRow& row : SeenRows(rows.batch())) measurements.insert(row.measurement);
  EXPECT_TRUE(measurements.contains("mem"));
  EXPECT_TRUE(measurements.contains("process"));
  EXPECT_TRUE(measurements.contains("disk"));
}

class HostReporterTest : public HostSamplerTest {
 protected:
  RecordingSink sink_;
  ManualClock clock_{10'300'000'000};
};

TEST_F(HostReporterTest, TicksAreWholePeriodsInTheirDatabase) {
  Put("proc/loadavg", "1.00 1.00 1.00 1/1 1\n");
  HostReporter reporter({.sampler = Options()}, sink_, clock_);
  ASSERT_TRUE(reporter.Tick().ok());
  clock_.Advance(1'000'000'000);
  ASSERT_TRUE(reporter.Tick().ok());
  ASSERT_EQ(sink_.rows.size(), 2U);
  EXPECT_EQ(sink_.rows[0].time_ns, 10'000'000'000);
  EXPECT_EQ(sink_.rows[1].time_ns, 11'000'000'000);
  EXPECT_EQ(sink_.databases[0], "_host");
}

TEST_F(HostReporterTest, AFailingSinkIsTriedAgain) {
  Put("proc/loadavg", "1.00 1.00 1.00 1/1 1\n");
  HostReporter reporter({.sampler = Options()}, sink_, clock_);
  sink_.fail = true;
  EXPECT_FALSE(reporter.Tick().ok());
  EXPECT_FALSE(reporter.Tick().ok());
  sink_.fail = false;
  EXPECT_TRUE(reporter.Tick().ok());
  EXPECT_EQ(sink_.rows.size(), 1U);
}

TEST_F(HostReporterTest, TheThreadWritesOncePerPeriod) {
  Put("proc/loadavg", "1.00 1.00 1.00 1/1 1\n");
  std::latch first(1), second(2);
  sink_.on_write = [&] {
    if (!first.try_wait()) first.count_down();
    if (!second.try_wait()) second.count_down();
  };
  HostReporter reporter({.period_ns = 1'000'000, .sampler = Options()}, sink_, clock_);
  reporter.Start();
  first.wait();
  clock_.Advance(1'000'000);
  second.wait();
  reporter.Stop();
  reporter.Stop();
  // The clock stood still otherwise.
  EXPECT_EQ(sink_.rows.size(), 2U);
}

}  // namespace
}  // namespace tidemark::executor

#include "tools/server/watch/uptime_recorder.h"

#include <gtest/gtest.h>

#include <fstream>

#include "tests/stepped_clock.h"
#include "tests/temp_directory.h"
#include "tests/unit/executor/telemetry/recording_sink.h"
#include "tools/server/watch/alive_file.h"

namespace tidemark::server {
namespace {

constexpr int64_t kSecondNs = 1'000'000'000;
constexpr int64_t kT0 = 1'700'000'000 * kSecondNs;

TEST(AliveFile, ReadsWhatItHasWritten) {
  for (const Alive alive : {Alive{kT0, kT0 + 5, false}, Alive{0, INT64_MAX, true}}) {
    const std::string line = FormatAlive(alive);
    EXPECT_EQ(line.size(), kAliveBytes);
    const auto read = ParseAlive(line);
    ASSERT_TRUE(read.ok()) << read.error().message;
    EXPECT_EQ(*read, alive);
  }
}

TEST(AliveFile, NoFlippedBitAndNoTornLineIsTaken) {
  const std::string line = FormatAlive({kT0, kT0 + 5, false});
  for (size_t i = 0; i < line.size() * 8; ++i) {
    std::string flipped = line;
    flipped[i / 8] = static_cast<char>(flipped[i / 8] ^ (1 << (i % 8)));
    EXPECT_FALSE(ParseAlive(flipped).ok()) << flipped;
  }
  for (size_t size = 0; size < line.size(); ++size) EXPECT_FALSE(ParseAlive(line.substr(0, size)).ok()) << size;
  EXPECT_FALSE(ParseAlive(line + "x").ok());
}

TEST(AliveFile, AnotherVersionIsNamed) {
  const auto read = ParseAlive("tidemark-alive 2 whatever comes\n");
  ASSERT_FALSE(read.ok());
  EXPECT_EQ(read.error().code, ErrorCode::kUnsupported);
}

class UptimeRecorderTest : public testing::Test {
 protected:
  executor::SeenRow StartOnly() {
    sink_.rows.clear();
    UptimeRecorder recorder(sink_, clock_);
    EXPECT_TRUE(recorder.Begin(Directory()).ok());
    return sink_.Of("server").at(0);
  }
  std::string Directory() const { return folder_.path(); }

  TempDirectory folder_;
  executor::RecordingSink sink_;
  ManualClock clock_{kT0};
};

TEST_F(UptimeRecorderTest, TheFirstStartWasNoDowntime) {
  const executor::SeenRow row = StartOnly();
  EXPECT_EQ(sink_.databases.at(0), "_server");
  EXPECT_EQ(row.time_ns, kT0);
  EXPECT_EQ(row.Int("started"), 1);
  EXPECT_EQ(row.Float("down_seconds"), 0);
  EXPECT_EQ(row.Int("clean"), 1);
  EXPECT_EQ(row.Float("first_start_seconds"), 1'700'000'000.0);
  EXPECT_EQ(row.Text("event"), "first start");
}

TEST_F(UptimeRecorderTest, AKilledServerWasDownSinceItsLastNote) {
  {
    UptimeRecorder recorder(sink_, clock_);
    ASSERT_TRUE(recorder.Begin(Directory()).ok());
    clock_.Advance(10 * kSecondNs);
    ASSERT_TRUE(recorder.Tick().ok());
  }
  clock_.Advance(12'500'000'000);
  const executor::SeenRow row = StartOnly();
  EXPECT_EQ(row.Float("down_seconds"), 12.5);
  EXPECT_EQ(row.Int("clean"), 0);
  EXPECT_EQ(row.Float("first_start_seconds"), 1'700'000'000.0);
  EXPECT_EQ(row.Text("event"), "down for 12.5 s, killed");
}

TEST_F(UptimeRecorderTest, AServerThatWasStoppedIsDownSinceThen) {
  {
    UptimeRecorder recorder(sink_, clock_);
    ASSERT_TRUE(recorder.Begin(Directory()).ok());
    clock_.Advance(kSecondNs / 2);
    ASSERT_TRUE(recorder.End().ok());
  }
  clock_.Advance(3 * kSecondNs);
  const executor::SeenRow row = StartOnly();
  EXPECT_EQ(row.Float("down_seconds"), 3);
  EXPECT_EQ(row.Int("clean"), 1);
  EXPECT_EQ(row.Text("event"), "down for 3.0 s, stopped");
}

TEST_F(UptimeRecorderTest, ARowEachMinute) {
  UptimeRecorder recorder(sink_, clock_);
  ASSERT_TRUE(recorder.Begin(Directory()).ok());
  for (int i = 0; i < 150; ++i) {
    clock_.Advance(kSecondNs);
    ASSERT_TRUE(recorder.Tick().ok());
  }
  const auto rows = sink_.Of("server");
  ASSERT_EQ(rows.size(), 3);
  EXPECT_EQ(rows[2].time_ns, kT0 + 120 * kSecondNs);
  EXPECT_EQ(rows[2].Float("up_seconds"), 120);
  EXPECT_EQ(rows[2].Float("down_seconds"), 0);
}

TEST_F(UptimeRecorderTest, AClockThatWasSetBackMakesNoNegativeDowntime) {
  StartOnly();
  clock_.Set(kT0 - 100 * kSecondNs);
  EXPECT_EQ(StartOnly().Float("down_seconds"), 0);
}

// A clock that steps back an hour must not stop the rows for one.
TEST_F(UptimeRecorderTest, RowsGoOnWhateverTheClockShows) {
  SteppedClock machine(kT0);
  UptimeRecorder recorder(sink_, machine);
  ASSERT_TRUE(recorder.Begin(Directory()).ok());
  machine.Step(-3600 * kSecondNs);
  machine.Advance(60 * kSecondNs);
  ASSERT_TRUE(recorder.Tick().ok());
  ASSERT_EQ(sink_.Of("server").size(), 2);
  EXPECT_EQ(sink_.Of("server")[1].Float("up_seconds"), 60);
}

// A machine without a battery for its clock begins in 1970.
TEST_F(UptimeRecorderTest, AClockThatWasNotSetMakesNoDowntime) {
  SteppedClock machine(20 * kSecondNs);
  {
    UptimeRecorder recorder(sink_, machine);
    ASSERT_TRUE(recorder.Begin(Directory()).ok());
    machine.Step(kT0);
    machine.Advance(60 * kSecondNs);
    ASSERT_TRUE(recorder.Tick().ok());
    const auto rows = sink_.Of("server");
    ASSERT_EQ(rows.size(), 2);
    EXPECT_EQ(rows[1].Float("up_seconds"), 60);
    EXPECT_EQ(rows[1].Float("first_start_seconds"), 1'700'000'020.0);
  }
  machine.Step(-kT0);
  {
    sink_.rows.clear();
    UptimeRecorder recorder(sink_, machine);
    ASSERT_TRUE(recorder.Begin(Directory()).ok());
    EXPECT_EQ(sink_.Of("server").at(0).Text("event"),
              "down for a time that is not known, as the clock was not set, killed");
  }
  machine.Step(kT0);
  sink_.rows.clear();
  UptimeRecorder recorder(sink_, machine);
  ASSERT_TRUE(recorder.Begin(Directory()).ok());
  const executor::SeenRow row = sink_.Of("server").at(0);
  EXPECT_EQ(row.Float("down_seconds"), 0);
  EXPECT_EQ(row.Float("first_start_seconds"), 1'700'000'020.0);
}

TEST_F(UptimeRecorderTest, ADamagedNoteIsAFirstStart) {
  StartOnly();
  std::ofstream(folder_.Below("alive")) << "rubbish";
  clock_.Advance(kSecondNs);
  const executor::SeenRow row = StartOnly();
  EXPECT_EQ(row.Text("event"), "first start");
  EXPECT_EQ(row.Float("first_start_seconds"), 1'700'000'001.0);
  // And the file is whole again.
  EXPECT_TRUE(AliveFile::Open(Directory())->Read().ok());
}

TEST_F(UptimeRecorderTest, ASinkThatFailsStopsNothing) {
  sink_.fail = true;
  UptimeRecorder recorder(sink_, clock_);
  ASSERT_TRUE(recorder.Start(Directory()).ok());
  recorder.Stop();
  const auto alive = AliveFile::Open(Directory())->Read();
  ASSERT_TRUE(alive.ok()) << alive.error().message;
  EXPECT_TRUE(alive->stopped);
}

TEST_F(UptimeRecorderTest, NoDirectoryIsAnError) {
  UptimeRecorder recorder(sink_, clock_);
  const auto started = recorder.Start(Directory() + "/absent");
  ASSERT_FALSE(started.ok());
  EXPECT_EQ(started.error().code, ErrorCode::kIo);
  recorder.Stop();
}

}  // namespace
}  // namespace tidemark::server

#include "tools/cli/exec/embedded_store.h"

#include <gtest/gtest.h>

#include "storage/model/batch.h"
#include "tests/temp_directory.h"
#include "tools/cli/exec/exec_history.h"
#include "tools/cli/exec/exec_reports.h"

namespace tidemark::cli {
namespace {

constexpr int64_t kSecond = 1'000'000'000;

// As RunReporter writes the end of a run.
void WriteRun(model::PointSink& sink, int64_t time_ns, double seconds, std::string_view outcome) {
  model::BatchBuilder builder;
  const std::vector<model::LabelView> tags{{"era", "v2"}, {"mode", "parallel"}, {"pipeline", "a\"b"}};
  builder.Row("exec_run", tags, {time_ns})
      .Field("outcome", outcome)
      .Field("duration_seconds", seconds)
      .Field("speedup", 1.5)
      .Field("efficiency", 0.75)
      .Field("tasks", int64_t{7})
      .Field("durations", std::string_view("build=1.5 test=0.25"));
  const auto written = sink.Write("_exec", builder.batch());
  ASSERT_TRUE(written.ok()) << written.error().message;
  ASSERT_EQ(written->rows_rejected, 0);
}

TEST(EmbeddedStore, WhatARunReportsIsThereAfterItWasClosed) {
  const TempDirectory folder;
  const std::string directory = folder.Below("data");
  const int64_t now = SystemClock::Get().NowNs() / 1'000'000 * 1'000'000;
  {
    auto store = EmbeddedStore::Open(directory);
    ASSERT_TRUE(store.ok()) << store.error().message;
    WriteRun((*store)->sink(), now - 20 * kSecond, 2.5, "succeeded");
    WriteRun((*store)->sink(), now - 10 * kSecond, 4, "failed");
    EXPECT_FALSE(EmbeddedStore::Open(directory).ok()) << "the directory is taken";
    ASSERT_TRUE((*store)->Close().ok());
    EXPECT_FALSE((*store)->Ask("/api/v1/query", {{"query", "1"}}).ok()) << "after Close";
  }
  auto store = EmbeddedStore::Open(directory);
  ASSERT_TRUE(store.ok()) << store.error().message;
  const auto runs = ReadHistory(**store, "_exec", "a\"b", 10);
  ASSERT_TRUE(runs.ok()) << runs.error().message;
  ASSERT_EQ(runs->size(), 2);
  EXPECT_EQ((*runs)[0].outcome, "failed");
  EXPECT_EQ((*runs)[0].seconds, 4);
  EXPECT_EQ((*runs)[1].outcome, "succeeded");
  EXPECT_EQ((*runs)[1].seconds, 2.5);
  EXPECT_EQ((*runs)[1].labels, (model::Labels{{"era", "v2"}}));
  const auto durations = ReadDurations(**store, "_exec", "a\"b");
  ASSERT_TRUE(durations.ok()) << durations.error().message;
  EXPECT_EQ(*durations, (executor::KnownDurations{{"build", 1'500'000'000}, {"test", 250'000'000}}));
  const auto absent = (*store)->Ask("/api/v1/nothing", {});
  ASSERT_TRUE(absent.ok());
  EXPECT_EQ(absent->status, 404);
}

TEST(ExecReports, AServerAndADirectoryAtOnceAreRefused) {
  const auto reports = ExecReports::Open({.server = "http://127.0.0.1:1", .data = "x"});
  ASSERT_FALSE(reports.ok());
  EXPECT_EQ(reports.error().code, ErrorCode::kInvalidArgument);
}

TEST(ExecReports, NowhereIsNoSink) {
  const auto reports = ExecReports::Open({});
  ASSERT_TRUE(reports.ok());
  EXPECT_EQ((*reports)->sink(), nullptr);
  EXPECT_EQ((*reports)->api(), nullptr);
  (*reports)->Finish(stderr);
}

TEST(ExecReports, EachServerHasItsOwnFolder) {
  EXPECT_EQ(SpoolRoot("", "http://a:1"), "");
  EXPECT_EQ(SpoolRoot("/s", "http://a:1/"), SpoolRoot("/s", "http://a:1"));
  EXPECT_NE(SpoolRoot("/s", "http://a:1"), SpoolRoot("/s", "http://a:1/db/b"));
  EXPECT_EQ(SpoolRoot("/s", "http://a:1/db/b").find('/', 9), std::string::npos) << "one folder, not several";
}

TEST(ExecReports, WithoutAWritableSpoolReportsWaitInMemory) {
  const TempDirectory folder;
  // A file where the folder should be.
  const std::string state = folder.Below("state");
  std::fclose(std::fopen(state.c_str(), "w"));
  const auto reports = ExecReports::Open({.server = "http://127.0.0.1:1", .state_directory = state});
  ASSERT_TRUE(reports.ok()) << reports.error().message;
  EXPECT_NE((*reports)->sink(), nullptr);
}

}  // namespace
}  // namespace tidemark::cli

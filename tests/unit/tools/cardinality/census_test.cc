// The census of a database's series, exact where there are few names and bounded where there are many.
#include "tools/cardinality/census.h"

#include <fmt/core.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <memory>
#include <string>

#include "storage/model/batch.h"
#include "tests/temp_directory.h"
#include "tools/cardinality/distinct_count.h"
#include "tools/cardinality/heavy_counts.h"

namespace tidemark::cardinality {
namespace {

class Census : public testing::Test {
 protected:
  Census() {
    storage::StoreOptions options;
    options.directory = folder_;
    options.background = false;
    auto store = storage::Store::Open(std::move(options));
    EXPECT_TRUE(store.ok()) << store.error().message;
    store_ = std::move(store).value();
  }
  ~Census() override { store_.reset(); }

  void Write(model::BatchBuilder* batch) {
    const auto written = store_->Write("db", batch->batch());
    ASSERT_TRUE(written.ok()) << written.error().message;
    batch->Clear();
  }

  TempDirectory directory_;
  const std::string& folder_ = directory_.path();
  std::unique_ptr<storage::Store> store_;
};

TEST_F(Census, CountsSeriesAndColumnsOfEachKind) {
  model::BatchBuilder batch;
  const model::Timestamp time{1'700'000'000'000'000'000};
  for (int host = 0; host < 5; ++host) {
    const std::string name = fmt::format("h{}", host);
    for (int cpu = 0; cpu < 4; ++cpu) {
      batch.Row("cpu", {{"cpu", fmt::format("c{}", cpu)}, {"host", name}}, time)
          .Field("user", 1.0)
          .Field("system", 2.0);
    }
    batch.Row("mem", {{"host", name}}, time).Field("free", int64_t{1}).Field("note", "text");
  }
  Write(&batch);
  // Another measurement with a metric that cpu has too.
  batch.Row("cpu_user", {{"host", "h0"}}, time).Field("value", 1.0);
  Write(&batch);
  ASSERT_TRUE(store_->Checkpoint().ok());
  const auto census = TakeCensus(*store_, "db", {.limit = 3});
  ASSERT_TRUE(census.ok()) << census.error().message;
  EXPECT_EQ(census->series, 26U);
  EXPECT_EQ(census->columns, 51U);
  EXPECT_EQ(census->missed_below, 0U);
  EXPECT_GT(census->disk_bytes, 0U);
  ASSERT_EQ(census->measurements.size(), 3U);
  EXPECT_EQ(census->measurements[0].name, "cpu");
  EXPECT_EQ(census->measurements[0].series, 20U);
  EXPECT_EQ(census->measurements[0].columns, 40U);
  EXPECT_EQ(census->measurements[2].name, "cpu_user");
  EXPECT_EQ(census->measurements[2].columns, 1U);
  ASSERT_EQ(census->labels.size(), 2U);
  EXPECT_EQ(census->labels[0].name, "host");
  EXPECT_EQ(census->labels[0].series, 26U);
  EXPECT_EQ(census->labels[0].values, 5U);
  EXPECT_EQ(census->labels[1].values, 4U);
  ASSERT_EQ(census->pairs.size(), 3U);
  EXPECT_EQ(census->pairs[0].name, "host=h0");
  EXPECT_EQ(census->pairs[0].series, 6U);
  EXPECT_EQ(census->pairs[0].columns, 11U);
  EXPECT_EQ(census->source_label, "host");
  ASSERT_EQ(census->sources.size(), 3U);
  EXPECT_EQ(census->sources[0].name, "h0");
  EXPECT_EQ(census->sources[0].series, 6U);
  const std::string json = ToJson(*census, "db", 100);
  EXPECT_NE(json.find(R"("seriesLimit":100)"), std::string::npos);
  EXPECT_NE(json.find(R"({"name":"host","values":5,"series":26,)"), std::string::npos) << json;
  const auto by_cpu = TakeCensus(*store_, "db", {.limit = 1, .source_label = "cpu"});
  ASSERT_TRUE(by_cpu.ok());
  ASSERT_EQ(by_cpu->sources.size(), 1U);
  EXPECT_EQ(by_cpu->sources[0].name, "c0");
}

TEST_F(Census, FindsWhatIsHeavyAmongVeryManyNames) {
  model::BatchBuilder batch;
  for (int i = 0; i < 150'000; ++i) {
    batch.Row("request", {{"id", fmt::format("{}", i)}, {"host", i % 3 == 0 ? "busy" : "idle"}}, {i})
        .Field("value", 1.0);
    if (i % 10'000 == 9'999) Write(&batch);
  }
  const auto census = TakeCensus(*store_, "db", {.limit = 2});
  ASSERT_TRUE(census.ok()) << census.error().message;
  EXPECT_EQ(census->series, 150'000U);
  EXPECT_GT(census->missed_below, 0U);
  EXPECT_LT(census->missed_below, 10U);
  ASSERT_EQ(census->pairs.size(), 2U);
  EXPECT_EQ(census->pairs[0].name, "host=idle");
  EXPECT_EQ(census->pairs[0].series, 100'000U);
  EXPECT_EQ(census->pairs[1].series, 50'000U);
  for (const CensusRow& label : census->labels) {
    if (label.name != "id") continue;
    EXPECT_NEAR(static_cast<double>(label.values), 150'000, 150'000 * 0.06);
  }
}

TEST_F(Census, StopsWhenItIsToldTo) {
  model::BatchBuilder batch;
  batch.Row("m", {}, {1}).Field("value", 1.0);
  Write(&batch);
  const auto stopped =
      TakeCensus(*store_, "db", {.look = []() -> Status { return MakeError(ErrorCode::kCancelled, "stopped"); }});
  ASSERT_FALSE(stopped.ok());
  EXPECT_EQ(stopped.error().code, ErrorCode::kCancelled);
  EXPECT_EQ(TakeCensus(*store_, "none", {}).error().code, ErrorCode::kNotFound);
}

TEST(HeavyCounts, NoNameThatComesOftenIsMissed) {
  HeavyCounts counts(10);
  for (int i = 0; i < 1000; ++i) {
    counts.Add("often");
    counts.Add(std::to_string(i));
  }
  EXPECT_EQ(counts.Top(1), std::vector<std::string>{"often"});
  EXPECT_LE(counts.CountOf("often"), 1000U);
  EXPECT_GE(counts.CountOf("often") + counts.error(), 1000U);
}

TEST(DistinctCount, IsExactForFewAndCloseForMany) {
  DistinctCount count;
  for (int i = 0; i < 4'000; ++i) count.Add(std::to_string(i % 2'000));
  EXPECT_EQ(count.count(), 2'000U);
  EXPECT_TRUE(count.exact());
  for (int i = 0; i < 1'000'000; ++i) count.Add(std::to_string(i));
  EXPECT_FALSE(count.exact());
  EXPECT_NEAR(static_cast<double>(count.count()), 1e6, 1e6 * 0.06);
}

}  // namespace
}  // namespace tidemark::cardinality

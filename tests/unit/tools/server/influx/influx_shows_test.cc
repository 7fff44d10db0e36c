#include "tools/server/influx/influx_shows.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <cstdint>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "query/influxql/parser.h"
#include "storage/base/clock.h"
#include "storage/model/batch.h"
#include "storage/storage.h"
#include "tests/temp_directory.h"
#include "tools/server/influx/influx_service.h"

namespace tidemark::server {
namespace {

using testing::HasSubstr;
using testing::Not;

constexpr int64_t kNow = 1'700'000'000'000'000'000;
constexpr int kHosts = 5'000;

// Notes what it is told, and ends the work at a bound.
class NotingWatch final : public query::names::NamesWatch {
 public:
  explicit NotingWatch(uint64_t bytes_max = UINT64_MAX) : bytes_max_(bytes_max) {}
  Status Look(uint64_t held_bytes) override {
    ++looks;
    most_bytes = std::max(most_bytes, held_bytes);
    return held_bytes <= bytes_max_ ? Status() : LimitExceeded("too much");
  }
  [[nodiscard]] size_t series_max() const override { return 0; }

  uint64_t looks = 0;
  uint64_t most_bytes = 0;

 private:
  const uint64_t bytes_max_;
};

class InfluxShowsTest : public ::testing::Test {
 protected:
  void SetUp() override {
    storage::StoreOptions options;
    options.directory = directory_.path() + "/data";
    options.clock = &clock_;
    options.background = false;
    auto opened = storage::Store::Open(std::move(options));
    ASSERT_TRUE(opened.ok()) << opened.error().message;
    store_ = std::move(opened).value();
    model::BatchBuilder builder;
    for (int i = 0; i < kHosts; ++i) {
      const std::string host = "h" + std::to_string(10'000 + (i * 7) % kHosts);
      builder.Row("cpu", {{"host", host}}, {kNow}).Field("a", 1.0).Field("b", 2.0);
    }
    builder.Row("mem", {{"host", "x"}}, {kNow}).Field("free", 1.0);
    ASSERT_TRUE(store_->Write("", builder.batch()).ok());
    auto view = store_->OpenView("");
    ASSERT_TRUE(view.ok());
    view_ = *view;
  }

  Result<std::string> Show(const std::string& text, NotingWatch* watch) {
    const auto statements = query::influxql::Parse(text, kNow);
    EXPECT_TRUE(statements.ok()) << statements.error().message;
    const query::influxql::Statement& statement = statements->at(0);
    if (const auto* show = std::get_if<query::influxql::ShowSeries>(&statement))
      return ShowSeries(*view_, *show, watch);
    if (const auto* show = std::get_if<query::influxql::ShowMeasurements>(&statement)) {
      return ShowMeasurements(*view_, *show, watch);
    }
    return ShowKeys(*view_, std::get<query::influxql::ShowKeys>(statement), watch);
  }

  TempDirectory directory_;
  ManualClock clock_{kNow};
  std::unique_ptr<storage::Store> store_;
  std::shared_ptr<const storage::View> view_;
};

TEST_F(InfluxShowsTest, ALimitIsOfTheFirstKeysAndHoldsOnlyThose) {
  NotingWatch all;
  ASSERT_TRUE(Show("SHOW SERIES", &all).ok());
  NotingWatch some;
  const auto shown = Show("SHOW SERIES LIMIT 2 OFFSET 1", &some);
  ASSERT_TRUE(shown.ok()) << shown.error().message;
  EXPECT_EQ(*shown, R"("series":[{"columns":["key"],"values":[["cpu,host=h10001"],["cpu,host=h10002"]]}])");
  // What it holds are the series that are looked at, two fields each, and not their keys.
  EXPECT_LT(some.most_bytes, all.most_bytes / 2);
}

TEST_F(InfluxShowsTest, ALimitGoesOnInTheNextMeasurement) {
  NotingWatch watch;
  const auto shown = Show("SHOW SERIES LIMIT 2 OFFSET 4999", &watch);
  ASSERT_TRUE(shown.ok()) << shown.error().message;
  EXPECT_EQ(*shown, R"("series":[{"columns":["key"],"values":[["cpu,host=h14999"],["mem,host=x"]]}])");
}

TEST_F(InfluxShowsTest, SeriesAreCountedOnceWhateverTheirFields) {
  NotingWatch watch;
  const auto shown = Show("SHOW SERIES EXACT CARDINALITY FROM cpu", &watch);
  ASSERT_TRUE(shown.ok()) << shown.error().message;
  EXPECT_THAT(*shown, HasSubstr(R"("values":[[5000]])"));
}

// `cpu` with `user` and `cpu_user` with `value` are one metric and two measurements.
TEST_F(InfluxShowsTest, SeriesAreOfTheirOwnMeasurementHoweverTheirMetricsAreSpelled) {
  model::BatchBuilder builder;
  builder.Row("cpu", {}, {kNow}).Field("user", 1.0);
  builder.Row("cpu_user", {}, {kNow}).Field("value", 2.0);
  ASSERT_TRUE(store_->Write("alike", builder.batch()).ok());
  view_ = store_->OpenView("alike").value();
  NotingWatch watch;
  EXPECT_EQ(Show("SHOW SERIES", &watch).value(), R"("series":[{"columns":["key"],"values":[["cpu"],["cpu_user"]]}])");
  EXPECT_EQ(Show("SHOW SERIES LIMIT 1 OFFSET 1", &watch).value(),
            R"("series":[{"columns":["key"],"values":[["cpu_user"]]}])");
  EXPECT_THAT(Show("SHOW SERIES CARDINALITY", &watch).value(), HasSubstr(R"("values":[[2]])"));
}

TEST_F(InfluxShowsTest, TagsAreOfTheirOwnMeasurementHoweverItsMetricsAreSpelled) {
  model::BatchBuilder builder;
  builder.Row("cpu", {{"host", "a"}, {"dc", "x"}}, {kNow}).Field("user", 1.0).Field("idle", 1.0);
  builder.Row("cpu_user", {{"rack", "r1"}, {"dc", "y"}}, {kNow}).Field("value", 2.0);
  ASSERT_TRUE(store_->Write("alike", builder.batch()).ok());
  view_ = store_->OpenView("alike").value();
  NotingWatch watch;
  EXPECT_THAT(Show("SHOW TAG KEYS FROM cpu", &watch).value(), HasSubstr(R"("values":[["dc"],["host"]])"));
  EXPECT_THAT(Show("SHOW TAG KEYS FROM cpu_user", &watch).value(), HasSubstr(R"("values":[["dc"],["rack"]])"));
  EXPECT_THAT(Show("SHOW TAG VALUES FROM cpu WITH KEY = dc", &watch).value(), HasSubstr(R"("values":[["dc","x"]])"));
  EXPECT_THAT(Show("SHOW TAG VALUES FROM cpu_user WITH KEY IN (dc, rack)", &watch).value(),
              HasSubstr(R"("values":[["dc","y"],["rack","r1"]])"));
  EXPECT_EQ(Show("SHOW TAG VALUES FROM cpu WITH KEY = rack", &watch).value().find("r1"), std::string::npos);
  EXPECT_THAT(Show("SHOW TAG KEYS FROM cpu WHERE rack = 'r1'", &watch).value(), Not(HasSubstr("tagKey")));
}

TEST_F(InfluxShowsTest, NamesGoWithTheirLastRow) {
  model::BatchBuilder builder;
  builder.Row("mem", {{"host", "a"}}, {kNow}).Field("used", 1.0);
  builder.Row("mem", {{"host", "b"}}, {kNow}).Field("free", 1.0);
  builder.Row("disk", {{"host", "a"}}, {kNow}).Field("used", 1.0);
  ASSERT_TRUE(store_->Write("less", builder.batch()).ok());
  storage::DeleteRequest of_a;
  of_a.selectors = {{{model::MatchOp::kEqual, "host", "a"}}};
  ASSERT_TRUE(store_->Delete("less", of_a).ok());
  view_ = store_->OpenView("less").value();
  NotingWatch watch;
  EXPECT_EQ(Show("SHOW MEASUREMENTS", &watch).value(),
            R"("series":[{"name":"measurements","columns":["name"],"values":[["mem"]]}])");
  EXPECT_EQ(Show("SHOW FIELD KEYS", &watch).value(),
            R"("series":[{"name":"mem","columns":["fieldKey","fieldType"],"values":[["free","float"]]}])");
  EXPECT_THAT(Show("SHOW MEASUREMENT CARDINALITY", &watch).value(), HasSubstr(R"("values":[[1]])"));
}

TEST_F(InfluxShowsTest, TheWatchEndsEachOfThem) {
  for (const char* text : {"SHOW SERIES", "SHOW TAG VALUES WITH KEY = host", "SHOW SERIES CARDINALITY"}) {
    NotingWatch watch(10'000);
    const auto shown = Show(text, &watch);
    ASSERT_FALSE(shown.ok()) << text;
    EXPECT_EQ(shown.error().message, "too much") << text;
  }
}

TEST_F(InfluxShowsTest, AMeasurementIsFoundByItsFirstSeries) {
  NotingWatch watch(10'000);
  const auto shown = Show("SHOW MEASUREMENTS WHERE host =~ /h1/", &watch);
  ASSERT_TRUE(shown.ok()) << shown.error().message;
  EXPECT_THAT(*shown, HasSubstr(R"([["cpu"]])"));
  EXPECT_LT(watch.most_bytes, 1'000U);
}

// Where lists are too long to be sorted, their pages have all of it, each once, and hold only what they show.
TEST_F(InfluxShowsTest, PagesOfALargeMeasurementFollowEachOther) {
  constexpr int kMany = 12'000;
  model::BatchBuilder builder;
  for (int i = 0; i < kMany; ++i) {
    const std::string host = "h" + std::to_string(100'000 + (i * 7) % kMany);
    builder.Row("big", {{"host", host}}, {kNow}).Field("a", 1.0).Field("b", 2.0);
  }
  ASSERT_TRUE(store_->Write("", builder.batch()).ok());
  view_ = *store_->OpenView("");
  for (const std::string text :
       {"SHOW SERIES FROM big", "SHOW TAG VALUES FROM big WITH KEY = host WHERE host =~ /h1/"}) {
    std::set<std::string> hosts;
    for (int page = 0; page < 4; ++page) {
      NotingWatch watch;
      const auto shown = Show(text + " LIMIT 50 OFFSET " + std::to_string(50 * page), &watch);
      ASSERT_TRUE(shown.ok()) << shown.error().message;
      EXPECT_LT(watch.most_bytes, 100'000U) << text;
      std::vector<std::string> here;
      for (size_t at = shown->find("h1"); at != std::string::npos; at = shown->find("h1", at + 1)) {
        here.push_back(shown->substr(at, 7));
      }
      EXPECT_EQ(here.size(), 50U) << *shown;
      EXPECT_TRUE(std::ranges::is_sorted(here));
      hosts.insert(here.begin(), here.end());
    }
    EXPECT_EQ(hosts.size(), 200U) << text;
  }
}

TEST_F(InfluxShowsTest, TagValuesStopAtTheirLimit) {
  NotingWatch watch;
  const auto shown = Show("SHOW TAG VALUES FROM cpu WITH KEY = host LIMIT 2 OFFSET 1", &watch);
  ASSERT_TRUE(shown.ok()) << shown.error().message;
  EXPECT_THAT(*shown, HasSubstr(R"("values":[["host","h10001"],["host","h10002"]])"));
}

class NotedAnswer final : public http::LateAnswer {
 public:
  void AnswerAt(int64_t deadline, http::Response response) override {
    ++times;
    deadline_ns = deadline;
    late = std::move(response);
  }
  int times = 0;
  int64_t deadline_ns = 0;
  http::Response late;
};

// Many statements have one deadline; what changes something is not said to have failed because it takes long.
TEST_F(InfluxShowsTest, ARequestThatReadsIsAnsweredAtItsDeadline) {
  const InfluxService service(store_.get(), nullptr, &clock_, {}, "1", {}, [] { return int64_t{42}; });
  const auto ask = [&](std::string_view statements) {
    NotedAnswer late;
    http::Request request;
    request.method = http::Method::kPost;
    request.params.Add("q", std::string(statements));
    request.params.Add("db", "default");
    request.late = &late;
    EXPECT_EQ(service.Query(request).status, 200);
    return late;
  };
  const NotedAnswer read = ask("SHOW SERIES LIMIT 1; SHOW MEASUREMENTS LIMIT 1");
  EXPECT_EQ(read.times, 1);
  EXPECT_EQ(read.deadline_ns, 42);
  EXPECT_EQ(read.late.status, 503);
  EXPECT_THAT(read.late.body, HasSubstr("timed out"));
  EXPECT_EQ(ask("SHOW SERIES LIMIT 1; DELETE FROM mem").times, 0);
}

}  // namespace
}  // namespace tidemark::server

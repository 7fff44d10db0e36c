#include "tools/cli/query/no_series.h"

#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace tidemark::cli {
namespace {

constexpr int64_t kNow = 1'700'000'000'000;

// A server with two databases and the metric cpu_usage of host a, whose newest row is `age_s` old.
class FakeServer {
 public:
  Result<std::string> Ask(std::string_view path,
                          const std::vector<std::pair<std::string, std::string>>& parameters) const {
    if (away) return MakeError(ErrorCode::kUnavailable, "away");
    std::string what;
    for (const auto& [name, value] : parameters) {
      if (name == "query" || name == "match[]") what = value;
    }
    if (path == "/query") {
      return std::string(R"({"results":[{"series":[{"values":[["default"],["metrics"]]}]}]})");
    }
    if (path == "/api/v1/series") {
      const bool there = what == R"({__name__="cpu_usage"})" || what == R"({host="a",__name__="cpu_usage"})";
      return std::string(there ? R"({"status":"success","data":[{"__name__":"cpu_usage"}]})"
                               : R"({"status":"success","data":[]})");
    }
    if (path == "/api/v1/label/__name__/values") {
      return std::string(R"({"status":"success","data":["cpu_usage","mem_used"]})");
    }
    if (age_s < 0) return std::string(R"({"status":"success","data":{"resultType":"vector","result":[]}})");
    return std::string(R"({"status":"success","data":{"resultType":"vector","result":[{"metric":{},"value":[1,")" +
                       std::to_string(kNow / 1000 - age_s) + R"("]}]}})");
  }
  bool away = false;
  int64_t age_s = 0;
};

EmptyReason Why(FakeServer& server, std::string_view expression, std::string_view database = "metrics",
                int64_t start_ms = kNow) {
  return WhyNoSeries([&](std::string_view path, const auto& parameters) { return server.Ask(path, parameters); },
                     {.expression = expression, .database = database, .start_ms = start_ms, .end_ms = kNow});
}

TEST(NoSeries, WhatIsNotThereIsNamedWithWhatIsNear) {
  FakeServer server;
  EmptyReason reason = Why(server, "up", "metrcis");
  EXPECT_EQ(reason.text, R"(there is no database "metrcis": did you mean "metrics"?)");
  EXPECT_TRUE(reason.absent);
  EXPECT_EQ(Why(server, "up", "zzzzzzzz").text, R"(there is no database "zzzzzzzz")");
  reason = Why(server, "sum(rate(cpu_usgae[5m]))");
  EXPECT_EQ(reason.text, R"(there is no metric "cpu_usgae": did you mean "cpu_usage"?)");
  EXPECT_TRUE(reason.absent);
  reason = Why(server, R"(cpu_usage{host="b"})");
  EXPECT_EQ(reason.text, R"(no series of cpu_usage has these labels: {host="b",__name__="cpu_usage"})");
  EXPECT_TRUE(reason.absent);
  EXPECT_EQ(Why(server, R"({host=~"c.*"})").text, R"(no series is selected by {host=~"c.*"})");
}

TEST(NoSeries, WhatIsOlderIsThere) {
  FakeServer server;
  server.age_s = 24 * 60;
  EmptyReason reason = Why(server, R"(cpu_usage{host="a"})", "");
  EXPECT_EQ(reason.text, "cpu_usage has nothing in the last 5 min; its newest row is 24 min old: --start -1h shows it");
  EXPECT_FALSE(reason.absent);
  server.age_s = 3 * 3600;
  EXPECT_NE(Why(server, "cpu_usage").text.find("3 h old: --start -1d"), std::string::npos);
  EXPECT_NE(Why(server, "cpu_usage", "", kNow - 3'600'000).text.find("nothing in that time"), std::string::npos);
  server.age_s = -1;
  reason = Why(server, "cpu_usage");
  EXPECT_NE(reason.text.find("none in the day before"), std::string::npos) << reason.text;
  EXPECT_FALSE(reason.absent);
}

TEST(NoSeries, NothingIsSaidThatIsNotKnown) {
  FakeServer server;
  // There are rows: a condition left none of them.
  EXPECT_EQ(Why(server, "cpu_usage > 1e9").text, "");
  EXPECT_EQ(Why(server, "vector(1) > 2").text, "");
  EXPECT_EQ(Why(server, "sum(").text, "");
  server.away = true;
  const EmptyReason reason = Why(server, "nosuch");
  EXPECT_EQ(reason.text, "");
  EXPECT_FALSE(reason.absent);
}

}  // namespace
}  // namespace tidemark::cli

#include "query/api/event_tap.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "storage/model/batch.h"
#include "tests/unit/query/api/memory_store.h"

namespace tidemark::query::api {
namespace {

TEST(EventTap, ShowsNewStringsToThoseWhoAsk) {
  MemoryStore store;
  EventTap tap(&store);
  std::vector<std::string> seen;
  bool alive = true;
  ASSERT_TRUE(tap.Follow(
                     {.database = "db",
                      .matchers = {{{model::MatchOp::kRegex, "host", "a|b"}}},
                      .filter = storage::SeriesFilter::Everything()},
                     [&seen](const Event& event) {
                       std::string json;
                       AppendEventJson(&json, event);
                       seen.push_back(json);
                       return true;
                     },
                     [&alive] { return alive; })
                  .ok());
  model::BatchBuilder rows;
  rows.Row("log", {{"host", "a"}}, model::Timestamp{1}).Field("text", "one").Field("n", int64_t{1});
  rows.Row("log", {{"host", "c"}}, model::Timestamp{1}).Field("text", "two");
  ASSERT_TRUE(tap.Write("db", rows.batch()).ok());
  ASSERT_TRUE(tap.Write("other", rows.batch()).ok());
  ASSERT_EQ(seen.size(), 1U);
  EXPECT_EQ(seen[0], R"({"time":0,"time_ns":"1","labels":{"__name__":"log_text","host":"a"},"text":"one"})");
  store.fail_with.message = "disk";
  EXPECT_FALSE(tap.Write("db", rows.batch()).ok());
  EXPECT_EQ(seen.size(), 1U);
  store.fail_with.message.clear();
  alive = false;
  ASSERT_TRUE(tap.Write("db", rows.batch()).ok());
  EXPECT_EQ(seen.size(), 1U);
  EXPECT_EQ(tap.followers(), 0U);
}

TEST(EventTap, RefusesBadMatchers) {
  MemoryStore store;
  EventTap tap(&store);
  const Status following = tap.Follow(
      {.database = "",
       .matchers = {{{model::MatchOp::kRegex, "host", "("}}},
       .filter = storage::SeriesFilter::Everything()},
      [](const Event&) { return true; }, [] { return true; });
  EXPECT_EQ(following.error().code, ErrorCode::kInvalidArgument);
}

}  // namespace
}  // namespace tidemark::query::api

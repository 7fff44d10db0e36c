#include "query/notify/silences.h"

#include <gtest/gtest.h>

namespace tidemark::query::notify {
namespace {

constexpr int64_t kSecond = 1'000'000'000;

class SilencesTest : public ::testing::Test {
 protected:
  Silences silences{{.retention_ns = 100 * kSecond, .count_max = 3, .length_max_ns = 1000 * kSecond, .new_id = [this] {
                       return "id" + std::to_string(++ids);
                     }}};
  int ids = 0;

  static Silence Make(int64_t from_s, int64_t to_s, const char* matchers = "a=b", const char* id = "") {
    return {.id = id,
            .matchers = *ParseMatchers(matchers),
            .starts_at_ns = from_s * kSecond,
            .ends_at_ns = to_s * kSecond,
            .created_by = "ada",
            .comment = "why"};
  }
  std::string Set(Silence silence, int64_t now_s) {
    const Result<std::string> id = silences.Set(std::move(silence), now_s * kSecond);
    return id.ok() ? *id : "! " + id.error().message;
  }
};

TEST_F(SilencesTest, SilencesFromItsStartUpToItsEnd) {
  EXPECT_EQ(Set(Make(10, 20), 5), "id1");
  const model::Labels labels{{"a", "b"}};
  EXPECT_TRUE(silences.Silencing(labels, 9 * kSecond).empty());
  EXPECT_EQ(silences.Silencing(labels, 10 * kSecond), std::vector<std::string>{"id1"});
  EXPECT_TRUE(silences.Silencing(labels, 20 * kSecond).empty());
  EXPECT_TRUE(silences.Silencing({{"a", "c"}}, 15 * kSecond).empty());
  EXPECT_EQ(silences.TakeChanged(), std::set<std::string>{"id1"});
  EXPECT_TRUE(silences.TakeChanged().empty());
}

TEST_F(SilencesTest, AStartInThePastIsNow) {
  Set(Make(1, 20), 5);
  EXPECT_EQ(silences.Find("id1")->starts_at_ns, 5 * kSecond);
}

TEST_F(SilencesTest, AChangeKeepsTheIdOrEndsTheOldOne) {
  Set(Make(5, 20), 5);
  // A later end: the same. Another start: a new one, and the old one ends.
  EXPECT_EQ(Set(Make(5, 30, "a=b", "id1"), 6), "id1");
  EXPECT_EQ(Set(Make(8, 30, "a=b", "id1"), 6), "id2");
  EXPECT_EQ(silences.Find("id1")->ends_at_ns, 6 * kSecond);
  EXPECT_EQ(StateOf(*silences.Find("id2"), 6 * kSecond), SilenceState::kPending);
  // One that waits may be moved.
  EXPECT_EQ(Set(Make(9, 40, "a=b", "id2"), 7), "id2");
  // Other matchers never keep it.
  EXPECT_EQ(Set(Make(9, 40, "a=c", "id2"), 7), "id3");
  EXPECT_EQ(Set(Make(9, 40, "a=c", "nobody"), 7), "! silence not found");
}

TEST_F(SilencesTest, ARefusedChangeLeavesTheOldOne) {
  Set(Make(5, 20), 5);
  EXPECT_EQ(Set(Make(5, 20, "a=~\".*\"", "id1"), 6), "! at least one matcher must not match the empty string");
  EXPECT_EQ(silences.Find("id1")->ends_at_ns, 20 * kSecond);
}

TEST_F(SilencesTest, WhatIsRefused) {
  EXPECT_EQ(Set(Make(5, 20, ""), 5), "! at least one matcher required");
  EXPECT_EQ(Set(Make(5, 20, "a="), 5), "! at least one matcher must not match the empty string");
  EXPECT_EQ(Set(Make(5, 20, "a!=b"), 5), "id1");
  EXPECT_EQ(Set(Make(5, 2000), 5).substr(0, 23), "! a silence lasts at mo");
  Set(Make(5, 20), 5);
  Set(Make(5, 20), 5);
  EXPECT_EQ(Set(Make(5, 20), 5), "! there are 3 silences, and more are not kept: let some expire");
  // After the retention there is room again.
  silences.Collect(121 * kSecond);
  EXPECT_EQ(Set(Make(130, 140), 121), "id4");
  EXPECT_EQ(silences.Find("id1"), nullptr);
}

TEST_F(SilencesTest, ExpireAndTheOrderOfTheList) {
  Set(Make(5, 20, "a=1"), 5);
  Set(Make(10, 20, "a=2"), 5);
  Set(Make(5, 15, "a=3"), 5);
  std::string order;
  for (const Silence& silence : silences.List(6 * kSecond)) order += silence.id;
  EXPECT_EQ(order, "id3id1id2");
  EXPECT_TRUE(silences.Expire("id2", 6 * kSecond).ok());
  EXPECT_EQ(silences.Find("id2")->starts_at_ns, 6 * kSecond);
  EXPECT_TRUE(silences.Expire("id2", 7 * kSecond).ok());
  EXPECT_EQ(silences.Find("id2")->ends_at_ns, 6 * kSecond);
  EXPECT_EQ(silences.Expire("x", 7 * kSecond).error().code, ErrorCode::kNotFound);
}

}  // namespace
}  // namespace tidemark::query::notify

// What rules of a group say is written together, unless one reads it.
#include "query/rules/reads.h"

#include <gtest/gtest.h>

#include "tests/unit/query/rules/manager_fixture.h"

namespace tidemark::query::rules {
namespace {

std::string Names(const std::string& rule) {
  const auto group = ParseRuleGroup("name: g\nrules:\n- " + rule, "f");
  EXPECT_TRUE(group.ok()) << group.error().message;
  const Reads reads = ReadsOf(group->rules[0]);
  std::string out = reads.anything ? "anything;" : "";
  for (const std::string& name : reads.names) out += name + ";";
  return out;
}

TEST(Reads, AreTheNamesOfAllSelectors) {
  EXPECT_EQ(Names("{record: x, expr: 'a + on (i) sum by (i) (rate(b[5m])) - -(c offset 1m)'}"), "a;b;c;");
  EXPECT_EQ(Names("{record: x, expr: 'topk(scalar(k), max_over_time((a > 1)[5m:1m]))'}"), "a;k;");
  EXPECT_EQ(Names("{record: x, expr: 'clamp_max({__name__=\"a\"}, scalar(m))'}"), "a;m;");
  EXPECT_EQ(Names("{record: x, expr: '{__name__=~\"a.*\"}'}"), "anything;");
  EXPECT_EQ(Names("{record: x, expr: '{job=\"a\"} + b'}"), "anything;b;");
  EXPECT_EQ(Names("{record: x, expr: vector(1)}"), "");
  EXPECT_EQ(Names("{alert: A, expr: a > 1, recover: b < 1}"), "a;b;");
  EXPECT_EQ(Names("{alert: A, expr: a > 1, annotations: {s: '{{ query \"z\" }}'}}"), "anything;a;");
  EXPECT_EQ(Names("{alert: A, expr: a > 1, annotations: {s: 'query {{ $value }} no'}}"), "anything;a;") << "rather so";
}

class TogetherTest : public ManagerTest {
 protected:
  // Calls of the store's Write by one evaluation.
  size_t WritesOf(const std::string& rules) {
    Load("groups:\n- name: g\n  interval: 1m\n  rules:\n" + rules);
    Up(0, 1);
    // What is known of before a restart has been read.
    manager_.RunDue();
    clock_.Advance(kMinute * 1'000'000);
    Up(0, 1);
    const size_t before = store_.writes;
    manager_.RunDue();
    return store_.writes - before;
  }
};

TEST_F(TogetherTest, RulesThatDoNotReadEachOtherAreOneWrite) {
  EXPECT_EQ(WritesOf("  - {record: a, expr: sum(up)}\n  - {record: b, expr: max(up)}\n  - {alert: D, expr: up == 0}\n"),
            1U);
}

TEST_F(TogetherTest, ARuleSeesWhatThoseBeforeHaveSaid) {
  EXPECT_EQ(WritesOf("  - {record: a, expr: sum(up)}\n  - {record: b, expr: a * 2}\n  - {record: c, expr: a + b}\n"),
            3U);
  EXPECT_EQ(Rows({{"__name__", "c"}}).rbegin()->second.first, 3);
  EXPECT_EQ(WritesOf("  - {alert: D, expr: up == 0}\n  - {record: n, expr: count(ALERTS)}\n"), 2U);
  EXPECT_EQ(Rows({{"__name__", "n"}}).rbegin()->second.first, 1);
}

TEST_F(TogetherTest, DatabasesAreWrittenByThemselves) {
  EXPECT_EQ(
      WritesOf(
          "  - {record: a, expr: sum(up)}\n  - {record: b, expr: sum(up), into: o}\n  - {record: c, expr: sum(up)}\n"),
      2U);
}

TEST_F(TogetherTest, ARuleThatIsRefusedIsAloneInThat) {
  store_.reject_with = MakeError(ErrorCode::kConflict, "it is another type");
  WritesOf("  - {record: a, expr: sum(up)}\n  - {record: rejected, expr: sum(up)}\n  - {record: b, expr: sum(up)}\n");
  const GroupStatus group = manager_.Status().groups[0];
  EXPECT_EQ(group.rules[0].health, "ok");
  EXPECT_EQ(group.rules[1].last_error, "1 results were refused: it is another type");
  EXPECT_EQ(group.rules[2].health, "ok");
  EXPECT_EQ(Rows({{"__name__", "b"}}).size(), 2U);
}

}  // namespace
}  // namespace tidemark::query::rules

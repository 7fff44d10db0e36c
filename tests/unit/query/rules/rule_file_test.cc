#include "query/rules/rule_file.h"

#include <gtest/gtest.h>

namespace tidemark::query::rules {
namespace {

constexpr const char* kFile = R"(groups:
  - name: nodes
    interval: 30s
    limit: 10
    labels: {team: infra}
    rules:
      - record: job:up:sum
        expr: sum by (job) (up)
        labels: {kind: sum, team: other}
      - alert: Down
        expr: up == 0
        for: 5m
        keep_firing_for: 1m
        labels: {severity: page}
        annotations:
          summary: "{{ $labels.job }} is down: {{ $value }}"
  - name: empty
)";

TEST(ParseRuleFile, ReadsPrometheusFiles) {
  const auto groups = ParseRuleFile(kFile, "a.yml");
  ASSERT_TRUE(groups.ok()) << groups.error().message;
  ASSERT_EQ(groups->size(), 2U);
  const Group& group = groups->front();
  EXPECT_EQ(group.name, "nodes");
  EXPECT_EQ(group.interval_ms, 30'000);
  EXPECT_EQ(group.limit, 10U);
  ASSERT_EQ(group.rules.size(), 2U);
  EXPECT_FALSE(group.rules[0].alerting);
  ASSERT_EQ(group.rules[0].labels.size(), 2U);
  EXPECT_EQ(group.rules[0].labels[1].text, "other");  // the rule's own wins over the group's
  EXPECT_TRUE(group.rules[1].alerting);
  EXPECT_EQ(group.rules[1].for_ms, 300'000);
  EXPECT_EQ(group.rules[1].keep_firing_for_ms, 60'000);
  ASSERT_EQ(group.rules[1].labels.size(), 2U);
  EXPECT_EQ(group.rules[1].labels[1].name, "team");
  EXPECT_TRUE((*groups)[1].rules.empty());
}

TEST(ParseRuleFile, NamesEveryFaultWithItsPlace) {
  const std::pair<const char*, const char*> cases[] = {
      {"groups:\n  - name: a\n    rules:\n      - record: x\n        expr: sum(\n",
       "f:5:15: could not parse expression: "},
      {"groups:\n  - name: a\n    colour: red\n", "f:3:5: unknown key \"colour\" in a group"},
      {"groups:\n  - rules: []\n", "f:2:5: a group needs a name"},
      {"groups:\n  - name: a\n  - name: a\n", "f:3:5: groupname: \"a\" is repeated in the same file"},
      {"groups:\n  - name: a\n    rules:\n      - expr: up\n", "f:4:9: one of 'record' or 'alert' must be set"},
      {"groups:\n  - name: a\n    rules:\n      - {record: x, alert: y, expr: up}\n",
       "f:4:9: only one of 'record' and 'alert' must be set"},
      {"groups:\n  - name: a\n    rules:\n      - {alert: y}\n", "f:4:9: field 'expr' must be set in rule"},
      {"groups:\n  - name: a\n    rules:\n      - {alert: y, expr: up, for: soon}\n",
       "f:4:35: for: not a valid duration string: \"soon\""},
      {"groups:\n  - name: a\n    rules:\n      - {alert: y, expr: up, for: ''}\n",
       "for: not a valid duration string: \"\""},
      {"groups:\n  - name: a\n    interval: [1]\n", "f:3:15: interval must be a text"},
      {"groups:\n  - name: a\n    rules:\n      - {record: y, expr: up, for: 5m}\n",
       "f:4:36: invalid field 'for' in recording rule"},
      {"groups:\n  - name: a\n    rules:\n      - {alert: y, expr: 'up[5m]'}\n",
       "f:4:26: the expression must give a scalar or an instant vector"},
      {"groups:\n  - name: a\n    rules:\n      - alert: y\n        expr: up\n        annotations: {s: '{{ $nope "
       "}}'}\n",
       "template: undefined variable \"$nope\""},
      {"groups:\n  - name: a\n    rules:\n      - {alert: y, expr: up, labels: {'a b': c}}\n", "invalid name \"a b\""},
      {"groups: {", "f:1:"},
      {"[1]", "f:1:1: a rule file must be a map"},
  };
  for (const auto& [text, fault] : cases) {
    const auto groups = ParseRuleFile(text, "f");
    ASSERT_FALSE(groups.ok()) << text;
    EXPECT_NE(groups.error().message.find(fault), std::string::npos) << text << "\n" << groups.error().message;
  }
}

TEST(ParseRuleFile, RefusesWhatIsNoUtf8) {
  const std::pair<const char*, const char*> cases[] = {
      {"groups:\n  - name: a\xFF\n", "f:2:12: byte 0xFF is not valid UTF-8"},
      {"groups:\n  - name: a\n    rules:\n      - {alert: \xE4, expr: up}\n", "f:4:17: byte 0xE4 is not"},
      {"groups:\n  - name: a\n    rules:\n      - {alert: y, expr: 'up{a=\"\xE4\"}'}\n", "f:4:33: byte 0xE4 is not"},
      {"groups:\n  - name: a\n    labels: {a: \"\xC3\"}\n", "f:3:18: byte 0xC3 is not valid UTF-8"},
      {"groups:\n  - name: a\n    rules:\n      - {alert: y, expr: up, annotations: {a: \xC3}}\n",
       "f:4:47: byte 0xC3 is not"},
  };
  for (const auto& [text, fault] : cases) {
    const auto groups = ParseRuleFile(text, "f");
    ASSERT_FALSE(groups.ok()) << text;
    EXPECT_TRUE(groups.error().message.starts_with(fault)) << groups.error().message;
  }
  const auto group = ParseRuleGroup("name: a\nlabels: {a: \"\xFF\"}\n", "body");
  ASSERT_FALSE(group.ok());
  EXPECT_TRUE(group.error().message.starts_with("body:2:14: byte 0xFF is not valid UTF-8")) << group.error().message;
}

TEST(ParseRuleFile, TakesAnEmptyFile) { EXPECT_TRUE(ParseRuleFile("", "f")->empty()); }

}  // namespace
}  // namespace tidemark::query::rules

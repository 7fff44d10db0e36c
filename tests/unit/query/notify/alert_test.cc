#include "query/notify/alert.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "query/notify/inhibit.h"

namespace tidemark::query::notify {
namespace {

TEST(Fingerprint, IsThatOfAlertmanager) {
  // Asked of Debian's: `curl -d '[{"labels":{"alertname":"Loss","tier":"gold"}}]'`, then GET /api/v2/alerts.
  EXPECT_EQ(FingerprintText(FingerprintOf({{"alertname", "Loss"}, {"tier", "gold"}})), "61bc3119631d065d");
  EXPECT_EQ(FingerprintText(FingerprintOf({{"a", "ä\n\"x"}})), "193596cb3deb2fab");
}

TEST(LabelSet, TextAndOrder) {
  EXPECT_EQ(LabelSetText({}), "{}");
  EXPECT_EQ(LabelSetText({{"a", "x\"y"}, {"b", "z"}}), R"({a="x\"y", b="z"})");
  EXPECT_TRUE(LabelSetBefore({{"z", "1"}}, {{"a", "1"}, {"b", "1"}}));
  EXPECT_TRUE(LabelSetBefore({{"a", "1"}}, {{"a", "2"}}));
  // The one that lacks the first name comes first.
  EXPECT_TRUE(LabelSetBefore({{"b", "1"}}, {{"a", "1"}}));
  EXPECT_FALSE(LabelSetBefore({{"a", "1"}}, {{"b", "1"}}));
}

TEST(AlertOrder, ByJobThenInstance) {
  const Alert none{.labels = {{"a", "1"}}};
  const Alert job{.labels = {{"instance", "9"}, {"job", "b"}}};
  const Alert other{.labels = {{"instance", "1"}, {"job", "c"}}};
  EXPECT_TRUE(AlertBefore(job, other));
  EXPECT_TRUE(AlertBefore(job, none));
  EXPECT_FALSE(AlertBefore(none, job));
}

TEST(CheckAlert, SaysWhatIsWrong) {
  const auto fault = [](const Alert& alert) {
    const Status status = CheckAlert(alert);
    return status.ok() ? "" : status.error().message;
  };
  EXPECT_EQ(fault({.labels = {{"a", "b"}}, .starts_at_ns = 1}), "");
  EXPECT_EQ(fault({.labels = {}}), "at least one label pair required");
  EXPECT_EQ(fault({.labels = {{"a-b", "c"}}}), "invalid label set: invalid name \"a-b\"");
  EXPECT_EQ(fault({.labels = {{"a", "c"}}, .annotations = {{"x", "\xff"}}}),
            "invalid annotations: invalid value \"\\xff\"");
  EXPECT_EQ(fault({.labels = {{"a", "c"}}, .starts_at_ns = 2, .ends_at_ns = 1}), "start time must be before end time");
}

TEST(Merge, KeepsTheEarliestStartAndTheLatestEnd) {
  const Alert old{.starts_at_ns = 10, .ends_at_ns = 100};
  // Told of again with a later start: since when it fires does not change.
  Alert merged = Merge(old, {.starts_at_ns = 50, .ends_at_ns = 120}, 60);
  EXPECT_EQ(merged.starts_at_ns, 10);
  EXPECT_EQ(merged.ends_at_ns, 120);
  // An earlier end than was said before does not count while it fires...
  EXPECT_EQ(Merge(old, {.starts_at_ns = 10, .ends_at_ns = 80}, 60).ends_at_ns, 100);
  // ... unless that was only the timeout, or it is resolved.
  EXPECT_EQ(Merge({.starts_at_ns = 10, .ends_at_ns = 100, .timeout = true}, {.starts_at_ns = 10, .ends_at_ns = 80}, 60)
                .ends_at_ns,
            80);
  EXPECT_EQ(Merge(old, {.starts_at_ns = 10, .ends_at_ns = 60}, 60).ends_at_ns, 60);
  // Without an overlap it is another time that it fires.
  EXPECT_EQ(Merge(old, {.starts_at_ns = 200, .ends_at_ns = 300}, 200).starts_at_ns, 200);
}

TEST(Inhibitor, NotByOneThatIsBothItself) {
  const auto matchers = [](const char* text) { return *ParseMatchers(text); };
  Inhibitor inhibitor({{matchers("severity=~\"page|info\""), matchers("severity=~\"info|warn\""), {"zone", "absent"}}});
  const auto alert = [](const char* severity, const char* zone, int64_t ends = 0) {
    Alert made{.labels = {{"severity", severity}, {"zone", zone}}, .starts_at_ns = 1, .ends_at_ns = ends};
    made.fingerprint = FingerprintOf(made.labels);
    return std::make_shared<const Alert>(made);
  };
  const auto info = alert("info", "a");
  inhibitor.Update(info);
  EXPECT_EQ(inhibitor.InhibitedBy(alert("warn", "a")->labels, 5), info->fingerprint);
  EXPECT_EQ(inhibitor.InhibitedBy(alert("warn", "b")->labels, 5), 0U);
  EXPECT_EQ(inhibitor.InhibitedBy(info->labels, 5), 0U);
  const auto page = alert("page", "a");
  inhibitor.Update(page);
  EXPECT_EQ(inhibitor.InhibitedBy(info->labels, 5), page->fingerprint);
  inhibitor.Update(alert("page", "a", 4));
  EXPECT_EQ(inhibitor.InhibitedBy(info->labels, 5), 0U);
  inhibitor.Forget(info->fingerprint);
  EXPECT_EQ(inhibitor.InhibitedBy(alert("warn", "a")->labels, 5), 0U);
}

TEST(InhibitionCycles, OnlyWhereTwoMayInhibitEachOther) {
  const auto rule = [](const char* source, const char* target) {
    return InhibitRule{.source = *ParseMatchers(source), .target = *ParseMatchers(target), .equal = {}};
  };
  EXPECT_EQ(InhibitionCycles({rule("a=1", "a=2"), rule("a=2", "a=1")}),
            (std::vector<std::pair<size_t, size_t>>{{0, 1}}));
  EXPECT_TRUE(InhibitionCycles({rule("a=1", "a=2"), rule("a=2", "a=3")}).empty());
}

}  // namespace
}  // namespace tidemark::query::notify

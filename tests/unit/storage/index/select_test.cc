// Select, LabelNames and LabelValues against the naive model.
#include <gtest/gtest.h>

#include "tests/unit/storage/index/index_fixture.h"

namespace tidemark::index {
namespace {

std::string Print(const std::vector<model::Matcher>& matchers) {
  std::string out;
  for (const model::Matcher& matcher : matchers) {
    const char* const ops[] = {"=", "!=", "=~", "!~"};
    out += matcher.name + ops[static_cast<int>(matcher.op)] + "\"" + matcher.value + "\" ";
  }
  return out;
}

// All parts of a selection, of random sizes.
std::vector<model::SeriesRef> Parts(const Index& index, const std::vector<model::Matcher>& matchers,
                                    model::PartWanted wanted, RandomNames* names) {
  std::vector<model::SeriesRef> all;
  for (;;) {
    wanted.at_most = 1 + names->Below(50);
    wanted.enough = 1 + names->Below(50);
    const model::SeriesPart part = index.SelectPart(matchers, wanted).value();
    EXPECT_LE(part.refs.size(), wanted.at_most);
    all.insert(all.end(), part.refs.begin(), part.refs.end());
    if (!part.next) return all;
    EXPECT_GE(part.refs.size(), std::min(wanted.at_most, wanted.enough));
    EXPECT_LT(part.refs.back(), *part.next);
    wanted.from = *part.next;
  }
}

// Parts are what a selection has, of the series with other values of a label too, and each series once when asked so.
void ComparePartsWithSelect(const Index& index, const std::vector<model::Matcher>& matchers, bool numeric, bool strings,
                            RandomNames* names) {
  const std::vector<model::SeriesRef> all = index.Select(matchers, numeric, strings, 0).value();
  ASSERT_EQ(Parts(index, matchers, {.numeric = numeric, .strings = strings}, names), all);
  std::set<model::SeriesId> distinct;
  for (const model::SeriesRef ref : all) distinct.insert(ref.series);
  const std::vector<model::SeriesRef> once =
      Parts(index, matchers, {.numeric = numeric, .strings = strings, .once = true}, names);
  ASSERT_EQ(once.size(), distinct.size());
  for (const model::SeriesRef ref : once) {
    ASSERT_TRUE(std::binary_search(all.begin(), all.end(), ref));
    ASSERT_EQ(distinct.erase(ref.series), 1U);
  }
  for (const char* const label : {"region", "__name__", "absent"}) {
    const std::vector<std::string> without =
        names->Pick<std::vector<std::string>>({{}, {"eu", "cpu_user"}, {"us", "up"}});
    std::vector<model::Matcher> more = matchers;
    more.push_back({model::MatchOp::kNotEqual, label, ""});
    for (const std::string& value : without) more.push_back({model::MatchOp::kNotEqual, label, value});
    ASSERT_EQ(
        Parts(index, matchers, {.numeric = numeric, .strings = strings, .label = label, .without = without}, names),
        index.Select(more, numeric, strings, 0).value())
        << label;
  }
}

// `series` random series over `hosts` hosts, matchers tried while the index grows.
void CompareWithModel(uint64_t seed, uint32_t series, uint32_t hosts, uint32_t rounds) {
  SCOPED_TRACE("seed " + std::to_string(seed));
  RandomNames names(seed);
  const auto index = Index::Create({});
  std::set<NaiveSeries> model;
  for (uint32_t round = 0; round < rounds; ++round) {
    for (uint32_t i = 0; i < series / rounds; ++i) {
      const NaiveSeries one = names.Series(hosts);
      model.insert(one);
      WriteSeries(index.get(), one);
    }
    for (int query = 0; query < 40; ++query) {
      std::vector<model::Matcher> matchers(names.Below(4));
      for (model::Matcher& matcher : matchers) matcher = names.Matcher();
      const bool numeric = names.Below(4) != 0;
      const bool strings = !numeric || names.Below(2) == 0;
      SCOPED_TRACE(Print(matchers));
      const std::vector<model::Labels> expected = NaiveSelect(model, matchers, numeric, strings);
      // cpu + usage_user and cpu_usage + user give the same labels: the index keeps both series.
      ASSERT_EQ(SelectLabels(*index, matchers, numeric, strings), expected);

      ComparePartsWithSelect(*index, matchers, numeric, strings, &names);
      std::set<std::string> label_names;
      std::set<std::string> hosts_seen;
      std::set<std::string> metrics;
      for (const model::Labels& labels : NaiveSelect(model, matchers, true, true)) {
        for (const model::Label& label : labels) {
          label_names.insert(label.name);
          if (label.name == "host") hosts_seen.insert(label.value);
          if (label.name == "__name__") metrics.insert(label.value);
        }
      }
      const auto as_vector = [](const std::set<std::string>& set) {
        return std::vector<std::string>(set.begin(), set.end());
      };
      ASSERT_EQ(index->LabelNames(matchers).value(), as_vector(label_names));
      ASSERT_EQ(index->LabelValues("host", matchers).value(), as_vector(hosts_seen));
      ASSERT_EQ(index->LabelValues("__name__", matchers).value(), as_vector(metrics));
      ASSERT_TRUE(index->LabelValues("absent", matchers).value().empty());
    }
  }
}

TEST(SelectTest, AgreesWithTheModelOnFewSeries) {
  for (uint64_t seed = 1; seed <= 20; ++seed) CompareWithModel(seed, 60, 20, 3);
}

TEST(SelectTest, AgreesWithTheModelOnManySeries) { CompareWithModel(100, 12'000, 3'000, 4); }

// Equality on one, two and three labels, each with few or many series.
TEST(SelectTest, WhatEqualityAsksForIsTheCommonPartOfItsSets) {
  const auto index = Index::Create({});
  std::set<NaiveSeries> all;
  for (int i = 0; i < 6'000; ++i) {
    const NaiveSeries series{"m" + std::to_string(i % 3),
                             {{"half", std::to_string(i % 2)},
                              {"some", std::to_string(i % 100)},
                              {"few", std::to_string(i % 1'500)},
                              {"host", std::to_string(i)}},
                             i % 5 == 0 ? "other" : "value"};
    WriteSeries(index.get(), series);
    all.insert(series);
  }
  RandomNames names(3);
  for (int round = 0; round < 100; ++round) {
    const uint32_t i = names.Below(6'000);
    std::vector<model::Matcher> matchers;
    const auto ask = [&](const char* label, const std::string& value) {
      if (names.Below(2) == 0) matchers.push_back({model::MatchOp::kEqual, label, value});
    };
    ask("__name__", "m" + std::to_string(i % 3));
    ask("half", std::to_string((i + (names.Below(8) == 0 ? 1 : 0)) % 2));
    ask("some", std::to_string(i % 100));
    ask("few", std::to_string(i % 1'500));
    if (names.Below(8) == 0) ask("host", std::to_string(i));
    ASSERT_EQ(SelectLabels(*index, matchers), NaiveSelect(all, matchers, true, true)) << Print(matchers);
  }
}

TEST(SelectTest, SortsByFieldThenSeries) {
  const auto index = Index::Create({});
  RandomNames names(7);
  for (int i = 0; i < 500; ++i) WriteSeries(index.get(), names.Series(50));
  const auto refs = index->Select({}, true, true, 0).value();
  ASSERT_GT(refs.size(), 100U);
  EXPECT_TRUE(std::is_sorted(refs.begin(), refs.end()));
  EXPECT_EQ(std::adjacent_find(refs.begin(), refs.end()), refs.end());
}

// A part of the first few of very many series looks at these: what an expression that nobody has asked before costs.
TEST(SelectTest, APartRunsAnExpressionOverItsCandidatesOnly) {
  const auto index = Index::Create({});
  for (int i = 0; i < 40'000; ++i) WriteSeries(index.get(), {"cpu", {{"host", "h" + std::to_string(i)}}, "user"});
  const std::vector<model::Matcher> often = {{model::MatchOp::kRegex, "host", "h.*7"}};
  const model::SeriesPart part = index->SelectPart(often, {.at_most = 10, .enough = 10}).value();
  EXPECT_EQ(part.refs.size(), 10U);
  EXPECT_EQ(part.next, (model::SeriesRef{model::FieldId{1}, model::SeriesId{108}}));
  const uint64_t before = index->Stats().memory_bytes;
  ASSERT_TRUE(index->Select(often, true, true, 0).ok());
  EXPECT_GT(index->Stats().memory_bytes, before + 10'000) << "what all values gave was not known before";
  // Where it matches too seldom for that, it is run over all values, and remembered.
  const std::vector<model::Matcher> seldom = {{model::MatchOp::kRegex, "host", "h(39|38)99.*"}};
  std::vector<std::string> hosts =
      index->LabelValuesOf("host", index->SelectPart(seldom, {.at_most = 30, .enough = 3}).value().refs);
  EXPECT_EQ(hosts.size(), 22U);
}

TEST(SelectTest, OneMetricNameFromTwoMeasurements) {
  const auto index = Index::Create({});
  WriteSeries(index.get(), {"cpu", {{"host", "a"}}, "usage_user"});
  WriteSeries(index.get(), {"cpu_usage", {{"host", "a"}}, "user"});
  WriteSeries(index.get(), {"cpu_usage_user", {{"host", "a"}}, "value"});
  const std::vector<model::Matcher> matchers = {{model::MatchOp::kEqual, "__name__", "cpu_usage_user"}};
  EXPECT_EQ(index->Select(matchers, true, false, 0).value().size(), 3U);
  EXPECT_EQ(index->LabelValues("__name__", {}).value(), std::vector<std::string>{"cpu_usage_user"});
}

TEST(SelectTest, ASeriesWithoutTheFieldIsNotSelected) {
  const auto index = Index::Create({});
  WriteSeries(index.get(), {"cpu", {{"host", "a"}}, "user"});
  WriteSeries(index.get(), {"cpu", {{"host", "b"}}, "system"});
  const std::vector<model::Matcher> matchers = {{model::MatchOp::kEqual, "__name__", "cpu_user"}};
  EXPECT_EQ(SelectLabels(*index, matchers), (std::vector<model::Labels>{{{"__name__", "cpu_user"}, {"host", "a"}}}));
}

TEST(SelectTest, MoreThanMaxSeriesIsRefused) {
  const auto index = Index::Create({});
  for (int i = 0; i < 10; ++i) WriteSeries(index.get(), {"cpu", {{"host", std::to_string(i)}}, "user"});
  EXPECT_EQ(index->Select({}, true, true, 10).value().size(), 10U);
  const auto refused = index->Select({}, true, true, 9);
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().code, ErrorCode::kLimitExceeded);
  EXPECT_EQ(refused.error().message, "the matchers select more than 9 series; narrow them or raise the limit");
}

TEST(SelectTest, ABadExpressionIsNamed) {
  const auto index = Index::Create({});
  const std::vector<model::Matcher> matchers = {{model::MatchOp::kRegex, "host", "a(b"}};
  const auto refused = index->Select(matchers, true, true, 0);
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().code, ErrorCode::kInvalidArgument);
  EXPECT_EQ(refused.error().message, "invalid regular expression \"a(b\": missing ): a(b");
}

TEST(SelectTest, ATagCalledNameDoesNotShadowTheMetric) {
  const auto index = Index::Create({});
  WriteSeries(index.get(), {"cpu", {{"__name__", "evil"}, {"host", "a"}}, "user"});
  EXPECT_EQ(SelectLabels(*index, {{model::MatchOp::kEqual, "__name__", "cpu_user"}}),
            (std::vector<model::Labels>{{{"__name__", "cpu_user"}, {"host", "a"}}}));
  EXPECT_TRUE(SelectLabels(*index, {{model::MatchOp::kEqual, "__name__", "evil"}}).empty());
  EXPECT_EQ(index->LabelNames({}).value(), (std::vector<std::string>{"__name__", "host"}));
}

}  // namespace
}  // namespace tidemark::index

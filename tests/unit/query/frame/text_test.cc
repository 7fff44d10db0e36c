// Numbers, names and orders as Prometheus writes them.
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "query/frame/frame_order.h"
#include "query/frame/go_format.h"
#include "query/frame/label_set.h"
#include "query/frame/quantile.h"

namespace tidemark::query::frame {
namespace {

TEST(TextTest, GoFormat) {
  EXPECT_EQ(GoFormat(1.5), "1.5");
  EXPECT_EQ(GoFormat(100000), "100000");
  EXPECT_EQ(GoFormat(1e6), "1e+06");
  EXPECT_EQ(GoFormat(0.0001), "0.0001");
  EXPECT_EQ(GoFormat(0.00001), "1e-05");
  EXPECT_EQ(GoFormat(-std::numeric_limits<double>::infinity()), "-Inf");
  EXPECT_EQ(GoFormat(std::nan("")), "NaN");
  EXPECT_EQ(GoFormatFixed(1e21), "1000000000000000000000");
  EXPECT_EQ(GoFormatFixed(1.25e300), "125" + std::string(298, '0'));
  EXPECT_EQ(GoFormatFixed(-9007199254740993.0), "-9007199254740992");
  EXPECT_EQ(GoFormatFixed(1e308), "1" + std::string(308, '0'));
  EXPECT_EQ(GoFormatFixed(0.1), "0.1");
  EXPECT_EQ(GoFormatFixed(-0.0), "-0");
}

TEST(TextTest, ParseGoFloat) {
  EXPECT_EQ(ParseGoFloat("+Inf"), std::numeric_limits<double>::infinity());
  EXPECT_EQ(ParseGoFloat("-infinity"), -std::numeric_limits<double>::infinity());
  EXPECT_TRUE(std::isnan(ParseGoFloat("nan").value()));
  EXPECT_EQ(ParseGoFloat("0x1p4"), 16);
  EXPECT_EQ(ParseGoFloat(".5"), 0.5);
  for (const char* bad : {"", "x", "1x", "+", "--1", "0x10", "1_0", " 1", "infx", "1e999"}) {
    EXPECT_EQ(ParseGoFloat(bad), std::nullopt) << bad;
  }
}

TEST(TextTest, LabelsPrintWithQuotesWhereNamesNeedThem) {
  LabelArena arena;
  const model::LabelView labels[] = {{"__name__", "up"}, {"a.b", "x\"y"}, {"job", "z"}};
  EXPECT_EQ(ToString(arena.Store(labels)), R"({__name__="up", "a.b"="x\"y", job="z"})");
  EXPECT_EQ(ToString(LabelSet()), "{}");
}

TEST(TextTest, KeysTellSetsApart) {
  LabelArena arena;
  const model::LabelView one[] = {{"a", "bc"}, {"d", "e"}};
  const model::LabelView other[] = {{"a", "b"}, {"cd", "e"}};
  std::string x, y;
  KeyOf(arena.Store(one), &x);
  KeyOf(arena.Store(other), &y);
  EXPECT_NE(x, y);
  // An absent label is an empty one, in its place.
  const std::vector<std::string> names{"a", "b"};
  const model::LabelView only_a[] = {{"a", "v"}};
  const model::LabelView only_b[] = {{"b", "v"}};
  KeyOfOnly(arena.Store(only_a), names, &x);
  KeyOfOnly(arena.Store(only_b), names, &y);
  EXPECT_NE(x, y);
}

TEST(TextTest, SetLabelKeepsTheOrder) {
  model::LabelViews labels{{"b", "2"}};
  SetLabel(&labels, "c", "3");
  SetLabel(&labels, "a", "1");
  SetLabel(&labels, "b", "");
  EXPECT_EQ(labels, (model::LabelViews{{"a", "1"}, {"c", "3"}}));
  SetLabel(&labels, "missing", "");
  EXPECT_EQ(labels.size(), 2U);
}

TEST(TextTest, NaturalOrder) {
  EXPECT_TRUE(NaturalLess("n2", "n10"));
  EXPECT_FALSE(NaturalLess("n10", "n2"));
  EXPECT_TRUE(NaturalLess("a", "b"));
  EXPECT_TRUE(NaturalLess("a", "a1"));
  EXPECT_FALSE(NaturalLess("same7", "same7"));
  EXPECT_TRUE(NaturalLess("x1y2", "x1y10"));
}

TEST(TextTest, QuantileEdges) {
  std::vector<double> none;
  EXPECT_TRUE(std::isnan(Quantile(0.5, none)));
  std::vector<double> one{4};
  EXPECT_EQ(Quantile(0.99, one), 4);
  std::vector<double> values{3, 1, 2};
  EXPECT_EQ(Quantile(0.5, values), 2);
  EXPECT_EQ(Quantile(0, values), 1);
  EXPECT_EQ(Quantile(1, values), 3);
  EXPECT_EQ(Quantile(0.25, values), 1.5);
  EXPECT_EQ(Quantile(-0.1, values), -std::numeric_limits<double>::infinity());
  EXPECT_EQ(Quantile(1.1, values), std::numeric_limits<double>::infinity());
}

}  // namespace
}  // namespace tidemark::query::frame

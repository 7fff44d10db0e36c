#include "query/promql/metricsql.h"

#include <gtest/gtest.h>

#include "query/promql/functions.h"
#include "query/promql/parser.h"

namespace tidemark::query::promql {
namespace {

TEST(MetricsQlTest, FindsWhatPromQlHasInstead) {
  EXPECT_EQ(MetricsQlFunctionHint("union"), " (PromQL has no union(): write a or b)");
  EXPECT_EQ(MetricsQlFunctionHint("alias"),
            R"( (PromQL has no alias(): write label_replace(q, "__name__", "name", "", "")))");
  EXPECT_EQ(MetricsQlFunctionHint("nobody_has_this"), "");
  EXPECT_EQ(MetricsQlFunctionHint(""), "");
  EXPECT_EQ(MetricsQlFunctionHint("zzz"), "");
  EXPECT_EQ(MetricsQlFunctionHint("rate"), "") << "PromQL has it";
  EXPECT_EQ(MetricsQlWordHint("if"), R"( (PromQL has no "if": write a and b))");
  EXPECT_EQ(MetricsQlWordHint("up"), "");
}

// What a hint tells people to write must be PromQL: its form with the letters filled in.
TEST(MetricsQlTest, FormsParse) {
  for (const char* name : {"alias",
                           "any",
                           "default_rollup",
                           "geomean",
                           "increase_prometheus",
                           "label_copy",
                           "label_del",
                           "label_keep",
                           "label_move",
                           "label_set",
                           "lag",
                           "lifetime",
                           "mad",
                           "median_over_time",
                           "range_quantile",
                           "range_over_time",
                           "rollup_rate",
                           "share",
                           "share_gt_over_time",
                           "sum2_over_time",
                           "timezone_offset",
                           "topk_avg",
                           "ttf",
                           "zscore",
                           "zscore_over_time"}) {
    std::string form = MetricsQlFunctionHint(name);
    const size_t begin = form.find("write ");
    ASSERT_NE(begin, std::string::npos) << name;
    form = form.substr(begin + 6, form.size() - begin - 7);
    form = form.substr(0, form.find(", and "));
    std::string text;
    for (size_t i = 0; i < form.size(); ++i) {
      const auto word = [](char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_'; };
      const bool letter =
          word(form[i]) && (i == 0 || !word(form[i - 1])) && (i + 1 == form.size() || !word(form[i + 1]));
      const bool quoted = i > 0 && (form[i - 1] == '"' || form[i - 1] == '$');
      text += !letter || quoted                  ? std::string(1, form[i])
              : form[i] == 'd'                   ? "5m"
              : form[i] == 'k' || form[i] == 'x' ? "3"
                                                 : std::string(1, form[i]);
    }
    const auto expr = Parse(text, ParseOptions::Experimental());
    EXPECT_TRUE(expr.ok()) << name << ": " << text << ": " << expr.error().message;
  }
}

}  // namespace
}  // namespace tidemark::query::promql

#include "storage/model/labels.h"

#include <gtest/gtest.h>

#include "storage/model/timestamp.h"

namespace tidemark::model {
namespace {

TEST(Labels, PrintAsPrometheusPrintsThem) {
  EXPECT_EQ(ToString({{"__name__", "up"}, {"job", "a\"b\\c\nd"}}), "up{job=\"a\\\"b\\\\c\\nd\"}");
  EXPECT_EQ(ToString({{"__name__", "up"}}), "up");
  EXPECT_EQ(ToString({{"a", "1"}, {"b", "2"}}), "{a=\"1\", b=\"2\"}");
  EXPECT_EQ(ToString({}), "{}");
}

TEST(Labels, MetricNames) {
  EXPECT_EQ(MetricName("cpu", "usage_user"), "cpu_usage_user");
  EXPECT_EQ(MetricName("up", "value"), "up");
}

TEST(Timestamp, MillisecondsRoundDownOnBothSidesOf1970) {
  EXPECT_EQ(Timestamp{1'999'999}.FloorMs(), 1);
  EXPECT_EQ(Timestamp{-1}.FloorMs(), -1);
  EXPECT_EQ(Timestamp{-1'000'000}.FloorMs(), -1);
  EXPECT_EQ(Timestamp::FromMs(-5).FloorMs(), -5);
}

TEST(TimeRange, OverlapsWithInclusiveEnds) {
  const TimeRange range{{10}, {20}};
  EXPECT_TRUE(range.Overlaps({{20}, {30}}));
  EXPECT_FALSE(range.Overlaps({{21}, {30}}));
  EXPECT_FALSE(range.Overlaps({{15}, {14}}));
  EXPECT_TRUE(range.Contains({10}) && range.Contains({20}) && !range.Contains({21}));
}

}  // namespace
}  // namespace tidemark::model

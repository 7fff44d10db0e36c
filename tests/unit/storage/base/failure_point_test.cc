#include "storage/base/failure_point.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <string_view>
#include <vector>

namespace tidemark {
namespace {

std::vector<size_t>& Reached() {
  static std::vector<size_t> reached;
  return reached;
}

TEST(FailurePointTest, AnArmedHandlerIsToldWhichPointWasReached) {
  Reached().clear();
  FailurePoint("meta.written");
  EXPECT_TRUE(Reached().empty());
  ArmFailurePoints([](size_t index) { Reached().push_back(index); });
  FailurePoint("meta.written");
  FailurePoint("fold.merged");
  ArmFailurePoints(nullptr);
  FailurePoint("meta.written");
  ASSERT_EQ(Reached().size(), 2U);
  EXPECT_EQ(kFailurePoints[Reached()[0]], "meta.written");
  EXPECT_EQ(kFailurePoints[Reached()[1]], "fold.merged");
}

TEST(FailurePointTest, EachNameIsInTheTableOnceAndSaysItsJob) {
  const std::set<std::string_view> names(kFailurePoints.begin(), kFailurePoints.end());
  EXPECT_EQ(names.size(), kFailurePoints.size());
  for (const std::string_view name : names) {
    EXPECT_EQ(std::count(name.begin(), name.end(), '.'), 1) << name;
    EXPECT_EQ(kFailurePoints[FindFailurePoint(name)], name);
  }
  EXPECT_EQ(FindFailurePoint("no.such_point"), kFailurePoints.size());
}

}  // namespace
}  // namespace tidemark

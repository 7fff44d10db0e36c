#include "tools/server/routes/filtered_routes.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <string>
#include <vector>

#include "tools/server/routes/notify_routes.h"
#include "tools/server/routes/routes.h"
#include "tools/server/routes/rule_routes.h"

namespace tidemark::server {
namespace {

std::vector<http::Route> HeldRoutes() {
  std::vector<http::Route> routes = MakeRoutes({});
  AddRuleRoutes({}, &routes);
  AddNotifyRoutes({}, &routes);
  HoldRoutes(&routes);
  return routes;
}

TEST(FilteredRoutes, EachRowIsOfARouteAndStandsOnce) {
  std::set<std::string_view> patterns;
  const std::vector<http::Route> routes = HeldRoutes();
  for (const FilteredRoute& row : FilteredRoutes()) {
    EXPECT_TRUE(patterns.insert(row.pattern).second) << row.pattern << " stands twice";
    EXPECT_TRUE(std::ranges::any_of(routes, [&](const http::Route& route) { return route.pattern == row.pattern; }))
        << row.pattern << " is no route";
    if (row.refusal != nullptr) {
      EXPECT_NE(std::string_view(row.refusal), "") << row.pattern;
    }
  }
}

// Whoever adds a route decides here: a row, or one of the acts of administration, which are closed to who has a filter.
TEST(FilteredRoutes, ARouteWithoutARowIsAnActOfAdministrationAndRefused) {
  for (const http::Route& route : HeldRoutes()) {
    const bool has_row = std::ranges::any_of(
        FilteredRoutes(), [&](const FilteredRoute& row) { return std::string_view(row.pattern) == route.pattern; });
    if (has_row) continue;
    EXPECT_FALSE(route.filtered) << route.pattern;
    EXPECT_TRUE(route.access == http::Access::kAdmin || route.pattern.starts_with("/api/v1/admin/"))
        << route.pattern << " needs a row in filtered_routes.cc";
  }
}

TEST(FilteredRoutes, OfAdministrationOnlyDeletionsOfSeriesAreOpen) {
  const std::set<std::string> held{"/api/v1/admin/delete", "/api/v1/admin/tsdb/delete_series"};
  for (const http::Route& route : HeldRoutes()) {
    if (!route.pattern.starts_with("/api/v1/admin/")) continue;
    EXPECT_EQ(route.filtered, held.contains(route.pattern)) << route.pattern;
  }
}

TEST(FilteredRoutes, AlertsOfOthersAndWholeBucketsAreRefusedByMethod) {
  size_t seen = 0;
  for (const http::Route& route : HeldRoutes()) {
    if (route.pattern == "/api/v2/alerts") {
      EXPECT_EQ(route.filtered, route.access != http::Access::kWrite);
      ++seen;
    }
    if (route.pattern == "/api/v2/buckets/*") {
      EXPECT_EQ(route.filtered, route.access != http::Access::kAdmin);
      ++seen;
    }
  }
  EXPECT_GE(seen, 3U);
}

}  // namespace
}  // namespace tidemark::server

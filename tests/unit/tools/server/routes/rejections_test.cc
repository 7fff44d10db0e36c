// What was refused, by the way in and by time.
#include <gtest/gtest.h>

#include <string>
#include <string_view>

#include "tests/unit/tools/server/routes/routes_fixture.h"

namespace tidemark::server {
namespace {

TEST_F(RoutesTest, RejectionsOfASourceAndATime) {
  Post("/write?db=d", "cpu v=1\ncpu v=\n");
  const auto get = [&](std::string_view query) { return Get("/api/v1/admin/rejections?" + std::string(query)); };
  const std::string all = get("").body;
  const std::string none = R"({"status":"success","data":[]})";
  ASSERT_NE(all, none);
  EXPECT_EQ(get("source=line+protocol").body, all);
  EXPECT_EQ(get("source=remote+write").body, none);
  EXPECT_EQ(get("start=2000-01-01T00:00:00Z&end=2200-01-01T00:00:00Z").body, all);
  EXPECT_EQ(get("end=2000-01-01T00:00:00Z").body, none);
  EXPECT_EQ(get("start=2200-01-01T00:00:00Z").body, none);
  const Response wrong = get("start=yesterday");
  EXPECT_EQ(wrong.status, 400);
  EXPECT_TRUE(wrong.body.contains("invalid parameter \\\"start\\\"")) << wrong.body;
  EXPECT_EQ(get("start=2&end=1").status, 400);
}

}  // namespace
}  // namespace tidemark::server

// What was refused, by the way in and by time.
#include <gtest/gtest.h>

#include <string>
#include <string_view>

#include "tests/unit/tools/server/routes/routes_fixture.h"

namespace tidemark::server {
namespace {

TEST_F(RoutesTest, WhatWasRefusedCanBeAskedFor) {
  EXPECT_EQ(Get("/api/v1/admin/rejections").body, R"({"status":"success","data":[]})");
  Post("/write?db=d", "cpu v=1\ncpu v=\ncpu,a v=2\n");
  Post("/write?db=e", "cpu v=\"\n");
  const std::string body = Get("/api/v1/admin/rejections").body;
  EXPECT_TRUE(body.starts_with(R"({"status":"success","data":[{"number":3,"time":"20)")) << body;
  EXPECT_NE(body.find(R"("database":"d","line":2,"reason":"invalid argument","message":"unable to parse 'cpu v=': )"
                      R"(missing field value"})"),
            std::string::npos)
      << body;
  EXPECT_NE(body.find(R"("source":"line protocol","sender":"")"), std::string::npos) << body;
  const std::string newest = Get("/api/v1/admin/rejections?limit=1").body;
  EXPECT_NE(newest.find(R"("database":"e","line":1)"), std::string::npos) << newest;
  EXPECT_EQ(newest.find(R"("database":"d")"), std::string::npos) << newest;
  const std::string of_d = Get("/db/d/api/v1/admin/rejections?limit=1").body;
  EXPECT_NE(of_d.find(R"("number":2)"), std::string::npos) << of_d;
  EXPECT_EQ(of_d.find(R"("number":1)"), std::string::npos) << of_d;
  EXPECT_EQ(Get("/api/v1/admin/rejections?limit=0").body, R"({"status":"success","data":[]})");
  EXPECT_EQ(Get("/api/v1/admin/rejections?limit=-1").status, 400);
}

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

// The acts that set what a database keeps, and what becomes of types.
#include <fmt/core.h>
#include <gtest/gtest.h>

#include <string>
#include <string_view>

#include "storage/model/type_conflicts.h"
#include "tests/unit/tools/server/routes/routes_fixture.h"

namespace tidemark::server {
namespace {

TEST_F(RoutesTest, WhatBecomesOfTypeConflicts) {
  ASSERT_EQ(Post("/write?db=d", "m v=1").status, 204);
  const auto body = [](std::string_view conflicts) {
    return fmt::format(R"({{"status":"success","data":{{"database":"d","typeConflicts":"{}"}}}})", conflicts);
  };
  EXPECT_EQ(Get("/api/v1/admin/types?db=d").body, body("widen"));
  EXPECT_EQ(Post("/api/v1/admin/types?db=d&conflicts=refuse", "").body, body("refuse"));
  EXPECT_EQ(store_.Databases()[0].options.type_conflicts, model::TypeConflicts::kRefuse);
  EXPECT_EQ(Get("/api/v1/admin/types?db=d").body, body("refuse"));
  EXPECT_NE(Get("/api/v1/admin/databases").body.find(R"("typeConflicts":"refuse")"), std::string::npos);
  for (const char* bad : {"", "Widen", "convert"}) {
    EXPECT_EQ(Post(fmt::format("/api/v1/admin/types?db=d&conflicts={}", bad), "").status, 400) << bad;
  }
  EXPECT_EQ(Get("/api/v1/admin/types?db=nope").status, 404);
}

TEST_F(RoutesTest, ADurationThatIsNoneIsAnsweredWithOne) {
  ASSERT_EQ(Post("/write?db=d", "m v=1").status, 204);
  for (const char* keep : {"30", "30x", "-1d", "d"}) {
    const http::Response refused = Post(fmt::format("/api/v1/admin/retention?db=d&keep={}", keep), "");
    EXPECT_EQ(refused.status, 400) << keep;
    EXPECT_NE(refused.body.find("it is a number and a unit, as 30d, 12h or 1h30m, or inf for ever"), std::string::npos)
        << refused.body;
  }
  for (const char* tier : {"5:90d", "5m:90", "5m"}) {
    const http::Response refused = Post(fmt::format("/api/v1/admin/rollup?db=d&tier={}", tier), "");
    EXPECT_EQ(refused.status, 400) << tier;
    EXPECT_NE(refused.body.find("it is WIDTH:KEEP, as 5m:90d or 1h:inf"), std::string::npos) << refused.body;
  }
  EXPECT_EQ(store_.Databases()[0].options.retention_ns, 0);
}

}  // namespace
}  // namespace tidemark::server

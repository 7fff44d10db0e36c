// The acts about types of fields.
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

}  // namespace
}  // namespace tidemark::server

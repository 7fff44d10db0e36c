#include "storage/model/limits.h"

#include <gtest/gtest.h>

#include <string>

namespace tidemark::model {
namespace {

TEST(Limits, DatabaseNames) {
  for (const std::string_view good : {"db", "_host", "a b", "\xC3\xA9", "...", "a.b"}) {
    EXPECT_TRUE(CheckDatabaseName(good).ok()) << good;
  }
  EXPECT_TRUE(CheckDatabaseName(std::string(kDatabaseNameBytesMax, 'x')).ok());
  for (const std::string& bad :
       {std::string(), std::string(kDatabaseNameBytesMax + 1, 'x'), std::string("a/b"), std::string("a\nb"),
        std::string("a\0b", 3), std::string(".."), std::string("."), std::string("a\\b"), std::string("\x7f"),
        std::string("\xC3"), std::string("\xED\xA0\x80")}) {
    const Result<void> checked = CheckDatabaseName(bad);
    ASSERT_FALSE(checked.ok()) << bad;
    EXPECT_EQ(checked.error().code, ErrorCode::kInvalidArgument) << bad;
  }
}

}  // namespace
}  // namespace tidemark::model

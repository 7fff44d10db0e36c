#include "tools/server/access/grant.h"

#include <gtest/gtest.h>

#include <string>

namespace tidemark::server::access {
namespace {

TEST(GrantTest, ReadsWhatItPrints) {
  for (const std::string_view text : {"read:metrics", "write:team_*", "admin:*", "read:a:b"}) {
    const Result<Grant> grant = ParseGrant(text);
    ASSERT_TRUE(grant.ok()) << text;
    EXPECT_EQ(PrintGrant(*grant), text);
  }
}

TEST(GrantTest, SaysWhatIsWrong) {
  const std::string long_name = "read:" + std::string(kMaxPatternBytes + 1, 'x');
  for (const std::string_view text :
       {std::string_view(""), std::string_view("read"), std::string_view("read:"), std::string_view("open:x"),
        std::string_view("READ:x"), std::string_view(" read:x"), std::string_view(long_name)}) {
    const Result<Grant> grant = ParseGrant(text);
    ASSERT_FALSE(grant.ok()) << text;
    EXPECT_EQ(grant.error().code, ErrorCode::kInvalidArgument);
    EXPECT_NE(grant.error().message.find("read"), std::string::npos) << grant.error().message;
  }
}

TEST(GrantTest, StarsStandForAnyCharacters) {
  EXPECT_TRUE(TakesName("*", ""));
  EXPECT_TRUE(TakesName("*", "anything"));
  EXPECT_TRUE(TakesName("a*", "a"));
  EXPECT_TRUE(TakesName("a*c*e", "abcbcde"));
  EXPECT_TRUE(TakesName("**a**", "bab"));
  EXPECT_TRUE(TakesName("team_*", "team_x"));
  EXPECT_FALSE(TakesName("team_*", "Team_x"));
  EXPECT_FALSE(TakesName("team_*", "my_team_x"));
  EXPECT_FALSE(TakesName("", "a"));
  EXPECT_FALSE(TakesName("a", "ab"));
  EXPECT_FALSE(TakesName("a*b", "abc"));
  // What makes a backtracking matcher take for ever.
  EXPECT_FALSE(TakesName(std::string(100, '*') + "b", std::string(1'000, 'a')));
}

TEST(GrantTest, AdminIncludesAllWriteDoesNotIncludeRead) {
  const Grant admin[] = {{Access::kAdmin, "x"}};
  const Grant write[] = {{Access::kWrite, "x"}};
  const Grant read[] = {{Access::kRead, "x"}};
  for (const Access access : {Access::kRead, Access::kWrite, Access::kAdmin}) {
    EXPECT_TRUE(May(admin, access, "x"));
    EXPECT_FALSE(May(admin, access, "y"));
    EXPECT_EQ(May(write, access, "x"), access == Access::kWrite);
    EXPECT_EQ(May(read, access, "x"), access == Access::kRead);
    EXPECT_FALSE(MayEverywhere(admin, access));
    EXPECT_TRUE(MaySomewhere(admin, access));
  }
  const Grant all[] = {{Access::kRead, "x"}, {Access::kRead, "*"}};
  EXPECT_TRUE(MayEverywhere(all, Access::kRead));
  EXPECT_FALSE(MayEverywhere(all, Access::kWrite));
}

}  // namespace
}  // namespace tidemark::server::access

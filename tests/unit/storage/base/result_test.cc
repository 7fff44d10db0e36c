#include "storage/base/result.h"

#include <gtest/gtest.h>

#include <memory>

namespace tidemark {
namespace {

Result<int> Half(int value) {
  if (value % 2 != 0) return InvalidArgument("odd");
  return value / 2;
}

Result<std::unique_ptr<int>> Quarter(int value) {
  TM_TRY_ASSIGN(const int half, Half(value));
  TM_TRY_ASSIGN(const int quarter, Half(half));
  return std::make_unique<int>(quarter);
}

Result<void> Check(int value) {
  TM_RETURN_IF_ERROR(Quarter(value));
  return {};
}

TEST(Result, CarriesValuesAndErrors) {
  EXPECT_EQ(**Quarter(8), 2);
  EXPECT_TRUE(Check(8).ok());
  const Result<void> failed = Check(6);
  ASSERT_FALSE(failed.ok());
  EXPECT_EQ(failed.error(), InvalidArgument("odd"));
  EXPECT_EQ(failed.error().Within("line 3").message, "line 3: odd");
  EXPECT_EQ(Phrase(failed.error().code), "invalid argument");
}

}  // namespace
}  // namespace tidemark

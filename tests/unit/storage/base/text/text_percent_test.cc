#include <gtest/gtest.h>

#include <string>

#include "storage/base/text/params.h"

namespace tidemark::text {
namespace {

TEST(TextPercent, EveryByteInEitherCase) {
  constexpr std::string_view kLower = "0123456789abcdef";
  constexpr std::string_view kUpper = "0123456789ABCDEF";
  for (int byte = 0; byte < 256; ++byte) {
    const auto high = static_cast<size_t>(byte / 16);
    const auto low = static_cast<size_t>(byte % 16);
    const std::string wanted(1, static_cast<char>(byte));
    for (const bool plus : {false, true}) {
      EXPECT_EQ(*PercentDecode(std::string("%") + kLower[high] + kUpper[low], plus), wanted);
      EXPECT_EQ(*PercentDecode(std::string("%") + kUpper[high] + kLower[low], plus), wanted);
    }
  }
}

TEST(TextPercent, PlusIsASpaceOnlyWhereAsked) {
  EXPECT_EQ(*PercentDecode("a+b%2B", true), "a b+");
  EXPECT_EQ(*PercentDecode("a+b%2B", false), "a+b+");
}

TEST(TextPercent, ErrorsQuoteTheEscape) {
  for (const auto& [text, escape] :
       {std::pair{"ab%", "%"}, {"ab%2", "%2"}, {"%zzab", "%zz"}, {"%2g", "%2g"}, {"%%41", "%%4"}}) {
    const auto decoded = PercentDecode(text, false);
    ASSERT_FALSE(decoded.ok()) << text;
    EXPECT_EQ(decoded.error().message, std::string("invalid URL escape \"") + escape + "\"");
  }
}

}  // namespace
}  // namespace tidemark::text

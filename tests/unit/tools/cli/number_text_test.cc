#include "tools/cli/number_text.h"

#include <gtest/gtest.h>

#include <string>
#include <utility>

namespace tidemark::cli {
namespace {

TEST(ShortNumber, SixDigitsAndNoExponentThatNobodyNeeds) {
  for (const auto& [value, text] : {std::pair<const char*, const char*>{"0", "0"},
                                    {"-0", "0"},
                                    {"1", "1"},
                                    {"1.23456789012", "1.23457"},
                                    {"-1.23456789012", "-1.23457"},
                                    {"12400.25", "12400.2"},
                                    {"128089.123", "128089"},
                                    {"1234567.89", "1234568"},
                                    {"1795995233", "1795995233"},
                                    {"9223372036854775807", "9.22337e+18"},
                                    {"0.000123456789", "0.000123457"},
                                    {"0.00001", "1e-05"},
                                    {"1e+20", "1e+20"},
                                    {"0.1", "0.1"},
                                    {"0.09999999999999999", "0.1"},
                                    {"99999.99999", "100000"},
                                    {"NaN", "NaN"},
                                    {"+Inf", "+Inf"},
                                    {"a text", "a text"},
                                    {"", ""}}) {
    EXPECT_EQ(ShortNumber(value), text) << value;
  }
}

}  // namespace
}  // namespace tidemark::cli

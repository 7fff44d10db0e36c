// Numbers for people: six digits, which is what a glance takes in.
#pragma once

#include <string>
#include <string_view>

namespace tidemark::cli {

// `value`, as the server wrote it, with six significant digits: whole numbers below 10^15 stay as they are, others keep
// no more than six digits, and an exponent only below 0.0001 and from 10^15 on. What is no number stays as it is.
std::string ShortNumber(std::string_view value);

}  // namespace tidemark::cli

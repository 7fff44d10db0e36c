// Numbers with the word that they count, for people.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace tidemark::text {

// "1 line", "2 lines", "1,234 lines". `one`: the word for one of them; that for many has an s behind it, `many` is
// another.
std::string Counted(uint64_t number, std::string_view one, std::string_view many = {});
// "1,234".
std::string Grouped(uint64_t number);

}  // namespace tidemark::text

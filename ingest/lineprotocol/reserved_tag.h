// The tag that line protocol may not set: a series has its metric's name under it.
#pragma once

#include <string_view>

namespace tidemark::lineprotocol {

inline constexpr std::string_view kReservedTag = "__name__";
inline constexpr const char* kReservedTagReason =
    "the tag __name__ is reserved for the metric's own name; give the tag another name";

}  // namespace tidemark::lineprotocol

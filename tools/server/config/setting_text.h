// Values of settings as text: how the file, the flags and --print-config write each kind.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "storage/base/result.h"

namespace tidemark::server {

// "4096". Errors: kInvalidArgument says what would be right, here and below.
Result<uint64_t> ParseCount(std::string_view text);
// Bytes: "64MiB", "25MB".
Result<uint64_t> ParseSize(std::string_view text);
// Milliseconds: "10s", "1h30m".
Result<int64_t> ParseDuration(std::string_view text);
std::string ShowDuration(int64_t ms);
// on, true and yes; off, false and no.
Result<bool> ParseSwitch(std::string_view text);

}  // namespace tidemark::server

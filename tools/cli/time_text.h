// Times as people write and read them.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "storage/base/result.h"

namespace tidemark::cli {

// Unix seconds (1451606400, 1451606400.5), RFC 3339 in UTC or with an offset (2016-01-01T00:00:00Z,
// 2016-01-01T02:00:00+02:00), "now", or a time before now (-1h30m, now-2d). Result in milliseconds since 1970.
Result<int64_t> ParseTimeText(std::string_view text, int64_t now_ms);

// "1h30m", "15s", "500ms" or a number of seconds, in milliseconds. More than 0.
Result<int64_t> ParseDurationText(std::string_view text);

enum class TimeZone : uint8_t { kUtc, kLocal };

// As TimeToText, with the zone's name behind it: "2016-01-01 00:00:00 UTC", or "2016-01-01 01:00:00 CET" where this
// machine is (TZ). Where the machine does not know, UTC.
std::string TimeWithZone(int64_t ms, TimeZone zone);

// "2016-01-01 00:00:00" in UTC, with ".250" when there are milliseconds.
std::string TimeToText(int64_t ms);

}  // namespace tidemark::cli

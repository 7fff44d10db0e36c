// The values of query parameters: times, durations, limits, label names, with the words in which Prometheus 3 refuses
// what it cannot read (web/api/v1/api.go).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "storage/base/result.h"
#include "storage/model/timestamp.h"

namespace tidemark::query::api {

// The times that Prometheus calls minTime and maxTime, -9223309901257974 s and 9223309901257974.999999999 s, in
// milliseconds. Its clients send them for "since ever" and "for ever". The difference of two times may not fit.
inline constexpr int64_t kMinTimeMs = -9'223'309'901'257'974'000;
inline constexpr int64_t kMaxTimeMs = 9'223'309'901'257'974'999;

// Milliseconds since 1970 of a float of seconds ("1700000000.5") or an RFC 3339 time. kInvalidArgument:
// `cannot parse "x" to a valid timestamp`.
Result<int64_t> ParseTimeMs(std::string_view text);

// Milliseconds of a float of seconds or a duration such as 1h30m; units y w d h m s ms in this order; negative only as
// a float. kInvalidArgument: `cannot parse "x" to a valid duration`.
Result<int64_t> ParseDurationMs(std::string_view text);

// `extra_ns` (0 for its start, 999,999 for its end) into a millisecond, held within the times there are.
model::Timestamp TimestampAtMs(int64_t ms, int64_t extra_ns);

// A count; 0, also for "", means no limit. kInvalidArgument for what is not a whole number or negative.
Result<uint64_t> ParseLimit(std::string_view text);

// A label name as it was before it was made fit for a URL path: U__foo_2e_bar is foo.bar. Names without the prefix, or
// with bad escapes behind it, are themselves. Source: common/model UnescapeName, ValueEncodingEscaping.
std::string UnescapeLabelName(std::string_view name);

// `text` in double quotes, with Go's escapes (%q).
std::string Quoted(std::string_view text);

// The error of parameter `name`: `invalid parameter "name": ` in front of the message.
Error InvalidParameter(std::string_view name, const Error& error);

}  // namespace tidemark::query::api

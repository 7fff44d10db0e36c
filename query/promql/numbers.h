// Numbers and durations as query texts write them, after Go's strconv and Prometheus' model.Duration.
// Sources: https://pkg.go.dev/strconv,
// https://prometheus.io/docs/prometheus/latest/querying/basics/#float-literals-and-time-durations
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "storage/base/result.h"

namespace tidemark::query::promql {

// The value of a number literal without sign: decimal, hexadecimal (0x), octal (leading 0), with underscores between
// digits, Inf and NaN in any letter case.
Result<double> ParseNumber(std::string_view text);

// The nanoseconds of a duration literal without sign: 1y2w3d4h5m6s7ms, each unit at most once and in this order. A year
// has 365 days. At most 2^63 - 1.
Result<int64_t> ParseDurationNs(std::string_view text);

// The shortest decimal text that reads back as `value`, without an exponent; "NaN", "+Inf", "-Inf".
std::string NumberToString(double value);

// A duration as Prometheus prints it: "1h30m", "0s", "-5m". `ms` is any value.
std::string DurationToString(int64_t ms);

}  // namespace tidemark::query::promql

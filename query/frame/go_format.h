// Numbers as Go, and so Prometheus, reads and writes them in labels and messages.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace tidemark::query::frame {

// fmt.Sprintf("%g"): the shortest digits that read back, with an exponent from 1e+06 up and below 1e-04; "+Inf", "NaN".
std::string GoFormat(double value);

// strconv.FormatFloat(value, 'f', -1, 64): the shortest digits without an exponent.
std::string GoFormatFixed(double value);

// strconv.ParseFloat of the whole text: decimal or hexadecimal, underscores not allowed, "inf", "Infinity", "nan" in
// any case and with a sign. Nothing when it is something else.
std::optional<double> ParseGoFloat(std::string_view text);

}  // namespace tidemark::query::frame

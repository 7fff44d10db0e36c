#include "tools/server/config/setting_text.h"

#include <fmt/core.h>

#include <charconv>
#include <system_error>

#include "storage/base/text/byte_size.h"
#include "storage/base/text/duration.h"

namespace tidemark::server {

Result<uint64_t> ParseCount(std::string_view text) {
  uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) {
    return InvalidArgument(fmt::format("\"{}\" is not a whole number", text));
  }
  return value;
}

Result<uint64_t> ParseSize(std::string_view text) {
  if (const auto bytes = text::ParseByteSize(text)) return *bytes;
  return InvalidArgument(fmt::format("\"{}\" is not a size such as 25MB or 64MiB", text));
}

Result<int64_t> ParseDuration(std::string_view text) {
  if (const auto ms = text::ParseDurationMs(text)) return *ms;
  return InvalidArgument(fmt::format("\"{}\" is not a duration such as 10s, 1h30m or 30d", text));
}

std::string ShowDuration(int64_t ms) { return text::PrintDuration(ms, text::DurationStyle::kOneUnit); }

Result<bool> ParseSwitch(std::string_view text) {
  if (text == "on" || text == "true" || text == "yes") return true;
  if (text == "off" || text == "false" || text == "no") return false;
  return InvalidArgument(fmt::format("\"{}\" is neither on nor off", text));
}

}  // namespace tidemark::server

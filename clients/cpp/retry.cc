#include "clients/cpp/retry.h"

#include <algorithm>
#include <charconv>
#include <ctime>
#include <string>

namespace tidemark::client {

using std::chrono::milliseconds;

Verdict Judge(int http_status) {
  if (http_status / 100 == 2) return Verdict::kDelivered;
  if (http_status == 401 || http_status == 403 || http_status == 408 || http_status == 429 || http_status >= 500)
    return Verdict::kTryAgain;
  return Verdict::kRefused;
}

std::optional<milliseconds> ParseRetryAfter(std::string_view header, int64_t now_ns) {
  uint32_t seconds = 0;
  const char* const end = header.data() + header.size();
  if (const auto parsed = std::from_chars(header.data(), end, seconds); parsed.ec == std::errc()) {
    if (parsed.ptr != end) return std::nullopt;
    return std::chrono::seconds(seconds);
  }
  std::tm date{};
  const std::string text(header);
  const char* const rest = strptime(text.c_str(), "%a, %d %b %Y %H:%M:%S GMT", &date);
  if (rest == nullptr || *rest != '\0') return std::nullopt;
  const int64_t wait_ms = static_cast<int64_t>(timegm(&date)) * 1000 - now_ns / 1'000'000;
  return milliseconds(std::max<int64_t>(wait_ms, 0));
}

milliseconds Backoff::Next(std::optional<milliseconds> retry_after) {
  int64_t most = options_.first.count();
  for (uint64_t i = 0; i < failures_ && most < options_.most.count(); ++i) {
    most = most > options_.most.count() / 2 ? options_.most.count() : most * 2;
  }
  ++failures_;
  const milliseconds wait(std::uniform_int_distribution<int64_t>(most / 2 + most % 2, most)(random_));
  if (!retry_after) return wait;
  // Jitter on top of what the server asked for: it asks everybody for the same.
  return std::max(wait, std::min<milliseconds>(*retry_after, kMaxRetryAfter) + wait / 2);
}

}  // namespace tidemark::client

// Retry: which replies are final, and how long to wait after the others.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <random>
#include <string_view>

namespace tidemark::client {

enum class Verdict {
  kDelivered,  // 2xx
  kRefused,    // the server will refuse the same bytes again
  // 408, 429 and 5xx: busy, starting, stopping or in trouble. 401 and 403: the token, which can be mended without
  // losing a point.
  kTryAgain,
};

Verdict Judge(int http_status);

// A Retry-After header: seconds, or an HTTP date (RFC 9110, 10.2.3) seen at `now_ns` since 1970. Nothing for what is
// neither; 0 for a date that has passed.
std::optional<std::chrono::milliseconds> ParseRetryAfter(std::string_view header, int64_t now_ns);

struct BackoffOptions {
  std::chrono::milliseconds first{200};  // after the first failure; > 0
  std::chrono::milliseconds most{30'000};
};

// Doubles from `first` to `most`; the wait is drawn evenly from the upper half, so that clients that failed together do
// not come back together. Not thread-safe.
class Backoff {
 public:
  // No Retry-After makes it wait longer than this.
  static constexpr std::chrono::minutes kMaxRetryAfter{5};

  Backoff(const BackoffOptions& options, uint64_t seed) : options_(options), random_(seed) {}
  // The wait after one more failure: at least what the server asked for.
  std::chrono::milliseconds Next(std::optional<std::chrono::milliseconds> retry_after);
  void Reset() { failures_ = 0; }
  [[nodiscard]] uint64_t failures() const { return failures_; }

 private:
  BackoffOptions options_;
  std::mt19937_64 random_;
  uint64_t failures_ = 0;
};

}  // namespace tidemark::client

#include "tools/server/notify/ping.h"

#include <fmt/core.h>

#include "tools/server/notify/curl_request.h"

namespace tidemark::server::notify {
namespace {

constexpr int64_t kTimeoutMs = 10'000;
constexpr int64_t kConnectTimeoutMs = 5'000;

}  // namespace

Result<void> Ping(const std::string& url, const std::atomic<bool>* stop) {
  CurlRequest request(kTimeoutMs, kConnectTimeoutMs, stop);
  request.Set(CURLOPT_URL, url);
  request.Set(CURLOPT_PROTOCOLS_STR, std::string("http,https"));
  request.Set(CURLOPT_REDIR_PROTOCOLS_STR, std::string("http,https"));
  request.Set(CURLOPT_FOLLOWLOCATION, 1L);
  request.Set(CURLOPT_MAXREDIRS, 5L);
  TM_RETURN_IF_ERROR(request.Perform());
  if (request.status() >= 200 && request.status() < 300) return {};
  return MakeError(ErrorCode::kUnavailable, fmt::format("it answered {}", request.status()));
}

}  // namespace tidemark::server::notify

#include "tools/server/notify/ping.h"

#include <fmt/core.h>

#include <memory>

#include "tools/server/notify/curl_request.h"

namespace tidemark::server::notify {
namespace {

constexpr int64_t kTimeoutMs = 10'000;
constexpr int64_t kConnectTimeoutMs = 5'000;

}  // namespace

Status CheckPingUrl(const std::string& url) {
  struct Free {
    void operator()(CURLU* handle) const { curl_url_cleanup(handle); }
  };
  const std::unique_ptr<CURLU, Free> parsed(curl_url());
  if (const CURLUcode code = curl_url_set(parsed.get(), CURLUPART_URL, url.c_str(), 0); code != CURLUE_OK) {
    return InvalidArgument(
        fmt::format("is no URL such as https://watch.example/ping/TOKEN: {}", curl_url_strerror(code)));
  }
  const auto part = [&](CURLUPart which) {
    char* text = nullptr;
    std::string out;
    if (curl_url_get(parsed.get(), which, &text, 0) == CURLUE_OK) out = text;
    curl_free(text);
    return out;
  };
  const std::string scheme = part(CURLUPART_SCHEME);
  if (scheme != "http" && scheme != "https") {
    return InvalidArgument("must be a URL that begins with http:// or https://");
  }
  if (part(CURLUPART_HOST).empty()) return InvalidArgument("names no host");
  return {};
}

Result<void> Ping(const std::string& url, const std::atomic<bool>* stop) {
  CurlRequest request(kTimeoutMs, kConnectTimeoutMs, stop);
  request.Set(CURLOPT_URL, url);
  request.Set(CURLOPT_PROTOCOLS_STR, std::string("http,https"));
  request.Set(CURLOPT_REDIR_PROTOCOLS_STR, std::string("http,https"));
  request.Set(CURLOPT_FOLLOWLOCATION, 1L);
  request.Set(CURLOPT_MAXREDIRS, 5L);
  request.StopAfterBeginning();
  TM_RETURN_IF_ERROR(request.Perform());
  if (request.status() >= 200 && request.status() < 300) return {};
  return MakeError(ErrorCode::kUnavailable, fmt::format("it answered {}", request.status()));
}

}  // namespace tidemark::server::notify

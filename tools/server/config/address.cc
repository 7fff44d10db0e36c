#include "tools/server/config/address.h"

#include <fmt/core.h>

#include <algorithm>
#include <string_view>

namespace tidemark::server {
namespace {

// What can stand in the path of a URL as it is (RFC 3986, 3.3), and with the sign of escapes.
constexpr std::string_view kPlainMarks = "-._~!$&'()*+,;=:@/";
constexpr std::string_view kMarks = "-._~!$&'()*+,;=:@/%";

bool IsPath(std::string_view text, std::string_view marks) {
  return std::ranges::all_of(text, [marks](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           marks.find(c) != std::string_view::npos;
  });
}

std::string_view WithoutSlashesAtTheEnd(std::string_view text) {
  return text.substr(0, text.find_last_not_of('/') + 1);
}

struct UrlParts {
  std::string_view origin;     // scheme and authority
  std::string_view authority;  // host and port
  std::string_view path;
};

// Of a URL that ParseExternalUrl has taken.
UrlParts PartsOf(std::string_view url) {
  const size_t host_at = url.find("://") + 3;
  const size_t path_at = std::min(url.find('/', host_at), url.size());
  return {url.substr(0, path_at), url.substr(host_at, path_at - host_at), url.substr(path_at)};
}

std::string HostOf(std::string_view authority) {
  if (authority.starts_with('[')) return std::string(authority.substr(0, authority.find(']') + 1));
  return std::string(authority.substr(0, authority.find(':')));
}

}  // namespace

Result<std::string> ParseExternalUrl(std::string_view text) {
  if (text.empty()) return std::string();
  const std::string_view url = WithoutSlashesAtTheEnd(text);
  const bool scheme = url.starts_with("http://") || url.starts_with("https://");
  if (scheme) {
    const UrlParts parts = PartsOf(url);
    const bool authority = !parts.authority.empty() && !parts.authority.starts_with(':') &&
                           parts.authority.find_first_of("@/ ") == std::string_view::npos;
    if (authority && IsPath(parts.path, kMarks) &&
        parts.authority.find_first_of("?#\"<>\\") == std::string_view::npos) {
      return std::string(url);
    }
  }
  return InvalidArgument(fmt::format("\"{}\" is not http://HOST[:PORT][/PATH] or https://...", text));
}

Result<std::string> ParseRoutePrefix(std::string_view text) {
  if (text.empty()) return std::string();
  const std::string_view path = WithoutSlashesAtTheEnd(text);
  const std::string prefix = path.starts_with('/') || path.empty() ? std::string(path) : "/" + std::string(path);
  if (!IsPath(prefix, kPlainMarks) || prefix.find("//") != std::string::npos) {
    return InvalidArgument(fmt::format("\"{}\" is not a path such as /metrics", text));
  }
  return prefix.empty() ? "/" : prefix;
}

Result<Address> AddressOf(const Config& config) {
  TM_TRY_ASSIGN(const std::string url, ParseExternalUrl(config.external_url));
  TM_TRY_ASSIGN(const std::string prefix, ParseRoutePrefix(config.route_prefix));
  Address address;
  if (!url.empty()) {
    const UrlParts parts = PartsOf(url);
    address.external_url = url;
    address.external_path = parts.path;
    address.origin = parts.origin;
    address.host = HostOf(parts.authority);
    address.route_prefix = prefix.empty() ? address.external_path : prefix;
  } else {
    address.route_prefix = prefix;
  }
  if (address.route_prefix == "/") address.route_prefix.clear();
  if (url.empty()) {
    const bool plain = !config.listen.empty();
    address.origin = plain                        ? "http://" + config.listen.front()
                     : !config.tls_listen.empty() ? "https://" + config.tls_listen.front()
                                                  : std::string();
    address.external_path = address.route_prefix;
    address.external_url = address.origin + address.external_path;
  }
  return address;
}

}  // namespace tidemark::server

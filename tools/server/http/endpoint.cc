#include "tools/server/http/endpoint.h"

#include <fmt/core.h>

#include <algorithm>
#include <charconv>
#include <string>
#include <system_error>

namespace tidemark::http {

Result<Endpoint> ParseEndpoint(std::string_view text) {
  const size_t colon = text.rfind(':');
  uint16_t port = 0;
  std::string_view address = text.substr(0, std::min(colon, text.size()));
  if (colon != std::string_view::npos) {
    const std::string_view digits = text.substr(colon + 1);
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), port);
    if (error == std::errc() && end == digits.data() + digits.size() && !address.empty()) {
      if (address.front() == '[' && address.back() == ']') address = address.substr(1, address.size() - 2);
      return Endpoint{std::string(address), port};
    }
  }
  return InvalidArgument(fmt::format("\"{}\" is not ADDRESS:PORT", text));
}

std::string UrlOf(const Endpoint& endpoint) {
  const bool colons = endpoint.address.find(':') != std::string::npos;
  return fmt::format("{}://{}{}{}:{}", endpoint.encrypted ? "https" : "http", colons ? "[" : "", endpoint.address,
                     colons ? "]" : "", endpoint.port);
}

std::string_view AddressOf(std::string_view peer) { return peer.substr(0, peer.rfind(':')); }

}  // namespace tidemark::http

#include "tools/server/http/endpoint.h"

#include <arpa/inet.h>
#include <fmt/core.h>
#include <netinet/in.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <string>
#include <system_error>

#include "storage/base/text/ascii.h"

namespace tidemark::http {
namespace {

// RFC 1035, 2.3.4.
constexpr size_t kNameBytesMax = 253;

char Lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }
using text::IsDigit;

// What clients send of the characters that RFC 3986, 3.2.2 allows: the rest has no meaning in a name that is looked up.
bool IsOfName(char c) { return (c >= 'a' && c <= 'z') || IsDigit(c) || c == '-' || c == '.' || c == '_' || c == '~'; }

Error NoHost(std::string_view text, std::string_view why) {
  return InvalidArgument(fmt::format("\"{}\" is not HOST or HOST:PORT: {}", text, why));
}

// "[::1]", "[fe80::1%25eth0]" (RFC 6874), from the front of `text`.
Status TakeIpv6(std::string_view* text, Authority* out) {
  const std::string_view whole = *text;
  const size_t close = whole.find(']');
  if (close == std::string_view::npos) return NoHost(whole, "a bracket is not closed");
  std::string address(whole.substr(1, close - 1));
  if (const size_t zone = address.find('%'); zone != std::string::npos) {
    if (zone + 1 == address.size()) return NoHost(whole, "the zone of the address is empty");
    address.resize(zone);
  }
  in6_addr bytes{};
  if (inet_pton(AF_INET6, address.c_str(), &bytes) != 1) return NoHost(whole, "no IPv6 address is in the brackets");
  std::array<char, INET6_ADDRSTRLEN> printed{};
  out->kind = Authority::Kind::kIpv6;
  out->host = inet_ntop(AF_INET6, &bytes, printed.data(), printed.size());
  text->remove_prefix(close + 1);
  return {};
}

// A name, or an IPv4 address in any form that browsers and resolvers take: "127.0.0.1", "127.1", "0x7f000001".
Status TakeName(std::string_view whole, std::string_view name, Authority* out) {
  for (const char c : name) out->host += Lower(c);
  if (!std::ranges::all_of(out->host, IsOfName)) return NoHost(whole, "no host has these characters");
  if (out->host.ends_with('.')) {
    out->rooted = true;
    out->host.pop_back();
  }
  if (out->host.size() > kNameBytesMax) return NoHost(whole.substr(0, kNameBytesMax), "the name is too long");
  const bool empty_label = out->host.starts_with('.') || out->host.ends_with('.') || out->host.contains("..");
  if (empty_label || (out->rooted && out->host.empty())) return NoHost(whole, "a part of the name is empty");
  // No name ends in a number: whoever resolves it takes it as an address.
  const std::string last = out->host.substr(out->host.rfind('.') + 1);
  if (last.empty() || !IsDigit(last.front())) return {};
  const bool number = std::ranges::all_of(last, IsDigit) || last.starts_with("0x");
  if (!number) return {};
  in_addr bytes{};
  if (inet_aton(out->host.c_str(), &bytes) == 0) return NoHost(whole, "it ends in a number and is no IPv4 address");
  std::array<char, INET_ADDRSTRLEN> printed{};
  out->kind = Authority::Kind::kIpv4;
  out->rooted = false;
  out->host = inet_ntop(AF_INET, &bytes, printed.data(), printed.size());
  return {};
}

}  // namespace

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

Result<Authority> ParseAuthority(std::string_view text) {
  Authority out;
  std::string_view rest = text;
  if (rest.starts_with('[')) {
    TM_RETURN_IF_ERROR(TakeIpv6(&rest, &out));
    if (!rest.empty() && rest.front() != ':') return NoHost(text, "something follows the brackets");
  } else {
    const size_t colon = std::min(rest.find(':'), rest.size());
    TM_RETURN_IF_ERROR(TakeName(text, rest.substr(0, colon), &out));
    rest.remove_prefix(colon);
  }
  if (rest.empty()) return out;
  rest.remove_prefix(1);
  if (out.host.empty()) return NoHost(text, "a port without a host");
  if (rest.empty()) return out;  // "host:" (RFC 3986, 3.2.3)
  uint16_t port = 0;
  const auto [end, error] = std::from_chars(rest.data(), rest.data() + rest.size(), port);
  if (error != std::errc() || end != rest.data() + rest.size()) return NoHost(text, "the port is none");
  out.port = port;
  return out;
}

bool IsLoopback(const Authority& authority) {
  constexpr std::string_view kLocalhost = "localhost";
  const std::string& host = authority.host;
  switch (authority.kind) {
    case Authority::Kind::kName:
      return host == kLocalhost || (host.ends_with(kLocalhost) && host[host.size() - kLocalhost.size() - 1] == '.');
    case Authority::Kind::kIpv4: return host.starts_with("127.");
    case Authority::Kind::kIpv6: return host == "::1" || host.starts_with("::ffff:127.");
  }
  return false;
}

bool IsLoopbackHost(std::string_view host) {
  const bool bare = host.contains(':') && !host.starts_with('[');
  const Result<Authority> authority = ParseAuthority(bare ? fmt::format("[{}]", host) : std::string(host));
  return authority.ok() && !authority->port && IsLoopback(*authority);
}

bool SameAuthority(const Authority& a, const Authority& b, uint16_t default_port) {
  return a.kind == b.kind && a.host == b.host && a.port.value_or(default_port) == b.port.value_or(default_port);
}

}  // namespace tidemark::http

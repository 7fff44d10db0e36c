// Where a server listens and by what name it is asked, as texts: "127.0.0.1:8086", "[::1]:8086", "metrics.example".
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "storage/base/result.h"
#include "tools/server/http/server.h"

namespace tidemark::http {

// "127.0.0.1:8086" or "[::1]:8086" in its parts. kInvalidArgument.
Result<Endpoint> ParseEndpoint(std::string_view text);

// "http://127.0.0.1:8086", "https://[::1]:8443".
std::string UrlOf(const Endpoint& endpoint);
// The address in a Request::peer, which has the port behind it.
std::string_view AddressOf(std::string_view peer);

// By what a client asks: the value of Host, the authority of a target in absolute form, or what follows the scheme of
// an Origin (RFC 3986, 3.2; RFC 9112, 3.2).
struct Authority {
  enum class Kind : uint8_t { kName, kIpv4, kIpv6 };
  Kind kind = Kind::kName;
  // In lower case, without the brackets and the zone of an IPv6 address and without the dot at the end of a name; ""
  // when there is none.
  std::string host;
  bool rooted = false;  // a dot stood at the end of the name: it is looked up at the root alone
  std::optional<uint16_t> port;
};

// The only reader of such a text. kInvalidArgument: somebody's name in front (`user@`), brackets around what is no IPv6
// address, a port that is none, more than one authority, and characters or numbers that no host consists of.
Result<Authority> ParseAuthority(std::string_view text);

// Whether it is localhost, a name under it, or an address of loopback.
bool IsLoopback(const Authority& authority);
// The same of a host without port; an IPv6 address needs no brackets.
bool IsLoopbackHost(std::string_view host);
// Whether both name the same host and, with `default_port` where none is written, the same port.
bool SameAuthority(const Authority& a, const Authority& b, uint16_t default_port);

}  // namespace tidemark::http

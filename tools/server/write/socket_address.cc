#include "tools/server/write/socket_address.h"

#include <arpa/inet.h>
#include <fmt/core.h>
#include <netinet/in.h>

#include <array>

#include "tools/server/http/endpoint.h"

namespace tidemark::server {

Result<SocketAddress> ParseSocketAddress(std::string_view text) {
  TM_TRY_ASSIGN(const http::Endpoint endpoint, http::ParseEndpoint(text));
  SocketAddress out;
  auto* const v4 = reinterpret_cast<sockaddr_in*>(&out.storage);
  auto* const v6 = reinterpret_cast<sockaddr_in6*>(&out.storage);
  if (::inet_pton(AF_INET, endpoint.address.c_str(), &v4->sin_addr) == 1) {
    v4->sin_family = AF_INET;
    v4->sin_port = htons(endpoint.port);
    out.length = sizeof(*v4);
  } else if (::inet_pton(AF_INET6, endpoint.address.c_str(), &v6->sin6_addr) == 1) {
    v6->sin6_family = AF_INET6;
    v6->sin6_port = htons(endpoint.port);
    out.length = sizeof(*v6);
  } else {
    return InvalidArgument(fmt::format("\"{}\" is not an IP address", endpoint.address));
  }
  return out;
}

std::string TextOf(const sockaddr_storage& address) {
  std::array<char, INET6_ADDRSTRLEN> text{};
  if (address.ss_family == AF_INET6) {
    const auto& v6 = reinterpret_cast<const sockaddr_in6&>(address);
    ::inet_ntop(AF_INET6, &v6.sin6_addr, text.data(), text.size());
    return fmt::format("[{}]:{}", text.data(), ntohs(v6.sin6_port));
  }
  const auto& v4 = reinterpret_cast<const sockaddr_in&>(address);
  ::inet_ntop(AF_INET, &v4.sin_addr, text.data(), text.size());
  return fmt::format("{}:{}", text.data(), ntohs(v4.sin_port));
}

uint16_t PortOf(int socket) {
  SocketAddress address;
  if (::getsockname(socket, address.get(), &address.length) != 0) return 0;
  return ntohs(address.family() == AF_INET ? reinterpret_cast<const sockaddr_in&>(address.storage).sin_port
                                           : reinterpret_cast<const sockaddr_in6&>(address.storage).sin6_port);
}

}  // namespace tidemark::server

// SocketAddress: the address of a listener's socket, and the text of a peer's.
#pragma once

#include <sys/socket.h>

#include <cstdint>
#include <string>
#include <string_view>

#include "storage/base/result.h"

namespace tidemark::server {

struct SocketAddress {
  sockaddr_storage storage{};
  socklen_t length = sizeof(sockaddr_storage);

  [[nodiscard]] sockaddr* get() { return reinterpret_cast<sockaddr*>(&storage); }
  [[nodiscard]] const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&storage); }
  [[nodiscard]] int family() const { return storage.ss_family; }
};

// "127.0.0.1:8089", "[::1]:0". kInvalidArgument, also for a name.
Result<SocketAddress> ParseSocketAddress(std::string_view text);

// "127.0.0.1:4711", "[::1]:4711".
std::string TextOf(const sockaddr_storage& address);

// The port that a socket was bound to.
uint16_t PortOf(int socket);

}  // namespace tidemark::server

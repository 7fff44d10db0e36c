#include "tools/service/inherited_sockets.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <fmt/core.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>

#include "tools/service/environment.h"

namespace tidemark::service {
namespace {

constexpr std::string_view kDatagramSocket = "udp";
// More is no number that somebody has meant.
constexpr int64_t kSocketsMax = 1'000;

int IntOption(int descriptor, int option) {
  int value = -1;
  socklen_t size = sizeof value;
  return ::getsockopt(descriptor, SOL_SOCKET, option, &value, &size) == 0 ? value : -1;
}

bool IsOfKind(int descriptor, bool datagrams) {
  if (datagrams) return IntOption(descriptor, SO_TYPE) == SOCK_DGRAM;
  return IntOption(descriptor, SO_TYPE) == SOCK_STREAM && IntOption(descriptor, SO_ACCEPTCONN) == 1;
}

// False for what is bound to no address of the Internet.
bool FindAddress(InheritedSocket* socket) {
  sockaddr_storage address = {};
  socklen_t size = sizeof address;
  if (::getsockname(socket->descriptor, reinterpret_cast<sockaddr*>(&address), &size) != 0) return false;
  const auto& v4 = reinterpret_cast<const sockaddr_in&>(address);
  const auto& v6 = reinterpret_cast<const sockaddr_in6&>(address);
  const bool old = address.ss_family == AF_INET;
  if (!old && address.ss_family != AF_INET6) return false;
  const void* const bytes = old ? static_cast<const void*>(&v4.sin_addr) : static_cast<const void*>(&v6.sin6_addr);
  std::array<char, INET6_ADDRSTRLEN> text{};
  if (::inet_ntop(address.ss_family, bytes, text.data(), text.size()) == nullptr) return false;
  socket->address = text.data();
  socket->port = ntohs(old ? v4.sin_port : v6.sin6_port);
  return socket->port != 0;
}

}  // namespace

Result<std::vector<InheritedSocket>> TakeInheritedSockets() {
  const std::string pid = TakeVariable("LISTEN_PID");
  const std::string count = TakeVariable("LISTEN_FDS");
  const std::string names = TakeVariable("LISTEN_FDNAMES");
  std::vector<InheritedSocket> sockets;
  if (NumberIn(pid) != ::getpid()) return sockets;
  const std::optional<int64_t> sent = NumberIn(count);
  if (!sent || *sent > kSocketsMax)
    return InvalidArgument(fmt::format("LISTEN_FDS=\"{}\" is no number of sockets", count));
  std::string_view rest = names;
  for (int i = 0; i < static_cast<int>(*sent); ++i) {
    InheritedSocket& socket = sockets.emplace_back();
    socket.descriptor = kFirstInheritedDescriptor + i;
    socket.name = rest.substr(0, rest.find(':'));
    rest.remove_prefix(std::min(socket.name.size() + 1, rest.size()));
    ::fcntl(socket.descriptor, F_SETFD, FD_CLOEXEC);
    const bool datagrams = socket.name == kDatagramSocket;
    if (!IsOfKind(socket.descriptor, datagrams) || !FindAddress(&socket)) {
      return InvalidArgument(fmt::format("socket {} of LISTEN_FDS (\"{}\") is no {}", i + 1, socket.name,
                                         datagrams ? "UDP socket with an address" : "TCP socket that listens"));
    }
    if (socket.name == "https" || socket.name == "native" || datagrams) continue;
    // As systemd names the descriptors of a socket unit without a name of their own.
    if (socket.name.empty() || socket.name == "http" || socket.name == "unknown" || socket.name.ends_with(".socket")) {
      socket.name = "http";
      continue;
    }
    return InvalidArgument(
        fmt::format("socket {} of LISTEN_FDS is called \"{}\": FileDescriptorName= is http, https, udp or native",
                    i + 1, socket.name));
  }
  return sockets;
}

}  // namespace tidemark::service

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

constexpr int kFirstDescriptor = 3;
// More is no number that somebody has meant.
constexpr int64_t kSocketsMax = 1'000;

int IntOption(int descriptor, int option) {
  int value = -1;
  socklen_t size = sizeof value;
  return ::getsockopt(descriptor, SOL_SOCKET, option, &value, &size) == 0 ? value : -1;
}

// "" for what is no TCP socket that listens.
std::string ListeningAddress(int descriptor) {
  sockaddr_storage address = {};
  socklen_t size = sizeof address;
  if (IntOption(descriptor, SO_TYPE) != SOCK_STREAM || IntOption(descriptor, SO_ACCEPTCONN) != 1 ||
      ::getsockname(descriptor, reinterpret_cast<sockaddr*>(&address), &size) != 0) {
    return {};
  }
  std::array<char, INET6_ADDRSTRLEN> text{};
  const void* const bytes = address.ss_family == AF_INET
                                ? static_cast<const void*>(&reinterpret_cast<const sockaddr_in*>(&address)->sin_addr)
                                : static_cast<const void*>(&reinterpret_cast<const sockaddr_in6*>(&address)->sin6_addr);
  const bool internet = address.ss_family == AF_INET || address.ss_family == AF_INET6;
  if (!internet || ::inet_ntop(address.ss_family, bytes, text.data(), text.size()) == nullptr) return {};
  return text.data();
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
    socket.descriptor = kFirstDescriptor + i;
    socket.name = rest.substr(0, rest.find(':'));
    rest.remove_prefix(std::min(socket.name.size() + 1, rest.size()));
    ::fcntl(socket.descriptor, F_SETFD, FD_CLOEXEC);
    socket.address = ListeningAddress(socket.descriptor);
    if (socket.address.empty()) {
      return InvalidArgument(
          fmt::format("socket {} of LISTEN_FDS (\"{}\") is no TCP socket that listens", i + 1, socket.name));
    }
    // As systemd names the descriptors of a socket unit without a name of their own.
    if (socket.name == "https") continue;
    if (socket.name.empty() || socket.name == "http" || socket.name == "unknown" || socket.name.ends_with(".socket")) {
      socket.name = "http";
      continue;
    }
    return InvalidArgument(fmt::format("socket {} of LISTEN_FDS is called \"{}\": FileDescriptorName= is http or https",
                                       i + 1, socket.name));
  }
  return sockets;
}

}  // namespace tidemark::service

// Sockets on which the supervisor listens for this process already, so that no connection is refused while it starts.
//
// Source: sd_listen_fds(3): LISTEN_PID, LISTEN_FDS and LISTEN_FDNAMES, descriptors from 3 on.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "storage/base/result.h"

namespace tidemark::service {

struct InheritedSocket {
  int descriptor = -1;
  std::string name;     // "http" or "https"; systemd's FileDescriptorName=
  std::string address;  // "127.0.0.1" or "::1"
};

// Takes the variables out of the environment, and keeps the descriptors from children. Before there is a second thread.
// kInvalidArgument: one is no listening TCP socket, or has another name.
Result<std::vector<InheritedSocket>> TakeInheritedSockets();

}  // namespace tidemark::service

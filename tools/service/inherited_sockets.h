// Sockets on which the supervisor listens for this process already, so that no connection is refused while it starts;
// and those that the program before it in this process has left (handover.h).
//
// Source: sd_listen_fds(3): LISTEN_PID, LISTEN_FDS and LISTEN_FDNAMES, descriptors from 3 on.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "storage/base/result.h"

namespace tidemark::service {

// SD_LISTEN_FDS_START.
inline constexpr int kFirstInheritedDescriptor = 3;

struct InheritedSocket {
  int descriptor = -1;
  std::string name = {};     // "http", "https", "udp" or "native"; systemd's FileDescriptorName=
  std::string address = {};  // "127.0.0.1" or "::1"
  uint16_t port = 0;
  // Of one that the program before has left: the address as its settings had it, "127.0.0.1:0". "": the supervisor's.
  std::string wanted = {};
};

// Takes the variables out of the environment, and keeps the descriptors from children. Before there is a second thread.
// kInvalidArgument: one is no listening TCP socket and no bound UDP socket called "udp", or has another name.
Result<std::vector<InheritedSocket>> TakeInheritedSockets();

}  // namespace tidemark::service

#include "tools/service/supervisor.h"

#include <fmt/core.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cstddef>
#include <cstdlib>
#include <ctime>

#include "tools/service/environment.h"

namespace tidemark::service {

Supervisor Supervisor::FromEnvironment() {
  Supervisor supervisor;
  supervisor.socket_ = TakeVariable("NOTIFY_SOCKET");
  const std::string interval = TakeVariable("WATCHDOG_USEC");
  const std::string pid = TakeVariable("WATCHDOG_PID");
  if (pid.empty() || NumberIn(pid) == ::getpid()) {
    supervisor.watchdog_ = std::chrono::microseconds(NumberIn(interval).value_or(0));
  }
  return supervisor;
}

std::vector<std::pair<std::string, std::string>> Supervisor::Variables() const {
  std::vector<std::pair<std::string, std::string>> variables;
  if (listens()) variables.emplace_back("NOTIFY_SOCKET", socket_);
  if (watchdog_.count() != 0) {
    variables.emplace_back("WATCHDOG_USEC", std::to_string(watchdog_.count()));
    variables.emplace_back("WATCHDOG_PID", std::to_string(::getpid()));
  }
  return variables;
}

void Supervisor::Ready(std::string_view status) const { Send(fmt::format("READY=1\nSTATUS={}", status)); }

void Supervisor::Reloading() const {
  timespec now = {};
  ::clock_gettime(CLOCK_MONOTONIC, &now);
  Send(fmt::format("RELOADING=1\nMONOTONIC_USEC={}", int64_t{now.tv_sec} * 1'000'000 + now.tv_nsec / 1'000));
}

void Supervisor::Stopping() const { Send("STOPPING=1"); }

void Supervisor::Alive() const { Send("WATCHDOG=1"); }

void Supervisor::NeedsTime(std::chrono::microseconds time) const {
  Send(fmt::format("EXTEND_TIMEOUT_USEC={}", time.count()));
}

void Supervisor::Send(std::string_view lines) const {
  sockaddr_un address = {};
  if (socket_.empty() || socket_.size() >= sizeof address.sun_path) return;
  address.sun_family = AF_UNIX;
  std::ranges::copy(socket_, address.sun_path);
  if (socket_.front() == '@') address.sun_path[0] = '\0';
  const int descriptor = ::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (descriptor < 0) return;
  const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + socket_.size());
  static_cast<void>(::sendto(descriptor, lines.data(), lines.size(), MSG_NOSIGNAL,
                             reinterpret_cast<const sockaddr*>(&address), size));
  ::close(descriptor);
}

}  // namespace tidemark::service

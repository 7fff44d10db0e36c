// Supervisor: tells whoever has started this process, systemd above all, where it stands. Without one nothing is sent.
//
//   const Supervisor supervisor = Supervisor::FromEnvironment();
//   ... start ...
//   supervisor.Ready("serving 127.0.0.1:8086");
//
// Source: sd_notify(3), section "Standalone implementations": lines in one datagram to the socket that NOTIFY_SOCKET
// names.
#pragma once

#include <chrono>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace tidemark::service {

// Immutable; any thread. What cannot be sent is not sent again: a supervisor that is gone needs to know nothing.
class Supervisor {
 public:
  // Takes the variables of the protocol out of the environment, so that no child believes to be meant. Before there is
  // a second thread.
  static Supervisor FromEnvironment();

  [[nodiscard]] bool listens() const { return !socket_.empty(); }
  // Within which a sign of life is wanted, again and again; zero: none is.
  [[nodiscard]] std::chrono::microseconds watchdog() const { return watchdog_; }

  // The variables that FromEnvironment has taken, as NAME and VALUE: for a program that takes the place of this one in
  // the same process.
  [[nodiscard]] std::vector<std::pair<std::string, std::string>> Variables() const;

  // `status`: a line for people.
  void Ready(std::string_view status) const;
  // Until the next Ready.
  void Reloading() const;
  void Stopping() const;
  void Alive() const;
  // What runs, a start or a stop, may take so much longer from now on.
  void NeedsTime(std::chrono::microseconds time) const;

 private:
  void Send(std::string_view lines) const;

  std::string socket_;  // a path, or with '@' in front the name of an abstract socket
  std::chrono::microseconds watchdog_{0};
};

}  // namespace tidemark::service

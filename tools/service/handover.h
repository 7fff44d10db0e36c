// Handover: what a server leaves open for the program that takes its place in the same process, so that nobody is
// refused meanwhile: execve(2) keeps descriptors, the number of the process, and the signals that have come.
//
//   const Error why = Replace(program, supervisor, &handover);        // returns only when it could not be done
//   ... and at the start of the program ...
//   TM_TRY_ASSIGN(Handover handover, TakeHandover());
//
// Listening sockets go as a supervisor hands them over (sd_listen_fds(3)). What that protocol has no words for is in a
// file in memory, whose descriptor TIDEMARK_HANDOVER names, a line each:
//
//   handover 1              the version of the format
//   restarts N              of this process, this one with it
//   paused N                since when nobody is accepted, in ns of CLOCK_MONOTONIC
//   socket ADDRESS          for each of LISTEN_FDS in their order: `wanted` of InheritedSocket, or `-`
//   connection DESCRIPTOR   an open connection between two requests
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "storage/base/result.h"
#include "tools/service/inherited_sockets.h"
#include "tools/service/supervisor.h"

namespace tidemark::service {

// The descriptors are those of who has it.
struct Handover {
  std::vector<InheritedSocket> sockets;
  std::vector<int> connections;
  int64_t paused_ns = 0;  // 0: there was no server before in this process
  uint64_t restarts = 0;
};

// By what a process runs.
struct Program {
  std::string path;
  std::vector<std::string> arguments;  // without the program's own name

  // Of this process: by the name that it was called by, so that what is installed in its place is found under it, also
  // behind a symbolic link; else by where the file is. Before the working directory changes.
  static Program OfThisProcess(std::string_view name, std::vector<std::string> arguments);
};

// The lines above, of a handover whose descriptors are in their places.
std::string PrintHandover(const Handover& handover);
// Puts what the lines say into `handover`, whose sockets are known. kInvalidArgument.
Status ReadHandover(std::string_view text, Handover* handover);

// Takes what a program before has left, or what a supervisor hands over. Before there is a second thread. Errors:
// kInvalidArgument.
Result<Handover> TakeHandover();

// Replaces the running program by `program`, which gets the handover and whom the supervisor has told this one of. When
// it returns, with the reason, the process is as before, and the sockets of the handover have other descriptors.
Error Replace(const Program& program, const Supervisor& supervisor, Handover* handover);

}  // namespace tidemark::service

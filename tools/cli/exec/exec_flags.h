// What the subcommands of `tidemark exec` that run something have in common: flags, signals, the guard, the reports.
#pragma once

#include <CLI/CLI.hpp>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "executor/agent/process/signal_stop.h"
#include "executor/agent/run_command.h"
#include "executor/agent/run_guard.h"
#include "tools/cli/exec/exec_reports.h"

namespace tidemark::cli {

struct ExecFlags {
  std::string file;
  std::string server;
  std::string data;
  uint64_t spool_bytes = uint64_t{256} << 20;
  std::string database{executor::kExecDatabase};
  std::vector<std::string> labels;
  size_t agents = 0;
  size_t slots = 1;
  uint64_t memory_budget_bytes = 0;
  bool sequential = false;
  bool fail_fast = false;
  bool output = false;
  std::string output_directory;
  std::string state_directory;
};

// Flags of run and compare alike.
void AddExecFlags(CLI::App& app, ExecFlags* flags);

// Where a server is looked for that nobody named.
inline constexpr const char* kUsualServer = "http://127.0.0.1:8086";

// --server and --data, of which one may be given; without either, TIDEMARK_SERVER names a server, else it is
// `otherwise`, for the help ("nowhere", or an address).
void AddPlaceFlags(CLI::App& app, std::string* server, std::string* data, const char* otherwise);

// The address in TIDEMARK_SERVER; "" without one.
std::string ServerOfEnvironment();

// Where runs note what is under way: $XDG_STATE_HOME/tidemark/exec, or ~/.local/state/tidemark/exec; "" without a home.
std::string DefaultStateDirectory();

// Everything that must live as long as the runs of one command.
struct ExecSession {
  std::unique_ptr<executor::RunGuard> guard;
  std::unique_ptr<executor::SignalStop> signals;
  std::unique_ptr<ExecReports> reports;
  std::string run_id;
};

// Call it while the process has one thread.
Result<std::unique_ptr<ExecSession>> StartExec(const ExecFlags& flags);

// The options that the flags ask for; `session` must outlive their use.
Result<executor::RunCommandOptions> OptionsOf(const ExecFlags& flags, ExecSession& session);

}  // namespace tidemark::cli

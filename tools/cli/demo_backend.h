// DemoBackend: runs the simulated backend of tools/demo against a server, through the client library.
#pragma once

#include <cstdint>
#include <stop_token>
#include <string>

#include "storage/base/result.h"

namespace tidemark::cli {

struct DemoBackendOptions {
  std::string server = "http://127.0.0.1:8086";
  std::string database = "dce";
  std::string executor_database = "_exec";
  std::string spool_directory{};
  uint64_t seed = 1;
  double rate = 1;              // samples per second
  double incidents = 1;         // length of the first live incidents beside demo::kDrills; 0: none but by chance
  int64_t history_ns = 0;       // 0: no past
  int64_t history_step_ns = 0;  // > 0 with history_ns
  int64_t run_for_ns = 0;       // 0: until told to stop
  bool history_only = false;
};

// Writes the past, with progress on standard error, and then lives until `stop` or run_for_ns. Errors: those of
// client::Writer, as kInvalidArgument, kTimeout (points are left when it ends; says how many) or kIo.
Result<void> RunDemoBackend(const DemoBackendOptions& options, const std::stop_token& stop);

}  // namespace tidemark::cli

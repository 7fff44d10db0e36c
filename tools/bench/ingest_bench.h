// IngestBench: loads the devops workload into a server and says what it cost.
#pragma once

#include <string>

#include "storage/base/result.h"
#include "tools/bench/devops_workload.h"
#include "tools/bench/measure.h"

namespace tidemark::bench {

struct IngestBenchOptions {
  std::string server = "http://127.0.0.1:8086";
  std::string database = "bench";
  DevopsOptions workload;
  std::string protocol = "line";  // see MakeRequestBody
  size_t batch_rows = 10'000;     // of ten points each
  size_t connections = 2;
  int pid = 0;  // of the server, for its CPU and memory; 0: unknown
  Told told = [](std::string_view, std::string_view, uint64_t, uint64_t) {};  // points that are generated, then sent
};

struct IngestBenchReport {
  uint64_t points = 0;
  uint64_t bytes = 0;
  double seconds = 0;
  double cpu_seconds = 0;
  uint64_t resident_bytes = 0;
  double batch_p50_ms = 0;
  double batch_p99_ms = 0;
};

// Blocks until everything is acknowledged; any answer but 2xx is an error. The workload is generated beforehand, so
// that its cost is not measured: it is held in memory (about 35 bytes per point of line protocol).
Result<IngestBenchReport> RunIngestBench(const IngestBenchOptions& options);

}  // namespace tidemark::bench

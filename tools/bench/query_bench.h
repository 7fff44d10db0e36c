// QueryBench: the query types of TSBS as PromQL over the devops workload, each with random hosts and windows.
#pragma once

#include <string>
#include <vector>

#include "storage/base/result.h"
#include "tools/bench/measure.h"

namespace tidemark::bench {

struct QueryBenchOptions {
  std::string server = "http://127.0.0.1:8086";
  std::string database = "bench";
  uint32_t hosts = 100;
  int64_t start_s = 1'451'606'400;
  int64_t seconds = 3600;  // length of the data that was loaded
  size_t runs = 20;
  uint64_t seed = 7;
  std::string only;  // substring of the types to run; "": all
  int pid = 0;
  Told told = [](std::string_view, std::string_view, uint64_t, uint64_t) {};  // queries that are answered
};

struct QueryBenchRow {
  std::string type;
  double p50_ms = 0;
  double p99_ms = 0;
  double cpu_ms = 0;         // of the server, per query
  uint64_t reply_bytes = 0;  // of all runs together
};

// Each type is asked once before it is measured. Any answer but 200 is an error.
Result<std::vector<QueryBenchRow>> RunQueryBench(const QueryBenchOptions& options);

}  // namespace tidemark::bench

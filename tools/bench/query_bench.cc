#include "tools/bench/query_bench.h"

#include <fmt/core.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <chrono>
#include <random>

#include "tools/bench/devops_workload.h"
#include "tools/bench/measure.h"
#include "tools/cli/http_client.h"

namespace tidemark::bench {
namespace {

// What is asked. {0} is the selector; a window of 0 is the whole of the data less a step.
struct QueryType {
  const char* name;
  const char* expression;
  size_t fields;
  size_t hosts;  // 0: all
  int64_t window_s;
  int64_t step_s;
};

constexpr QueryType kTypes[] = {
    {"single-1-1", "max(max_over_time({0}[1m])) by (__name__)", 1, 1, 3600, 60},
    {"single-1-8", "max(max_over_time({0}[1m])) by (__name__)", 1, 8, 3600, 60},
    {"single-5-1", "max(max_over_time({0}[1m])) by (__name__)", 5, 1, 3600, 60},
    {"single-5-8", "max(max_over_time({0}[1m])) by (__name__)", 5, 8, 3600, 60},
    {"max-all-8", "max(max_over_time({0}[1h])) by (__name__)", kDevopsFields, 8, 0, 3600},
    {"double-1", "avg(avg_over_time({0}[1h])) by (__name__, hostname)", 1, 0, 0, 3600},
    {"double-all", "avg(avg_over_time({0}[1h])) by (__name__, hostname)", kDevopsFields, 0, 0, 3600},
    {"high-cpu", "{0} > 90", 1, 0, 3600, 60},
    {"p95-by-region", "quantile(0.95, quantile_over_time(0.95, {0}[5m])) by (region)", 1, 0, 0, 300},
};

std::string Selector(const QueryType& type, uint32_t all_hosts, std::mt19937_64* random) {
  std::vector<std::string> fields;
  for (size_t f = 0; f < type.fields; ++f) fields.emplace_back(DevopsWorkload::FieldName(f));
  std::vector<std::string> hosts;
  for (size_t h = 0; h < std::min<size_t>(type.hosts, all_hosts); ++h) {
    hosts.push_back(fmt::format("host_{}", (*random)() % all_hosts));
  }
  const std::string host = hosts.empty() ? "" : fmt::format("hostname=~\"{}\"", fmt::join(hosts, "|"));
  if (fields.size() == 1) return fmt::format("cpu_{}{{{}}}", fields[0], host);
  return fmt::format("{{__name__=~\"cpu_({})\"{}{}}}", fmt::join(fields, "|"), host.empty() ? "" : ",", host);
}

}  // namespace

Result<std::vector<QueryBenchRow>> RunQueryBench(const QueryBenchOptions& options) {
  TM_TRY_ASSIGN(auto client, cli::HttpClient::Create(options.server));
  std::mt19937_64 random(options.seed);
  std::vector<QueryBenchRow> rows;
  const auto asked = [&options](const QueryType& type) { return std::string_view(type.name).contains(options.only); };
  const uint64_t all = static_cast<uint64_t>(std::ranges::count_if(kTypes, asked)) * (options.runs + 1);
  uint64_t done = 0;
  for (const QueryType& type : kTypes) {
    if (!asked(type)) continue;
    const int64_t length = std::min(type.window_s == 0 ? options.seconds : type.window_s, options.seconds);
    QueryBenchRow row{.type = type.name};
    std::vector<double> latencies_ms;
    double cpu_before = 0;
    for (size_t run = 0; run <= options.runs; ++run) {
      if (run == 1) cpu_before = CpuSeconds(options.pid);
      const auto room = static_cast<uint64_t>(options.seconds - length + 1);
      const int64_t start = options.start_s + static_cast<int64_t>(random() % room);
      const std::string query = fmt::format(fmt::runtime(type.expression), Selector(type, options.hosts, &random));
      const std::string form = cli::QueryString({{"query", query},
                                                 {"db", options.database},
                                                 {"start", std::to_string(start)},
                                                 {"end", std::to_string(start + length)},
                                                 {"step", std::to_string(type.step_s)},
                                                 {"nocache", "1"}})
                                   .substr(1);
      const auto begin = std::chrono::steady_clock::now();
      TM_TRY_ASSIGN(
          const cli::HttpReply reply,
          client->Send("POST", "/api/v1/query_range", {{"Content-Type", "application/x-www-form-urlencoded"}}, form));
      const auto end = std::chrono::steady_clock::now();
      if (reply.status != 200) {
        return MakeError(ErrorCode::kInternal,
                         fmt::format("{}: the server answered {}: {}", query, reply.status, reply.body));
      }
      options.told("answered", "queries", ++done, all);
      if (run == 0) continue;
      latencies_ms.push_back(std::chrono::duration<double, std::milli>(end - begin).count());
      row.reply_bytes += reply.body.size();
    }
    row.cpu_ms = (CpuSeconds(options.pid) - cpu_before) / static_cast<double>(options.runs) * 1000;
    row.p50_ms = Percentile(latencies_ms, 0.5);
    row.p99_ms = Percentile(latencies_ms, 0.99);
    rows.push_back(row);
  }
  return rows;
}

}  // namespace tidemark::bench

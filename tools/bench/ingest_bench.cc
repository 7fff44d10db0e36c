#include "tools/bench/ingest_bench.h"

#include <fmt/core.h>

#include <atomic>
#include <chrono>
#include <memory>
#include <thread>
#include <vector>

#include "storage/base/mutex.h"
#include "tools/bench/measure.h"
#include "tools/bench/request_body.h"
#include "tools/cli/http_client.h"

namespace tidemark::bench {
namespace {

// What the connections share.
struct Shared {
  std::string target;
  cli::Headers headers;
  std::vector<std::string> batches;
  std::vector<uint64_t> batch_points;  // of each
  uint64_t points = 0;                 // of all
  std::atomic<size_t> next{0};
  Mutex mutex;
  std::vector<double> latencies_ms TM_GUARDED_BY(mutex);
  uint64_t sent TM_GUARDED_BY(mutex) = 0;  // points
  Result<void> outcome TM_GUARDED_BY(mutex);
};

Result<void> SendBatches(const IngestBenchOptions& options, Shared* shared, std::vector<double>* latencies_ms) {
  TM_TRY_ASSIGN(auto client, cli::HttpClient::Create(options.server));
  for (size_t i; (i = shared->next.fetch_add(1)) < shared->batches.size();) {
    const auto begin = std::chrono::steady_clock::now();
    TM_TRY_ASSIGN(const cli::HttpReply reply,
                  client->Send("POST", shared->target, shared->headers, shared->batches[i]));
    if (reply.status / 100 != 2) {
      return MakeError(ErrorCode::kInternal, fmt::format("the server answered {}: {}", reply.status, reply.body));
    }
    latencies_ms->push_back(
        std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - begin).count());
    MutexLock lock(shared->mutex);
    shared->sent += shared->batch_points[i];
    options.told("sent", "points", shared->sent, shared->points);
  }
  return {};
}

}  // namespace

Result<IngestBenchReport> RunIngestBench(const IngestBenchOptions& options) {
  Shared shared;
  DevopsWorkload workload(options.workload);
  IngestBenchReport report;
  TM_TRY_ASSIGN(const std::unique_ptr<RequestBody> body, MakeRequestBody(options.protocol, &workload));
  shared.target = std::string(body->path()) + cli::QueryString({{"db", options.database}});
  shared.headers = body->headers();
  report.points = workload.rows() * kDevopsFields;
  shared.points = report.points;
  DevopsRow row;
  uint64_t generated = 0;
  for (bool more = true; more;) {
    uint64_t points = 0;
    for (size_t i = 0; i < options.batch_rows && (more = workload.Next(&row)); ++i) {
      body->Append(row);
      points += kDevopsFields;
    }
    if (std::string batch = body->Take(); !batch.empty()) {
      report.bytes += batch.size();
      shared.batches.push_back(std::move(batch));
      shared.batch_points.push_back(points);
    }
    generated += points;
    options.told("generated", "points", generated, shared.points);
  }
  if (const std::string opening = body->Opening(); !opening.empty()) {
    TM_TRY_ASSIGN(auto client, cli::HttpClient::Create(options.server));
    TM_TRY_ASSIGN(const cli::HttpReply reply, client->Send("POST", shared.target, shared.headers, opening));
    if (reply.status / 100 != 2) {
      return MakeError(ErrorCode::kInternal, fmt::format("the server answered {}: {}", reply.status, reply.body));
    }
  }
  const double cpu_before = CpuSeconds(options.pid);
  const auto begin = std::chrono::steady_clock::now();
  {
    std::vector<std::jthread> threads;
    for (size_t c = 0; c < options.connections; ++c) {
      threads.emplace_back([&] {
        std::vector<double> latencies_ms;
        Result<void> outcome = SendBatches(options, &shared, &latencies_ms);
        MutexLock lock(shared.mutex);
        shared.latencies_ms.insert(shared.latencies_ms.end(), latencies_ms.begin(), latencies_ms.end());
        if (!outcome.ok()) shared.outcome = std::move(outcome);
      });
    }
  }
  report.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  report.cpu_seconds = CpuSeconds(options.pid) - cpu_before;
  report.resident_bytes = ResidentBytes(options.pid);
  MutexLock lock(shared.mutex);
  TM_RETURN_IF_ERROR(std::move(shared.outcome));
  report.batch_p50_ms = Percentile(shared.latencies_ms, 0.5);
  report.batch_p99_ms = Percentile(shared.latencies_ms, 0.99);
  return report;
}

}  // namespace tidemark::bench

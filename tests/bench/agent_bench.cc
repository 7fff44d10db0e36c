// What an agent costs before its first task runs, in this process and in a process of its own; and what tasks cost.
#include <benchmark/benchmark.h>

#include <algorithm>
#include <vector>

#include "executor/executor.h"

namespace tidemark::executor {
namespace {

double MedianUs(std::vector<int64_t> ns) {
  std::nth_element(ns.begin(), ns.begin() + static_cast<std::ptrdiff_t>(ns.size() / 2), ns.end());
  return static_cast<double>(ns[ns.size() / 2]) / 1e3;
}

// The counter is the median; the benchmark's own time is a whole run.
void Measure(benchmark::State& state, const Executor& work) {
  std::vector<int64_t> start, channel, first;
  for (auto _ : state) {
    const auto report = work.Run({.agents = 1});
    start.push_back(report->agents[0].start_ns);
    channel.push_back(report->agents[0].channel_setup_ns);
    first.push_back(report->agents[0].first_task_ns);
  }
  state.counters["start_us"] = MedianUs(std::move(start));
  state.counters["channel_us"] = MedianUs(std::move(channel));
  state.counters["first_task_us"] = MedianUs(std::move(first));
}

void BM_FirstTaskInProcess(benchmark::State& state) {
  Executor work("bench");
  work.Add("a", "bench", [](TaskContext&) -> Result<void> { return {}; });
  Measure(state, work);
}
BENCHMARK(BM_FirstTaskInProcess)->UseRealTime();

void BM_FirstTaskOfAProcess(benchmark::State& state) {
  Executor work("bench");
  work.AddCommand("a", "bench", {"/bin/true"});
  Measure(state, work);
}
BENCHMARK(BM_FirstTaskOfAProcess)->UseRealTime();

void BM_ThousandTasksInProcess(benchmark::State& state) {
  Executor work("bench");
  for (int i = 0; i < 1000; ++i) {
    work.Add("t" + std::to_string(i), "bench", [](TaskContext&) -> Result<void> { return {}; });
  }
  for (auto _ : state) benchmark::DoNotOptimize(work.Run({.agents = 2}));
  state.SetItemsProcessed(state.iterations() * 1000);
}
BENCHMARK(BM_ThousandTasksInProcess)->MeasureProcessCPUTime()->UseRealTime();

}  // namespace
}  // namespace tidemark::executor

BENCHMARK_MAIN();

// The pool beside oneTBB's task_group: fine tasks and fork-join, on as many threads each.
#include <benchmark/benchmark.h>
#include <tbb/global_control.h>
#include <tbb/task_arena.h>
#include <tbb/task_group.h>

#include <array>
#include <latch>

#include "executor/pool/task_group.h"
#include "executor/pool/thread_pool.h"

namespace tidemark::executor {
namespace {

constexpr size_t kThreads = 3;
constexpr size_t kTasks = 20'000;

// About 100 ns per 250 steps; the same code for both.
[[gnu::noinline]] void Work(int64_t steps) {
  for (int64_t i = 0; i < steps; ++i) benchmark::DoNotOptimize(i);
}

// `run` is called on one of the pool's threads, so that both sides have kThreads of them.
template <typename Run>
void OnWorker(ThreadPool& pool, Run run) {
  std::latch done(1);
  pool.Submit(TaskKind::kQuery, [&] {
    run();
    done.count_down();
  });
  done.wait();
}

void BM_TidemarkFineTasks(benchmark::State& state) {
  ThreadPool pool({.workers = kThreads});
  for (auto _ : state) {
    OnWorker(pool, [&] {
      TaskGroup group(pool, TaskKind::kQuery);
      for (size_t i = 0; i < kTasks; ++i) group.Run([&] { Work(state.range(0)); });
      group.Wait();
    });
  }
  state.SetItemsProcessed(state.iterations() * static_cast<int64_t>(kTasks));
}
BENCHMARK(BM_TidemarkFineTasks)->Arg(0)->Arg(250)->Arg(2500)->MeasureProcessCPUTime()->UseRealTime();

void BM_TbbFineTasks(benchmark::State& state) {
  const tbb::global_control limit(tbb::global_control::max_allowed_parallelism, kThreads);
  tbb::task_arena arena(static_cast<int>(kThreads));
  for (auto _ : state) {
    arena.execute([&] {
      tbb::task_group group;
      for (size_t i = 0; i < kTasks; ++i) group.run([&] { Work(state.range(0)); });
      group.wait();
    });
  }
  state.SetItemsProcessed(state.iterations() * static_cast<int64_t>(kTasks));
}
BENCHMARK(BM_TbbFineTasks)->Arg(0)->Arg(250)->Arg(2500)->MeasureProcessCPUTime()->UseRealTime();

size_t Fibonacci(ThreadPool& pool, size_t n) {
  if (n < 2) return n;
  size_t left = 0;
  TaskGroup group(pool, TaskKind::kQuery);
  group.Run([&, n] { left = Fibonacci(pool, n - 1); });
  const size_t right = Fibonacci(pool, n - 2);
  group.Wait();
  return left + right;
}

size_t TbbFibonacci(size_t n) {
  if (n < 2) return n;
  size_t left = 0;
  tbb::task_group group;
  group.run([&, n] { left = TbbFibonacci(n - 1); });
  const size_t right = TbbFibonacci(n - 2);
  group.wait();
  return left + right;
}

// Forks of Fibonacci(22).
constexpr int64_t kForks = 28'656;

void BM_TidemarkForkJoin(benchmark::State& state) {
  ThreadPool pool({.workers = kThreads});
  for (auto _ : state) {
    OnWorker(pool, [&] { benchmark::DoNotOptimize(Fibonacci(pool, 22)); });
  }
  state.SetItemsProcessed(state.iterations() * kForks);
}
BENCHMARK(BM_TidemarkForkJoin)->MeasureProcessCPUTime()->UseRealTime();

void BM_TbbForkJoin(benchmark::State& state) {
  const tbb::global_control limit(tbb::global_control::max_allowed_parallelism, kThreads);
  tbb::task_arena arena(static_cast<int>(kThreads));
  for (auto _ : state) {
    arena.execute([&] { benchmark::DoNotOptimize(TbbFibonacci(22)); });
  }
  state.SetItemsProcessed(state.iterations() * kForks);
}
BENCHMARK(BM_TbbForkJoin)->MeasureProcessCPUTime()->UseRealTime();

}  // namespace
}  // namespace tidemark::executor

BENCHMARK_MAIN();

// What the pool costs: fine tasks, loops and fork-join, each beside the same work done by one thread.
#include <benchmark/benchmark.h>

#include <array>
#include <latch>

#include "executor/pool/thread_pool.h"

namespace tidemark::executor {
namespace {

constexpr size_t kWorkers = 3;
constexpr size_t kTasks = 20'000;

// About 100 ns per 250 steps.
void Work(int64_t steps) {
  for (int64_t i = 0; i < steps; ++i) benchmark::DoNotOptimize(i);
}

void BM_Alone(benchmark::State& state) {
  for (auto _ : state) {
    for (size_t i = 0; i < kTasks; ++i) Work(state.range(0));
  }
  state.SetItemsProcessed(state.iterations() * static_cast<int64_t>(kTasks));
}
BENCHMARK(BM_Alone)->Arg(0)->Arg(250)->Arg(2500)->MeasureProcessCPUTime()->UseRealTime();

void BM_SubmitFromOutside(benchmark::State& state) {
  ThreadPool pool({.workers = kWorkers});
  for (auto _ : state) {
    std::latch done(kTasks);
    for (size_t i = 0; i < kTasks; ++i) {
      pool.Submit(TaskKind::kQuery, [&] {
        Work(state.range(0));
        done.count_down();
      });
    }
    done.wait();
  }
  state.SetItemsProcessed(state.iterations() * static_cast<int64_t>(kTasks));
}
BENCHMARK(BM_SubmitFromOutside)->Arg(0)->Arg(250)->Arg(2500)->MeasureProcessCPUTime()->UseRealTime();

void BM_SubmitFromWorker(benchmark::State& state) {
  ThreadPool pool({.workers = kWorkers});
  for (auto _ : state) {
    std::latch done(kTasks);
    pool.Submit(TaskKind::kQuery, [&] {
      for (size_t i = 0; i < kTasks; ++i) {
        pool.Submit(TaskKind::kQuery, [&] {
          Work(state.range(0));
          done.count_down();
        });
      }
    });
    done.wait();
  }
  state.SetItemsProcessed(state.iterations() * static_cast<int64_t>(kTasks));
}
BENCHMARK(BM_SubmitFromWorker)->Arg(0)->Arg(250)->Arg(2500)->MeasureProcessCPUTime()->UseRealTime();

void BM_ParallelFor(benchmark::State& state) {
  ThreadPool pool({.workers = kWorkers});
  for (auto _ : state) {
    pool.ParallelFor(TaskKind::kQuery, kTasks, [&](size_t) { Work(state.range(0)); });
  }
  state.SetItemsProcessed(state.iterations() * static_cast<int64_t>(kTasks));
}
BENCHMARK(BM_ParallelFor)->Arg(0)->Arg(250)->Arg(2500)->MeasureProcessCPUTime()->UseRealTime();

// Many short loops one after another: what each costs to begin and to end.
void BM_ShortLoops(benchmark::State& state) {
  ThreadPool pool({.workers = kWorkers});
  for (auto _ : state) pool.ParallelFor(TaskKind::kQuery, 64, [&](size_t) { Work(state.range(0)); });
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(BM_ShortLoops)->Arg(0)->Arg(250)->MeasureProcessCPUTime()->UseRealTime();

size_t Fibonacci(ThreadPool& pool, size_t n) {
  if (n < 2) return n;
  std::array<size_t, 2> parts{};
  pool.ParallelFor(TaskKind::kQuery, 2, [&](size_t i) { parts[i] = Fibonacci(pool, n - 1 - i); });
  return parts[0] + parts[1];
}

void BM_ForkJoin(benchmark::State& state) {
  ThreadPool pool({.workers = kWorkers});
  for (auto _ : state) {
    std::latch done(1);
    pool.Submit(TaskKind::kQuery, [&] {
      benchmark::DoNotOptimize(Fibonacci(pool, 20));
      done.count_down();
    });
    done.wait();
  }
  // Forks of Fibonacci(20).
  state.SetItemsProcessed(state.iterations() * 10'945);
}
BENCHMARK(BM_ForkJoin)->MeasureProcessCPUTime()->UseRealTime();

}  // namespace
}  // namespace tidemark::executor

BENCHMARK_MAIN();

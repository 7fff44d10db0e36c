// Runs functions and a command as the tasks of a pipeline and reports them to a server.
//
//   embedded_run URL SPOOL LEDGER
//
// Each task appends its name to LEDGER; prints the outcome and how many rows were reported.
#include <clients/sink/spooled_sink.h>
#include <executor/executor.h>

#include <chrono>
#include <cstdio>
#include <fstream>
#include <mutex>
#include <string>

namespace executor = tidemark::executor;

int main(int argc, char** argv) {
  if (argc != 4) {
    std::fprintf(stderr, "embedded_run URL SPOOL LEDGER\n");
    return 2;
  }
  const std::string ledger = argv[3];
  const auto sink = tidemark::sink::SpooledSink::Open({.server = argv[1], .spool_root = argv[2]});
  if (!sink.ok()) {
    std::fprintf(stderr, "embedded_run: %s\n", sink.error().message.c_str());
    return 1;
  }
  std::mutex mutex;
  const auto note = [&](const std::string& name) {
    const std::lock_guard<std::mutex> lock(mutex);
    std::ofstream(ledger, std::ios::app) << name << "\n";
  };
  executor::Executor work("outside");
  const auto load = work.Add("load", "io", [&](executor::TaskContext& context) -> tidemark::Result<void> {
    context.Progress(50);
    note("load");
    return {};
  });
  const auto count = work.Add("count", "cpu",
                              [&](executor::TaskContext& context) -> tidemark::Result<void> {
                                context.Print("lines: 91.5%\n");
                                note("count");
                                return {};
                              },
                              {load});
  work.task(count).gate = executor::GateSpec{
      .regex = "lines: ([0-9.]+)%", .unit = "%", .fail = executor::Limit{executor::Limit::Op::kLess, 70}};
  work.AddCommand("pack", "io", {"/bin/sh", "-c", "echo pack >> '" + ledger + "'"}, {load});
  const auto report = work.Run({.agents = 2, .sink = sink->get()});
  if (!report.ok()) {
    std::fprintf(stderr, "embedded_run: %s\n", report.error().message.c_str());
    return 1;
  }
  const auto balance = (*sink)->Close(std::chrono::minutes(1));
  std::printf("succeeded %zu of %zu, reported %llu, delivered %llu, waiting %llu\n", report->totals.succeeded,
              work.pipeline().tasks.size(), static_cast<unsigned long long>(report->reports.rows_written),
              static_cast<unsigned long long>(balance.delivered), static_cast<unsigned long long>(balance.waiting));
  return 0;
}

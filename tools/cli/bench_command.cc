// tidemark bench: what writing to a server and asking it costs.
#include <fmt/core.h>

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "tools/bench/ingest_bench.h"
#include "tools/bench/query_bench.h"
#include "tools/cli/command.h"
#include "tools/cli/progress_line.h"

namespace tidemark::cli {
namespace {

// How far it is, while it runs and on a terminal: a line for each verb, one after the other.
class BenchProgress {
 public:
  bench::Told told() {
    return [this](std::string_view verb, std::string_view noun, uint64_t done, uint64_t all) {
      if (verb != verb_) {
        Erase();
        line_.emplace(verb, noun, ProgressLine::Where::kTerminal);
        verb_ = verb;
      }
      line_->Show(done, done, all);
    };
  }
  void Erase() {
    if (line_.has_value()) line_->Erase();
  }

 private:
  std::string verb_;
  std::optional<ProgressLine> line_;
};

int Ingest(bench::IngestBenchOptions options) {
  BenchProgress progress;
  options.told = progress.told();
  const auto report = bench::RunIngestBench(options);
  progress.Erase();
  if (!report.ok()) return Fail(report.error().message);
  const auto points = static_cast<double>(report->points);
  fmt::print("points {}  bytes {}  {:.2f} s  {:.0f} points/s  batch p50 {:.1f} ms  p99 {:.1f} ms\n", report->points,
             report->bytes, report->seconds, points / report->seconds, report->batch_p50_ms, report->batch_p99_ms);
  if (options.pid != 0) {
    fmt::print("server: {:.2f} CPU-s  {:.0f} points per CPU-s  {:.0f} MB resident\n", report->cpu_seconds,
               points / report->cpu_seconds, static_cast<double>(report->resident_bytes) / 1e6);
  }
  return 0;
}

int Query(bench::QueryBenchOptions options) {
  BenchProgress progress;
  options.told = progress.told();
  const auto rows = bench::RunQueryBench(options);
  progress.Erase();
  if (!rows.ok()) return Fail(rows.error().message);
  fmt::print("{:<16}{:>12}{:>12}{:>12}{:>14}\n", "type", "p50 ms", "p99 ms", "CPU ms", "reply bytes");
  for (const bench::QueryBenchRow& row : *rows) {
    fmt::print("{:<16}{:>12.2f}{:>12.2f}{:>12.2f}{:>14}\n", row.type, row.p50_ms, row.p99_ms, row.cpu_ms,
               row.reply_bytes / options.runs);
  }
  return 0;
}

}  // namespace

void AddBench(CLI::App& app, Action* action) {
  app.require_subcommand(1);

  auto ingest = std::make_shared<bench::IngestBenchOptions>();
  auto* const in = app.add_subcommand("ingest", "load the TSBS cpu-only workload");
  AddServerFlag(*in, &ingest->server);
  in->add_option("--db", ingest->database, "database")->group("Data")->capture_default_str();
  in->add_option("--hosts", ingest->workload.hosts, "hosts, ten fields each")->group("Data")->capture_default_str();
  in->add_option("--seconds", ingest->workload.seconds, "length of the data")->group("Data")->capture_default_str();
  in->add_option("--interval", ingest->workload.interval_s, "seconds from row to row of a host")
      ->group("Data")
      ->capture_default_str()
      ->check(CLI::PositiveNumber);
  in->add_flag("--decimals", ingest->workload.decimals, "values with two decimals instead of integers")->group("Data");
  in->add_option("--protocol", ingest->protocol, "what the requests are in")
      ->group("Requests")
      ->capture_default_str()
      ->check(CLI::IsMember({"line", "line-single", "native", "native-whole", "native-single", "remote-write"}));
  in->add_option("--batch", ingest->batch_rows, "rows of one request, of ten points each")
      ->group("Requests")
      ->capture_default_str()
      ->check(CLI::PositiveNumber);
  in->add_option("--connections", ingest->connections, "requests at the same time")
      ->group("Requests")
      ->capture_default_str()
      ->check(CLI::PositiveNumber);
  in->add_option("--pid", ingest->pid, "process of the server, to say what it used");
  in->callback([ingest, action] { *action = [ingest] { return Ingest(*ingest); }; });

  auto query = std::make_shared<bench::QueryBenchOptions>();
  auto* const out = app.add_subcommand("query", "ask the TSBS query types of data that `bench ingest` loaded");
  AddServerFlag(*out, &query->server);
  out->add_option("--db", query->database, "database")->group("Data")->capture_default_str();
  out->add_option("--hosts", query->hosts, "hosts that were loaded")
      ->group("Data")
      ->capture_default_str()
      ->check(CLI::PositiveNumber);
  out->add_option("--seconds", query->seconds, "length of the data that was loaded")
      ->group("Data")
      ->capture_default_str();
  out->add_option("--runs", query->runs, "queries of each type")
      ->group("Queries")
      ->capture_default_str()
      ->check(CLI::PositiveNumber);
  out->add_option("--only", query->only, "only the types whose name has this in it")->group("Queries");
  out->add_option("--pid", query->pid, "process of the server, to say what it used");
  out->callback([query, action] { *action = [query] { return Query(*query); }; });
}

}  // namespace tidemark::cli

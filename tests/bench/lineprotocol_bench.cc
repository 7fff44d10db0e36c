// Speed of the line protocol parser. Each case parses bodies of about 1 MB with one warm parser, as a connection does.
//
//   lineprotocol_bench [FILE...] [--benchmark_...]
//
// Every FILE of line protocol becomes a case of its own. Times are CPU times.
#include <benchmark/benchmark.h>
#include <fmt/format.h>

#include <fstream>
#include <iterator>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "ingest/lineprotocol/parser.h"

namespace {

using tidemark::lineprotocol::Parser;
using tidemark::lineprotocol::ParseReport;

constexpr size_t kBodyBytes = 1'000'000;

// Whole lines of at most kBodyBytes together (or one longer line).
std::vector<std::string_view> Split(std::string_view text) {
  std::vector<std::string_view> bodies;
  while (!text.empty()) {
    size_t size = text.size();
    if (size > kBodyBytes) {
      const size_t newline = text.rfind('\n', kBodyBytes);
      size = newline == text.npos ? text.size() : newline + 1;
    }
    bodies.push_back(text.substr(0, size));
    text.remove_prefix(size);
  }
  return bodies;
}

void ParseAll(benchmark::State& state, const std::string& text) {
  const std::vector<std::string_view> bodies = Split(text);
  Parser parser;
  tidemark::model::Batch batch;
  size_t points = 0;
  for (auto _ : state) {
    for (const std::string_view body : bodies) {
      const ParseReport report = parser.Parse(body, {}, &batch);
      if (report.lines_bad > 0) state.SkipWithError("a line was refused");
      points += batch.points();
    }
  }
  state.SetBytesProcessed(static_cast<int64_t>(state.iterations() * text.size()));
  state.counters["points"] = benchmark::Counter(static_cast<double>(points), benchmark::Counter::kIsRate);
}

// The shape of the TSBS devops workload: ten tags, ten fields.
std::string Devops(size_t hosts, size_t rows, bool decimals) {
  std::mt19937_64 random(1);
  std::string text;
  for (size_t i = 0; i < rows; ++i) {
    fmt::format_to(std::back_inserter(text),
                   "cpu,hostname=host_{},region=eu-central-1,datacenter=eu-central-1a,rack={},os=Ubuntu16.04LTS,"
                   "arch=x64,team=SF,service=9,service_version=1,service_environment=staging",
                   i % hosts, i % hosts % 100);
    char separator = ' ';
    for (const char* field :
         {"user", "system", "idle", "nice", "iowait", "irq", "softirq", "steal", "guest", "guest_nice"}) {
      const double value = static_cast<double>(random() % 10'001) / 100;
      const std::string number = decimals ? fmt::format("{:.2f}", value) : fmt::format("{:.0f}i", value);
      fmt::format_to(std::back_inserter(text), "{}usage_{}={}", separator, field, number);
      separator = ',';
    }
    fmt::format_to(std::back_inserter(text), " {}000000000\n", 1'451'606'400 + i / hosts * 10);
  }
  return text;
}

// What an agent sends: several measurements in turn, strings, bools, escapes.
std::string Mixed(size_t rows) {
  std::string text;
  for (size_t i = 0; i < rows; i += 4) {
    fmt::format_to(std::back_inserter(text),
                   "disk,host=h{0},path=/var/log used=123456789012i,free=99.25 1700000000123456789\n"
                   "system,host=h{0} uptime_format=\"12 days, {0}:{0}\",up=t,load1=0.{0} 1700000000123456789\n"
                   "net,host=h{0},interface=eth\\ 0 bytes_recv={0}223372036854i,drop_in=0i 1700000000123456789\n"
                   "temp,host=h{0} value=1.25e-3 1700000000123456789\n",
                   i % 1000);
  }
  return text;
}

void BM_DevopsInts(benchmark::State& state) { ParseAll(state, Devops(1000, 10'000, false)); }
void BM_DevopsDecimals(benchmark::State& state) { ParseAll(state, Devops(1000, 10'000, true)); }
// More series than the parser remembers.
void BM_DevopsManySeries(benchmark::State& state) { ParseAll(state, Devops(1'000'000, 300'000, true)); }
void BM_Mixed(benchmark::State& state) { ParseAll(state, Mixed(20'000)); }
BENCHMARK(BM_DevopsInts);
BENCHMARK(BM_DevopsDecimals);
BENCHMARK(BM_DevopsManySeries);
BENCHMARK(BM_Mixed);

// A body of one line and a new parser, as a datagram or a short connection has: the price of starting.
void BM_OneLineCold(benchmark::State& state) {
  const std::string line = Devops(1, 1, true);
  tidemark::model::Batch batch;
  for (auto _ : state) benchmark::DoNotOptimize(tidemark::lineprotocol::Parse(line, {}, &batch).lines_ok);
}
BENCHMARK(BM_OneLineCold);

void BM_OneLineWarm(benchmark::State& state) { ParseAll(state, Devops(1, 1, true)); }
BENCHMARK(BM_OneLineWarm);

}  // namespace

int main(int argc, char** argv) {
  benchmark::Initialize(&argc, argv);
  std::vector<std::string> texts(static_cast<size_t>(argc));
  for (int i = 1; i < argc; ++i) {
    std::ifstream file(argv[i], std::ios::binary);
    std::string& text = texts[static_cast<size_t>(i)];
    text.assign(std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>());
    benchmark::RegisterBenchmark(argv[i], [&text](benchmark::State& state) { ParseAll(state, text); });
  }
  benchmark::RunSpecifiedBenchmarks();
  return 0;
}

// A year of one-minute data of 100 series, asked for day by day: raw rows beside rollup tiers, the same answer. What is
// measured is the CPU time of a query from expression to result, over a sealed store on disk, on one thread.
//
//   ninja year_bench && bin/year_bench          # prints both and their ratio; fails if an answer differs
#include <benchmark/benchmark.h>

#include <bit>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <memory>
#include <random>
#include <string>

#include "query/engine/engine.h"
#include "query/promql/parser.h"
#include "storage/base/check.h"
#include "storage/base/clock.h"
#include "storage/model/batch.h"
#include "storage/storage.h"
#include "tests/temp_directory.h"

namespace tidemark {
namespace {

constexpr int64_t kSecond = 1'000'000'000;
constexpr int64_t kStart = 1'672'531'200 * kSecond;  // 2023 begins
constexpr int64_t kDays = 365;
constexpr int64_t kRowsPerDay = 1440;
constexpr int kHosts = 100;

// Of each host a gauge and a counter of integers; rows as a scraper writes them, all hosts at a time.
class Year {
 public:
  Year() : clock_(kStart + kDays * storage::kNsPerDay) {
    storage::StoreOptions options;
    options.directory = directory_.path();
    options.clock = &clock_;
    options.background = false;
    options.new_database.partition_ns = 7 * storage::kNsPerDay;
    auto opened = storage::Store::Open(std::move(options));
    TM_CHECK(opened.ok());
    store_ = std::move(opened).value();
    Fill();
    TM_CHECK(store_->Compact("default", {}, nullptr).ok());
    std::printf("%d series, %lld rows each, %.2f bytes a row with tiers\n", 2 * kHosts,
                static_cast<long long>(kDays * kRowsPerDay),
                static_cast<double>(store_->Stats().disk_bytes) / (2.0 * kHosts * kDays * kRowsPerDay));
  }
  Year(const Year&) = delete;
  Year& operator=(const Year&) = delete;

  [[nodiscard]] query::run::QueryResult Ask(const std::string& text, query::run::Resolution::Kind kind) const {
    auto expr = query::promql::Parse(text);
    TM_CHECK(expr.ok());
    auto view = store_->OpenView("");
    TM_CHECK(view.ok());
    auto result = query::engine::Execute(**expr,
                                         {.start_ms = kStart / 1'000'000 + 86'400'000,
                                          .end_ms = kStart / 1'000'000 + kDays * 86'400'000,
                                          .step_ms = 86'400'000,
                                          .instant = false},
                                         {.view = *view, .resolution = {.kind = kind}});
    TM_CHECK(result.ok());
    return std::move(result).value();
  }

 private:
  void Fill() {
    std::mt19937_64 random(1);
    std::vector<int64_t> gauge(kHosts, 500);
    std::vector<int64_t> counter(kHosts, 0);
    model::BatchBuilder builder;
    for (int64_t day = 0; day < kDays; ++day) {
      builder.Clear();
      for (int host = 0; host < kHosts; ++host) {
        const std::string name = "host_" + std::to_string(host);
        for (int64_t minute = 0; minute < kRowsPerDay; ++minute) {
          gauge[host] += static_cast<int64_t>(random() % 21) - 10;
          counter[host] = random() % 100'000 == 0 ? 0 : counter[host] + static_cast<int64_t>(random() % 100);
          builder.Row("m", {{"host", name}}, {kStart + (day * kRowsPerDay + minute) * 60 * kSecond})
              .Field("gauge", gauge[host])
              .Field("counter", counter[host]);
        }
      }
      TM_CHECK(store_->Write("", builder.batch()).ok());
      TM_CHECK(store_->RunMaintenance().ok());
    }
  }

  ManualClock clock_;
  const TempDirectory directory_{TempDirectory::Place::kDisk};
  std::unique_ptr<storage::Store> store_;
};

const Year& TheYear() {
  static const Year year;
  return year;
}

const std::string& Query(int64_t number) {
  static const std::string queries[] = {"avg_over_time(m_gauge[1d])", "max_over_time(m_gauge[1d])",
                                        "rate(m_counter[1d])", "sum(increase(m_counter[1d]))"};
  return queries[number];
}

void Answer(benchmark::State& state, query::run::Resolution::Kind kind) {
  const std::string& text = Query(state.range(0));
  std::string resolution;
  for (auto _ : state) resolution = TheYear().Ask(text, kind).stats.resolution;
  state.SetLabel(text + " from " + resolution);
}
void Raw(benchmark::State& state) { Answer(state, query::run::Resolution::Kind::kRaw); }
void Tiers(benchmark::State& state) { Answer(state, query::run::Resolution::Kind::kAuto); }
BENCHMARK(Raw)->DenseRange(0, 3)->Unit(benchmark::kMillisecond);
BENCHMARK(Tiers)->DenseRange(0, 3)->Unit(benchmark::kMillisecond);

// CPU seconds of both, and whether they agree to the last bit.
bool Compare(const std::string& text) {
  static_cast<void>(TheYear().Ask(text, query::run::Resolution::Kind::kRaw));
  const auto seconds = [&](query::run::Resolution::Kind kind, query::run::QueryResult* result) {
    const std::clock_t before = std::clock();
    constexpr int kTimes = 3;
    for (int i = 0; i < kTimes; ++i) *result = TheYear().Ask(text, kind);
    return static_cast<double>(std::clock() - before) / CLOCKS_PER_SEC / kTimes;
  };
  query::run::QueryResult raw;
  query::run::QueryResult tiers;
  const double raw_s = seconds(query::run::Resolution::Kind::kRaw, &raw);
  const double tiers_s = seconds(query::run::Resolution::Kind::kAuto, &tiers);
  bool same = raw.frame.present == tiers.frame.present && raw.frame.values.size() == tiers.frame.values.size();
  for (size_t i = 0; same && i < raw.frame.values.size(); ++i) {
    same = raw.frame.present[i] == 0 ||
           std::bit_cast<uint64_t>(raw.frame.values[i]) == std::bit_cast<uint64_t>(tiers.frame.values[i]);
  }
  std::printf("%-32s raw %7.1f ms, %s %6.2f ms: %5.1f times less, %s\n", text.c_str(), raw_s * 1e3,
              tiers.stats.resolution.c_str(), tiers_s * 1e3, raw_s / tiers_s, same ? "same answer" : "ANOTHER ANSWER");
  return same;
}

}  // namespace
}  // namespace tidemark

int main(int argc, char** argv) {
  benchmark::Initialize(&argc, argv);
  bool same = true;
  for (int64_t query = 0; query < 4; ++query) same &= tidemark::Compare(tidemark::Query(query));
  benchmark::RunSpecifiedBenchmarks();
  return same ? EXIT_SUCCESS : EXIT_FAILURE;
}

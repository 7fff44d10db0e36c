// Index: creating series, finding them by their raw keys, selecting them, saving and loading. Ten tags per series, one
// of them unique, as in TSBS devops.
#include <benchmark/benchmark.h>

#include <fstream>
#include <string>
#include <vector>

#include "storage/index/index.h"

namespace tidemark::index {
namespace {

std::string KeyOf(uint64_t host) {
  const auto pick = [&](uint64_t salt, uint64_t bound) {
    return std::to_string(((host * 0x9E3779B97F4A7C15U + salt * 0xBF58476D1CE4E5B9U) >> 33) % bound);
  };
  return "cpu,hostname=host_" + std::to_string(host) + ",region=region-" + pick(1, 9) + ",datacenter=region-" +
         pick(2, 25) + "a,rack=" + pick(3, 100) + ",os=Ubuntu" + pick(4, 3) + ",arch=x" + pick(5, 2) + ",team=team" +
         pick(6, 4) + ",service=" + pick(7, 20) + ",service_version=" + pick(8, 2) + ",service_environment=env" +
         pick(9, 3);
}

struct Input {
  std::vector<std::string> keys;
  std::vector<model::Row> rows;

  explicit Input(uint64_t hosts) {
    for (uint64_t host = 0; host < hosts; ++host) keys.push_back(KeyOf(host));
    for (const std::string& key : keys) {
      constexpr auto kFormat = model::KeyFormat::kLineProtocol;
      rows.push_back(
          {.key = {.bytes = key, .hash = model::HashSeriesKey(kFormat, key), .format = kFormat}, .time = {0}});
    }
  }
};

const std::vector<model::ShapeField>& CpuFields() {
  static const std::vector<model::ShapeField> fields = {
      {"usage_user"}, {"usage_system"},  {"usage_idle"},  {"usage_nice"},  {"usage_iowait"},
      {"usage_irq"},  {"usage_softirq"}, {"usage_steal"}, {"usage_guest"}, {"usage_guest_nice"}};
  return fields;
}

void Create(const Input& input, Index* index) {
  const model::ResolvedShape shape = index->ResolveShape({.measurement = "cpu", .fields = CpuFields()}).value();
  std::vector<model::SeriesId> ids(1'000);
  for (size_t at = 0; at < input.rows.size(); at += ids.size()) {
    const size_t count = std::min(ids.size(), input.rows.size() - at);
    index->Lookup(std::span(input.rows).subspan(at, count), ids.data());
    for (size_t i = 0; i < count; ++i) {
      if (ids[i] == model::SeriesId{}) ids[i] = index->FindOrCreate(input.rows[at + i].key).value();
    }
    index->NoteFields(std::span(ids).first(count), shape.fields);
    benchmark::DoNotOptimize(index->TakeDefinitions());
  }
}

double ResidentBytes() {
  std::ifstream file("/proc/self/statm");
  uint64_t total = 0;
  uint64_t resident = 0;
  file >> total >> resident;
  return static_cast<double>(resident) * 4096;
}

void BM_CreateSeries(benchmark::State& state) {
  const Input input(static_cast<uint64_t>(state.range(0)));
  double resident = 0;
  double estimate = 0;
  for (auto _ : state) {
    const double before = ResidentBytes();
    const auto index = Index::Create({});
    Create(input, index.get());
    state.PauseTiming();
    resident = ResidentBytes() - before;
    estimate = static_cast<double>(index->Stats().memory_bytes);
    state.ResumeTiming();
  }
  state.SetItemsProcessed(state.iterations() * state.range(0));
  state.counters["RSS/series"] = resident / static_cast<double>(state.range(0));
  state.counters["estimate/series"] = estimate / static_cast<double>(state.range(0));
}
BENCHMARK(BM_CreateSeries)->Arg(1'000)->Arg(100'000)->Arg(1'000'000)->Unit(benchmark::kMillisecond);

void BM_Lookup(benchmark::State& state) {
  const Input input(static_cast<uint64_t>(state.range(0)));
  const auto index = Index::Create({});
  Create(input, index.get());
  std::vector<model::SeriesId> ids(input.rows.size());
  for (auto _ : state) {
    index->Lookup(input.rows, ids.data());
    benchmark::DoNotOptimize(ids.data());
  }
  state.SetItemsProcessed(state.iterations() * state.range(0));
}
BENCHMARK(BM_Lookup)->Arg(1'000)->Arg(100'000)->Arg(1'000'000);

// Arguments: hosts, which matchers.
void BM_Select(benchmark::State& state) {
  using enum model::MatchOp;
  const std::vector<std::vector<model::Matcher>> queries = {
      {{kRegex, "__name__", "cpu_(usage_user|usage_system|usage_idle|usage_nice|usage_iowait)"},
       {kRegex, "hostname", "host_1|host_5|host_100|host_200|host_300|host_400|host_500|host_999"}},
      {{kEqual, "__name__", "cpu_usage_user"}, {kEqual, "hostname", "host_7"}},
      {{kEqual, "__name__", "cpu_usage_user"}},
      {{kEqual, "__name__", "cpu_usage_user"}, {kEqual, "region", "region-1"}, {kNotEqual, "os", "Ubuntu1"}},
      {{kEqual, "__name__", "cpu_usage_user"}, {kRegex, "hostname", "host_1.*"}},
      {{kEqual, "__name__", "cpu_usage_user"}, {kRegex, "hostname", ".*[13579]"}},
  };
  const Input input(static_cast<uint64_t>(state.range(0)));
  const auto index = Index::Create({});
  Create(input, index.get());
  const auto& matchers = queries[static_cast<size_t>(state.range(1))];
  size_t found = 0;
  for (auto _ : state) found = index->Select(matchers, true, false, 0).value().size();
  state.counters["series"] = static_cast<double>(found);
}
BENCHMARK(BM_Select)->ArgsProduct({{1'000, 100'000}, {0, 1, 2, 3, 4, 5}})->Unit(benchmark::kMicrosecond);

// An expression never seen before, over every host.
void BM_SelectNewExpression(benchmark::State& state) {
  const Input input(static_cast<uint64_t>(state.range(0)));
  const auto index = Index::Create({});
  Create(input, index.get());
  uint64_t n = 0;
  for (auto _ : state) {
    const std::vector<model::Matcher> matchers = {
        {model::MatchOp::kEqual, "__name__", "cpu_usage_user"},
        {model::MatchOp::kRegex, "hostname", ".*(" + std::to_string(n++) + "|5)[13579]"}};
    benchmark::DoNotOptimize(index->Select(matchers, true, false, 0).value());
  }
}
BENCHMARK(BM_SelectNewExpression)->Arg(1'000)->Arg(100'000)->Unit(benchmark::kMicrosecond);

void BM_SaveAndLoad(benchmark::State& state) {
  const Input input(static_cast<uint64_t>(state.range(0)));
  const auto index = Index::Create({});
  Create(input, index.get());
  const std::vector<Entry> entries = index->BeginSave();
  index->SaveFailed();
  size_t bytes = 0;
  for (const Entry& entry : entries) bytes += entry.key.size() + entry.value.size();
  if (state.range(1) == 0) {
    for (auto _ : state) {
      benchmark::DoNotOptimize(index->BeginSave());
      index->SaveFailed();
    }
  } else {
    for (auto _ : state) {
      const auto loaded = Index::Create({});
      for (const Entry& entry : entries) loaded->Load(entry.key, entry.value).value();
      loaded->FinishLoad().value();
    }
  }
  state.counters["bytes/series"] = static_cast<double>(bytes) / static_cast<double>(state.range(0));
}
BENCHMARK(BM_SaveAndLoad)->ArgsProduct({{100'000, 1'000'000}, {0, 1}})->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace tidemark::index

BENCHMARK_MAIN();

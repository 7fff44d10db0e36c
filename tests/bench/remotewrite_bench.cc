// Remote write: requests of 10,000 samples, one for each series, with ten labels, as Prometheus' queues send them.
#include <benchmark/benchmark.h>

#include <string>

#include "ingest/remotewrite/decoder.h"
#include "tests/unit/ingest/remotewrite/request_builder.h"

namespace tidemark::remotewrite {
namespace {

RequestBuilder MakeRequest(int samples) {
  RequestBuilder request;
  for (int i = 0; i < samples; ++i) {
    const std::string host = std::to_string(i / 10);
    request.Series({{"__name__", "cpu_metric_" + std::to_string(i % 10)},
                    {"arch", "x64"},
                    {"datacenter", "eu-west-1" + std::string(1, static_cast<char>('a' + i % 3))},
                    {"hostname", "host_" + host},
                    {"os", "Ubuntu16.10"},
                    {"rack", std::to_string(i % 100)},
                    {"region", "eu-west-1"},
                    {"service", std::to_string(i % 20)},
                    {"service_environment", "production"},
                    {"team", "LON"}},
                   {{static_cast<double>(i % 101), 1'700'000'000'000 + i}});
  }
  return request;
}

// Argument 0: 0 decompressed, 1 snappy. Argument 1: 0 a new decoder each time, 1 one that has seen the series.
void BM_Decode(benchmark::State& state) {
  constexpr int kSamples = 10'000;
  const RequestBuilder request = MakeRequest(kSamples);
  const std::string body = request.body();
  model::Batch batch;
  Decoder warm;
  for (auto _ : state) {
    Decoder cold;
    Decoder& decoder = state.range(1) == 0 ? cold : warm;
    const auto report =
        state.range(0) == 0 ? decoder.DecodeMessage(request.message(), {}, &batch) : decoder.Decode(body, {}, &batch);
    if (!report.ok() || report->samples != kSamples) state.SkipWithError("not decoded");
  }
  state.SetItemsProcessed(state.iterations() * kSamples);
  state.counters["bytes/sample"] = static_cast<double>(request.message().size()) / kSamples;
  state.counters["snappy bytes/sample"] = static_cast<double>(body.size()) / kSamples;
}
BENCHMARK(BM_Decode)->ArgsProduct({{0, 1}, {0, 1}});

}  // namespace
}  // namespace tidemark::remotewrite

BENCHMARK_MAIN();

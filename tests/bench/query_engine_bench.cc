// The query engine alone: columns come from memory at no cost, so that what is measured is windows, kernels,
// aggregation and labels. 1,000 hosts x 10 fields, 10 s apart, 6 h; the query types of TSBS.
//
//   ninja query_engine_bench && bin/query_engine_bench
#include <benchmark/benchmark.h>

#include <memory>
#include <random>
#include <string>
#include <vector>

#include "query/engine/engine.h"
#include "query/promql/parser.h"
#include "storage/model/column.h"
#include "storage/storage.h"

namespace tidemark::query::engine {
namespace {

using run::RangeSpec;

constexpr uint32_t kHosts = 1000;
constexpr uint32_t kFields = 10;
constexpr size_t kRows = 2160;
constexpr int64_t kStepNs = 10'000'000'000;

// All series of a field share one array of integers, which stays in the cache as a decoder's scratch memory would. The
// last field is a counter.
class BenchView final : public storage::View {
 public:
  BenchView() : values_(kRows), counter_(kRows) {
    std::mt19937_64 random(7);
    for (int64_t& value : values_) value = static_cast<int64_t>(random() % 101);
    for (size_t i = 1; i < kRows; ++i) counter_[i] = counter_[i - 1] + values_[i];
    for (uint32_t host = 0; host < kHosts; ++host) hosts_.push_back("host_" + std::to_string(host));
    for (uint32_t field = 0; field < kFields; ++field) names_.push_back("cpu_usage_" + std::to_string(field));
    for (uint32_t field = 0; field < kFields; ++field) {
      for (uint32_t host = 0; host < kHosts; ++host) {
        refs_.push_back({model::FieldId{field + 1}, model::SeriesId{host + 1}});
      }
    }
  }

  [[nodiscard]] Result<std::vector<model::SeriesRef>> Select(std::span<const model::Matcher> matchers, model::TimeRange,
                                                             const storage::SelectOptions&) const override {
    // One field for an equality matcher on the name, all for anything else.
    std::vector<model::SeriesRef> out;
    for (const model::SeriesRef ref : refs_) {
      const bool equal = matchers[0].op == model::MatchOp::kEqual;
      if (!equal || names_[model::Number(ref.field) - 1] == matchers[0].value) out.push_back(ref);
    }
    return out;
  }

  void LabelsOf(model::SeriesRef ref, model::LabelViews* labels) const override {
    labels->assign({{"__name__", names_[model::Number(ref.field) - 1]},
                    {"arch", "x64"},
                    {"datacenter", "eu-west-1a"},
                    {"hostname", hosts_[model::Number(ref.series) - 1]},
                    {"os", "Ubuntu16.04LTS"},
                    {"rack", "67"},
                    {"region", "eu-west-1"},
                    {"service", "6"},
                    {"service_environment", "test"},
                    {"service_version", "0"},
                    {"team", "NYC"}});
  }
  [[nodiscard]] model::FieldType TypeOf(model::FieldId) const override { return model::FieldType::kInt; }

  class Cursor final : public storage::ColumnCursor {
   public:
    Cursor(const BenchView& view, std::span<const model::SeriesRef> refs, model::TimeRange range)
        : view_(view), refs_(refs), range_(range) {}
    Result<bool> Next(model::Column* column) override {
      if (next_ == refs_.size()) return false;
      *column = {};
      column->ref = refs_[next_++];
      column->type = model::FieldType::kInt;
      column->times = {.size = kRows, .first_ns = 0, .step_ns = kStepNs};
      column->ints = model::Number(column->ref.field) == kFields ? view_.counter_.data() : view_.values_.data();
      *column = column->Slice(column->times.LowerBound(range_.first.ns), column->times.UpperBound(range_.last.ns));
      return true;
    }
    [[nodiscard]] const std::vector<std::string>& warnings() const override { return warnings_; }

   private:
    const BenchView& view_;
    std::span<const model::SeriesRef> refs_;
    model::TimeRange range_;
    size_t next_ = 0;
    std::vector<std::string> warnings_;
  };

  [[nodiscard]] std::unique_ptr<storage::ColumnCursor> Scan(std::span<const model::SeriesRef> refs,
                                                            model::TimeRange range) const override {
    return std::make_unique<Cursor>(*this, refs, range);
  }
  [[nodiscard]] std::vector<int64_t> Tiers() const override { return {}; }
  [[nodiscard]] std::unique_ptr<storage::TierCursor> ScanTier(std::span<const model::SeriesRef>, model::TimeRange,
                                                              int64_t) const override {
    return nullptr;
  }
  [[nodiscard]] Result<std::vector<std::string>> LabelNames(std::span<const model::Matcher>,
                                                            model::TimeRange) const override {
    return std::vector<std::string>{};
  }
  [[nodiscard]] Result<std::vector<std::string>> LabelValues(std::string_view, std::span<const model::Matcher>,
                                                             model::TimeRange) const override {
    return std::vector<std::string>{};
  }
  [[nodiscard]] std::vector<storage::FieldDescription> Fields() const override { return {}; }

 private:
  std::vector<int64_t> values_;
  std::vector<int64_t> counter_;
  std::vector<std::string> hosts_;
  std::vector<std::string> names_;
  std::vector<model::SeriesRef> refs_;
};

void Run(benchmark::State& state, const char* text, int64_t step_ms) {
  const auto view = std::make_shared<BenchView>();
  const auto expr = promql::Parse(text);
  if (!expr.ok()) {
    state.SkipWithError(expr.error().message.c_str());
    return;
  }
  // Starts at a second that is no multiple of the data's step, as TSBS draws it.
  const RangeSpec range{.start_ms = 3'603'000, .end_ms = 5 * 3'600'000 + 3'000, .step_ms = step_ms, .instant = false};
  uint64_t samples = 0;
  for (auto _ : state) {
    auto result = Execute(**expr, range, {.view = view});
    if (!result.ok()) {
      state.SkipWithError(result.error().message.c_str());
      return;
    }
    samples += result->stats.samples;
    benchmark::DoNotOptimize(result->frame.values.data());
  }
  state.SetItemsProcessed(static_cast<int64_t>(samples));
}

BENCHMARK_CAPTURE(Run, max_by_name_1m, "max(max_over_time({__name__=~\"cpu.*\"}[1m])) by (__name__)", 60'000)
    ->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(Run, max_by_name_1h, "max(max_over_time({__name__=~\"cpu.*\"}[1h])) by (__name__)", 3'600'000)
    ->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(Run, avg_by_host_1h, "avg(avg_over_time({__name__=~\"cpu.*\"}[1h])) by (__name__, hostname)",
                  3'600'000)
    ->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(Run, sum_rate_5m, "sum(rate(cpu_usage_9[5m]))", 60'000)->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(Run, threshold, "cpu_usage_0 > 90", 60'000)->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(Run, p95_by_region, "quantile(0.95, quantile_over_time(0.95, cpu_usage_0[5m])) by (region)", 300'000)
    ->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace tidemark::query::engine

BENCHMARK_MAIN();

// histogram_quantile() on classic histograms: series that differ in the label `le` only.
// Source: Prometheus, promql/quantile.go (BucketQuantile) and
// https://prometheus.io/docs/prometheus/latest/querying/functions/#histogram_quantile
#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>
#include <map>
#include <memory>
#include <string>

#include <fmt/core.h>

#include "query/engine/go_format.h"
#include "query/engine/kernels.h"
#include "query/promql/quote.h"

namespace tidemark::query::engine {
namespace {

constexpr std::string_view kBucketLabel = "le";
constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
// Neighbouring counts that differ by less, relative to their sum, differ by rounding only.
constexpr double kTolerance = 1e-12;

struct Bucket {
  double upper_bound;
  double count;
};

// One histogram: rows of the frame by ascending upper bound.
struct Histogram {
  struct Part {
    double upper_bound;
    uint32_t row;
  };
  std::vector<Part> parts;
};

bool AlmostEqual(double a, double b) {
  if (a == b || (std::isnan(a) && std::isnan(b))) return true;
  const double difference = std::fabs(a - b);
  const double sum = std::fabs(a) + std::fabs(b);
  constexpr double kLeast = std::numeric_limits<double>::min();
  if (a == 0 || b == 0 || sum < kLeast) return difference < kTolerance * kLeast;
  return difference / std::min(sum, std::numeric_limits<double>::max()) < kTolerance;
}

void Coalesce(std::vector<Bucket>* buckets) {
  size_t last = 0;
  for (size_t i = 1; i < buckets->size(); ++i) {
    if ((*buckets)[i].upper_bound == (*buckets)[last].upper_bound) {
      (*buckets)[last].count += (*buckets)[i].count;
    } else {
      (*buckets)[++last] = (*buckets)[i];
    }
  }
  buckets->resize(last + 1);
}

// Counts must not fall from bucket to bucket; true when one had to be raised by more than rounding.
bool MakeMonotonic(std::vector<Bucket>* buckets) {
  bool raised = false;
  double before = buckets->front().count;
  for (Bucket& bucket : *buckets) {
    if (bucket.count == before) continue;
    if (AlmostEqual(before, bucket.count)) {
      bucket.count = before;
    } else if (bucket.count < before) {
      bucket.count = before;
      raised = true;
    } else {
      before = bucket.count;
    }
  }
  return raised;
}

// `buckets` ascending and not empty; reordered and changed.
double BucketQuantile(double q, std::vector<Bucket>* buckets, bool* raised) {
  if (std::isnan(q)) return kNan;
  if (q < 0) return -kInfinity;
  if (q > 1) return kInfinity;
  if (buckets->back().upper_bound != kInfinity) return kNan;
  Coalesce(buckets);
  const bool was_raised = MakeMonotonic(buckets);
  const std::vector<Bucket>& all = *buckets;
  if (all.size() < 2) return kNan;
  const double observations = all.back().count;
  if (observations == 0) return kNan;
  *raised = was_raised;
  double rank = q * observations;
  size_t b = 0;
  while (b < all.size() - 1 && !(all[b].count >= rank)) ++b;
  if (b == all.size() - 1) return all[b - 1].upper_bound;
  if (b == 0 && all[0].upper_bound <= 0) return all[0].upper_bound;
  double start = 0;
  double count = all[b].count;
  if (b > 0) {
    start = all[b - 1].upper_bound;
    count -= all[b - 1].count;
    rank -= all[b - 1].count;
  }
  return start + (all[b].upper_bound - start) * (rank / count);
}

std::string ForMetric(std::string_view name) {
  return name.empty() ? std::string() : fmt::format(" for metric name {}", promql::Quote(name));
}

// Histograms by their labels without `le`. Rows whose `le` is no number are left out with a warning.
std::map<std::string, Histogram> CollectHistograms(const CallArguments& call, const Frame& frame) {
  std::map<std::string, Histogram> out;
  const std::vector<std::string> le{std::string(kBucketLabel)};
  std::string key;
  for (size_t row = 0; row < frame.size(); ++row) {
    const LabelSet& labels = frame.rows[row].labels;
    const std::string_view text = labels.Get(kBucketLabel);
    const std::optional<double> bound = ParseGoFloat(text);
    if (!bound) {
      call.state->Warn(fmt::format("bucket label \"le\" is missing or has a malformed value of {}{}",
                                   promql::Quote(text), ForMetric(labels.metric_name())),
                       call.Position(1));
      continue;
    }
    KeyOfAllBut(labels, le, &key);
    out[key].parts.push_back({*bound, static_cast<uint32_t>(row)});
  }
  for (auto& [_, histogram] : out) {
    std::ranges::stable_sort(histogram.parts, {}, &Histogram::Part::upper_bound);
  }
  return out;
}

}  // namespace

Status FrameHistogramQuantile(const CallArguments& call, Frame* frame) {
  const double* const q = call.scalars[0];
  for (size_t step = 0; step < frame->steps; ++step) {
    if (q[step] >= 0 && q[step] <= 1) continue;
    call.state->Warn(fmt::format("quantile value should be between 0 and 1, got {}", GoFormat(q[step])),
                     call.Position(0));
  }
  auto arena = std::make_unique<LabelArena>();
  const std::vector<std::string> le{std::string(kBucketLabel)};
  Frame out(frame->steps);
  std::vector<Bucket> buckets;
  for (const auto& [_, histogram] : CollectHistograms(call, *frame)) {
    const RowHead& first = frame->rows[histogram.parts.front().row];
    const size_t row = out.AddRow({.labels = Drop(first.labels, le, arena.get()), .name = NameFate::kDrop});
    bool raised_at_all = false;
    for (size_t step = 0; step < frame->steps; ++step) {
      buckets.clear();
      for (const Histogram::Part& part : histogram.parts) {
        if (frame->RowPresent(part.row)[step] == 0) continue;
        buckets.push_back({part.upper_bound, frame->RowValues(part.row)[step]});
      }
      if (buckets.empty()) continue;
      bool raised = false;
      out.RowValues(row)[step] = BucketQuantile(q[step], &buckets, &raised);
      out.RowPresent(row)[step] = 1;
      raised_at_all = raised_at_all || raised;
    }
    if (raised_at_all) {
      call.state->Info(
          fmt::format("input to histogram_quantile needed to be fixed for monotonicity (see "
                      "https://prometheus.io/docs/prometheus/latest/querying/functions/#histogram_quantile){}",
                      ForMetric(first.labels.metric_name())),
          call.Position(1));
    }
    TM_RETURN_IF_ERROR(call.state->CheckInterrupt());
  }
  call.state->Keep(std::move(arena));
  *frame = std::move(out);
  return {};
}

}  // namespace tidemark::query::engine

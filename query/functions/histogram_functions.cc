// Functions of classic histograms: series that differ in the label `le` only.
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

#include "query/frame/go_format.h"
#include "query/functions/kernels.h"
#include "query/promql/quote.h"

namespace tidemark::query::functions {
namespace {

using frame::Frame;
using frame::GoFormat;
using frame::KeyOfAllBut;
using frame::LabelArena;
using frame::LabelSet;
using frame::NameFate;
using frame::ParseGoFloat;
using frame::RowHead;
using frame::SetLabel;
using run::QueryState;

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
std::map<std::string, Histogram> CollectHistograms(const CallArguments& call, size_t vector, const Frame& frame) {
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
                       call.Position(vector));
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

void WarnOfQuantile(const CallArguments& call, size_t arg, size_t steps) {
  const double* const q = call.scalars[arg];
  for (size_t step = 0; step < steps; ++step) {
    if (q[step] >= 0 && q[step] <= 1) continue;
    call.state->Warn(fmt::format("quantile value should be between 0 and 1, got {}", GoFormat(q[step])),
                     call.Position(arg));
  }
}

void NoteRaised(const CallArguments& call, const LabelSet& labels) {
  call.state->Info(fmt::format("input to histogram_quantile needed to be fixed for monotonicity (see "
                               "https://prometheus.io/docs/prometheus/latest/querying/functions/#histogram_quantile){}",
                               ForMetric(labels.metric_name())),
                   call.Position(1));
}

// The part of all observations that lie in [lower, upper]. `buckets` ascending and not empty; changed.
// Source: Prometheus, promql/quantile.go, BucketFraction.
double BucketFraction(double lower, double upper, std::vector<Bucket>* buckets) {
  if (buckets->back().upper_bound != kInfinity) return kNan;
  Coalesce(buckets);
  const std::vector<Bucket>& all = *buckets;
  const double observations = all.back().count;
  if (observations == 0 || std::isnan(lower) || std::isnan(upper)) return kNan;
  if (lower >= upper) return 0;
  // Observations below `value`, by straight lines inside the buckets, of which those without an end have none.
  const auto rank = [&](double value) {
    double below = 0;
    double start = all.front().upper_bound > 0 ? 0 : -kInfinity;
    for (const Bucket& bucket : all) {
      if (start >= value) return below;
      if (bucket.upper_bound > value) {
        if (start == -kInfinity) return bucket.count;
        return below + (bucket.count - below) * (value - start) / (bucket.upper_bound - start);
      }
      below = bucket.count;
      start = bucket.upper_bound;
    }
    return observations;
  };
  return (std::min(rank(upper), observations) - std::min(rank(lower), observations)) / observations;
}

// Calls value(first row's head, step, buckets) for every histogram and step that has buckets.
template <typename Function>
Status ForEachHistogram(const CallArguments& call, size_t vector, const Frame& frame, Function value) {
  std::vector<Bucket> buckets;
  for (const auto& [_, histogram] : CollectHistograms(call, vector, frame)) {
    for (size_t step = 0; step < frame.steps; ++step) {
      buckets.clear();
      for (const Histogram::Part& part : histogram.parts) {
        if (frame.RowPresent(part.row)[step] == 0) continue;
        buckets.push_back({part.upper_bound, frame.RowValues(part.row)[step]});
      }
      if (!buckets.empty()) value(frame.rows[histogram.parts.front().row], step, buckets);
    }
    TM_RETURN_IF_ERROR(call.state->CheckInterrupt());
  }
  return {};
}

// The frame that a function of histograms gives: a row for each histogram and name given to it.
class HistogramRows {
 public:
  explicit HistogramRows(size_t steps) : out_(steps) {}

  // The row of the histogram whose first series is `head`, with `label` set to `text` if there is one.
  size_t RowOf(const RowHead& head, std::string_view label, const std::string& text) {
    if (&head != head_) {
      head_ = &head;
      rows_.clear();
    }
    const auto [at, fresh] = rows_.emplace(text, 0);
    if (!fresh) return at->second;
    model::LabelViews labels;
    for (const model::LabelView& view : head.labels) {
      if (view.name != kBucketLabel) labels.push_back(view);
    }
    if (!label.empty()) SetLabel(&labels, arena_->Copy(label), arena_->Copy(text));
    at->second = out_.AddRow({.labels = arena_->Store(labels), .name = NameFate::kDrop});
    return at->second;
  }

  void Set(size_t row, size_t step, double value) {
    out_.RowValues(row)[step] = value;
    out_.RowPresent(row)[step] = 1;
  }

  Frame Finish(QueryState* state) {
    state->Keep(std::move(arena_));
    return std::move(out_);
  }

 private:
  Frame out_;
  std::unique_ptr<LabelArena> arena_ = std::make_unique<LabelArena>();
  const RowHead* head_ = nullptr;
  std::map<std::string, size_t> rows_;
};

// A number as OpenMetrics writes it in labels: like Go, with ".0" behind whole ones.
std::string OpenMetricsFormat(double value) {
  std::string out = GoFormat(value);
  if (std::isfinite(value) && out.find_first_of(".e") == std::string::npos) out += ".0";
  return out;
}

}  // namespace

Status FrameHistogramQuantile(const CallArguments& call, Frame* frame) {
  WarnOfQuantile(call, 0, frame->steps);
  HistogramRows out(frame->steps);
  const double* const q = call.scalars[0];
  TM_RETURN_IF_ERROR(
      ForEachHistogram(call, 1, *frame, [&](const RowHead& head, size_t step, std::vector<Bucket>& buckets) {
        bool raised = false;
        out.Set(out.RowOf(head, {}, {}), step, BucketQuantile(q[step], &buckets, &raised));
        if (raised) NoteRaised(call, head.labels);
      }));
  *frame = out.Finish(call.state);
  return {};
}

Status FrameHistogramQuantiles(const CallArguments& call, Frame* frame) {
  constexpr size_t kFirstQuantile = 2;
  const size_t args = call.node.args.size();
  for (size_t arg = kFirstQuantile; arg < args; ++arg) WarnOfQuantile(call, arg, frame->steps);
  HistogramRows out(frame->steps);
  std::vector<Bucket> copy;
  TM_RETURN_IF_ERROR(
      ForEachHistogram(call, 0, *frame, [&](const RowHead& head, size_t step, std::vector<Bucket>& buckets) {
        for (size_t arg = kFirstQuantile; arg < args; ++arg) {
          const double q = call.scalars[arg][step];
          bool raised = false;
          copy = buckets;
          out.Set(out.RowOf(head, call.Text(1), OpenMetricsFormat(q)), step, BucketQuantile(q, &copy, &raised));
          if (raised) NoteRaised(call, head.labels);
        }
      }));
  *frame = out.Finish(call.state);
  return {};
}

Status FrameHistogramFraction(const CallArguments& call, Frame* frame) {
  HistogramRows out(frame->steps);
  TM_RETURN_IF_ERROR(
      ForEachHistogram(call, 2, *frame, [&](const RowHead& head, size_t step, std::vector<Bucket>& buckets) {
        out.Set(out.RowOf(head, {}, {}), step, BucketFraction(call.scalars[0][step], call.scalars[1][step], &buckets));
      }));
  *frame = out.Finish(call.state);
  return {};
}

Status FrameNothing(const CallArguments&, Frame* frame) {
  *frame = Frame(frame->steps);
  return {};
}

}  // namespace tidemark::query::functions

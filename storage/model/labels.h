// Labels: the name=value pairs that identify a series, in the two views of the one model (README, "Names").
#pragma once

#include <compare>
#include <string>
#include <string_view>
#include <vector>

namespace tidemark::model {

inline constexpr std::string_view kMetricNameLabel = "__name__";
// A field of this name gives the metric the bare name of its measurement.
inline constexpr std::string_view kValueField = "value";

// A label whose bytes belong to somebody else, who says for how long.
struct LabelView {
  std::string_view name;
  std::string_view value;
  friend auto operator<=>(const LabelView&, const LabelView&) = default;
};

// A label that owns its bytes.
struct Label {
  std::string name;
  std::string value;
  friend auto operator<=>(const Label&, const Label&) = default;
};

// Sorted by name (bytewise), names unique, no empty values: an empty value is the same as an absent label.
using Labels = std::vector<Label>;
using LabelViews = std::vector<LabelView>;

Labels ToLabels(const LabelViews& views);

// The metric name of field `field` of `measurement`: "measurement_field", or "measurement" when the field is "value".
std::string MetricName(std::string_view measurement, std::string_view field);

// `{__name__="up", job="x"}` as `up{job="x"}`: how Prometheus prints a series.
std::string ToString(const Labels& labels);

}  // namespace tidemark::model

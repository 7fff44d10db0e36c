// What the tests of the index share: a naive model of it (maps and loops, no cleverness), and random names and
// matchers for both.
#pragma once

#include <re2/re2.h>

#include <algorithm>
#include <map>
#include <memory>
#include <random>
#include <set>
#include <string>
#include <tuple>
#include <vector>

#include "storage/base/mutex.h"
#include "storage/index/index.h"

namespace tidemark::index {

// A series of the model: one field of one tag set.
struct NaiveSeries {
  std::string measurement;
  std::map<std::string, std::string> tags;
  std::string field;
  model::FieldType type = model::FieldType::kFloat;

  [[nodiscard]] model::Labels Labels() const {
    model::Labels labels;
    for (const auto& [name, value] : tags) labels.push_back({name, value});
    labels.push_back({std::string(model::kMetricNameLabel), model::MetricName(measurement, field)});
    std::sort(labels.begin(), labels.end());
    return labels;
  }
  friend auto operator<=>(const NaiveSeries& a, const NaiveSeries& b) {
    return std::tie(a.measurement, a.field, a.tags) <=> std::tie(b.measurement, b.field, b.tags);
  }
  friend bool operator==(const NaiveSeries&, const NaiveSeries&) = default;
};

inline bool NaiveMatches(const model::Labels& labels, const model::Matcher& matcher, const RE2& regex) {
  std::string value;
  for (const model::Label& label : labels) {
    if (label.name == matcher.name) value = label.value;
  }
  switch (matcher.op) {
    case model::MatchOp::kEqual: return value == matcher.value;
    case model::MatchOp::kNotEqual: return value != matcher.value;
    default: return RE2::FullMatch(value, regex) == (matcher.op == model::MatchOp::kRegex);
  }
}

// Labels of what the model selects, sorted.
inline std::vector<model::Labels> NaiveSelect(const std::set<NaiveSeries>& all,
                                              const std::vector<model::Matcher>& matchers, bool numeric, bool strings) {
  RE2::Options options;
  options.set_dot_nl(true);
  std::vector<std::unique_ptr<RE2>> regexes;
  for (const model::Matcher& matcher : matchers) regexes.push_back(std::make_unique<RE2>(matcher.value, options));
  std::vector<model::Labels> out;
  for (const NaiveSeries& series : all) {
    if (!(series.type == model::FieldType::kString ? strings : numeric)) continue;
    model::Labels labels = series.Labels();
    bool accepted = true;
    for (size_t i = 0; i < matchers.size() && accepted; ++i) accepted = NaiveMatches(labels, matchers[i], *regexes[i]);
    if (accepted) out.push_back(std::move(labels));
  }
  std::sort(out.begin(), out.end());
  return out;
}

// Writes a series as the store does: key, shape, fields noted. Returns its id.
inline model::SeriesId WriteSeries(Index* index, const NaiveSeries& series) {
  model::BatchBuilder builder;
  std::vector<model::LabelView> tags;
  for (const auto& [name, value] : series.tags) tags.push_back({name, value});
  builder.Row(series.measurement, tags, {0}).Field("x", 1.0);
  const model::Batch& batch = builder.batch();
  model::SeriesId id{};
  index->Lookup(batch.rows, &id);
  if (id == model::SeriesId{}) id = index->FindOrCreate(batch.rows[0].key).value();
  const model::ResolvedShape shape =
      index->ResolveShape({.measurement = series.measurement, .fields = {{series.field, series.type}}}).value();
  index->NoteFields(std::span(&id, 1), shape.fields);
  return id;
}

inline std::vector<model::Labels> SelectLabels(const Index& index, const std::vector<model::Matcher>& matchers,
                                               bool numeric = true, bool strings = true) {
  std::vector<model::Labels> out;
  model::LabelViews views;
  const std::vector<model::SeriesRef> refs = index.Select(matchers, numeric, strings, 0).value();
  for (const model::SeriesRef ref : refs) {
    index.LabelsOf(ref, &views);
    out.push_back(model::ToLabels(views));
  }
  std::sort(out.begin(), out.end());
  return out;
}

// Random series with names from small sets, so that everything collides with everything.
class RandomNames {
 public:
  explicit RandomNames(uint64_t seed) : random_(seed) {}

  uint32_t Below(uint32_t bound) { return std::uniform_int_distribution<uint32_t>(0, bound - 1)(random_); }
  template <typename T>
  T Pick(std::initializer_list<T> choices) {
    return choices.begin()[Below(static_cast<uint32_t>(choices.size()))];
  }

  NaiveSeries Series(uint32_t hosts) {
    NaiveSeries series;
    series.measurement = Pick<std::string>({"cpu", "cpu_usage", "mem", "up", "net\n"});
    series.field = Pick<std::string>({"user", "usage_user", "value", "text", "system"});
    series.type = series.field == "text" ? model::FieldType::kString : model::FieldType::kFloat;
    if (Below(8) != 0) series.tags["host"] = "host_" + std::to_string(Below(hosts));
    if (Below(3) != 0) series.tags["region"] = Pick<std::string>({"eu", "eu-west", "us", "a|b", "n\nl", "é"});
    if (Below(4) == 0) series.tags["Zone"] = std::to_string(Below(3));
    return series;
  }

  model::Matcher Matcher() {
    model::Matcher matcher;
    matcher.op =
        Pick({model::MatchOp::kEqual, model::MatchOp::kNotEqual, model::MatchOp::kRegex, model::MatchOp::kNotRegex});
    matcher.name = Pick<std::string>({"host", "host", "region", "Zone", "absent", "__name__", "__name__"});
    const bool regex = matcher.op == model::MatchOp::kRegex || matcher.op == model::MatchOp::kNotRegex;
    if (matcher.name == "__name__") {
      matcher.value = regex ? Pick<std::string>({"cpu_.*", "cpu_(usage_user|user)", ".*", ".+", "", "up|mem_text",
                                                 ".*_user", "(cpu|mem)_[a-z]+", "net.*"})
                            : Pick<std::string>({"cpu_usage_user", "up", "mem_text", "", "none", "net\n_user"});
    } else if (matcher.name == "host") {
      const std::string n = std::to_string(Below(20));
      matcher.value = regex
                          ? Pick<std::string>({"host_" + n, "host_" + n + "|host_1|host_2", "host_1.*",
                                               "host_(1|2)(3|4|)", "|host_3", ".*", ".+", "host_[0-9]", "(?i)HOST_" + n,
                                               "host_.+", "host_1\\d*|host_2", "", ".*7", "host_(1.*|2)", "nothing.*"})
                          : Pick<std::string>({"host_" + n, "host_1", "", "none"});
    } else {
      matcher.value = regex
                          ? Pick<std::string>({"eu.*", "eu|us", "a\\|b", "n.l", "é*", "[0-2]", "1|", ".*", ".+", "x?"})
                          : Pick<std::string>({"eu", "us", "", "1", "a|b", "é"});
    }
    return matcher;
  }

 private:
  std::mt19937_64 random_;
};

}  // namespace tidemark::index

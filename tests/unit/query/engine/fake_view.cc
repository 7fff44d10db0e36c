#include "tests/unit/query/engine/fake_view.h"

#include <algorithm>
#include <memory>
#include <numeric>
#include <set>

#include <re2/re2.h>

#include "storage/model/batch.h"

namespace tidemark::query::engine {
namespace {

using model::SeriesRef;

constexpr int64_t kNsPerMs = 1'000'000;

std::string_view ValueOf(const model::Labels& labels, std::string_view name) {
  for (const model::Label& label : labels) {
    if (label.name == name) return label.value;
  }
  return {};
}

Result<bool> Matches(const model::Labels& labels, const model::Matcher& matcher) {
  const std::string_view value = ValueOf(labels, matcher.name);
  switch (matcher.op) {
    case model::MatchOp::kEqual: return value == matcher.value;
    case model::MatchOp::kNotEqual: return value != matcher.value;
    case model::MatchOp::kRegex:
    case model::MatchOp::kNotRegex: break;
  }
  RE2::Options options;
  options.set_log_errors(false);
  options.set_dot_nl(true);
  // One pattern is asked for series after series.
  thread_local std::unique_ptr<RE2> last;
  if (!last || last->pattern() != matcher.value) last = std::make_unique<RE2>(matcher.value, options);
  const RE2& pattern = *last;
  if (!pattern.ok()) return InvalidArgument("bad regular expression " + matcher.value);
  const bool matches = RE2::FullMatch(re2::StringPiece(value.data(), value.size()), pattern);
  return matches == (matcher.op == model::MatchOp::kRegex);
}

// Rows of a series in a range, as a column; regular timelines are shown as such.
model::Column ColumnOf(const FakeView::Series& series, model::TimeRange range) {
  model::Column column;
  column.ref = series.ref;
  column.type = series.type;
  column.scale = series.scale;
  column.ints = series.ints.empty() ? nullptr : series.ints.data();
  column.floats = series.floats.empty() ? nullptr : series.floats.data();
  column.times = {.size = series.times.size(), .explicit_ns = series.times.data()};
  const size_t begin = column.times.LowerBound(range.first.ns);
  const size_t end = std::max(begin, column.times.UpperBound(range.last.ns));
  column = column.Slice(begin, end);
  const size_t size = column.size();
  if (size == 0) {
    column.times = {};
  } else if (size == 1) {
    column.times = {.size = 1, .first_ns = column.times[0], .step_ns = 0};
  } else {
    const int64_t step = column.times[1] - column.times[0];
    bool regular = true;
    for (size_t i = 1; i < size; ++i) regular = regular && column.times[i] - column.times[i - 1] == step;
    if (regular) column.times = {.size = size, .first_ns = column.times[0], .step_ns = step};
  }
  return column;
}

// Times ascending, of equal ones the last: as a store in which the last write wins.
void SortRows(FakeView::Series* series) {
  std::vector<size_t> order(series->times.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::ranges::stable_sort(order, {}, [&](size_t i) { return series->times[i]; });
  FakeView::Series out = *series;
  out.times.clear();
  out.ints.clear();
  out.floats.clear();
  for (size_t i = 0; i < order.size(); ++i) {
    if (i + 1 < order.size() && series->times[order[i]] == series->times[order[i + 1]]) continue;
    out.times.push_back(series->times[order[i]]);
    if (!series->ints.empty()) out.ints.push_back(series->ints[order[i]]);
    if (!series->floats.empty()) out.floats.push_back(series->floats[order[i]]);
  }
  *series = std::move(out);
}

class FakeCursor final : public storage::ColumnCursor {
 public:
  FakeCursor(const FakeView& view, std::span<const SeriesRef> refs, model::TimeRange range)
      : view_(view), refs_(refs), range_(range) {}

  Result<bool> Next(model::Column* column) override {
    if (next_ == refs_.size()) return false;
    *column = ColumnOf(view_.SeriesOf(refs_[next_++]), range_);
    view_.CountRows(column->size());
    return true;
  }
  [[nodiscard]] const std::vector<std::string>& warnings() const override { return warnings_; }

 private:
  const FakeView& view_;
  std::span<const SeriesRef> refs_;
  model::TimeRange range_;
  size_t next_ = 0;
  std::vector<std::string> warnings_;
};

// Computes buckets from raw rows.
class FakeTierCursor final : public storage::TierCursor {
 public:
  FakeTierCursor(const FakeView& view, std::span<const SeriesRef> refs, model::TimeRange range, FakeView::Tier tier)
      : view_(view), refs_(refs), range_(range), tier_(tier) {}

  Result<bool> Next(storage::TierColumn* column) override {
    if (next_ == refs_.size()) return false;
    const FakeView::Series& series = view_.SeriesOf(refs_[next_++]);
    const int64_t width = tier_.width_ns;
    // Buckets (start, end] with first < start + 1 and end <= last.
    int64_t start = FloorDiv(range_.first.ns - 1, width) * width;
    if (start < range_.first.ns - 1) start += width;
    const int64_t count = std::max<int64_t>(0, FloorDiv(range_.last.ns - start, width));
    const auto buckets = static_cast<size_t>(count);
    trusted_.assign(buckets, 0);
    count_.assign(buckets, 0);
    for (std::vector<double>* values : {&sum_, &min_, &max_, &first_, &last_, &increase_}) values->assign(buckets, 0);
    first_ns_.assign(buckets, 0);
    last_ns_.assign(buckets, 0);
    for (auto* words : {&sum_words_, &first_words_, &last_words_, &increase_words_}) words->assign(buckets, 0);
    bool exact = true;
    uint8_t scale = 0;
    for (size_t b = 0; b < buckets; ++b) {
      const int64_t from = start + static_cast<int64_t>(b) * width;
      if (from + width > tier_.trusted_until_ns) continue;
      trusted_[b] = 1;
      const model::Column rows = ColumnOf(series, {{from + 1}, {from + width}});
      exact = exact && (rows.empty() || rows.ints != nullptr);
      for (size_t i = 0; i < rows.size(); ++i) {
        const double value = model::DoubleAt(rows, i);
        if (count_[b] == 0) {
          min_[b] = max_[b] = first_[b] = value;
          first_ns_[b] = rows.times[i];
        } else if (value >= last_[b]) {
          increase_[b] += value - last_[b];
        } else {
          increase_[b] += value;
        }
        ++count_[b];
        min_[b] = std::min(min_[b], value);
        max_[b] = std::max(max_[b], value);
        last_[b] = value;
        last_ns_[b] = rows.times[i];
      }
      if (rows.ints != nullptr && !rows.empty()) {
        int64_t sum = 0;
        for (size_t i = 0; i < rows.size(); ++i) sum += rows.ints[i];
        scale = rows.scale;
        sum_words_[b] = sum;
        first_words_[b] = rows.ints[0];
        last_words_[b] = rows.ints[rows.size() - 1];
        for (size_t i = 1; i < rows.size(); ++i) {
          increase_words_[b] += rows.ints[i] - (rows.ints[i] < rows.ints[i - 1] ? 0 : rows.ints[i - 1]);
        }
        sum_[b] = rows.scaled() ? model::FloatOf(sum, rows.scale) : static_cast<double>(sum);
      }
    }
    *column = {.ref = series.ref,
               .width_ns = width,
               .first_start_ns = start,
               .buckets = buckets,
               .trusted = trusted_.data(),
               .count = count_.data(),
               .sum = sum_.data(),
               .min = min_.data(),
               .max = max_.data(),
               .first = first_.data(),
               .last = last_.data(),
               .first_ns = first_ns_.data(),
               .last_ns = last_ns_.data(),
               .increase = increase_.data(),
               .sum_exact = exact};
    if (exact) {
      column->scale = scale;
      column->sum_words = sum_words_.data();
      column->first_words = first_words_.data();
      column->last_words = last_words_.data();
      column->increase_words = increase_words_.data();
    }
    return true;
  }

 private:
  static int64_t FloorDiv(int64_t a, int64_t b) { return a / b - (a % b < 0 ? 1 : 0); }

  const FakeView& view_;
  std::span<const SeriesRef> refs_;
  model::TimeRange range_;
  FakeView::Tier tier_;
  size_t next_ = 0;
  std::vector<uint8_t> trusted_;
  std::vector<uint64_t> count_;
  std::vector<double> sum_, min_, max_, first_, last_, increase_;
  std::vector<int64_t> first_ns_, last_ns_;
  std::vector<int64_t> sum_words_, first_words_, last_words_, increase_words_;
};

}  // namespace

FakeView::Series& FakeView::Builder::At(model::Labels labels, model::FieldType type, uint8_t scale) {
  std::erase_if(labels, [](const model::Label& label) { return label.value.empty(); });
  std::ranges::sort(labels);
  Series& series = series_[labels];
  series.labels = labels;
  series.type = type;
  series.scale = scale;
  return series;
}

FakeView::Builder& FakeView::Builder::AddFloats(model::Labels labels,
                                                const std::vector<std::pair<int64_t, double>>& samples) {
  Series& series = At(std::move(labels), model::FieldType::kFloat, model::kBinaryScale);
  for (const auto& [ms, value] : samples) {
    series.times.push_back(ms * kNsPerMs);
    series.floats.push_back(value);
  }
  return *this;
}

FakeView::Builder& FakeView::Builder::AddRows(model::Labels labels,
                                              const std::vector<std::pair<int64_t, double>>& rows) {
  Series& series = At(std::move(labels), model::FieldType::kFloat, model::kBinaryScale);
  for (const auto& [ns, value] : rows) {
    series.times.push_back(ns);
    series.floats.push_back(value);
  }
  return *this;
}

FakeView::Builder& FakeView::Builder::AddScaled(model::Labels labels, uint8_t scale,
                                                const std::vector<std::pair<int64_t, int64_t>>& samples) {
  Series& series = At(std::move(labels), model::FieldType::kFloat, scale);
  for (const auto& [ms, value] : samples) {
    series.times.push_back(ms * kNsPerMs);
    series.ints.push_back(value);
  }
  return *this;
}

FakeView::Builder& FakeView::Builder::AddInts(model::Labels labels, model::FieldType type,
                                              const std::vector<std::pair<int64_t, int64_t>>& samples) {
  Series& series = At(std::move(labels), type, 0);
  for (const auto& [ms, value] : samples) {
    series.times.push_back(ms * kNsPerMs);
    series.ints.push_back(value);
  }
  return *this;
}

FakeView::Builder& FakeView::Builder::AddSpelling(model::Labels labels,
                                                  const std::vector<std::pair<int64_t, double>>& samples) {
  std::ranges::sort(labels);
  Series series{.ref = {},
                .labels = std::move(labels),
                .type = model::FieldType::kFloat,
                .scale = model::kBinaryScale,
                .times = {},
                .ints = {},
                .floats = {}};
  for (const auto& [ms, value] : samples) {
    series.times.push_back(ms * kNsPerMs);
    series.floats.push_back(value);
  }
  spellings_.push_back(std::move(series));
  return *this;
}

FakeView::Builder& FakeView::Builder::AddTier(Tier tier) {
  tiers_.push_back(tier);
  return *this;
}

std::shared_ptr<const FakeView> FakeView::Builder::Build() const {
  auto view = std::make_shared<FakeView>();
  // A field for each metric name and type, one more for each extra spelling.
  std::map<std::pair<std::string, model::FieldType>, uint32_t> fields;
  uint32_t next_series = 1;
  for (const auto& [labels, series] : series_) {
    const std::pair key{std::string(ValueOf(labels, model::kMetricNameLabel)), series.type};
    const uint32_t field = fields.emplace(key, static_cast<uint32_t>(fields.size()) + 1).first->second;
    view->series_.push_back(series);
    view->series_.back().ref = {model::FieldId{field}, model::SeriesId{next_series++}};
  }
  auto next_field = static_cast<uint32_t>(fields.size()) + 1;
  for (const Series& series : spellings_) {
    view->series_.push_back(series);
    view->series_.back().ref = {model::FieldId{next_field++}, model::SeriesId{next_series++}};
  }
  std::ranges::sort(view->series_, {}, &Series::ref);
  for (Series& series : view->series_) SortRows(&series);
  view->tiers_ = tiers_;
  return view;
}

const FakeView::Series& FakeView::SeriesOf(SeriesRef ref) const {
  return *std::ranges::lower_bound(series_, ref, {}, &Series::ref);
}

Result<std::vector<SeriesRef>> FakeView::Select(std::span<const model::Matcher> matchers, model::TimeRange,
                                                const storage::SelectOptions& options) const {
  std::vector<SeriesRef> out;
  for (const Series& series : series_) {
    bool all = true;
    for (const model::Matcher& matcher : matchers) {
      TM_TRY_ASSIGN(const bool one, Matches(series.labels, matcher));
      all = all && one;
    }
    if (all) out.push_back(series.ref);
    if (options.max_series != 0 && out.size() > options.max_series) return LimitExceeded("too many series");
  }
  return out;
}

void FakeView::LabelsOf(SeriesRef ref, model::LabelViews* labels) const {
  labels->clear();
  for (const model::Label& label : SeriesOf(ref).labels) labels->push_back({label.name, label.value});
}

model::FieldType FakeView::TypeOf(model::FieldId field) const {
  for (const Series& series : series_) {
    if (series.ref.field == field) return series.type;
  }
  return model::FieldType::kFloat;
}

std::unique_ptr<storage::ColumnCursor> FakeView::Scan(std::span<const SeriesRef> refs, model::TimeRange range) const {
  scans_.fetch_add(1);
  return std::make_unique<FakeCursor>(*this, refs, range);
}

std::vector<int64_t> FakeView::Tiers() const {
  std::vector<int64_t> out;
  for (const Tier& tier : tiers_) out.push_back(tier.width_ns);
  std::ranges::sort(out);
  return out;
}

std::unique_ptr<storage::TierCursor> FakeView::ScanTier(std::span<const SeriesRef> refs, model::TimeRange range,
                                                        int64_t width_ns) const {
  const auto tier = std::ranges::find(tiers_, width_ns, &Tier::width_ns);
  return std::make_unique<FakeTierCursor>(*this, refs, range, *tier);
}

Result<std::vector<std::string>> FakeView::LabelNames(std::span<const model::Matcher> matchers,
                                                      model::TimeRange range) const {
  TM_TRY_ASSIGN(const std::vector<SeriesRef> refs, Select(matchers, range, {}));
  std::set<std::string> names;
  for (const SeriesRef ref : refs) {
    for (const model::Label& label : SeriesOf(ref).labels) names.insert(label.name);
  }
  return std::vector<std::string>(names.begin(), names.end());
}

Result<std::vector<std::string>> FakeView::LabelValues(std::string_view name, std::span<const model::Matcher> matchers,
                                                       model::TimeRange range) const {
  TM_TRY_ASSIGN(const std::vector<SeriesRef> refs, Select(matchers, range, {}));
  std::set<std::string> values;
  for (const SeriesRef ref : refs) {
    const std::string_view value = ValueOf(SeriesOf(ref).labels, name);
    if (!value.empty()) values.emplace(value);
  }
  return std::vector<std::string>(values.begin(), values.end());
}

std::vector<storage::FieldDescription> FakeView::Fields() const { return {}; }

}  // namespace tidemark::query::engine

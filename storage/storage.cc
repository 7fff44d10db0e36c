// What views answer of which a selection of theirs is all that has to be known. A store does it with less work; views
// in memory, of few series, are served by this.
#include "storage/storage.h"

#include <set>
#include <utility>

namespace tidemark::storage {

Result<model::SeriesPart> View::SelectPart(std::span<const model::Matcher> matchers, model::TimeRange range,
                                           const model::PartWanted& wanted) const {
  std::vector<model::Matcher> all(matchers.begin(), matchers.end());
  if (!wanted.label.empty()) {
    // A label that is absent has the value "".
    all.push_back({model::MatchOp::kNotEqual, std::string(wanted.label), {}});
    for (const std::string& value : wanted.without) {
      all.push_back({model::MatchOp::kNotEqual, std::string(wanted.label), value});
    }
  }
  TM_TRY_ASSIGN(std::vector<model::SeriesRef> refs,
                Select(all, range, {.numeric = wanted.numeric, .strings = wanted.strings, .max_series = 0}));
  return model::PartOf(Present(std::move(refs), range), wanted);
}

std::vector<std::string> View::ValuesOf(std::string_view label, std::span<const model::SeriesRef> refs) const {
  std::set<std::string, std::less<>> values;
  model::LabelViews labels;
  for (const model::SeriesRef ref : refs) {
    LabelsOf(ref, &labels);
    for (const model::LabelView& each : labels) {
      if (each.name == label && !values.contains(each.value)) values.emplace(each.value);
    }
  }
  return {values.begin(), values.end()};
}

std::vector<std::string> View::NamesOf(std::span<const model::SeriesRef> refs) const {
  std::set<std::string, std::less<>> names;
  model::LabelViews labels;
  for (const model::SeriesRef ref : refs) {
    LabelsOf(ref, &labels);
    for (const model::LabelView& each : labels) {
      if (!names.contains(each.name)) names.emplace(each.name);
    }
  }
  return {names.begin(), names.end()};
}

std::vector<std::string> View::KnownNames() const {
  const Result<std::vector<std::string>> names = LabelNames({}, {});
  return names.ok() ? *names : std::vector<std::string>();  // without an expression there is none that is bad
}

}  // namespace tidemark::storage

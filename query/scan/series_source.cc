#include "query/scan/series_source.h"

#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include <fmt/core.h>

#include "query/frame/time_math.h"

namespace tidemark::query::scan {
namespace {

using frame::KeyOf;
using frame::LabelSet;
using frame::MsToNs;
using model::SeriesRef;
using run::QueryState;

// Takes refs with equal labels out of source->refs. Only fields whose metric names are equal can collide, and that is
// rare, so labels are compared for those fields alone.
void MergeEqualSeries(const std::unordered_map<std::string, int>& fields_of_name, model::TimeRange range,
                      QueryState* state, SeriesSource* source) {
  std::vector<SeriesRef> alike;
  for (const SeriesRef ref : source->refs) {
    if (fields_of_name.at(source->names.at(ref.field)) > 1) alike.push_back(ref);
  }
  // A field that had the name before has no rows in most queries, and what is left is read as any other series.
  const std::vector<SeriesRef> present = state->view().Present(alike, range);
  std::erase_if(source->refs, [&](SeriesRef ref) {
    return std::ranges::binary_search(alike, ref) && !std::ranges::binary_search(present, ref);
  });
  std::map<std::string, std::vector<SeriesRef>> groups;
  model::LabelViews labels;
  std::string key;
  for (const SeriesRef ref : present) {
    state->view().LabelsOf(ref, &labels);
    KeyOf({labels.data(), labels.size()}, &key);
    groups[key].push_back(ref);
  }
  std::vector<SeriesRef> taken;
  for (auto& [_, refs] : groups) {
    if (refs.size() < 2) continue;
    // Fields of one name, of which the older ones have another type, are one spelling.
    std::set<model::FieldId> spellings;
    for (const SeriesRef ref : refs) spellings.insert(state->view().NewestOf(ref.field));
    if (spellings.size() > 1) {
      state->view().LabelsOf(refs.front(), &labels);
      state->WarnPlain(
          fmt::format("series {} is written under {} measurement and field spellings; they are read as one",
                      ToString(LabelSet(labels.data(), labels.size())), spellings.size()));
    }
    taken.insert(taken.end(), refs.begin(), refs.end());
    source->merged.push_back(std::move(refs));
  }
  if (taken.empty()) return;
  std::ranges::sort(taken);
  std::erase_if(source->refs, [&](SeriesRef ref) { return std::ranges::binary_search(taken, ref); });
}

}  // namespace

Result<SeriesSource> FindSeries(const plan::SelectorSlot& slot, QueryState* state) {
  TM_RETURN_IF_ERROR(state->CheckInterrupt());
  SeriesSource source;
  const int64_t after_ns = MsToNs(slot.after_ms);
  const int64_t last_ns = MsToNs(slot.last_ms);
  if (after_ns >= last_ns) return source;
  const model::TimeRange range{{after_ns + 1}, {last_ns}};
  const storage::SelectOptions options{.max_series = static_cast<size_t>(state->context().budget.max_series)};
  auto refs = state->view().Select(*slot.matchers, range, options);
  if (!refs.ok()) {
    if (refs.error().code != ErrorCode::kLimitExceeded) return std::move(refs).error();
    return LimitExceeded(fmt::format("query selects more than its budget of {} series; add label matchers",
                                     state->context().budget.max_series));
  }
  source.refs = std::move(refs).value();
  std::unordered_map<std::string, int> fields_of_name;
  model::LabelViews labels;
  for (size_t i = 0; i < source.refs.size(); ++i) {
    if (i > 0 && source.refs[i].field == source.refs[i - 1].field) continue;
    state->view().LabelsOf(source.refs[i], &labels);
    std::string name(LabelSet(labels.data(), labels.size()).metric_name());
    ++fields_of_name[name];
    source.names.emplace(source.refs[i].field, std::move(name));
  }
  if (fields_of_name.size() < source.names.size()) MergeEqualSeries(fields_of_name, range, state, &source);
  return source;
}

}  // namespace tidemark::query::scan

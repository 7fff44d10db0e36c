#include "storage/filter/filtered_view.h"

#include <algorithm>
#include <iterator>
#include <map>

#include "storage/model/column.h"

namespace tidemark::storage::filter {
namespace {

// Series whose rows in memory are looked at to tell their times.
constexpr size_t kFewSeries = 10'000;

// Adds sorted `more` to sorted `all`, each once.
template <typename T>
void MergeInto(std::vector<T>* all, std::vector<T> more) {
  if (all->empty()) {
    *all = std::move(more);
    return;
  }
  const auto middle = static_cast<std::ptrdiff_t>(all->size());
  std::ranges::move(more, std::back_inserter(*all));
  std::inplace_merge(all->begin(), all->begin() + middle, all->end());
  all->erase(std::unique(all->begin(), all->end()), all->end());
}

}  // namespace

template <typename T, typename Ask>
Result<std::vector<T>> FilteredView::Union(std::span<const model::Matcher> matchers, const Ask& ask) const {
  std::vector<T> out;
  for (const std::vector<model::Matcher>& narrowed : filter_.Narrow(matchers)) {
    TM_TRY_ASSIGN(std::vector<T> some, ask(narrowed));
    MergeInto(&out, std::move(some));
  }
  return out;
}

Result<std::vector<model::SeriesRef>> FilteredView::Select(std::span<const model::Matcher> matchers,
                                                           model::TimeRange range, const SelectOptions& options) const {
  return Union<model::SeriesRef>(
      matchers, [&](std::span<const model::Matcher> narrowed) { return all_->Select(narrowed, range, options); });
}

Result<model::SeriesPart> FilteredView::SelectPart(std::span<const model::Matcher> matchers, model::TimeRange range,
                                                   const model::PartWanted& wanted) const {
  model::SeriesPart all;
  for (const std::vector<model::Matcher>& narrowed : filter_.Narrow(matchers)) {
    TM_TRY_ASSIGN(model::SeriesPart part, all_->SelectPart(narrowed, range, wanted));
    if (part.next && (!all.next || *part.next < *all.next)) all.next = part.next;
    all.more = std::max(all.more, part.more);  // what several select counts once
    MergeInto(&all.refs, std::move(part.refs));
  }
  // Each part has no gap up to where it ends, so the whole has none up to where the first of them does.
  if (all.next) all.refs.erase(std::lower_bound(all.refs.begin(), all.refs.end(), *all.next), all.refs.end());
  if (all.refs.size() > wanted.at_most) {
    all.next = all.refs[wanted.at_most];
    all.refs.resize(wanted.at_most);
  }
  return all;
}

Result<std::vector<std::string>> FilteredView::LabelNames(std::span<const model::Matcher> matchers,
                                                          model::TimeRange range) const {
  return Union<std::string>(
      matchers, [&](std::span<const model::Matcher> narrowed) { return all_->LabelNames(narrowed, range); });
}

Result<std::vector<std::string>> FilteredView::LabelValues(std::string_view name,
                                                           std::span<const model::Matcher> matchers,
                                                           model::TimeRange range) const {
  return Union<std::string>(
      matchers, [&](std::span<const model::Matcher> narrowed) { return all_->LabelValues(name, narrowed, range); });
}

std::vector<FieldDescription> FilteredView::Fields() const {
  const auto refs = Select({}, {}, {.numeric = true, .strings = true, .max_series = 0});
  if (!refs.ok()) return {};  // its expressions were good when the filter was made
  std::map<model::FieldId, uint64_t> counts;
  for (const model::SeriesRef& ref : *refs) ++counts[ref.field];
  std::vector<FieldDescription> out;
  for (FieldDescription& field : all_->Fields()) {
    uint64_t series = counts.contains(field.id) ? counts[field.id] : 0;
    for (const model::FieldId older : field.older) series += counts.contains(older) ? counts[older] : 0;
    if (series == 0) continue;
    field.series = series;
    out.push_back(std::move(field));
  }
  return out;
}

StagedInfo FilteredView::Staged() const {
  StagedInfo out;
  const model::TimeRange staged = all_->Staged().rows;
  if (staged.empty()) return out;
  auto refs = Select({}, staged, {.numeric = true, .strings = true, .max_series = kFewSeries});
  if (!refs.ok()) return out;
  const std::vector<model::SeriesRef> present = all_->Present(std::move(refs).value(), staged);
  out.series = present.size();
  const std::unique_ptr<ColumnCursor> cursor = all_->Scan(present, staged);
  model::Column column;
  for (Result<bool> more = cursor->Next(&column); more.ok() && *more; more = cursor->Next(&column)) {
    if (column.size() == 0) continue;
    out.rows.first = std::min(out.rows.first, model::Timestamp{column.times[0]});
    out.rows.last = std::max(out.rows.last, model::Timestamp{column.times[column.size() - 1]});
  }
  return out;
}

}  // namespace tidemark::storage::filter

namespace tidemark::storage {

Result<std::shared_ptr<const View>> Store::OpenView(std::string_view database, const SeriesFilter& filter) const {
  TM_TRY_ASSIGN(std::shared_ptr<const View> view, OpenView(database));
  if (filter.everything()) return view;
  return std::shared_ptr<const View>(std::make_shared<filter::FilteredView>(std::move(view), filter));
}

}  // namespace tidemark::storage

#include "query/names/name_lists.h"

#include <algorithm>
#include <iterator>
#include <numeric>
#include <unordered_set>
#include <utility>

#include "query/names/series_walk.h"
#include "storage/model/labels.h"

namespace tidemark::query::names {

uint64_t BytesOf(const std::vector<std::string>& names) {
  uint64_t bytes = names.capacity() * sizeof(std::string);
  for (const std::string& name : names) bytes += name.capacity();
  return bytes;
}

namespace {

// Values up to which series that have one of them are passed over by the index.
constexpr size_t kPassedOverMax = 1024;
// Of a value that is kept in the order of storage, beside its text.
constexpr uint64_t kBytesPerKept = 64;

// Adds sorted `more` to sorted `all`, each once.
void MergeInto(std::vector<std::string>* all, std::vector<std::string> more) {
  if (all->empty()) {
    *all = std::move(more);
    return;
  }
  const auto middle = static_cast<std::ptrdiff_t>(all->size());
  all->insert(all->end(), std::make_move_iterator(more.begin()), std::make_move_iterator(more.end()));
  std::inplace_merge(all->begin(), all->begin() + middle, all->end());
  all->erase(std::unique(all->begin(), all->end()), all->end());
}

// Sorted lists that become one. Those of similar size are merged, so that each name is moved a few times only.
class SortedRuns {
 public:
  void Add(std::vector<std::string> names) {
    runs_.push_back(std::move(names));
    bytes_.push_back(BytesOf(runs_.back()));
    while (runs_.size() > 1 && runs_[runs_.size() - 2].size() <= 2 * runs_.back().size()) MergeLast();
  }

  std::vector<std::string> Take() && {
    while (runs_.size() > 1) MergeLast();
    return runs_.empty() ? std::vector<std::string>() : std::move(runs_.front());
  }

  // All of them where they are few, else none.
  [[nodiscard]] std::span<const std::string> Few(size_t most) const {
    if (runs_.size() != 1 || runs_.front().size() > most) return {};
    return runs_.front();
  }

  [[nodiscard]] uint64_t bytes() const { return std::accumulate(bytes_.begin(), bytes_.end(), uint64_t{0}); }

 private:
  void MergeLast() {
    std::vector<std::string> last = std::move(runs_.back());
    runs_.pop_back();
    bytes_.pop_back();
    MergeInto(&runs_.back(), std::move(last));
    bytes_.back() = BytesOf(runs_.back());
  }

  std::vector<std::vector<std::string>> runs_;
  std::vector<uint64_t> bytes_;
};

// The values of one label, gathered set by set.
class Values {
 public:
  Values(const storage::View& view, std::string_view label, model::TimeRange range, uint64_t limit, NamesWatch* watch)
      : view_(view),
        label_(label),
        of_metrics_(label == model::kMetricNameLabel),
        range_(range),
        stop_at_(limit == 0 ? UINT64_MAX : std::max(limit, kFewNames)),
        watch_(*watch) {}

  Status Add(std::span<const model::Matcher> matchers) {
    SeriesWalk walk(view_, matchers, range_,
                    {.at_most = kFirstPart,
                     .enough = stop_at_ < kFirstPart ? static_cast<size_t>(stop_at_) + 1 : kFirstPart,
                     .once = !of_metrics_,
                     .label = of_metrics_ ? std::string_view() : label_});
    std::vector<model::SeriesRef> refs;
    while (!full_) {
      TM_RETURN_IF_ERROR(watch_.Look(held_ + refs.capacity() * sizeof(model::SeriesRef)));
      PassOver(refs, &walk.wanted());
      TM_TRY_ASSIGN(const bool more, walk.Next(&refs));
      if (!more) return {};
      Take(refs, walk.ended());
      walk.wanted().at_most = std::min(walk.wanted().at_most * 4, kLargestPart);
    }
    return {};
  }

  Names Result() && { return {.names = sorted() ? std::move(runs_).Take() : std::move(names_), .all = !full_}; }

 private:
  // Without a limit.
  [[nodiscard]] bool sorted() const { return stop_at_ == UINT64_MAX; }

  // Those that are known are not given again.
  void PassOver(const std::vector<model::SeriesRef>& refs, model::PartWanted* wanted) const {
    if (!of_metrics_) {
      const std::span<const std::string> kept =
          names_.size() <= kPassedOverMax ? names_ : std::span<const std::string>();
      wanted->without = sorted() ? runs_.Few(kPassedOverMax) : kept;
      return;
    }
    // A part with a single field has its name: on with the next.
    if (refs.empty() || refs.front().field != refs.back().field || wanted->from.field != refs.back().field) return;
    wanted->from = {model::FieldId{Number(refs.back().field) + 1}, model::SeriesId{}};
  }

  void Take(const std::vector<model::SeriesRef>& refs, bool last) {
    if (sorted()) {
      runs_.Add(view_.ValuesOf(label_, refs));
      held_ = runs_.bytes();
      return;
    }
    model::LabelViews labels;
    for (const model::SeriesRef ref : refs) {
      view_.LabelsOf(ref, &labels);
      const auto own = std::ranges::find(labels, label_, &model::LabelView::name);
      if (own == labels.end() || !known_.insert(std::string(own->value)).second) continue;
      names_.emplace_back(own->value);
      held_ += 2 * own->value.size() + kBytesPerKept;
      // The last part is short: then all are known, and the caller can sort them.
      full_ = !last && names_.size() > stop_at_;
      if (full_) return;
    }
  }

  const storage::View& view_;
  const std::string_view label_;
  const bool of_metrics_;
  const model::TimeRange range_;
  const uint64_t stop_at_;
  NamesWatch& watch_;
  SortedRuns runs_;                        // where they are sorted
  std::vector<std::string> names_;         // in the order of storage
  std::unordered_set<std::string> known_;  // those
  uint64_t held_ = 0;
  bool full_ = false;
};

}  // namespace

Result<Names> LabelValues(const storage::View& view, std::string_view label, const Wanted& wanted, uint64_t limit,
                          NamesWatch* watch) {
  Values values(view, label, wanted.range, limit, watch);
  for (const std::vector<model::Matcher>& matchers : wanted.sets) TM_RETURN_IF_ERROR(values.Add(matchers));
  return std::move(values).Result();
}

Result<std::vector<std::string>> LabelNames(const storage::View& view, const Wanted& wanted, NamesWatch* watch) {
  std::vector<std::string> names;
  std::vector<std::string> known;
  for (const std::vector<model::Matcher>& matchers : wanted.sets) {
    SeriesWalk first(view, matchers, wanted.range, {.at_most = kFirstPart, .enough = 1, .once = true});
    std::vector<model::SeriesRef> refs;
    do {
      TM_RETURN_IF_ERROR(watch->Look(BytesOf(names)));
      TM_TRY_ASSIGN(const bool more, first.Next(&refs));
      if (!more) break;
    } while (refs.empty());
    MergeInto(&names, view.NamesOf(refs));
    if (first.ended()) continue;
    // Most names are known by now. Of each other one: is there a series that has it?
    if (known.empty()) known = view.KnownNames();
    for (const std::string& name : known) {
      if (std::ranges::binary_search(names, name)) continue;
      SeriesWalk walk(view, matchers, wanted.range, {.at_most = 1, .enough = 1, .once = true, .label = name});
      for (refs.clear(); refs.empty();) {
        TM_RETURN_IF_ERROR(watch->Look(BytesOf(names) + BytesOf(known)));
        TM_TRY_ASSIGN(const bool more, walk.Next(&refs));
        if (!more) break;
      }
      if (!refs.empty()) MergeInto(&names, view.NamesOf(refs));
    }
  }
  return names;
}

}  // namespace tidemark::query::names

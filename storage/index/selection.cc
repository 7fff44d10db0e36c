#include "storage/index/selection.h"

#include <fmt/core.h>

#include <algorithm>
#include <utility>

#include "storage/base/lent_thread.h"
#include "storage/model/labels.h"

namespace tidemark::index {
namespace {

// Up to this many candidates, testing them one by one beats making bitmaps.
constexpr uint64_t kFew = 1024;
// A union of more postings than this is kept with its evaluation.
constexpr size_t kManyPairs = 64;
// Testing so many values takes long enough to say so.
constexpr uint32_t kManyValues = 1024;

}  // namespace

Result<std::vector<Condition>> Prepare(std::span<const model::Matcher> matchers, RegexCache* cache) {
  std::vector<Condition> conditions;
  conditions.reserve(matchers.size());
  for (const model::Matcher& matcher : matchers) {
    Condition condition;
    condition.on_metric_name = matcher.name == model::kMetricNameLabel;
    condition.label = matcher.name;
    condition.negated = matcher.op == model::MatchOp::kNotEqual || matcher.op == model::MatchOp::kNotRegex;
    if (matcher.op == model::MatchOp::kEqual || matcher.op == model::MatchOp::kNotEqual) {
      condition.pattern = Pattern::Literal(matcher.value);
    } else {
      TM_TRY_ASSIGN(condition.pattern, cache->PatternOf(matcher.value));
      const bool needs_no_values = condition.pattern->literals().has_value() || condition.pattern->matches_all() ||
                                   condition.pattern->matches_all_but_empty();
      // Over metric names, of which there are few, `.*` and `.+` run like any other expression.
      if (!needs_no_values || (condition.on_metric_name && !condition.pattern->literals())) {
        condition.expression = matcher.value;
      }
    }
    conditions.push_back(std::move(condition));
  }
  return conditions;
}

uint32_t Selection::ValueCount(uint32_t label) const {
  return label == 0 ? catalog_.metrics.size() : static_cast<uint32_t>(catalog_.label(label).pairs.size());
}

uint32_t Selection::ValueId(uint32_t label, uint32_t position) const {
  return label == 0 ? position + 1 : catalog_.label(label).pairs[position];
}

std::string_view Selection::ValueText(uint32_t label, uint32_t id) const {
  return label == 0 ? catalog_.metrics.Text(id) : catalog_.pairs.Text(id);
}

uint32_t Selection::UnseenValues(const Condition& condition, uint32_t label) const {
  const std::shared_ptr<const Evaluation> known = cache_->Find(label, condition.expression);
  return ValueCount(label) - (known == nullptr ? 0 : known->values_seen);
}

std::shared_ptr<const Evaluation> Selection::Evaluate(const Condition& condition, uint32_t label, uint32_t max_new) {
  std::shared_ptr<const Evaluation> known = cache_->Find(label, condition.expression);
  const uint32_t count = ValueCount(label);
  if (known != nullptr && known->values_seen >= count) return known;
  auto grown = known == nullptr ? std::make_shared<Evaluation>() : std::make_shared<Evaluation>(*known);
  const size_t matching_before = grown->matching.size();
  const uint32_t end = grown->values_seen + std::min(max_new, count - grown->values_seen);
  if (end - grown->values_seen > kManyValues) ThisThreadIsBusy();
  for (; grown->values_seen < end; ++grown->values_seen) {
    const uint32_t id = ValueId(label, grown->values_seen);
    if (condition.pattern->Matches(ValueText(label, id))) grown->matching.push_back(id);
  }
  if (grown->matching.size() != matching_before) grown->series = nullptr;
  cache_->Store(label, condition.expression, grown);
  return grown;
}

bool Selection::TypeCounts(uint32_t field) const {
  return catalog_.field(field).type == model::FieldType::kString ? limits_.strings : limits_.numeric;
}

std::vector<uint32_t> Selection::ListedMetrics(const Condition& condition) {
  if (!condition.expression.empty()) return Evaluate(condition, 0, UINT32_MAX)->matching;
  std::vector<uint32_t> listed;
  for (const std::string& name : *condition.pattern->literals()) {
    if (const uint32_t id = catalog_.metrics.Find(0, name); id != 0) listed.push_back(id);
  }
  std::sort(listed.begin(), listed.end());
  return listed;
}

std::vector<uint32_t> Selection::CandidateFields() {
  std::vector<std::pair<bool, std::vector<uint32_t>>> lists;  // negated, metrics
  for (const Condition& condition : conditions_) {
    if (condition.on_metric_name) lists.emplace_back(condition.negated, ListedMetrics(condition));
  }
  std::vector<uint32_t> fields;
  const auto consider = [&](uint32_t field) {
    const uint32_t metric = catalog_.field(field).metric;
    const bool accepted = std::all_of(lists.begin(), lists.end(), [&](const auto& list) {
      return std::binary_search(list.second.begin(), list.second.end(), metric) != list.first;
    });
    if (accepted && TypeCounts(field) && catalog_.field(field).series.size() > 0) fields.push_back(field);
  };
  const auto positive = std::find_if(lists.begin(), lists.end(), [](const auto& list) { return !list.first; });
  if (positive == lists.end()) {
    for (uint32_t field = 1; field <= catalog_.fields.size(); ++field) consider(field);
  } else {
    for (const uint32_t metric : positive->second) {
      for (const uint32_t field : catalog_.FieldsOfMetric(metric)) consider(field);
    }
    std::sort(fields.begin(), fields.end());
  }
  return fields;
}

bool Selection::Bind() {
  terms_.clear();
  fields_ = CandidateFields();
  if (fields_.empty()) return false;
  for (const Condition& condition : conditions_) {
    if (condition.on_metric_name) continue;
    Term term;
    term.condition = &condition;
    term.keep_listed = !condition.negated;
    term.keep_absent = condition.pattern->matches_empty() != condition.negated;
    term.label = catalog_.labels.Find(0, condition.label);
    if (term.label == 0) {
      if (!term.keep_absent) return false;
      continue;
    }
    if (!condition.expression.empty()) {
      term.lazy = true;
    } else if (const auto& literals = condition.pattern->literals(); literals) {
      for (const std::string& value : *literals) {
        if (const uint32_t pair = catalog_.pairs.Find(term.label, value); pair != 0) term.looked_up.push_back(pair);
      }
      std::sort(term.looked_up.begin(), term.looked_up.end());
    } else {
      term.all_listed = true;
    }
    terms_.push_back(std::move(term));
  }
  return true;
}

uint64_t Selection::CoreSize(const Term& term) const {
  const uint64_t having = catalog_.label(term.label).series.size();
  if (term.all_listed) return term.complement() ? 0 : having;
  uint64_t listed = 0;
  if (term.evaluation != nullptr && term.evaluation->series != nullptr) {
    listed = roaring_bitmap_get_cardinality(term.evaluation->series.get());
  } else {
    for (const uint32_t pair : term.listed()) listed += catalog_.postings(pair).size();
  }
  return term.complement() ? having - std::min(having, listed) : listed;
}

uint64_t Selection::FewestCandidates() const {
  uint64_t fewest = 0;
  for (const uint32_t field : fields_) fewest += catalog_.field(field).series.size();
  for (const Term& term : terms_) {
    if (term.positive() && !term.lazy) fewest = std::min(fewest, CoreSize(term));
  }
  return fewest;
}

void Selection::EvaluateTerms() {
  if (!AnyLazy()) return;
  const uint64_t fewest = FewestCandidates();
  for (Term& term : terms_) {
    if (!term.lazy) continue;
    // Matching the few candidates' own values costs less than matching all values of the label.
    if (fewest <= kFew && UnseenValues(*term.condition, term.label) > fewest) continue;
    term.evaluation = Evaluate(*term.condition, term.label, UINT32_MAX);
    term.lazy = false;
  }
}

bool Selection::EvaluateSome(uint32_t max_values) {
  for (const Condition& condition : conditions_) {
    if (!condition.on_metric_name || condition.expression.empty()) continue;
    if (UnseenValues(condition, 0) <= max_values) continue;
    Evaluate(condition, 0, max_values);
    return false;
  }
  const bool any_expression = std::any_of(conditions_.begin(), conditions_.end(), [](const Condition& condition) {
    return !condition.on_metric_name && !condition.expression.empty();
  });
  if (!any_expression || !Bind()) return true;
  const uint64_t fewest = FewestCandidates();
  for (const Term& term : terms_) {
    if (!term.lazy) continue;
    const uint32_t unseen = UnseenValues(*term.condition, term.label);
    if (unseen <= max_values || (fewest <= kFew && unseen > fewest)) continue;
    Evaluate(*term.condition, term.label, max_values);
    return false;
  }
  return true;
}

bool Selection::Accepts(const Term& term, uint32_t series) const {
  const uint32_t pair = catalog_.PairOf(series, term.label);
  if (pair == 0) return term.keep_absent;
  bool listed = term.all_listed;
  if (term.lazy) {
    listed = term.condition->pattern->Matches(catalog_.pairs.Text(pair));
  } else if (!listed) {
    listed = std::binary_search(term.listed().begin(), term.listed().end(), pair);
  }
  return listed == term.keep_listed;
}

bool Selection::AcceptedByAll(uint32_t series, const Term* except) const {
  return std::all_of(terms_.begin(), terms_.end(),
                     [&](const Term& term) { return &term == except || Accepts(term, series); });
}

Bitmap Selection::Core(Term* term) {
  Bitmap core;
  const std::shared_ptr<const Evaluation> evaluation = term->evaluation;
  if (evaluation != nullptr && evaluation->series != nullptr && evaluation->series_seen == catalog_.series.size()) {
    core = CopyOf(evaluation->series.get());
  } else {
    core = EmptyBitmap();
    if (term->all_listed) {
      catalog_.label(term->label).series.OrInto(core.get());
    } else {
      std::vector<uint32_t> singles;
      for (const uint32_t pair : term->listed()) {
        const IdSet& postings = catalog_.postings(pair);
        if (postings.bitmap() != nullptr) {
          postings.OrInto(core.get());
        } else {
          postings.AppendTo(&singles);
        }
      }
      std::sort(singles.begin(), singles.end());
      roaring_bitmap_add_many(core.get(), singles.size(), singles.data());
    }
    if (evaluation != nullptr && evaluation->matching.size() > kManyPairs) {
      auto with_series = std::make_shared<Evaluation>(*evaluation);
      with_series->series = std::shared_ptr<const roaring_bitmap_t>(CopyOf(core.get()).release(), BitmapDeleter());
      with_series->series_seen = catalog_.series.size();
      cache_->Store(term->label, term->condition->expression, with_series);
    }
  }
  if (!term->complement()) return core;
  Bitmap rest = EmptyBitmap();
  catalog_.label(term->label).series.OrInto(rest.get());
  roaring_bitmap_andnot_inplace(rest.get(), core.get());
  return rest;
}

Result<void> Selection::Append(uint32_t field, std::span<const uint32_t> series,
                               std::vector<model::SeriesRef>* out) const {
  if (limits_.max_series != 0 && out->size() + series.size() > limits_.max_series) {
    return LimitExceeded(
        fmt::format("the matchers select more than {} series; narrow them or raise the limit", limits_.max_series));
  }
  const size_t before = out->size();
  out->resize(before + series.size());
  for (size_t i = 0; i < series.size(); ++i) {
    (*out)[before + i] = {model::FieldId{field}, model::SeriesId{series[i]}};
  }
  return {};
}

std::vector<uint32_t> Selection::CandidatesOf(const Term& term) const {
  std::vector<uint32_t> candidates;
  for (const uint32_t pair : term.listed()) catalog_.postings(pair).AppendTo(&candidates);
  std::sort(candidates.begin(), candidates.end());
  std::erase_if(candidates, [&](uint32_t series) { return !AcceptedByAll(series, &term); });
  return candidates;
}

std::vector<const IdSet*> Selection::OnePairEach() const {
  std::vector<const IdSet*> pairs;
  for (const Term& term : terms_) {
    const bool one = term.positive() && !term.complement() && !term.lazy && !term.all_listed;
    if (!one || term.listed().size() != 1) return {};
    pairs.push_back(&catalog_.postings(term.listed().front()));
  }
  return pairs;
}

// What equality asks for is in sets already: their common part is found without a look at what series have.
Result<std::vector<model::SeriesRef>> Selection::RunOverPairs(std::span<const IdSet* const> pairs) {
  std::vector<model::SeriesRef> out;
  std::vector<uint32_t> ids;
  std::vector<const IdSet*> sets;
  for (const uint32_t field : fields_) {
    ids.clear();
    sets.assign(pairs.begin(), pairs.end());
    sets.push_back(&catalog_.field(field).series);
    std::ranges::sort(sets, {}, &IdSet::size);
    std::span<const IdSet* const> others(sets);
    if (sets[0]->bitmap() != nullptr) {
      const Bitmap both(roaring_bitmap_and(sets[0]->bitmap(), sets[1]->bitmap()));
      ids.resize(roaring_bitmap_get_cardinality(both.get()));
      roaring_bitmap_to_uint32_array(both.get(), ids.data());
      others = others.subspan(2);
    } else {
      sets[0]->AppendTo(&ids);
      others = others.subspan(1);
    }
    std::erase_if(ids, [&](uint32_t id) {
      return std::ranges::any_of(others, [&](const IdSet* set) { return !set->Contains(id); });
    });
    TM_RETURN_IF_ERROR(Append(field, ids, &out));
  }
  return out;
}

// The candidates are the series of one term's few pairs.
Result<std::vector<model::SeriesRef>> Selection::RunOverFew(const Term& term) {
  const std::vector<uint32_t> candidates = CandidatesOf(term);
  std::vector<model::SeriesRef> out;
  std::vector<uint32_t> having;
  for (const uint32_t field : fields_) {
    having.clear();
    const IdSet& series = catalog_.field(field).series;
    std::copy_if(candidates.begin(), candidates.end(), std::back_inserter(having),
                 [&](uint32_t id) { return series.Contains(id); });
    TM_RETURN_IF_ERROR(Append(field, having, &out));
  }
  return out;
}

// The candidates are the few series that the fields have.
Result<std::vector<model::SeriesRef>> Selection::RunOverFields() {
  std::vector<model::SeriesRef> out;
  std::vector<uint32_t> candidates;
  for (const uint32_t field : fields_) {
    candidates.clear();
    catalog_.field(field).series.AppendTo(&candidates);
    std::erase_if(candidates, [&](uint32_t series) { return !AcceptedByAll(series, nullptr); });
    TM_RETURN_IF_ERROR(Append(field, candidates, &out));
  }
  return out;
}

Selection::Kept Selection::KeptByTerms() {
  Kept out;
  for (Term& term : terms_) {
    if (term.lazy) continue;
    Bitmap core = Core(&term);
    Bitmap& into = term.positive() ? out.kept : out.dropped;
    if (into == nullptr) {
      into = std::move(core);
    } else if (term.positive()) {
      roaring_bitmap_and_inplace(into.get(), core.get());
    } else {
      roaring_bitmap_or_inplace(into.get(), core.get());
    }
  }
  if (out.kept != nullptr && out.dropped != nullptr) roaring_bitmap_andnot_inplace(out.kept.get(), out.dropped.get());
  return out;
}

const roaring_bitmap_t* Selection::Intersect(const roaring_bitmap_t* field, const Kept& kept, Bitmap* made) {
  if (kept.kept != nullptr) {
    made->reset(roaring_bitmap_and(field, kept.kept.get()));
    return made->get();
  }
  if (kept.dropped != nullptr) {
    made->reset(roaring_bitmap_andnot(field, kept.dropped.get()));
    return made->get();
  }
  return field;
}

Result<std::vector<model::SeriesRef>> Selection::RunOverBitmaps() {
  const Kept kept = KeptByTerms();
  const bool any_lazy = AnyLazy();
  std::vector<model::SeriesRef> out;
  std::vector<uint32_t> ids;
  for (const uint32_t field : fields_) {
    ids.clear();
    const IdSet& series = catalog_.field(field).series;
    if (series.bitmap() == nullptr) {
      series.AppendTo(&ids);
      std::erase_if(ids, [&](uint32_t id) { return !AcceptedByAll(id, nullptr); });
      TM_RETURN_IF_ERROR(Append(field, ids, &out));
      continue;
    }
    Bitmap made;
    const roaring_bitmap_t* const view = Intersect(series.bitmap(), kept, &made);
    ids.resize(roaring_bitmap_get_cardinality(view));
    roaring_bitmap_to_uint32_array(view, ids.data());
    if (any_lazy) std::erase_if(ids, [&](uint32_t id) { return !AcceptedByLazy(id); });
    TM_RETURN_IF_ERROR(Append(field, ids, &out));
  }
  return out;
}

bool Selection::AnyLazy() const {
  return std::any_of(terms_.begin(), terms_.end(), [](const Term& term) { return term.lazy; });
}

bool Selection::AcceptedByLazy(uint32_t series) const {
  return std::all_of(terms_.begin(), terms_.end(),
                     [&](const Term& term) { return !term.lazy || Accepts(term, series); });
}

bool Selection::AcceptedByEvaluated(uint32_t series) const {
  return std::all_of(terms_.begin(), terms_.end(),
                     [&](const Term& term) { return term.lazy || Accepts(term, series); });
}

const Selection::Term* Selection::FewSeries() const {
  const Term* smallest = nullptr;
  uint64_t smallest_size = kFew + 1;
  for (const Term& term : terms_) {
    if (!term.positive() || term.lazy || term.complement() || term.all_listed) continue;
    const uint64_t size = CoreSize(term);
    if (size >= smallest_size) continue;
    smallest = &term;
    smallest_size = size;
  }
  return smallest;
}

Result<std::vector<model::SeriesRef>> Selection::Run() {
  if (!Bind()) return std::vector<model::SeriesRef>{};
  EvaluateTerms();
  if (const auto pairs = OnePairEach(); !pairs.empty()) return RunOverPairs(pairs);
  if (const Term* const few = FewSeries(); few != nullptr) return RunOverFew(*few);
  uint64_t in_fields = 0;
  for (const uint32_t field : fields_) in_fields += catalog_.field(field).series.size();
  if (in_fields <= kFew) return RunOverFields();
  return RunOverBitmaps();
}

std::vector<uint32_t> DistinctSeries(std::span<const model::SeriesRef> refs) {
  std::vector<uint32_t> ids;
  ids.reserve(refs.size());
  for (const model::SeriesRef& ref : refs) ids.push_back(model::Number(ref.series));
  std::sort(ids.begin(), ids.end());
  ids.erase(std::unique(ids.begin(), ids.end()), ids.end());
  return ids;
}

}  // namespace tidemark::index

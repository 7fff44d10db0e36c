// The part of a selection: what of it is wanted, at the price of that part.
#include <algorithm>
#include <utility>

#include "storage/index/selection.h"
#include "storage/model/labels.h"

namespace tidemark::index {
namespace {

// Candidates that a part tests expressions on before these are run over all values of their label: some milliseconds.
constexpr uint32_t kTestsMax = 16'384;
// Values of a label that an expression is run over at once.
constexpr uint32_t kLittle = 1024;
// Fields behind the one in which a part ends whose series are counted: each costs as much as an intersection.
constexpr size_t kFieldsCounted = 16;

}  // namespace

Condition OtherThan(std::string_view label, std::span<const std::string> values) {
  // A label that is absent has the value "".
  std::vector<std::string> texts(values.begin(), values.end());
  texts.emplace_back();
  Condition condition;
  condition.on_metric_name = label == model::kMetricNameLabel;
  condition.label = label;
  condition.negated = true;
  condition.pattern = Pattern::OneOf(std::move(texts));
  return condition;
}

void Selection::EvaluateLittle() {
  for (Term& term : terms_) {
    if (!term.lazy || UnseenValues(*term.condition, term.label) > kLittle) continue;
    term.evaluation = Evaluate(*term.condition, term.label, UINT32_MAX);
    term.lazy = false;
  }
}

bool Selection::NothingLeft() const {
  return std::any_of(terms_.begin(), terms_.end(), [this](const Term& term) {
    return term.positive() && !term.lazy && term.listed().size() <= kLittle && CoreSize(term) == 0;
  });
}

// Takes candidates until there are enough.
class Selection::PartOfRun {
 public:
  PartOfRun(const Selection& selection, const model::PartWanted& wanted, bool test_all)
      : selection_(selection), wanted_(wanted), any_lazy_(selection.AnyLazy()), test_all_(test_all) {}

  // Takes those of `candidates` (ascending, accepted by all terms) that the fields have.
  void Few(std::span<const uint32_t> candidates);
  // Takes what the fields have.
  void Many(Selection* selection);

  std::optional<model::SeriesPart> Take() {
    if (part_.next && part_.refs.size() < std::min(wanted_.enough, wanted_.at_most)) return std::nullopt;
    return std::move(part_);
  }

 private:
  [[nodiscard]] bool Wanted(uint32_t field) const { return field >= Number(wanted_.from.field); }
  // The first id of `field` that is wanted.
  [[nodiscard]] uint32_t FirstOf(uint32_t field) const {
    return field == Number(wanted_.from.field) ? Number(wanted_.from.series) : 0;
  }

  // Takes a series. false: the part ends before it.
  bool Add(uint32_t field, uint32_t id) {
    if (part_.refs.size() >= wanted_.at_most) return EndsBefore(field, id);
    part_.refs.push_back({model::FieldId{field}, model::SeriesId{id}});
    return true;
  }

  // The same of one that all terms but the lazy ones accept.
  bool Offer(uint32_t field, uint32_t id) {
    if (any_lazy_) {
      if (!test_all_ && tests_ >= kTestsMax) return EndsBefore(field, id);
      ++tests_;
      if (!selection_.AcceptedByLazy(id)) return true;
    }
    return Add(field, id);
  }

  // Counts the series of `view`, of the field at `place` of all, from the end of the part on, and those of the next
  // fields.
  void CountMore(const roaring_bitmap_t* view, size_t place, const Kept& kept);

  // Whether an earlier field has the series, and each counts once.
  [[nodiscard]] bool Before(uint32_t id) const {
    return before_ != nullptr && roaring_bitmap_contains(before_.get(), id);
  }
  // Goes on to the next field.
  void Pass(const IdSet& series) {
    if (!wanted_.once || selection_.fields_.size() == 1) return;
    if (before_ == nullptr) before_ = EmptyBitmap();
    series.OrInto(before_.get());
  }

  bool EndsBefore(uint32_t field, uint32_t id) {
    part_.next = {model::FieldId{field}, model::SeriesId{id}};
    return false;
  }

  const Selection& selection_;
  const model::PartWanted& wanted_;
  const bool any_lazy_;
  const bool test_all_;
  uint32_t tests_ = 0;
  Bitmap before_;
  model::SeriesPart part_;
};

void Selection::PartOfRun::Few(std::span<const uint32_t> candidates) {
  for (const uint32_t field : selection_.fields_) {
    const IdSet& series = selection_.catalog_.field(field).series;
    if (!Wanted(field)) {
      Pass(series);
      continue;
    }
    for (auto id = std::lower_bound(candidates.begin(), candidates.end(), FirstOf(field)); id != candidates.end();
         ++id) {
      if (series.Contains(*id) && !Before(*id) && !Add(field, *id)) return;
    }
    Pass(series);
  }
}

void Selection::PartOfRun::CountMore(const roaring_bitmap_t* view, size_t place, const Kept& kept) {
  // What follows may be there already, or not be accepted.
  if (!wanted_.count || any_lazy_ || wanted_.once) return;
  const uint32_t from = Number(part_.next->series);
  part_.more = roaring_bitmap_get_cardinality(view) - (from == 0 ? 0 : roaring_bitmap_rank(view, from - 1));
  const std::vector<uint32_t>& fields = selection_.fields_;
  for (size_t i = place + 1; i < std::min(fields.size(), place + 1 + kFieldsCounted); ++i) {
    const roaring_bitmap_t* const others = selection_.catalog_.field(fields[i]).series.bitmap();
    if (others == nullptr) continue;
    Bitmap made;
    part_.more += roaring_bitmap_get_cardinality(Intersect(others, kept, &made));
  }
}

void Selection::PartOfRun::Many(Selection* selection) {
  std::optional<Kept> kept;  // made for the first field that has many series
  std::vector<uint32_t> ids;
  for (size_t place = 0; place < selection_.fields_.size(); ++place) {
    const uint32_t field = selection_.fields_[place];
    const IdSet& series = selection_.catalog_.field(field).series;
    if (!Wanted(field)) {
      Pass(series);
      continue;
    }
    if (series.bitmap() == nullptr) {
      ids.clear();
      series.AppendRange(FirstOf(field), UINT64_MAX, &ids);
      for (const uint32_t id : ids) {
        if (!Before(id) && selection_.AcceptedByEvaluated(id) && !Offer(field, id)) return;
      }
      Pass(series);
      continue;
    }
    if (!kept) kept = selection->KeptByTerms();
    Bitmap made;
    const roaring_bitmap_t* view = Intersect(series.bitmap(), *kept, &made);
    Bitmap others;
    if (before_ != nullptr) {
      others.reset(roaring_bitmap_andnot(view, before_.get()));
      view = others.get();
    }
    roaring_uint32_iterator_t at;
    roaring_init_iterator(view, &at);
    roaring_move_uint32_iterator_equalorlarger(&at, FirstOf(field));
    for (; at.has_value; roaring_advance_uint32_iterator(&at)) {
      if (!Offer(field, at.current_value)) {
        CountMore(view, place, *kept);
        return;
      }
    }
    Pass(series);
  }
}

std::optional<model::SeriesPart> Selection::RunPart(const model::PartWanted& wanted, bool evaluate) {
  if (!Bind()) return model::SeriesPart{};
  if (evaluate) {
    EvaluateTerms();
  } else {
    EvaluateLittle();
  }
  if (NothingLeft()) return model::SeriesPart{};
  PartOfRun part(*this, wanted, evaluate);
  if (const Term* const few = FewSeries(); few != nullptr) {
    part.Few(CandidatesOf(*few));
  } else {
    part.Many(this);
  }
  return part.Take();
}

}  // namespace tidemark::index

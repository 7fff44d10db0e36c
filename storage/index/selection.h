// Selection: from label matchers to the fields and series that satisfy them. A query is prepared without a lock
// (patterns compiled), then run over the catalog.
//
// A matcher on label L with pattern p accepts a series by its pair of L: `listed` when the value matches p, else
// `unlisted`, or `absent`. Which of the three it keeps follows from its sign and from whether p matches "" (an absent
// label counts as ""), so that =, !=, =~ and !~ are one case.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "storage/base/result.h"
#include "storage/index/catalog.h"
#include "storage/index/pattern.h"
#include "storage/index/regex_cache.h"
#include "storage/model/ids.h"
#include "storage/model/matcher.h"
#include "storage/model/series_part.h"

namespace tidemark::index {

// One matcher, prepared.
struct Condition {
  bool on_metric_name = false;
  std::string label;
  bool negated = false;
  std::shared_ptr<const Pattern> pattern;
  std::string expression;  // of a pattern that has to be run over values; "" when it can be looked up
};

// Errors: kInvalidArgument for a bad regular expression.
Result<std::vector<Condition>> Prepare(std::span<const model::Matcher> matchers, RegexCache* cache);

// Takes series that have `label` with a value that is none of `values`.
Condition OtherThan(std::string_view label, std::span<const std::string> values);

// Which fields and how many series count.
struct SelectionLimits {
  bool numeric = true;
  bool strings = true;
  size_t max_series = 0;  // 0: no limit
};

class Selection {
 public:
  Selection(const Catalog& catalog, std::span<const Condition> conditions, const SelectionLimits& limits,
            RegexCache* cache)
      : catalog_(catalog), conditions_(conditions), limits_(limits), cache_(cache) {}

  // Runs expressions over at most `max_values` values and keeps the results in the cache. Returns true when Run would
  // have little left to evaluate. Calling it repeatedly, with the catalog unlocked in between, keeps a slow expression
  // over many values from stopping the writers.
  bool EvaluateSome(uint32_t max_values);

  // Sorted by (field, series). Errors: kLimitExceeded.
  Result<std::vector<model::SeriesRef>> Run();

  // The part of Run that is wanted; max_series does not count. Absent only without `evaluate`: an expression that has
  // not been run over all values of its label was run over those of some thousand candidates, and too few of them match
  // for that to go on. Then EvaluateSome has to be called until it returns true, and this with `evaluate`.
  std::optional<model::SeriesPart> RunPart(const model::PartWanted& wanted, bool evaluate);

 private:
  // A condition on a label, bound to the ids of the moment.
  struct Term {
    const Condition* condition = nullptr;
    uint32_t label = 0;
    bool keep_listed = false;  // else unlisted
    bool keep_absent = false;
    bool all_listed = false;
    bool lazy = false;  // not evaluated: values are matched one by one
    std::vector<uint32_t> looked_up;
    std::shared_ptr<const Evaluation> evaluation;

    [[nodiscard]] std::span<const uint32_t> listed() const {
      return evaluation != nullptr ? std::span<const uint32_t>(evaluation->matching) : looked_up;
    }
    // Whether the term's core() is kept (else what is outside of it).
    [[nodiscard]] bool positive() const { return !keep_absent; }
    // Whether the core is all series that have the label less the listed ones (else the listed ones).
    [[nodiscard]] bool complement() const { return keep_listed == keep_absent; }
  };

  // The values that an expression runs over: those of a label, or the metric names for label 0.
  [[nodiscard]] uint32_t ValueCount(uint32_t label) const;
  [[nodiscard]] uint32_t ValueId(uint32_t label, uint32_t position) const;
  [[nodiscard]] std::string_view ValueText(uint32_t label, uint32_t id) const;
  // `condition` over all values of `label`, at most `max_new` of them not seen before.
  std::shared_ptr<const Evaluation> Evaluate(const Condition& condition, uint32_t label, uint32_t max_new);
  [[nodiscard]] uint32_t UnseenValues(const Condition& condition, uint32_t label) const;

  // Ascending; nullopt when not all of the conditions on names could be evaluated within `max_new` values.
  std::vector<uint32_t> CandidateFields();
  [[nodiscard]] std::vector<uint32_t> ListedMetrics(const Condition& condition);
  [[nodiscard]] bool TypeCounts(uint32_t field) const;

  // Looks up what can be looked up; expressions stay lazy. false: nothing can match.
  bool Bind();
  void EvaluateTerms();
  [[nodiscard]] uint64_t CoreSize(const Term& term) const;
  [[nodiscard]] uint64_t FewestCandidates() const;
  [[nodiscard]] bool Accepts(const Term& term, uint32_t series) const;
  [[nodiscard]] bool AcceptedByAll(uint32_t series, const Term* except) const;
  [[nodiscard]] Bitmap Core(Term* term);

  // Evaluates what costs little: expressions over few values that were not seen before.
  void EvaluateLittle();
  [[nodiscard]] bool AnyLazy() const;
  // Whether no series can satisfy a term, by the sizes of sets alone: all values that a label has are excluded, say.
  [[nodiscard]] bool NothingLeft() const;
  // Whether the terms that are not evaluated accept a series, and whether the others do.
  [[nodiscard]] bool AcceptedByLazy(uint32_t series) const;
  [[nodiscard]] bool AcceptedByEvaluated(uint32_t series) const;
  // The term with the fewest series, when these are few; else null.
  [[nodiscard]] const Term* FewSeries() const;
  // Of that term, those that all terms accept; ascending.
  [[nodiscard]] std::vector<uint32_t> CandidatesOf(const Term& term) const;
  // What the terms that are evaluated keep and drop. Null: everything, nothing.
  struct Kept {
    Bitmap kept;
    Bitmap dropped;
  };
  [[nodiscard]] Kept KeptByTerms();
  // The series of a field that are kept, as a bitmap that `made` holds where it is not the field's own.
  static const roaring_bitmap_t* Intersect(const roaring_bitmap_t* field, const Kept& kept, Bitmap* made);
  class PartOfRun;

  // The series of each term, when each keeps those of one pair and drops all others; else empty.
  [[nodiscard]] std::vector<const IdSet*> OnePairEach() const;
  Result<std::vector<model::SeriesRef>> RunOverPairs(std::span<const IdSet* const> pairs);
  Result<std::vector<model::SeriesRef>> RunOverFew(const Term& term);
  Result<std::vector<model::SeriesRef>> RunOverFields();
  Result<std::vector<model::SeriesRef>> RunOverBitmaps();
  [[nodiscard]] Result<void> Append(uint32_t field, std::span<const uint32_t> series,
                                    std::vector<model::SeriesRef>* out) const;

  const Catalog& catalog_;
  std::span<const Condition> conditions_;
  SelectionLimits limits_;
  RegexCache* cache_;

  std::vector<uint32_t> fields_;
  std::vector<Term> terms_;
};

// The distinct series of a selection, ascending.
std::vector<uint32_t> DistinctSeries(std::span<const model::SeriesRef> refs);

}  // namespace tidemark::index

// SeriesFilter: the part of a database's series that somebody may see and write, as `{team="a"}`. It belongs to a view
// (Store::OpenView), not to the text of a query, so that nothing that is asked of the view can reach beyond it.
//
//   TM_TRY_ASSIGN(const SeriesFilter filter, SeriesFilter::Make({{{MatchOp::kEqual, "team", "a"}}}, "{team=\"a\"}"));
//   TM_TRY_ASSIGN(std::shared_ptr<const View> view, store->OpenView("metrics", filter));
//   if (!filter.Accepts(labels)) return Forbidden(...);
#pragma once

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "storage/base/result.h"
#include "storage/model/labels.h"
#include "storage/model/matcher.h"

namespace tidemark::storage {

// Immutable and cheap to copy; may be asked from any thread. There is no default one: who opens a view for somebody
// says to what he is held.
class SeriesFilter {
 public:
  // Selectors of one filter.
  static constexpr size_t kMaxSelectors = 100;

  // All series: for who is held to nothing, and for the server's own work.
  static SeriesFilter Everything() { return SeriesFilter(nullptr); }
  // `held`, or everything where there is none.
  static SeriesFilter Of(const SeriesFilter* held) { return held == nullptr ? Everything() : *held; }
  // The series that satisfy every matcher of at least one of `any_of`. `text` names the filter: equal texts are taken
  // for equal filters. kInvalidArgument: no selector, a selector without a matcher, too many, or a bad expression.
  static Result<SeriesFilter> Make(std::vector<std::vector<model::Matcher>> any_of, std::string text);

  [[nodiscard]] bool everything() const { return rules_ == nullptr; }
  // "" of Everything().
  [[nodiscard]] const std::string& text() const;
  // Empty of Everything(), which has no condition.
  [[nodiscard]] const std::vector<std::vector<model::Matcher>>& any_of() const;

  // Whether a series with these labels, __name__ included and sorted by name, is one of them.
  [[nodiscard]] bool Accepts(std::span<const model::LabelView> labels) const;

  // Whether a series that has these labels, in the same order, and perhaps others can be one of them.
  [[nodiscard]] bool MayAccept(std::span<const model::LabelView> some) const;

  // The labels that every accepted series has, each with the one value that it can have, sorted by name: those of the
  // `=` matchers of a filter of one selector. What is written without such a label gets it.
  [[nodiscard]] const std::vector<model::Label>& implied() const;

  // `selector` and the filter: the selectors of which a series must satisfy one.
  [[nodiscard]] std::vector<std::vector<model::Matcher>> Narrow(std::span<const model::Matcher> selector) const;

  // The same of several selectors, of which a series satisfies one.
  [[nodiscard]] std::vector<std::vector<model::Matcher>> Narrow(
      std::span<const std::vector<model::Matcher>> selectors) const;

  friend bool operator==(const SeriesFilter& a, const SeriesFilter& b) { return a.text() == b.text(); }

 private:
  struct Rules;
  explicit SeriesFilter(std::shared_ptr<const Rules> rules) : rules_(std::move(rules)) {}

  std::shared_ptr<const Rules> rules_;  // null: everything
};

}  // namespace tidemark::storage

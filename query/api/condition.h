// Condition: a matcher that is ready to be asked about labels in memory, for what is not in an index: rules, and points
// on their way in.
#pragma once

#include <memory>
#include <span>
#include <vector>

#include "storage/base/result.h"
#include "storage/model/labels.h"
#include "storage/model/matcher.h"

namespace re2 {
class RE2;
}

namespace tidemark::query::api {

// Immutable; may be asked from any thread.
class Condition {
 public:
  // kInvalidArgument for a bad regular expression.
  static Result<Condition> Make(const model::Matcher& matcher);
  Condition(Condition&&) noexcept;
  Condition& operator=(Condition&&) noexcept;
  ~Condition();

  [[nodiscard]] bool Holds(std::span<const model::LabelView> labels) const;

 private:
  explicit Condition(const model::Matcher& matcher);

  model::Matcher matcher_;
  std::unique_ptr<re2::RE2> regex_;  // of the operators that have one
};

// What a list of match[] parameters asks: labels that satisfy every matcher of at least one set.
class Conditions {
 public:
  Conditions() = default;
  // kInvalidArgument for a bad regular expression.
  static Result<Conditions> Make(std::span<const std::vector<model::Matcher>> sets);

  // Without sets: yes.
  [[nodiscard]] bool Hold(std::span<const model::LabelView> labels) const;

 private:
  std::vector<std::vector<Condition>> sets_;
};

}  // namespace tidemark::query::api

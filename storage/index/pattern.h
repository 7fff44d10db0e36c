// Pattern: a label matcher's regular expression, taken apart as far as that saves running it. Dashboards mostly send
// lists of names (`host_1|host_2`, `cpu_(user|system)`): those become a set of texts to look up. What is left runs in
// RE2 behind a comparison of its literal prefix.
//
// Expressions are fully anchored and `.` matches a newline, as in Prometheus 3. Immutable, thread-safe.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "storage/base/result.h"

namespace re2 {
class RE2;
}

namespace tidemark::index {

class Pattern {
 public:
  // Errors: kInvalidArgument with RE2's words.
  static Result<std::shared_ptr<const Pattern>> Parse(std::string_view expression);
  // The pattern of `=`: exactly `text`.
  static std::shared_ptr<const Pattern> Literal(std::string_view text);
  // Of any of `texts`.
  static std::shared_ptr<const Pattern> OneOf(std::vector<std::string> texts);
  ~Pattern();

  [[nodiscard]] bool Matches(std::string_view text) const;
  [[nodiscard]] bool matches_empty() const { return matches_empty_; }

  // Exactly the texts that match, sorted and unique, when they are known to be few.
  [[nodiscard]] const std::optional<std::vector<std::string>>& literals() const { return literals_; }
  // `.*`
  [[nodiscard]] bool matches_all() const { return kind_ == Kind::kAll; }
  // `.+`
  [[nodiscard]] bool matches_all_but_empty() const { return kind_ == Kind::kNotEmpty; }
  // What every match starts with; for tests.
  [[nodiscard]] const std::string& prefix() const { return prefix_; }

 private:
  enum class Kind {
    kLiterals,
    kAll,
    kNotEmpty,
    kPrefix,            // prefix and anything
    kLongerThanPrefix,  // prefix and at least one more byte
    kRegex,
  };

  Pattern();

  Kind kind_ = Kind::kLiterals;
  bool matches_empty_ = false;
  std::optional<std::vector<std::string>> literals_;
  std::string prefix_;
  std::unique_ptr<re2::RE2> regex_;
};

}  // namespace tidemark::index

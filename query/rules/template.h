// Template: the text of a label or annotation of an alert, with a subset of Prometheus' templates:
//
//   Disk of {{ $labels.instance }} is {{ $value | humanizePercentage }} full
//
// Known: $labels.NAME, .Labels.NAME, $value, .Value; piped into humanize, humanize1024, humanizePercentage,
// humanizeDuration, humanizeTimestamp, toUpper, toLower, title, printf "%.2f". An absent label gives "".
// Source: https://prometheus.io/docs/prometheus/latest/configuration/template_reference/
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "storage/base/result.h"
#include "storage/model/labels.h"

namespace tidemark::query::rules {

// Immutable; may be used from any thread.
class Template {
 public:
  // kInvalidArgument for an unclosed {{ or something that is not known.
  static Result<Template> Parse(std::string_view text);

  [[nodiscard]] std::string Expand(const model::LabelViews& labels, double value) const;

 private:
  struct Step {
    std::string function;
    std::string argument;  // of printf
  };
  struct Piece {
    std::string text;  // literal, or the label's name
    enum class Kind { kText, kLabel, kValue } kind = Kind::kText;
    std::vector<Step> steps;
  };
  static Result<Piece> ParseAction(std::string_view action);
  static std::string Apply(const Step& step, const std::string& input, double value, bool numeric);

  std::vector<Piece> pieces_;
};

}  // namespace tidemark::query::rules

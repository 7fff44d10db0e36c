// Template: the text of a label or annotation of an alert, in the language of Go's text/template with Prometheus'
// functions:
//
//   {{ if gt $value 0.9 }}{{ $labels.instance }} is {{ $value | humanizePercentage }} full{{ end }}
//
// README.md lists what is known. An absent label gives "".
// Source: https://prometheus.io/docs/prometheus/latest/configuration/template_reference/,
// https://pkg.go.dev/text/template
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "storage/base/result.h"
#include "storage/model/labels.h"

namespace tidemark::query::rules {

// One series of what `query` gives.
struct TemplateSample {
  model::Labels labels;  // __name__ among them
  double value = 0;
};

struct TemplateContext {
  // Runs an instant query at the time of the evaluation; empty: `query` fails.
  std::function<Result<std::vector<TemplateSample>>(std::string_view query)> query = {};
  int64_t now_ms = 0;
  // $externalLabels and $externalURL. Null: no labels.
  const model::Labels* external_labels = nullptr;
  std::string_view external_url = {};
};

// Immutable and cheap to copy; may be used from any thread.
class Template {
 public:
  struct Node;
  // Bytes of an expanded text: an annotation is read by people.
  static constexpr size_t kTextBytesMax = size_t{1} << 20;
  // Blocks inside blocks, parentheses inside parentheses.
  static constexpr int kDepthMax = 50;

  Template() = default;
  // kInvalidArgument for what is not closed or not known, and for what is too deep.
  static Result<Template> Parse(std::string_view text);

  // What goes wrong only now (a query that fails, an index beyond the end) is told in the text, as Prometheus does:
  // "<error expanding template: ...>". Always UTF-8: each byte that is none (half a character that `slice` leaves)
  // becomes U+FFFD.
  [[nodiscard]] std::string Expand(const model::LabelViews& labels, double value,
                                   const TemplateContext& context = {}) const;

 private:
  std::shared_ptr<const std::vector<Node>> nodes_;
};

}  // namespace tidemark::query::rules

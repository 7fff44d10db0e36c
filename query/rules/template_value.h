// What a template works with: values, and the functions over them.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "query/rules/template.h"
#include "storage/base/result.h"
#include "storage/model/labels.h"

namespace tidemark::query::rules {

// The dot of the whole template: .Labels, .ExternalLabels, .ExternalURL, .Value.
struct TemplateRoot {
  std::shared_ptr<const model::Labels> labels;
  std::shared_ptr<const model::Labels> external_labels;
  std::string external_url;
  double value = 0;
};

// time.Time in UTC, of toTime; time.Duration, of toDuration. In nanoseconds.
struct TemplateTime {
  int64_t ns = 0;
};
struct TemplateDuration {
  int64_t ns = 0;
};

struct TemplateMap;
using TemplateSamples = std::vector<TemplateSample>;
// nil is std::monostate. int64_t is Go's int.
using TemplateValue = std::variant<std::monostate, std::shared_ptr<const TemplateRoot>, bool, int64_t, double,
                                   std::string, std::shared_ptr<const model::Labels>,
                                   std::shared_ptr<const TemplateSample>, std::shared_ptr<const TemplateSamples>,
                                   std::shared_ptr<const TemplateMap>, TemplateTime, TemplateDuration>;

// map[string]interface{}, of args.
struct TemplateMap {
  std::map<std::string, TemplateValue, std::less<>> values;
};

// As Go's fmt.Sprint prints one: 1e+06, map[a:b], <nil>.
std::string ToText(const TemplateValue& value);
// The name of its type, as Go's %T prints it.
std::string_view TypeOf(const TemplateValue& value);
// Not false, 0, empty or nil.
bool IsTrue(const TemplateValue& value);
// 1 and 1.5; nothing for what is no number.
std::optional<double> NumberIn(const TemplateValue& value);
std::string LabelOf(const model::Labels& labels, std::string_view name);

// Calls the function of this name. kInvalidArgument for a wrong number or kind of arguments.
Result<TemplateValue> CallTemplateFunction(std::string_view name, std::span<const TemplateValue> arguments,
                                           const TemplateContext& context);

// The method `name` of a time or duration: (toTime $value).Format "15:04". kInvalidArgument where there is none.
Result<TemplateValue> CallTemplateMethod(const TemplateValue& value, std::string_view name,
                                         std::span<const TemplateValue> arguments);

// One row of the tables of functions.
struct TemplateFunction {
  using Arguments = std::span<const TemplateValue>;
  static constexpr size_t kAny = SIZE_MAX;
  std::string_view name;
  size_t least;
  size_t most;
  Result<TemplateValue> (*call)(Arguments, const TemplateContext&);
};
// Those of Go's text/template but for `and` and `or`, which do not evaluate all their arguments (template.cc).
std::span<const TemplateFunction> GoTemplateFunctions();

// A text argument, a number (also written in a text, as Prometheus' functions take it); kInvalidArgument for others.
Result<std::string> TextOf(const TemplateValue& value);
Result<double> NumberOf(const TemplateValue& value);

}  // namespace tidemark::query::rules

// What a template works with: values, and the functions over them.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "query/rules/template.h"
#include "storage/base/result.h"
#include "storage/model/labels.h"

namespace tidemark::query::rules {

// The dot of the whole template: .Labels, .Value.
struct TemplateRoot {};

using TemplateSamples = std::vector<TemplateSample>;
// nil is std::monostate.
using TemplateValue =
    std::variant<std::monostate, TemplateRoot, bool, int64_t, double, std::string, std::shared_ptr<const model::Labels>,
                 std::shared_ptr<const TemplateSample>, std::shared_ptr<const TemplateSamples>>;

// As Go prints them: 1e+06, map[a:b].
std::string ToText(const TemplateValue& value);
// Not false, 0, empty or nil.
bool IsTrue(const TemplateValue& value);

// Calls the function of this name. kInvalidArgument for a wrong number or kind of arguments.
Result<TemplateValue> CallTemplateFunction(std::string_view name, std::span<const TemplateValue> arguments,
                                           const TemplateContext& context);

}  // namespace tidemark::query::rules

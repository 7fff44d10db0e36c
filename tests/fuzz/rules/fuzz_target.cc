// The texts of rules. The first byte says which: f a rule file, t a template, d a duration. A template ends within its
// bounds and gives the same text twice; a refused file names itself in every line of its faults.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "query/rules/rule_file.h"
#include "query/rules/template.h"
#include "storage/base/check.h"
#include "storage/model/labels.h"

namespace tidemark::query::rules {
namespace {

// A message about the text, and the text as far as it goes.
constexpr size_t kMessageBytesMax = Template::kTextBytesMax + 4096;

void RunTemplate(std::string_view text) {
  const auto parsed = Template::Parse(text);
  if (!parsed.ok()) {
    TM_CHECK(!parsed.error().message.empty());
    return;
  }
  const model::LabelViews labels = {{"instance", "a:1"}, {"job", "api"}};
  TemplateContext context;
  context.now_ms = 1'700'000'000'000;
  context.query = [](std::string_view query) -> Result<std::vector<TemplateSample>> {
    if (query == "bad") return InvalidArgument("a query that fails");
    return std::vector<TemplateSample>{{{{"__name__", "up"}, {"instance", "a:1"}}, 1}, {{{"instance", "b"}}, 0.25}};
  };
  const std::string expanded = parsed->Expand(labels, 0.5, context);
  TM_CHECK(expanded.size() <= kMessageBytesMax + text.size());
  TM_CHECK(parsed->Expand(labels, 0.5, context) == expanded);
  static_cast<void>(parsed->Expand({}, -1e300));
}

void RunFile(std::string_view text) {
  const auto groups = ParseRuleFile(text, "rules.yaml");
  if (groups.ok()) {
    for (const Group& group : *groups) {
      TM_CHECK(!group.name.empty() && group.file == "rules.yaml");
      for (const Rule& rule : group.rules) TM_CHECK(rule.expr != nullptr && !rule.name.empty());
    }
    return;
  }
  TM_CHECK(groups.error().code == ErrorCode::kInvalidArgument || groups.error().code == ErrorCode::kLimitExceeded);
  TM_CHECK(groups.error().message.starts_with("rules.yaml"));
}

}  // namespace
}  // namespace tidemark::query::rules

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace tidemark::query::rules;
  if (size == 0) return 0;
  const std::string_view input(reinterpret_cast<const char*>(data) + 1, size - 1);
  switch (data[0]) {
    case 'f': RunFile(input); break;
    case 't': RunTemplate(input); break;
    case 'd': {
      const auto ms = ParseRuleDurationMs(input);
      TM_CHECK(ms.ok() ? *ms >= 0 : !ms.error().message.empty());
      break;
    }
    default: break;
  }
  return 0;
}

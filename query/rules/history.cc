#include "query/rules/history.h"

#include <fmt/core.h>

#include <cmath>
#include <string>

#include "query/frame/go_format.h"
#include "query/promql/quote.h"
#include "storage/base/hash.h"

namespace tidemark::query::rules {
namespace {

// Rules of one name are told apart by the labels that they give.
model::Labels QuestionTags(const Group& group, const Rule& rule) {
  std::string texts;
  for (const TemplatedText& text : rule.labels) texts += text.name + '\xff' + text.text + '\xff';
  return {{"rule", rule.name},
          {"rule_file", group.file},
          {"rule_group", group.name},
          {"rule_labels", fmt::format("{:016x}", HashBytes(texts, 0).low)}};
}

}  // namespace

double QuestionOf(const Rule& rule) {
  return static_cast<double>(HashBytes(rule.database + '\xff' + rule.expr_text, 0).low >> 12U);
}

void AppendQuestion(const Group& group, const Rule& rule, int64_t now_ms, model::BatchBuilder* builder) {
  const model::Labels tags = QuestionTags(group, rule);
  builder->Row(kQuestionMeasurement, ViewsOf(tags), model::Timestamp::FromMs(now_ms))
      .Field(model::kValueField, QuestionOf(rule));
}

std::string QuestionSelector(const Group& group, const Rule& rule) {
  std::string out(kQuestionMeasurement);
  char before = '{';
  for (const model::Label& tag : QuestionTags(group, rule)) {
    out += fmt::format("{}{}={}", before, tag.name, promql::Quote(tag.value));
    before = ',';
  }
  return out + "}";
}

void AppendHistory(const Group& group, const std::vector<AlertChange>& changes, int64_t now_ms,
                   model::BatchBuilder* builder) {
  for (const AlertChange& change : changes) {
    model::Labels labels = change.labels;
    SetLabel(&labels, "rule_group", group.name);
    SetLabel(&labels, "rule_file", group.file);
    std::string event = change.from == change.to ? "" : fmt::format("{} -> {}", Name(change.from), Name(change.to));
    if (!std::isnan(change.value)) {
      event += fmt::format("{}value {}", event.empty() ? "" : ", ", frame::GoFormat(change.value));
    }
    event += (event.empty() ? "" : ": ") + change.reason;
    builder->Row(kHistoryMeasurement, ViewsOf(labels), model::Timestamp::FromMs(now_ms))
        .Field("event", event)
        .Field("state", static_cast<int64_t>(change.to));
    if (!std::isnan(change.value)) builder->Field("value", change.value);
  }
}

}  // namespace tidemark::query::rules

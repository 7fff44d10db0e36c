#include "query/rules/history.h"

#include <fmt/core.h>

#include <cmath>
#include <deque>
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

// Of an alert, as what is noted of it has them.
constexpr std::string_view kGroupTag = "rule_group";
constexpr std::string_view kFileTag = "rule_file";
model::Labels TagsOf(const Group& group, model::Labels labels) {
  SetLabel(&labels, kGroupTag, group.name);
  SetLabel(&labels, kFileTag, group.file);
  return labels;
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

void AppendFlaps(const Group& group, const std::vector<FlapNote>& notes, int64_t now_ms, model::BatchBuilder* builder) {
  for (const FlapNote& note : notes) {
    const model::Labels labels = TagsOf(group, note.labels);
    builder->Row(kFlapMeasurement, ViewsOf(labels), model::Timestamp::FromMs(now_ms))
        .Field(model::kValueField, static_cast<int64_t>((note.changed ? 1 : 0) + (note.flapping ? 2 : 0)));
  }
}

Result<std::map<model::Labels, FlapLog>> ReadFlaps(const storage::Store& store, const std::string& database,
                                                   const Group& group, const Rule& rule, int64_t from_ms,
                                                   int64_t now_ms) {
  std::map<model::Labels, FlapLog> flaps;
  const auto view = store.OpenView(database, storage::SeriesFilter::Everything());
  if (!view.ok() && view.error().code == ErrorCode::kNotFound) return flaps;
  TM_RETURN_IF_ERROR(view);
  const auto equal = [](std::string_view name, const std::string& value) {
    return model::Matcher{model::MatchOp::kEqual, std::string(name), value};
  };
  const model::TimeRange range{model::Timestamp::FromMs(from_ms), model::Timestamp::FromMs(now_ms)};
  const std::vector<model::Matcher> matchers{equal(model::kMetricNameLabel, std::string(kFlapMeasurement)),
                                             equal(kAlertName, rule.name), equal(kGroupTag, group.name),
                                             equal(kFileTag, group.file)};
  TM_TRY_ASSIGN(const std::vector<model::SeriesRef> refs, (*view)->Select(matchers, range));
  // By time: a cursor may give a series in pieces that are not in order.
  std::map<model::Labels, std::map<int64_t, int64_t>> points;
  const auto cursor = (*view)->Scan(refs, range);
  model::LabelViews views;
  for (model::Column column;;) {
    TM_TRY_ASSIGN(const bool more, cursor->Next(&column));
    if (!more) break;
    (*view)->LabelsOf(column.ref, &views);
    model::Labels labels = model::ToLabels(views);
    for (const std::string_view name : {model::kMetricNameLabel, kGroupTag, kFileTag}) SetLabel(&labels, name, "");
    for (size_t i = 0; i < column.size(); ++i) {
      points[labels][model::Timestamp{column.times[i]}.FloorMs()] = static_cast<int64_t>(model::DoubleAt(column, i));
    }
  }
  for (const auto& [labels, by_time] : points) {
    std::deque<int64_t> changes_ms;
    for (const auto& [ms, value] : by_time) {
      if (value % 2 != 0) changes_ms.push_back(ms);
    }
    flaps.emplace(labels, FlapLog(std::move(changes_ms), by_time.rbegin()->second >= 2));
  }
  return flaps;
}

std::string ShortValue(double value) {
  constexpr double kWholeMax = 1e15;
  const double size = std::fabs(value);
  if (size >= kWholeMax || !std::isfinite(value)) return frame::GoFormat(value);
  // Six digits of a large one are before its point.
  return size >= 1e6 || value == std::trunc(value) ? fmt::format("{:.0f}", value) : fmt::format("{:.6g}", value);
}

void AppendHistory(const Group& group, const std::vector<AlertChange>& changes, int64_t now_ms,
                   model::BatchBuilder* builder) {
  for (const AlertChange& change : changes) {
    const model::Labels labels = TagsOf(group, change.labels);
    std::string event = change.from == change.to ? "" : fmt::format("{} -> {}", Name(change.from), Name(change.to));
    if (!std::isnan(change.value)) {
      event += fmt::format("{}value {}", event.empty() ? "" : ", ", ShortValue(change.value));
    }
    event += (event.empty() ? "" : ": ") + change.reason;
    builder->Row(kHistoryMeasurement, ViewsOf(labels), model::Timestamp::FromMs(now_ms))
        .Field("event", event)
        .Field("state", static_cast<int64_t>(change.to));
    if (!std::isnan(change.value)) builder->Field("value", change.value);
  }
}

}  // namespace tidemark::query::rules

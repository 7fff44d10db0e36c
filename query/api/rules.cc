// /api/v1/rules and /api/v1/alerts.
#include <algorithm>
#include <string>
#include <vector>

#include "query/api/api.h"
#include "query/api/json.h"

namespace tidemark::query::api {
namespace {

void AppendTimeMs(std::string* out, int64_t ms) {
  out->push_back('"');
  if (ms == 0) {
    out->append("0001-01-01T00:00:00Z");  // Go's zero time: never
  } else {
    AppendRfc3339(out, ms * 1'000'000);
  }
  out->push_back('"');
}

void AppendTexts(std::string* out, const std::vector<rules::TemplatedText>& texts) {
  model::LabelViews views;
  for (const rules::TemplatedText& text : texts) views.push_back({text.name, text.text});
  AppendLabels(out, std::span<const model::LabelView>(views));
}

void AppendAlert(std::string* out, const rules::Alert& alert) {
  out->append(R"({"labels":)");
  AppendLabels(out, alert.labels);
  out->append(R"(,"annotations":)");
  AppendLabels(out, alert.annotations);
  out->append(R"(,"state":")");
  out->append(rules::Name(alert.state));
  out->append(R"(","activeAt":)");
  AppendTimeMs(out, alert.active_at_ms);
  out->append(R"(,"value":")");
  AppendFloatExponent(out, alert.value);
  out->append("\"}");
}

void AppendAlerts(std::string* out, const std::vector<rules::Alert>& alerts) {
  out->push_back('[');
  for (size_t i = 0; i < alerts.size(); ++i) {
    if (i > 0) out->push_back(',');
    AppendAlert(out, alerts[i]);
  }
  out->push_back(']');
}

void AppendRule(std::string* out, const rules::RuleStatus& status, bool with_alerts) {
  const rules::Rule& rule = *status.rule;
  out->push_back('{');
  if (rule.alerting) {
    out->append(R"("state":")");
    out->append(rules::Name(status.state()));
    out->append("\",");
  }
  out->append(R"("name":)");
  AppendJsonString(out, rule.name);
  out->append(R"(,"query":)");
  AppendJsonString(out, rule.expr_text);
  if (rule.alerting) {
    out->append(R"(,"duration":)");
    AppendJsonNumber(out, static_cast<double>(rule.for_ms) / 1000);
    out->append(R"(,"keepFiringFor":)");
    AppendJsonNumber(out, static_cast<double>(rule.keep_firing_for_ms) / 1000);
  }
  if (rule.alerting || !rule.labels.empty()) {
    out->append(R"(,"labels":)");
    AppendTexts(out, rule.labels);
  }
  if (rule.alerting) {
    out->append(R"(,"annotations":)");
    AppendTexts(out, rule.annotations);
    out->append(R"(,"alerts":)");
    AppendAlerts(out, with_alerts ? status.alerts : std::vector<rules::Alert>());
  }
  out->append(R"(,"health":)");
  AppendJsonString(out, status.health);
  if (!status.last_error.empty()) {
    out->append(R"(,"lastError":)");
    AppendJsonString(out, status.last_error);
  }
  out->append(R"(,"evaluationTime":)");
  AppendJsonNumber(out, static_cast<double>(status.evaluation_ns) * 1e-9);
  out->append(R"(,"lastEvaluation":)");
  AppendTimeMs(out, status.last_evaluation_ms);
  out->append(rule.alerting ? R"(,"type":"alerting"})" : R"(,"type":"recording"})");
}

bool Among(const std::vector<std::string_view>& wanted, std::string_view name) {
  return wanted.empty() || std::find(wanted.begin(), wanted.end(), name) != wanted.end();
}

}  // namespace

Reply QueryApi::Rules(const ApiRequest& request) const {
  const std::string_view type = request.params.Get("type");
  if (!type.empty() && type != "alert" && type != "record") {
    return ErrorReply(ErrorType::kBadData, "not supported value \"" + std::string(type) + "\"");
  }
  const std::string_view exclude = request.params.Get("exclude_alerts");
  const bool with_alerts = exclude != "true" && exclude != "1";
  const std::vector<std::string_view> names = request.params.All("rule_name[]");
  const std::vector<std::string_view> groups = request.params.All("rule_group[]");
  const std::vector<std::string_view> files = request.params.All("file[]");
  const rules::Snapshot snapshot = dependencies_.rules != nullptr ? dependencies_.rules->Status() : rules::Snapshot();
  std::string body = BeginSuccess();
  body += R"({"groups":[)";
  bool first_group = true;
  for (const rules::GroupStatus& group : snapshot.groups) {
    if (!Among(groups, group.group->name) || !Among(files, group.group->file)) continue;
    std::string rules_json;
    for (const rules::RuleStatus& rule : group.rules) {
      const bool wanted = type.empty() || (type == "alert") == rule.rule->alerting;
      if (!wanted || !Among(names, rule.rule->name)) continue;
      if (!rules_json.empty()) rules_json += ',';
      AppendRule(&rules_json, rule, with_alerts);
    }
    if (rules_json.empty() && !names.empty()) continue;
    if (!first_group) body += ',';
    first_group = false;
    body += R"({"name":)";
    AppendJsonString(&body, group.group->name);
    body += R"(,"file":)";
    AppendJsonString(&body, group.group->file);
    body += R"(,"rules":[)";
    body += rules_json;
    body += R"(],"interval":)";
    AppendJsonNumber(&body, static_cast<double>(group.interval_ms) / 1000);
    body += R"(,"limit":)";
    AppendInteger(&body, group.group->limit);
    body += R"(,"evaluationTime":)";
    AppendJsonNumber(&body, static_cast<double>(group.evaluation_ns) * 1e-9);
    body += R"(,"lastEvaluation":)";
    AppendTimeMs(&body, group.last_evaluation_ms);
    body += '}';
  }
  body += "]}";
  return EndSuccess(std::move(body));
}

Reply QueryApi::Alerts() const {
  const rules::Snapshot snapshot = dependencies_.rules != nullptr ? dependencies_.rules->Status() : rules::Snapshot();
  std::string body = BeginSuccess();
  body += R"({"alerts":[)";
  bool first = true;
  for (const rules::GroupStatus& group : snapshot.groups) {
    for (const rules::RuleStatus& rule : group.rules) {
      for (const rules::Alert& alert : rule.alerts) {
        if (!first) body += ',';
        first = false;
        AppendAlert(&body, alert);
      }
    }
  }
  body += "]}";
  return EndSuccess(std::move(body));
}

}  // namespace tidemark::query::api

// /api/v1/rules and /api/v1/alerts.
#include <fmt/core.h>

#include <algorithm>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "query/api/api.h"
#include "query/api/condition.h"
#include "query/api/json.h"
#include "query/api/values.h"
#include "query/promql/parser.h"
#include "query/rules/reads.h"
#include "storage/base/hash.h"

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
  out->push_back('"');
  // Beyond Prometheus: why it is not what its condition alone would make it.
  if (alert.no_data) out->append(R"(,"noData":true)");
  if (alert.recovering) out->append(R"(,"recovering":true)");
  if (alert.flapping) out->append(R"(,"flapping":true)");
  out->push_back('}');
}

void AppendAlerts(std::string* out, const std::vector<rules::Alert>& alerts) {
  out->push_back('[');
  for (size_t i = 0; i < alerts.size(); ++i) {
    if (i > 0) out->push_back(',');
    AppendAlert(out, alerts[i]);
  }
  out->push_back(']');
}

bool SeesAlert(const storage::SeriesFilter& filter, const rules::Alert& alert) {
  if (filter.everything()) return true;
  model::LabelViews labels;
  for (const model::Label& label : alert.labels) labels.push_back({label.name, label.value});
  return filter.Accepts(labels);
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
  if (rule.no_data != rules::NoData::kResolve) {
    out->append(R"(,"noData":)");
    AppendJsonString(out, rules::Name(rule.no_data));
  }
  if (rule.recover) {
    out->append(R"(,"recover":)");
    AppendJsonString(out, rule.recover_text);
  }
  if (rule.flapping.changes != 0) {
    out->append(R"(,"flapping":)");
    AppendJsonString(out, rules::PrintFlapLimit(rule.flapping));
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

// What a request for rules asks to see.
struct RuleFilter {
  std::string type;  // "alert", "record" or ""
  bool with_alerts = true;
  std::vector<std::string_view> names;
  std::vector<std::string_view> groups;
  std::vector<std::string_view> files;
  Conditions conditions;  // on the labels that a rule's file gives it
  uint64_t group_limit = 0;
  std::string_view next_token;

  [[nodiscard]] bool Wants(const rules::Rule& rule) const {
    if (!type.empty() && (type == "alert") != rule.alerting) return false;
    if (!Among(names, rule.name)) return false;
    model::LabelViews labels;
    for (const rules::TemplatedText& text : rule.labels) labels.push_back({text.name, text.text});
    return conditions.Hold(labels);
  }
};

// Go's strconv.ParseBool.
std::optional<bool> ParseBool(std::string_view text) {
  for (const std::string_view yes : {"1", "t", "T", "true", "TRUE", "True"}) {
    if (text == yes) return true;
  }
  for (const std::string_view no : {"0", "f", "F", "false", "FALSE", "False"}) {
    if (text == no) return false;
  }
  return std::nullopt;
}

// The error is the whole message of a 400.
Result<RuleFilter> ParseRuleFilter(const text::Params& params) {
  RuleFilter filter;
  filter.type = params.Get("type");
  std::transform(filter.type.begin(), filter.type.end(), filter.type.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
  if (!filter.type.empty() && filter.type != "alert" && filter.type != "record") {
    return InvalidParameter("type", InvalidArgument("not supported value " + Quoted(filter.type)));
  }
  if (const std::string_view text = params.Get("exclude_alerts"); !text.empty()) {
    const std::optional<bool> exclude = ParseBool(text);
    if (!exclude) {
      return InvalidParameter("exclude_alerts",
                              InvalidArgument("error converting exclude_alerts: strconv.ParseBool: parsing " +
                                              Quoted(text) + ": invalid syntax"));
    }
    filter.with_alerts = !*exclude;
  }
  filter.names = params.All("rule_name[]");
  filter.groups = params.All("rule_group[]");
  filter.files = params.All("file[]");
  std::vector<std::vector<model::Matcher>> sets;
  for (const std::string_view text : params.All("match[]")) {
    Result<std::vector<model::Matcher>> matchers = promql::ParseSelector(text);
    if (!matchers.ok()) return InvalidParameter("match[]", matchers.error());
    sets.push_back(std::move(matchers).value());
  }
  TM_TRY_ASSIGN(filter.conditions, Conditions::Make(sets));
  filter.next_token = params.Get("group_next_token");
  if (const std::string_view text = params.Get("group_limit"); !text.empty()) {
    const Result<uint64_t> limit = ParseLimit(text);
    if (!limit.ok()) {
      return InvalidParameter("group_limit",
                              InvalidArgument("group_limit needs to be a valid number: " + limit.error().message));
    }
    if (*limit == 0) {
      return InvalidParameter("group_limit", InvalidArgument("group_limit needs to be greater than 0"));
    }
    filter.group_limit = *limit;
  } else if (!filter.next_token.empty()) {
    return InvalidParameter("group_limit",
                            InvalidArgument("group_limit needs to be present in order to paginate over the groups"));
  }
  return filter;
}

// Names a group in a token that a client hands back.
std::string TokenOf(const rules::Group& group) {
  const Hash128 hash = HashBytes(group.file + ";" + group.name, 0);
  return fmt::format("{:016x}{:016x}", hash.high, hash.low);
}

// Whether a caller who is held to `filter` may know of a rule: one that was made under the same filter, or one for all
// that reads no series but such as he sees some of, in `open`, and gives its results no labels that he must not see.
bool IsSeen(const rules::Rule& rule, const storage::SeriesFilter& filter,
            const std::function<Result<std::shared_ptr<const storage::View>>(std::string_view database)>& open) {
  if (!rule.filter.everything()) return rule.filter == filter;
  model::LabelViews labels;
  for (const rules::TemplatedText& text : rule.labels) {
    if (!text.text.contains("{{")) labels.push_back({text.name, text.text});
  }
  if (!filter.MayAccept(labels)) return false;
  const auto view = open(rule.database);
  if (!view.ok()) return false;
  const rules::Reads reads = rules::ReadsOf(rule);
  return std::ranges::all_of(reads.selectors, [&](const std::vector<model::Matcher>& selector) {
    const auto refs = (*view)->Select(selector, {}, {.numeric = true, .strings = true, .max_series = 0});
    return refs.ok() && !refs->empty();
  });
}

// What of a rule's state such a caller sees.
rules::RuleStatus HeldTo(const storage::SeriesFilter& filter, rules::RuleStatus status) {
  std::erase_if(status.alerts, [&](const rules::Alert& alert) { return !SeesAlert(filter, alert); });
  // Errors name series.
  if (!status.last_error.empty() && status.rule->filter.everything()) status.last_error = "the evaluation failed";
  return status;
}

void AppendGroup(std::string* out, const rules::GroupStatus& group, std::string_view rules_json) {
  JsonObject object(out);
  object.String("name", group.group->name);
  object.String("file", group.group->file);
  object.Key("rules")->append("[").append(rules_json).append("]");
  AppendJsonNumber(object.Key("interval"), static_cast<double>(group.interval_ms) / 1000);
  object.Integer("limit", group.group->limit);
  AppendJsonNumber(object.Key("evaluationTime"), static_cast<double>(group.evaluation_ns) * 1e-9);
  AppendTimeMs(object.Key("lastEvaluation"), group.last_evaluation_ms);
}

}  // namespace

Reply QueryApi::Rules(const ApiRequest& request) const {
  const Result<RuleFilter> filter = ParseRuleFilter(request.params);
  if (!filter.ok()) return ErrorReply(ErrorType::kBadData, filter.error().message);
  const rules::Snapshot snapshot = dependencies_.rules != nullptr ? dependencies_.rules->Status() : rules::Snapshot();
  std::string body = BeginSuccess();
  body += R"({"groups":[)";
  // Rules that name no database read that of the request, which is that of the rules.
  const auto open = [&](std::string_view database) {
    return runner_.OpenView(database.empty() ? DatabaseOf(request) : database, request.filter);
  };
  uint64_t shown = 0;
  std::string next_token;
  bool reached = filter->next_token.empty();
  for (const rules::GroupStatus& group : snapshot.groups) {
    reached = reached || TokenOf(*group.group) == filter->next_token;
    if (!reached || !Among(filter->groups, group.group->name) || !Among(filter->files, group.group->file)) continue;
    std::string rules_json;
    for (const rules::RuleStatus& rule : group.rules) {
      if (!filter->Wants(*rule.rule)) continue;
      const bool held = !request.filter.everything();
      if (held && !IsSeen(*rule.rule, request.filter, open)) continue;
      if (!rules_json.empty()) rules_json += ',';
      AppendRule(&rules_json, held ? HeldTo(request.filter, rule) : rule, filter->with_alerts);
    }
    if (rules_json.empty()) continue;
    if (filter->group_limit != 0 && shown == filter->group_limit) {
      next_token = TokenOf(*group.group);
      break;
    }
    if (shown++ > 0) body += ',';
    AppendGroup(&body, group, rules_json);
  }
  if (!reached) {
    return BadParameter("group_next_token", InvalidArgument("invalid group_next_token " + Quoted(filter->next_token) +
                                                            ": were the rule groups changed?"));
  }
  body += ']';
  if (!next_token.empty()) {
    body += R"(,"groupNextToken":)";
    AppendJsonString(&body, next_token);
  }
  body += '}';
  return EndSuccess(std::move(body));
}

Reply QueryApi::Alerts(const ApiRequest& request) const {
  const rules::Snapshot snapshot = dependencies_.rules != nullptr ? dependencies_.rules->Status() : rules::Snapshot();
  std::string body = BeginSuccess();
  body += R"({"alerts":[)";
  bool first = true;
  for (const rules::GroupStatus& group : snapshot.groups) {
    for (const rules::RuleStatus& rule : group.rules) {
      for (const rules::Alert& alert : rule.alerts) {
        if (!SeesAlert(request.filter, alert)) continue;
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

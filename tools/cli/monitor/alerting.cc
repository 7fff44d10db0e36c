#include "tools/cli/monitor/alerting.h"

#include <fmt/core.h>
#include <simdjson.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <utility>

#include "storage/base/text/duration.h"
#include "storage/base/text/instant.h"
#include "tools/cli/monitor/number_text.h"

namespace tidemark::cli::monitor {
namespace {

namespace dom = simdjson::dom;
using Labels = std::map<std::string, std::string>;

std::string TextOf(dom::element object, std::string_view key) {
  std::string_view text;
  return object[key].get(text) == simdjson::SUCCESS ? std::string(text) : std::string();
}

double NumberOf(dom::element object, std::string_view key) {
  double number = 0;
  return object[key].get(number) == simdjson::SUCCESS ? number : 0;
}

bool TrueOf(dom::element object, std::string_view key, bool otherwise) {
  bool value = otherwise;
  return object[key].get(value) == simdjson::SUCCESS ? value : otherwise;
}

Labels LabelsOf(dom::element object, std::string_view key) {
  Labels labels;
  dom::object pairs;
  if (object[key].get(pairs) != simdjson::SUCCESS) return labels;
  for (const auto& [name, value] : pairs) {
    std::string_view text;
    if (value.get(text) == simdjson::SUCCESS) labels.emplace(name, text);
  }
  return labels;
}

double SecondsOf(const std::string& time) {
  const auto at = text::ParseRfc3339(time, text::Rfc3339Form::kGo);
  return at ? static_cast<double>(at->Ms()) / 1000 : 0;
}

// "3d4h", to two units: how long something is.
std::string LengthText(double seconds) {
  int64_t ms = std::llround(std::fmax(seconds, 0)) * 1000;
  constexpr int64_t kHourMs = 3'600'000;
  if (ms >= 24 * kHourMs) ms -= ms % kHourMs;
  if (ms >= kHourMs) ms -= ms % 60'000;
  return text::PrintDuration(ms, text::DurationStyle::kPrometheus);
}

std::string NameOf(const ActiveAlert& alert) {
  const auto found = alert.labels.find("alertname");
  return found == alert.labels.end() ? "" : found->second;
}

std::string LabelsText(const Labels& labels) {
  std::string out;
  for (const auto& [name, value] : labels) {
    if (name != "alertname") out += fmt::format("{}{}={}", out.empty() ? "" : " ", name, value);
  }
  return out;
}

// Whether `labels` are all in `wider`.
bool Within(const Labels& labels, const Labels& wider) {
  return std::ranges::all_of(labels, [&](const auto& pair) {
    const auto found = wider.find(pair.first);
    return found != wider.end() && found->second == pair.second;
  });
}

std::vector<std::string> TextsOf(dom::element object, std::string_view key) {
  std::vector<std::string> out;
  dom::array list;
  if (object[key].get(list) != simdjson::SUCCESS) return out;
  for (const dom::element one : list) {
    std::string_view text;
    if (one.get(text) == simdjson::SUCCESS) out.emplace_back(text);
  }
  return out;
}

// Who is told of the alert `told`, one of /api/v2/alerts.
Shown ToldOf(dom::element told, const std::vector<Silence>& silences) {
  dom::element status;
  if (told["status"].get(status) != simdjson::SUCCESS) return {"", Style::kDim};
  if (const auto ids = TextsOf(status, "silencedBy"); !ids.empty()) {
    const auto by = std::ranges::find(silences, ids.front(), &Silence::id);
    return {by == silences.end() ? "silenced" : fmt::format("silenced by {}: {}", by->author, by->comment),
            Style::kWarn};
  }
  if (!TextsOf(status, "inhibitedBy").empty()) return {"held back by another", Style::kWarn};
  std::string receivers;
  dom::array list;
  if (told["receivers"].get(list) == simdjson::SUCCESS) {
    for (const dom::element one : list) receivers += (receivers.empty() ? "" : ", ") + TextOf(one, "name");
  }
  if (receivers.empty()) return {"nobody: no route", Style::kWarn};
  return {TextOf(status, "state") == "unprocessed" ? receivers + ", soon" : receivers, Style::kPlain};
}

std::string MatchersText(dom::element silence) {
  std::string out;
  dom::array list;
  if (silence["matchers"].get(list) != simdjson::SUCCESS) return out;
  for (const dom::element one : list) {
    const bool pattern = TrueOf(one, "isRegex", false);
    const bool equal = TrueOf(one, "isEqual", true);
    out += fmt::format("{}{}{}\"{}\"", out.empty() ? "" : ", ", TextOf(one, "name"),
                       pattern ? (equal ? "=~" : "!~") : (equal ? "=" : "!="), TextOf(one, "value"));
  }
  return out;
}

Style StyleOfRule(const RuleState& rule) {
  if (!rule.error.empty() || rule.state == "err" || rule.state == "firing") return Style::kBad;
  if (rule.state == "pending") return Style::kWarn;
  return rule.state == "unknown" ? Style::kDim : Style::kGood;
}

}  // namespace

std::vector<ActiveAlert> ReadAlerts(std::string_view data) {
  std::vector<ActiveAlert> alerts;
  dom::parser parser;
  const simdjson::padded_string padded(data);
  dom::element root;
  dom::array list;
  if (parser.parse(padded).get(root) != simdjson::SUCCESS || root["alerts"].get(list) != simdjson::SUCCESS)
    return alerts;
  for (const dom::element one : list) {
    const Labels notes = LabelsOf(one, "annotations");
    const auto summary = notes.contains("summary") ? notes.find("summary") : notes.find("description");
    alerts.push_back({.labels = LabelsOf(one, "labels"),
                      .state = TextOf(one, "state"),
                      .summary = summary == notes.end() ? "" : summary->second,
                      .value = TextOf(one, "value"),
                      .active_at_s = SecondsOf(TextOf(one, "activeAt")),
                      .told = {}});
  }
  std::ranges::stable_sort(alerts, {}, [](const ActiveAlert& one) { return one.state == "firing" ? 0 : 1; });
  return alerts;
}

std::vector<RuleState> ReadRules(std::string_view data) {
  std::vector<RuleState> out;
  dom::parser parser;
  const simdjson::padded_string padded(data);
  dom::element root;
  dom::array groups;
  if (parser.parse(padded).get(root) != simdjson::SUCCESS || root["groups"].get(groups) != simdjson::SUCCESS)
    return out;
  for (const dom::element group : groups) {
    dom::array rules;
    if (group["rules"].get(rules) != simdjson::SUCCESS) continue;
    for (const dom::element rule : rules) {
      const std::string state = TextOf(rule, "state");
      out.push_back({.name = TextOf(rule, "name"),
                     .group = TextOf(group, "name"),
                     .query = TextOf(rule, "query"),
                     .error = TextOf(rule, "lastError"),
                     .state = state.empty() ? TextOf(rule, "health") : state,
                     .recording = TextOf(rule, "type") == "recording",
                     .for_s = NumberOf(rule, "duration"),
                     .every_s = NumberOf(group, "interval")});
    }
  }
  return out;
}

std::optional<std::vector<Silence>> ReadSilences(std::string_view json) {
  dom::parser parser;
  const simdjson::padded_string padded(json);
  dom::element root;
  dom::array list;
  if (parser.parse(padded).get(root) != simdjson::SUCCESS || root.get(list) != simdjson::SUCCESS) return std::nullopt;
  std::vector<Silence> out;
  for (const dom::element one : list) {
    dom::element status;
    const std::string state = one["status"].get(status) == simdjson::SUCCESS ? TextOf(status, "state") : "";
    if (state == "expired") continue;
    out.push_back({.id = TextOf(one, "id"),
                   .state = state,
                   .matchers = MatchersText(one),
                   .author = TextOf(one, "createdBy"),
                   .comment = TextOf(one, "comment"),
                   .ends_at_s = SecondsOf(TextOf(one, "endsAt"))});
  }
  std::ranges::stable_sort(out, {},
                           [](const Silence& one) { return std::pair(one.state == "active" ? 0 : 1, one.ends_at_s); });
  return out;
}

void FinishAlerts(double now_s, std::string_view told, const std::vector<Silence>& silences,
                  std::vector<ActiveAlert>* alerts) {
  dom::parser parser;
  const simdjson::padded_string padded(told);
  dom::element root;
  dom::array list;
  const bool known = parser.parse(padded).get(root) == simdjson::SUCCESS && root.get(list) == simdjson::SUCCESS;
  for (ActiveAlert& alert : *alerts) {
    alert.since_s = alert.active_at_s > 0 ? std::fmax(now_s - alert.active_at_s, 0) : 0;
    alert.told.reset();
    if (!known) continue;
    alert.told = alert.state == "firing" ? Shown{"nobody", Style::kWarn} : Shown{"nobody yet", Style::kDim};
    if (alert.state != "firing") continue;
    for (const dom::element one : list) {
      if (Within(alert.labels, LabelsOf(one, "labels"))) alert.told = ToldOf(one, silences);
    }
  }
}

Rows RowsOf(const std::vector<ActiveAlert>& alerts) {
  Rows out{.heads = {"State", "Alert", "Value", "Since", "Told", "Labels", "Summary"}, .rows = {}};
  for (const ActiveAlert& alert : alerts) {
    double number = 0;
    const auto [end, error] = std::from_chars(alert.value.data(), alert.value.data() + alert.value.size(), number);
    out.rows.push_back({{alert.state, alert.state == "firing" ? Style::kBad : Style::kWarn},
                        {NameOf(alert), Style::kBold},
                        {error == std::errc{} ? NumberText(number, "short", std::nullopt) : alert.value},
                        {alert.active_at_s > 0 ? LengthText(alert.since_s) : ""},
                        alert.told.value_or(Shown{"not known", Style::kDim}),
                        {LabelsText(alert.labels)},
                        {alert.summary, Style::kDim}});
  }
  return out;
}

Rows RowsOf(const std::vector<RuleState>& rules) {
  Rows out{.heads = {"State", "Rule", "For", "Every", "Group", "Watches for"}, .rows = {}};
  for (const RuleState& rule : rules) {
    out.rows.push_back({{rule.error.empty() ? rule.state : "error", StyleOfRule(rule)},
                        {rule.name, Style::kBold},
                        {rule.for_s > 0 ? LengthText(rule.for_s) : "–"},
                        {LengthText(rule.every_s)},
                        {rule.group},
                        rule.error.empty() ? Shown{rule.query} : Shown{rule.error, Style::kBad}});
  }
  return out;
}

Rows RowsOf(const std::vector<Silence>& silences) {
  Rows out{.heads = {"State", "Until", "Alerts", "By", "Why"}, .rows = {}};
  for (const Silence& silence : silences) {
    const auto end = text::Instant::FromMs(std::llround(silence.ends_at_s * 1000));
    out.rows.push_back(
        {{silence.state == "active" ? "silent" : "begins later",
          silence.state == "active" ? Style::kWarn : Style::kInfo},
         {text::PrintInstant(end, {.between = ' ', .fraction = text::InstantStyle::Fraction::kNone, .zone = ""})},
         {silence.matchers, Style::kBold},
         {silence.author},
         {silence.comment}});
  }
  return out;
}

}  // namespace tidemark::cli::monitor

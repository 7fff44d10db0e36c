#include "tools/server/notify/alertmanager_json.h"

#include <fmt/core.h>
#include <simdjson.h>

#include <algorithm>
#include <optional>
#include <utility>

#include "storage/base/text/instant.h"
#include "storage/base/text/json_string.h"
#include "storage/base/text/params.h"
#include "tools/server/notify/label_json.h"

namespace tidemark::server::notify {
namespace {

using query::notify::Alert;
using query::notify::AlertView;
using query::notify::GroupView;
using query::notify::Matcher;
using query::notify::Silence;
using simdjson::dom::element;
using text::AppendJsonString;

// The codes of go-openapi's validation.
constexpr int kWrongType = 601;
constexpr int kRequired = 602;
constexpr int kTooFew = 612;

// 2026-01-31: a time has more.
constexpr size_t kDayChars = 10;

// 2255: what is later has no place among nanoseconds, and means that there is no end.
constexpr int64_t kLatestSeconds = 9'000'000'000;

// As Alertmanager reads it: as Go does but without small letters, or without seconds or zone.
std::optional<text::Instant> ReadTime(std::string_view text) {
  if (text.find_first_of("tz") != std::string_view::npos) return std::nullopt;
  if (const auto at = text::ParseRfc3339(text, text::Rfc3339Form::kGo)) return at;
  constexpr size_t kSeconds = std::string_view("2026-01-31T12:00").size();
  const bool short_form = text.size() > kDayChars && text[kDayChars] == 'T' &&
                          !text.substr(std::min(kSeconds, text.size())).starts_with(":60");
  return short_form ? text::ParseRfc3339(text, text::Rfc3339Form::kTyped) : std::nullopt;
}

// Whether it may be asked for: net/url's ParseRequestURI, as far as somebody may get it wrong.
bool IsRequestUri(std::string_view text) {
  if (text.empty()) return true;
  if (text.find_first_of(" \t\r\n") != std::string_view::npos || text.starts_with(':')) return false;
  const size_t colon = text.find(':');
  if (text.front() != '/' && colon == std::string_view::npos) return false;
  const std::string_view before_query = text.substr(0, text.find('?'));
  if (!text::PercentDecode(before_query, /*plus_is_space=*/false).ok()) return false;
  const size_t slashes = before_query.find("//");
  // Behind a scheme alone there is a host.
  if (text.front() == '/' || slashes == std::string_view::npos || slashes != colon + 1) return true;
  std::string_view host = before_query.substr(slashes + 2);
  host = host.substr(0, host.find('/'));
  host = host.substr(host.rfind('@') + 1);
  if (const size_t bracket = host.rfind(']'); bracket != std::string_view::npos) host.remove_prefix(bracket);
  const size_t port = host.rfind(':');
  return port == std::string_view::npos || host.find_first_not_of("0123456789", port + 1) == std::string_view::npos;
}

std::unexpected<BodyFault> Broken(std::string_view what, std::string_view why) {
  return std::unexpected(BodyFault{400, 400, fmt::format("parsing {} body from \"\" failed, because {}", what, why)});
}
std::unexpected<BodyFault> Invalid(int code, std::string message) {
  return std::unexpected(BodyFault{422, code, std::move(message)});
}

// A member of an object; none where it is missing or null.
std::optional<element> Member(const element& object, std::string_view key) {
  element value;
  if (object[key].get(value) != simdjson::SUCCESS || value.is_null()) return std::nullopt;
  return value;
}

std::expected<int64_t, std::string> Time(const element& value, std::string_view key) {
  std::string_view text;
  if (value.get(text) != simdjson::SUCCESS) return std::unexpected(fmt::format("\"{}\" is not a text", key));
  if (text.empty()) return 0;
  const std::optional<text::Instant> at = ReadTime(text);
  if (!at) {
    return std::unexpected(fmt::format("\"{}\": \"{}\" is not a time such as 2026-01-31T12:00:00Z", key, text));
  }
  // The year 1 stands for none.
  if (at->seconds < -kLatestSeconds) return 0;
  if (at->seconds > kLatestSeconds) return kLatestSeconds * 1'000'000'000;
  return at->seconds * 1'000'000'000 + at->nanos;
}

std::expected<model::Labels, std::string> LabelsOf(const element& object, std::string_view key, bool drop_empty) {
  simdjson::dom::object map;
  if (object.get(map) != simdjson::SUCCESS) return std::unexpected(fmt::format("\"{}\" is not an object", key));
  model::Labels labels;
  for (const auto& [name, value] : map) {
    std::string_view text;
    if (!value.is_null() && value.get(text) != simdjson::SUCCESS) {
      return std::unexpected(fmt::format("\"{}\" of {} is not a text", name, key));
    }
    if (!drop_empty || !text.empty()) labels.push_back({std::string(name), std::string(text)});
  }
  std::stable_sort(labels.begin(), labels.end(), [](const auto& a, const auto& b) { return a.name < b.name; });
  // Of a name that comes twice the last one counts, as in Go.
  const auto same = [](const auto& a, const auto& b) { return a.name == b.name; };
  labels.erase(labels.begin(), std::unique(labels.rbegin(), labels.rend(), same).base());
  return labels;
}

Parsed<Alert> ReadAlert(const element& object, size_t index) {
  Alert alert;
  const auto labels = Member(object, "labels");
  if (!labels) return Invalid(kRequired, fmt::format("{}.labels in body is required", index));
  auto read = LabelsOf(*labels, "labels", true);
  if (!read) return Broken("alerts", read.error());
  alert.labels = std::move(*read);
  if (const auto annotations = Member(object, "annotations")) {
    auto texts = LabelsOf(*annotations, "annotations", false);
    if (!texts) return Broken("alerts", texts.error());
    alert.annotations = std::move(*texts);
  }
  for (const auto& [key, member] :
       {std::pair("startsAt", &Alert::starts_at_ns), std::pair("endsAt", &Alert::ends_at_ns)}) {
    const auto value = Member(object, key);
    if (!value) continue;
    const auto at = Time(*value, key);
    if (!at) return Broken("alerts", at.error());
    alert.*member = *at;
  }
  if (const auto url = Member(object, "generatorURL")) {
    std::string_view text;
    if (url->get(text) != simdjson::SUCCESS) return Broken("alerts", "\"generatorURL\" is not a text");
    if (!IsRequestUri(text)) {
      std::string message = fmt::format("{}.generatorURL in body must be of type uri: ", index);
      AppendJsonString(&message, text);
      return Invalid(kWrongType, std::move(message));
    }
    alert.generator_url = text;
  }
  return alert;
}

std::string TimeText(int64_t ns) {
  return text::PrintInstant(text::Instant::FromNs(ns), {.fraction = text::InstantStyle::Fraction::kMs});
}

void AppendTexts(std::string* out, const std::vector<std::string>& texts) {
  *out += '[';
  for (const std::string& text : texts) {
    if (out->back() != '[') *out += ',';
    AppendJsonString(out, text);
  }
  *out += ']';
}

void AppendAlert(std::string* out, const AlertView& view) {
  const Alert& alert = *view.alert;
  *out += R"({"annotations":)";
  AppendLabelsJson(out, alert.annotations);
  *out += fmt::format(R"(,"endsAt":"{}","fingerprint":"{}","receivers":[)", TimeText(alert.ends_at_ns),
                      query::notify::FingerprintText(alert.fingerprint));
  for (size_t i = 0; i < view.receivers.size(); ++i) {
    *out += i == 0 ? R"({"name":)" : R"(,{"name":)";
    AppendJsonString(out, view.receivers[i]);
    *out += '}';
  }
  *out += fmt::format(R"(],"startsAt":"{}","status":{{"inhibitedBy":)", TimeText(alert.starts_at_ns));
  AppendTexts(out, view.inhibited_by);
  *out += R"(,"mutedBy":[],"silencedBy":)";
  AppendTexts(out, view.silenced_by);
  const bool active = view.inhibited_by.empty() && view.silenced_by.empty();
  *out += fmt::format(R"(,"state":"{}"}},"updatedAt":"{}")", active ? "active" : "suppressed",
                      TimeText(alert.updated_at_ns));
  if (!alert.generator_url.empty()) {
    *out += R"(,"generatorURL":)";
    AppendJsonString(out, alert.generator_url);
  }
  *out += R"(,"labels":)";
  AppendLabelsJson(out, alert.labels);
  *out += '}';
}

// A required text; nothing, with the fault in `fault`, where it is missing.
std::optional<std::string> RequiredText(const element& object, const std::string& key,
                                        std::optional<BodyFault>* fault) {
  const auto value = Member(object, key.substr(key.rfind('.') + 1));
  std::string_view text;
  if (!value) {
    *fault = BodyFault{422, kRequired, fmt::format("{} in body is required", key)};
  } else if (value->get(text) != simdjson::SUCCESS) {
    *fault = Broken("silence", fmt::format("\"{}\" is not a text", key)).error();
  } else {
    return std::string(text);
  }
  return std::nullopt;
}

Parsed<std::vector<Matcher>> ReadMatcherList(const element& list, std::string* fault) {
  std::vector<Matcher> matchers;
  simdjson::dom::array array;
  if (list.get(array) != simdjson::SUCCESS) return Broken("silence", "\"matchers\" is not a list");
  size_t index = 0;
  for (const element entry : array) {
    if (!entry.is_object()) return Broken("silence", fmt::format("matcher {} is not an object", index));
    const std::string path = fmt::format("matchers.{}.", index++);
    std::optional<BodyFault> missing;
    const auto name = RequiredText(entry, path + "name", &missing);
    const auto value = name ? RequiredText(entry, path + "value", &missing) : std::nullopt;
    if (missing) return std::unexpected(*missing);
    bool regex = false;
    bool equal = true;
    const auto is_regex = Member(entry, "isRegex");
    if (!is_regex) return Invalid(kRequired, path + "isRegex in body is required");
    if (is_regex->get(regex) != simdjson::SUCCESS) return Broken("silence", "\"isRegex\" is not true or false");
    if (const auto is_equal = Member(entry, "isEqual"); is_equal && is_equal->get(equal) != simdjson::SUCCESS) {
      return Broken("silence", "\"isEqual\" is not true or false");
    }
    const model::MatchOp op = regex ? (equal ? model::MatchOp::kRegex : model::MatchOp::kNotRegex)
                                    : (equal ? model::MatchOp::kEqual : model::MatchOp::kNotEqual);
    Result<Matcher> matcher = Matcher::Make(*name, op, *value);
    if (matcher.ok()) {
      matchers.push_back(std::move(matcher).value());
    } else if (fault->empty()) {
      *fault = fmt::format("invalid label matcher {}: {}", index - 1,
                           name->empty() ? "invalid label name \"\"" : matcher.error().message);
    }
  }
  if (index == 0) return Invalid(kTooFew, "matchers in body should have at least 1 items");
  return matchers;
}

}  // namespace

std::string PostableAlertsJson(const std::vector<Alert>& alerts) {
  std::string out = "[";
  for (const Alert& alert : alerts) {
    out += out.size() == 1 ? R"({"labels":)" : R"(,{"labels":)";
    AppendLabelsJson(&out, alert.labels);
    out += R"(,"annotations":)";
    AppendLabelsJson(&out, alert.annotations);
    out += fmt::format(R"(,"startsAt":"{}","endsAt":"{}")", TimeText(alert.starts_at_ns), TimeText(alert.ends_at_ns));
    if (!alert.generator_url.empty()) {
      out += R"(,"generatorURL":)";
      AppendJsonString(&out, alert.generator_url);
    }
    out += '}';
  }
  return out + ']';
}

Parsed<std::vector<Alert>> ReadAlerts(std::string_view body) {
  if (body.empty()) return Invalid(kRequired, "alerts in body is required");
  simdjson::dom::parser parser;
  element root;
  if (const auto error = parser.parse(simdjson::padded_string(body)).get(root); error != simdjson::SUCCESS) {
    return Broken("alerts", simdjson::error_message(error));
  }
  std::vector<Alert> alerts;
  if (root.is_null()) return alerts;
  simdjson::dom::array array;
  if (root.get(array) != simdjson::SUCCESS) return Broken("alerts", "it is not a list");
  for (const element entry : array) {
    if (!entry.is_object()) return Broken("alerts", "an alert is an object");
    Parsed<Alert> alert = ReadAlert(entry, alerts.size());
    if (!alert) return std::unexpected(alert.error());
    alerts.push_back(std::move(*alert));
  }
  return alerts;
}

Parsed<PostedSilence> ReadPostedSilence(std::string_view body) {
  if (body.empty()) return Invalid(kRequired, "silence in body is required");
  simdjson::dom::parser parser;
  element root;
  if (const auto error = parser.parse(simdjson::padded_string(body)).get(root); error != simdjson::SUCCESS) {
    return Broken("silence", simdjson::error_message(error));
  }
  if (root.is_null()) return Invalid(kRequired, "comment in body is required");
  if (!root.is_object()) return Broken("silence", "it is not an object");
  PostedSilence posted;
  Silence& silence = posted.silence;
  if (const auto id = Member(root, "id")) {
    std::string_view text;
    if (id->get(text) != simdjson::SUCCESS) return Broken("silence", "\"id\" is not a text");
    silence.id = text;
  }
  std::optional<BodyFault> fault;
  const auto comment = RequiredText(root, "comment", &fault);
  const auto author = fault ? std::nullopt : RequiredText(root, "createdBy", &fault);
  if (fault) return std::unexpected(*fault);
  silence.comment = *comment;
  silence.created_by = *author;
  for (const auto& [key, member] :
       {std::pair("endsAt", &Silence::ends_at_ns), std::pair("startsAt", &Silence::starts_at_ns)}) {
    const auto value = Member(root, key);
    if (!value) return Invalid(kRequired, fmt::format("{} in body is required", key));
    const auto at = Time(*value, key);
    if (!at) return Broken("silence", at.error());
    silence.*member = *at;
  }
  const auto matchers = Member(root, "matchers");
  if (!matchers) return Invalid(kRequired, "matchers in body is required");
  Parsed<std::vector<Matcher>> read = ReadMatcherList(*matchers, &posted.matcher_fault);
  if (!read) return std::unexpected(read.error());
  silence.matchers = std::move(*read);
  return posted;
}

std::string AlertsJson(const std::vector<AlertView>& alerts) {
  std::string out = "[";
  for (const AlertView& view : alerts) {
    if (out.size() > 1) out += ',';
    AppendAlert(&out, view);
  }
  return out + "]\n";
}

std::string GroupsJson(const std::vector<GroupView>& groups) {
  std::string out = "[";
  for (const GroupView& group : groups) {
    if (out.size() > 1) out += ',';
    std::string alerts = AlertsJson(group.alerts);
    alerts.pop_back();
    out += R"({"alerts":)" + alerts + R"(,"labels":)";
    AppendLabelsJson(&out, group.labels);
    out += R"(,"receiver":{"name":)";
    AppendJsonString(&out, group.receiver);
    out += "}}";
  }
  return out + "]\n";
}

std::string SilenceJson(const Silence& silence, int64_t now_ns) {
  std::string out = R"({"id":)";
  AppendJsonString(&out, silence.id);
  out += fmt::format(R"(,"status":{{"state":"{}"}},"updatedAt":"{}","comment":)",
                     query::notify::Name(query::notify::StateOf(silence, now_ns)), TimeText(silence.updated_at_ns));
  AppendJsonString(&out, silence.comment);
  out += R"(,"createdBy":)";
  AppendJsonString(&out, silence.created_by);
  out += fmt::format(R"(,"endsAt":"{}","matchers":[)", TimeText(silence.ends_at_ns));
  for (const Matcher& matcher : silence.matchers) {
    out += fmt::format(R"({}{{"isEqual":{},"isRegex":{},"name":)", out.back() == '[' ? "" : ",", matcher.positive(),
                       matcher.regex());
    AppendJsonString(&out, matcher.name());
    out += R"(,"value":)";
    AppendJsonString(&out, matcher.value());
    out += '}';
  }
  return out + fmt::format(R"(],"startsAt":"{}"}})", TimeText(silence.starts_at_ns));
}

}  // namespace tidemark::server::notify

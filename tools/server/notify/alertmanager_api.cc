#include "tools/server/notify/alertmanager_api.h"

#include <fmt/core.h>

#include <algorithm>
#include <cctype>
#include <optional>
#include <string_view>
#include <utility>

#include "storage/base/text/instant.h"
#include "storage/base/text/json_string.h"
#include "storage/series_filter.h"
#include "tools/server/notify/alertmanager_json.h"

namespace tidemark::server::notify {
namespace {

using http::JsonResponse;
using http::Request;
using http::Response;
using query::notify::AlertView;
using query::notify::GroupView;
using query::notify::Matchers;
using text::AppendJsonString;

Response Text(int status, std::string_view text) {
  std::string body;
  AppendJsonString(&body, text);
  return JsonResponse(status, body + "\n");
}

Response Fault(const BodyFault& fault) {
  std::string body = fmt::format(R"({{"code":{},"message":)", fault.code);
  AppendJsonString(&body, fault.message);
  return JsonResponse(fault.status, body + "}");
}

Response Done() {
  Response response;
  response.status = 200;
  return response;
}

// What cannot be stored now may be stored later.
Response Unstored(const Error& error) {
  return Text(error.code == ErrorCode::kLimitExceeded ? 400 : 503, error.message);
}

// Which alerts are asked for.
class AlertFilter {
 public:
  static Result<AlertFilter> Of(const Request& request) {
    AlertFilter filter;
    for (const std::string_view text : request.params.All("filter")) {
      TM_TRY_ASSIGN(query::notify::Matcher matcher, query::notify::ParseMatcher(text));
      filter.matchers_.push_back(std::move(matcher));
    }
    filter.active_ = IsOn(request, "active");
    filter.silenced_ = IsOn(request, "silenced");
    filter.inhibited_ = IsOn(request, "inhibited");
    if (const std::string_view receiver = request.params.Get("receiver"); !receiver.empty()) {
      auto pattern = query::notify::Matcher::Make("receiver", model::MatchOp::kRegex, std::string(receiver));
      if (!pattern.ok()) return pattern.error().Within("failed to parse receiver param");
      filter.receiver_ = std::move(pattern).value();
    }
    return filter;
  }

  [[nodiscard]] const Matchers& matchers() const { return matchers_; }
  [[nodiscard]] bool TakesReceiver(const std::string& name) const { return !receiver_ || receiver_->Matches(name); }
  [[nodiscard]] bool Takes(const AlertView& view) const {
    if (!active_ && view.silenced_by.empty() && view.inhibited_by.empty()) return false;
    if (!silenced_ && !view.silenced_by.empty()) return false;
    if (!inhibited_ && !view.inhibited_by.empty()) return false;
    return query::notify::PassesFilter(matchers_, view.alert->labels);
  }

 private:
  static bool IsOn(const Request& request, std::string_view name) {
    const std::string_view text = request.params.Get(name);
    // go-openapi takes these for true, and anything else for false.
    for (const std::string_view on : {"true", "1", "yes", "ok", "y", "on", "selected", "checked", "t", "enabled"}) {
      if (http::EqualsNoCase(text, on)) return true;
    }
    return text.empty();
  }

  Matchers matchers_;
  bool active_ = true;
  bool silenced_ = true;
  bool inhibited_ = true;
  std::optional<query::notify::Matcher> receiver_;
};

// The one content type that is taken; the refusal of another in `refusal`.
bool IsJson(const Request& request, Response* refusal) {
  std::string_view type = request.Header("Content-Type");
  if (type.empty()) type = "application/octet-stream";
  const std::string_view bare = http::Trim(type.substr(0, std::min(type.find(';'), type.size())));
  if (http::EqualsNoCase(bare, "application/json")) return true;
  *refusal = Fault({415, 415, fmt::format("unsupported media type \"{}\", only [application/json] are allowed", bare)});
  return false;
}

bool IsUuid(std::string_view text) {
  // Go-openapi takes both.
  if (text.size() == 32) return std::ranges::all_of(text, [](unsigned char c) { return std::isxdigit(c) != 0; });
  if (text.size() != 36) return false;
  for (size_t i = 0; i < text.size(); ++i) {
    const bool dash = i == 8 || i == 13 || i == 18 || i == 23;
    if (dash ? text[i] != '-' : std::isxdigit(static_cast<unsigned char>(text[i])) == 0) return false;
  }
  return true;
}

Response NoUuid(std::string_view id) {
  std::string message = "silenceID in path must be of type uuid: ";
  AppendJsonString(&message, id);
  return Fault({422, 601, message});
}

}  // namespace

Response RefuseAsAlertmanager(int status, std::string_view text) { return Fault({status, status, std::string(text)}); }

Response AlertmanagerApi::Status() const {
  std::string body = R"({"cluster":{"peers":[],"status":"disabled"},"config":{"original":)";
  AppendJsonString(&body, query::notify::PrintConfig(*service_->config()));
  body += fmt::format(
      R"(}},"uptime":"{}","versionInfo":{{"branch":"","buildDate":"","buildUser":"","goVersion":"",)"
      R"("revision":"","version":)",
      text::PrintInstant(text::Instant::FromNs(start_ns_), {.fraction = text::InstantStyle::Fraction::kMs}));
  AppendJsonString(&body, version_);
  return JsonResponse(200, body + "}}\n");
}

Response AlertmanagerApi::Receivers() const {
  std::string body = "[";
  for (const query::notify::Receiver& receiver : service_->config()->receivers) {
    body += body.size() > 1 ? R"(,{"name":)" : R"({"name":)";
    AppendJsonString(&body, receiver.name);
    body += '}';
  }
  return JsonResponse(200, body + "]\n");
}

namespace {

// Whether the labels of an alert are those of a series that the caller sees.
bool Sees(const storage::SeriesFilter& held, const AlertView& view) {
  model::LabelViews labels;
  for (const model::Label& label : view.alert->labels) labels.push_back({label.name, label.value});
  return held.Accepts(labels);
}

// Where an alert comes from is an address with its expression, which may name series that the caller does not see.
void HideOrigin(const storage::SeriesFilter& held, AlertView* view) {
  if (held.everything() || view->alert->generator_url.empty()) return;
  query::notify::Alert alert = *view->alert;
  alert.generator_url.clear();
  view->alert = std::make_shared<const query::notify::Alert>(std::move(alert));
}

}  // namespace

Response AlertmanagerApi::ListAlerts(const Request& request) const {
  const Result<AlertFilter> filter = AlertFilter::Of(request);
  if (!filter.ok()) return Text(400, filter.error().message);
  std::vector<AlertView> alerts = service_->Alerts();
  const storage::SeriesFilter held = storage::SeriesFilter::Of(request.caller->filter());
  std::erase_if(alerts, [&](const AlertView& view) {
    return !Sees(held, view) || !filter->Takes(view) ||
           std::none_of(view.receivers.begin(), view.receivers.end(),
                        [&](const std::string& name) { return filter->TakesReceiver(name); });
  });
  for (AlertView& view : alerts) HideOrigin(held, &view);
  return JsonResponse(200, AlertsJson(alerts));
}

Response AlertmanagerApi::ListGroups(const Request& request) const {
  const Result<AlertFilter> filter = AlertFilter::Of(request);
  if (!filter.ok()) return Text(400, filter.error().message);
  std::vector<GroupView> groups = service_->Groups();
  const storage::SeriesFilter held = storage::SeriesFilter::Of(request.caller->filter());
  for (GroupView& group : groups) {
    std::erase_if(group.alerts, [&](const AlertView& view) { return !Sees(held, view) || !filter->Takes(view); });
    for (AlertView& view : group.alerts) {
      HideOrigin(held, &view);
      std::erase_if(view.receivers, [&](const std::string& name) { return !filter->TakesReceiver(name); });
    }
  }
  std::erase_if(groups,
                [&](const GroupView& group) { return group.alerts.empty() || !filter->TakesReceiver(group.receiver); });
  return JsonResponse(200, GroupsJson(groups));
}

Response AlertmanagerApi::PostAlerts(Request& request) const {
  Response refusal;
  if (!IsJson(request, &refusal)) return refusal;
  Parsed<std::vector<query::notify::Alert>> alerts = ReadAlerts(request.body.view());
  if (!alerts) return Fault(alerts.error());
  const int64_t now_ns = clock_->NowNs();
  const int64_t timeout_ns = service_->config()->resolve_timeout_ns;
  for (query::notify::Alert& alert : *alerts) {
    if (alert.starts_at_ns == 0) alert.starts_at_ns = alert.ends_at_ns == 0 ? now_ns : alert.ends_at_ns;
    if (alert.ends_at_ns == 0) {
      alert.timeout = true;
      alert.ends_at_ns = now_ns + timeout_ns;
    }
  }
  const Result<std::vector<Error>> faults = service_->Put(std::move(*alerts), request.caller->name());
  if (!faults.ok()) return Unstored(faults.error());
  if (faults->empty()) return Done();
  std::string text;
  for (const Error& fault : *faults) text += (text.empty() ? "" : "; ") + fault.message;
  return Text(400, text);
}

Response AlertmanagerApi::ListSilences(const Request& request) const {
  const Result<AlertFilter> filter = AlertFilter::Of(request);
  if (!filter.ok()) return Text(400, filter.error().message);
  const int64_t now_ns = clock_->NowNs();
  std::string body = "[";
  for (const query::notify::Silence& silence : service_->ListSilences()) {
    // A silence is asked for by matchers that it has just so.
    const bool has_all = std::ranges::all_of(filter->matchers(), [&](const query::notify::Matcher& wanted) {
      return std::ranges::find(silence.matchers, wanted) != silence.matchers.end();
    });
    if (!has_all) continue;
    if (body.size() > 1) body += ',';
    body += SilenceJson(silence, now_ns);
  }
  return JsonResponse(200, body + "]\n");
}

Response AlertmanagerApi::PostSilence(Request& request) const {
  Response refusal;
  if (!IsJson(request, &refusal)) return refusal;
  Parsed<PostedSilence> posted = ReadPostedSilence(request.body.view());
  if (!posted) return Fault(posted.error());
  query::notify::Silence& silence = posted->silence;
  if (silence.starts_at_ns >= silence.ends_at_ns) {
    return Text(400, "Failed to create silence: start time must be before end time");
  }
  if (silence.ends_at_ns < clock_->NowNs()) {
    return Text(400, "Failed to create silence: end time can't be in the past");
  }
  if (!posted->matcher_fault.empty()) return Text(400, "silence invalid: " + posted->matcher_fault);
  const Result<std::string> id = service_->SetSilence(std::move(silence), request.caller->name());
  if (id.ok()) {
    request.act = "silence set " + *id;
    return JsonResponse(200, fmt::format("{{\"silenceID\":\"{}\"}}\n", *id));
  }
  switch (id.error().code) {
    case ErrorCode::kNotFound: return Text(404, id.error().message);
    case ErrorCode::kInvalidArgument: return Text(400, "silence invalid: " + id.error().message);
    default: return Unstored(id.error());
  }
}

Response AlertmanagerApi::GetSilence(const Request& request) const {
  const std::string& id = request.captures.at(0);
  if (!IsUuid(id)) return NoUuid(id);
  const auto silence = service_->FindSilence(id);
  if (!silence) return Text(404, "silence not found");
  return JsonResponse(200, SilenceJson(*silence, clock_->NowNs()) + "\n");
}

Response AlertmanagerApi::DeleteSilence(Request& request) const {
  const std::string& id = request.captures.at(0);
  if (!IsUuid(id)) return NoUuid(id);
  const tidemark::Status expired = service_->ExpireSilence(id, request.caller->name());
  if (expired.ok()) {
    request.act = "silence end " + id;
    return Done();
  }
  if (expired.error().code == ErrorCode::kNotFound) return Text(404, expired.error().message);
  return Unstored(expired.error());
}

Response AlertmanagerApi::SendTest(const Request& request) const {
  const auto outcomes = service_->SendTest(std::string(request.params.Get("receiver")));
  if (!outcomes.ok()) return Fault({404, 404, outcomes.error().message});
  std::string body = R"({"status":"success","data":[)";
  for (size_t i = 0; i < outcomes->size(); ++i) {
    const DeliveryOutcome& outcome = (*outcomes)[i];
    body += fmt::format(R"({}{{"integration":{},"delivered":{},"error":)", i > 0 ? "," : "", i,
                        outcome.kind == DeliveryOutcome::Kind::kDelivered);
    AppendJsonString(&body, outcome.reason);
    body += '}';
  }
  return JsonResponse(200, body + "]}\n");
}

}  // namespace tidemark::server::notify

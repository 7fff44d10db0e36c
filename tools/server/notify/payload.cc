#include "tools/server/notify/payload.h"

#include <fmt/core.h>

#include <algorithm>
#include <functional>

#include "storage/base/text/instant.h"
#include "storage/base/text/json_string.h"
#include "storage/base/utf8.h"
#include "tools/server/notify/label_json.h"

namespace tidemark::server::notify {
namespace {

using model::Label;
using model::Labels;
using query::notify::Alert;
using query::notify::Integration;
using query::notify::Message;
using text::AppendJsonString;

constexpr size_t kTitleBytesMax = 200;
constexpr size_t kSlackTextBytesMax = 38'000;
constexpr size_t kTeamsTextBytesMax = 20'000;

bool Fires(const Alert& alert) { return alert.ends_at_ns == 0; }

size_t FiringCount(const Message& message) {
  return static_cast<size_t>(std::count_if(message.alerts.begin(), message.alerts.end(), Fires));
}

std::string_view StatusOf(const Message& message) { return FiringCount(message) > 0 ? "firing" : "resolved"; }

// What all have alike.
Labels Common(const Message& message, Labels Alert::* member) {
  if (message.alerts.empty()) return {};
  Labels common = message.alerts.front().*member;
  for (const Alert& alert : message.alerts) {
    std::erase_if(common, [&](const Label& label) {
      const Labels& other = alert.*member;
      return std::find(other.begin(), other.end(), label) == other.end();
    });
  }
  return common;
}

std::string TimeText(int64_t ns) {
  if (ns == 0) return "0001-01-01T00:00:00Z";
  std::string out;
  text::AppendRfc3339(&out, ns);
  return out;
}

void AppendAlert(std::string* out, const Alert& alert) {
  *out += fmt::format(R"({{"status":"{}","labels":)", Fires(alert) ? "firing" : "resolved");
  AppendLabelsJson(out, alert.labels);
  *out += R"(,"annotations":)";
  AppendLabelsJson(out, alert.annotations);
  *out += fmt::format(R"(,"startsAt":"{}","endsAt":"{}","generatorURL":)", TimeText(alert.starts_at_ns),
                      TimeText(alert.ends_at_ns));
  AppendJsonString(out, alert.generator_url);
  *out += fmt::format(R"(,"fingerprint":"{}"}})", query::notify::FingerprintText(alert.fingerprint));
}

std::string Html(std::string_view text) {
  std::string out;
  for (const char c : text) {
    switch (c) {
      case '&': out += "&amp;"; break;
      case '<': out += "&lt;"; break;
      case '>': out += "&gt;"; break;
      case '"': out += "&quot;"; break;
      default: out += c;
    }
  }
  return out;
}

// The alerts that fire first, each as `print` writes it, as far as they go; then how many are left out.
std::string Listed(const Message& message, size_t bytes_max, const std::function<std::string(const Alert&)>& print,
                   const std::function<std::string(size_t)>& left_out) {
  std::vector<const Alert*> sorted;
  for (const Alert& alert : message.alerts) sorted.push_back(&alert);
  std::stable_partition(sorted.begin(), sorted.end(), [](const Alert* alert) { return Fires(*alert); });
  std::string out;
  size_t shown = 0;
  for (; shown < sorted.size(); ++shown) {
    const std::string one = print(*sorted[shown]);
    if (out.size() + one.size() > bytes_max) break;
    out += one;
  }
  if (shown < sorted.size()) out += left_out(sorted.size() - shown);
  return out;
}

std::string AlertText(const Alert& alert) {
  std::string out = fmt::format("{} since {}", Fires(alert) ? "Firing" : "Resolved", TimeText(alert.starts_at_ns));
  if (!Fires(alert)) out += ", ended " + TimeText(alert.ends_at_ns);
  out += "\n";
  for (const Label& label : alert.labels) out += fmt::format("  {} = {}\n", label.name, label.value);
  for (const Label& text : alert.annotations) out += fmt::format("  {}: {}\n", text.name, text.value);
  if (!alert.generator_url.empty()) out += fmt::format("  {}\n", alert.generator_url);
  return out + "\n";
}

std::string AlertHtml(const Alert& alert) {
  std::string out =
      fmt::format("<h3 style=\"color:{}\">{} since {}{}{}</h3>\n<table>\n", Fires(alert) ? "#b00" : "#070",
                  Fires(alert) ? "Firing" : "Resolved", TimeText(alert.starts_at_ns), Fires(alert) ? "" : ", ended ",
                  Fires(alert) ? "" : TimeText(alert.ends_at_ns));
  for (const Label& label : alert.labels) {
    out += fmt::format("<tr><td>{}</td><td>{}</td></tr>\n", Html(label.name), Html(label.value));
  }
  for (const Label& text : alert.annotations) {
    out += fmt::format("<tr><td><b>{}</b></td><td>{}</td></tr>\n", Html(text.name), Html(text.value));
  }
  out += "</table>\n";
  const std::string& url = alert.generator_url;
  if (url.starts_with("http://") || url.starts_with("https://")) {
    out += fmt::format("<p><a href=\"{}\">Source</a></p>\n", Html(url));
  }
  return out;
}

}  // namespace

std::string TitleOf(const Message& message) {
  const size_t firing = FiringCount(message);
  std::string title = firing > 0 ? fmt::format("[FIRING:{}]", firing) : "[RESOLVED]";
  for (const Label& label : message.group_labels) title += " " + label.value;
  std::string more;
  for (const Label& label : Common(message, &Alert::labels)) {
    if (std::find(message.group_labels.begin(), message.group_labels.end(), label) == message.group_labels.end()) {
      more += (more.empty() ? "" : " ") + label.value;
    }
  }
  if (!more.empty()) title += " (" + more + ")";
  std::replace_if(
      title.begin(), title.end(), [](char c) { return c == '\n' || c == '\r' || c == '\t' || c == '\0'; }, ' ');
  if (title.size() > kTitleBytesMax) title = std::string(CutUtf8(title, kTitleBytesMax - 3)) + "...";
  return title;
}

std::string WebhookJson(Message message, const std::string& external_url, WebhookExtent extent) {
  const size_t all = message.alerts.size();
  const size_t shown = extent.alerts_max == 0 ? all : std::min(extent.alerts_max, all);
  if (extent.status_of_shown && shown < all) message.alerts.resize(shown);
  std::string out = R"({"receiver":)";
  AppendJsonString(&out, message.channel.receiver);
  out += fmt::format(R"(,"status":"{}","alerts":[)", StatusOf(message));
  for (size_t i = 0; i < shown; ++i) {
    if (i > 0) out += ',';
    AppendAlert(&out, message.alerts[i]);
  }
  out += R"(],"groupLabels":)";
  AppendLabelsJson(&out, message.group_labels);
  out += R"(,"commonLabels":)";
  AppendLabelsJson(&out, Common(message, &Alert::labels));
  out += R"(,"commonAnnotations":)";
  AppendLabelsJson(&out, Common(message, &Alert::annotations));
  out += R"(,"externalURL":)";
  AppendJsonString(&out, external_url);
  out += R"(,"version":"4","groupKey":)";
  AppendJsonString(&out, message.group_key);
  return out + fmt::format(R"(,"truncatedAlerts":{}}})", all - shown);
}

std::string SlackJson(const Message& message, const Integration& integration, const std::string& external_url) {
  const std::string title = TitleOf(message);
  std::string out = "{";
  if (!integration.channel.empty()) {
    out += R"("channel":)";
    AppendJsonString(&out, integration.channel);
    out += ',';
  }
  out += R"("username":)";
  AppendJsonString(&out, integration.username.empty() ? "Tidemark" : integration.username);
  out += R"(,"attachments":[{"title":)";
  AppendJsonString(&out, title);
  out += R"(,"title_link":)";
  AppendJsonString(&out, external_url);
  out += R"(,"text":)";
  AppendJsonString(&out, AlertsText(message, kSlackTextBytesMax));
  out += R"(,"fallback":)";
  AppendJsonString(&out, title);
  return out + fmt::format(R"(,"color":"{}"}}]}})", FiringCount(message) > 0 ? "danger" : "good");
}

std::string TeamsJson(const Message& message, const std::string& external_url) {
  std::string out = R"({"@context":"http://schema.org/extensions","@type":"MessageCard","title":)";
  AppendJsonString(&out, TitleOf(message));
  out += R"(,"summary":)";
  AppendJsonString(&out, TitleOf(message));
  out += fmt::format(R"(,"themeColor":"{}","text":)", FiringCount(message) > 0 ? "8C1A1A" : "2DC72D");
  AppendJsonString(&out, AlertsHtml(message, external_url, kTeamsTextBytesMax));
  return out + '}';
}

std::string AlertsText(const Message& message, size_t bytes_max) {
  return Listed(message, bytes_max, &AlertText,
                [](size_t count) { return fmt::format("{} more alerts are left out.\n", count); });
}

std::string AlertsHtml(const Message& message, const std::string& external_url, size_t bytes_max) {
  std::string out = Listed(message, bytes_max, &AlertHtml,
                           [](size_t count) { return fmt::format("<p>{} more alerts are left out.</p>\n", count); });
  if (!external_url.empty()) out += fmt::format("<p><a href=\"{}\">Tidemark</a></p>\n", Html(external_url));
  return out;
}

}  // namespace tidemark::server::notify

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <set>

#include "query/notify/config_reader.h"

namespace tidemark::query::notify {
namespace {

using Need = YamlReader::Need;

struct KindRow {
  IntegrationKind kind;
  std::string_view name;
  const char* key;
  bool send_resolved;  // unless the file says otherwise
};
constexpr std::array<KindRow, 5> kKinds{{
    {IntegrationKind::kWebhook, "webhook", "webhook_configs", true},
    {IntegrationKind::kSlack, "slack", "slack_configs", false},
    {IntegrationKind::kTeams, "msteams", "msteams_configs", true},
    {IntegrationKind::kEmail, "email", "email_configs", false},
    {IntegrationKind::kCommand, "command", "command_configs", true},
}};

std::string Lower(std::string text) {
  for (char& c : text) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return text;
}

// host:port, where an address of IPv6 stands in brackets.
bool HasPort(std::string_view text) {
  const size_t colon = text.rfind(':');
  if (colon == std::string_view::npos || colon + 1 == text.size()) return false;
  return text.front() == '[' ? text[colon - 1] == ']' : text.find(':') == colon;
}

TlsOptions ReadTls(YamlReader& yaml, const YAML::Node& map, const TlsOptions& otherwise) {
  const YAML::Node node = map["tls_config"];
  if (!node || node.IsNull()) return otherwise;
  if (!yaml.CheckMap(node, "a tls_config", {"ca_file", "cert_file", "key_file", "insecure_skip_verify"}))
    return otherwise;
  TlsOptions tls{.ca_file = yaml.Text(node, "ca_file"),
                 .cert_file = yaml.Text(node, "cert_file"),
                 .key_file = yaml.Text(node, "key_file"),
                 .insecure_skip_verify = ReadBool(yaml, node, "insecure_skip_verify", false)};
  if (tls.cert_file.empty() != tls.key_file.empty()) yaml.Fault(node, "cert_file and key_file belong together");
  return tls;
}

HttpOptions ReadHttp(YamlReader& yaml, const YAML::Node& map, const HttpOptions& otherwise) {
  const YAML::Node node = map["http_config"];
  if (!node || node.IsNull()) return otherwise;
  HttpOptions http;
  if (!yaml.CheckMap(node, "an http_config",
                     {"basic_auth", "authorization", "bearer_token", "bearer_token_file", "tls_config", "proxy_url",
                      "follow_redirects"}))
    return http;
  if (const YAML::Node basic = node["basic_auth"]; basic && !basic.IsNull()) {
    if (yaml.CheckMap(basic, "a basic_auth", {"username", "password", "password_file"})) {
      http.user = yaml.Text(basic, "username", Need::kRequired);
      http.password = ReadSecret(yaml, basic, "password");
    }
  }
  if (const YAML::Node other = node["authorization"]; other && !other.IsNull()) {
    if (yaml.CheckMap(other, "an authorization", {"type", "credentials", "credentials_file"})) {
      http.authorization = yaml.Text(other, "type");
      if (http.authorization.empty()) http.authorization = "Bearer";
      http.credentials = ReadSecret(yaml, other, "credentials");
    }
  }
  if (const Secret bearer = ReadSecret(yaml, node, "bearer_token"); !bearer.empty()) {
    if (!http.authorization.empty()) yaml.Fault(node, "bearer_token and authorization exclude each other");
    http.authorization = "Bearer";
    http.credentials = bearer;
  }
  if (!http.user.empty() && !http.authorization.empty()) {
    yaml.Fault(node, "at most one of basic_auth, authorization and bearer_token may be given");
  }
  http.tls = ReadTls(yaml, node, {});
  http.proxy_url = yaml.Text(node, "proxy_url");
  http.follow_redirects = ReadBool(yaml, node, "follow_redirects", true);
  return http;
}

void ReadUrl(YamlReader& yaml, const YAML::Node& node, const char* key, Integration* out) {
  out->url = ReadSecret(yaml, node, key);
  if (out->url.empty()) yaml.Fault(node, fmt::format("one of {0} and {0}_file must be set", key));
  const std::string& url = out->url.text;
  if (!url.empty() && !url.starts_with("http://") && !url.starts_with("https://")) {
    yaml.Fault(node[key], fmt::format("{} must begin with http:// or https://", key));
  }
}

void ReadWebhook(YamlReader& yaml, const YAML::Node& node, const GlobalOptions& global, Integration* out) {
  if (!yaml.CheckMap(node, "a webhook_config", {"send_resolved", "http_config", "url", "url_file", "max_alerts"}))
    return;
  ReadUrl(yaml, node, "url", out);
  out->http = ReadHttp(yaml, node, global.http);
  if (const std::string text = yaml.Text(node, "max_alerts"); !text.empty()) {
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out->max_alerts);
    if (error != std::errc() || *end != '\0') yaml.Fault(node["max_alerts"], "max_alerts must be a count");
  }
}

void ReadSlack(YamlReader& yaml, const YAML::Node& node, const GlobalOptions& global, Integration* out) {
  if (!yaml.CheckMap(node, "a slack_config",
                     {"send_resolved", "http_config", "api_url", "api_url_file", "channel", "username"}))
    return;
  if (node["api_url"] || node["api_url_file"] || global.slack_url.empty()) {
    ReadUrl(yaml, node, "api_url", out);
  } else {
    out->url = global.slack_url;
  }
  out->http = ReadHttp(yaml, node, global.http);
  out->channel = yaml.Text(node, "channel");
  out->username = yaml.Text(node, "username");
}

void ReadTeams(YamlReader& yaml, const YAML::Node& node, const GlobalOptions& global, Integration* out) {
  if (!yaml.CheckMap(node, "an msteams_config", {"send_resolved", "http_config", "webhook_url", "webhook_url_file"}))
    return;
  ReadUrl(yaml, node, "webhook_url", out);
  out->http = ReadHttp(yaml, node, global.http);
}

void ReadEmail(YamlReader& yaml, const YAML::Node& node, const GlobalOptions& global, Integration* out) {
  if (!yaml.CheckMap(node, "an email_config",
                     {"send_resolved", "to", "from", "smarthost", "hello", "auth_username", "auth_password",
                      "auth_password_file", "headers", "require_tls", "tls_config"}))
    return;
  EmailOptions& email = out->email;
  email = global.email;
  email.to = yaml.Text(node, "to", Need::kRequired);
  const auto override_with = [&](const char* key, std::string* value) {
    if (std::string text = yaml.Text(node, key); !text.empty()) *value = std::move(text);
  };
  override_with("from", &email.from);
  override_with("smarthost", &email.smarthost);
  override_with("hello", &email.hello);
  override_with("auth_username", &email.user);
  if (Secret password = ReadSecret(yaml, node, "auth_password"); !password.empty()) email.password = password;
  if (const YAML::Node headers = node["headers"]; headers && !headers.IsNull()) {
    if (!headers.IsMap()) yaml.Fault(headers, "headers must be a map");
    std::set<std::string> header_names;
    for (const auto& entry : headers.IsMap() ? headers : YAML::Node()) {
      if (!entry.first.IsScalar() || !entry.second.IsScalar() ||
          (entry.first.Scalar() + entry.second.Scalar()).find_first_of("\r\n") != std::string::npos) {
        yaml.Fault(entry.first, "headers are pairs of texts of one line");
        continue;
      }
      // Their names are alike in any case.
      if (!header_names.insert(Lower(entry.first.Scalar())).second) {
        yaml.Fault(entry.first, fmt::format("the header {} is there twice", entry.first.Scalar()));
      }
      email.headers.emplace_back(entry.first.Scalar(), entry.second.Scalar());
    }
  }
  email.require_tls = ReadBool(yaml, node, "require_tls", email.require_tls);
  email.tls = ReadTls(yaml, node, email.tls);
  if (email.from.empty()) yaml.Fault(node, "from is missing: give it here, or smtp_from in global");
  if (email.smarthost.empty()) {
    yaml.Fault(node, "smarthost is missing: give it here, or smtp_smarthost in global");
  } else if (!HasPort(email.smarthost)) {
    yaml.Fault(node, fmt::format("smarthost \"{}\" is not host:port, such as mail.example.org:587", email.smarthost));
  }
}

void ReadCommand(YamlReader& yaml, const YAML::Node& node, Integration* out) {
  if (!yaml.CheckMap(node, "a command_config", {"send_resolved", "command"})) return;
  out->command = ReadTexts(yaml, node, "command");
  if (out->command.empty() || !out->command.front().starts_with('/')) {
    yaml.Fault(node, "command must be a list: the absolute path of a program, and its arguments");
  }
}

Integration ReadIntegration(YamlReader& yaml, const YAML::Node& node, const KindRow& row, const GlobalOptions& global) {
  Integration out;
  out.kind = row.kind;
  if (node.IsMap()) out.send_resolved = ReadBool(yaml, node, "send_resolved", row.send_resolved);
  switch (row.kind) {
    case IntegrationKind::kWebhook: ReadWebhook(yaml, node, global, &out); break;
    case IntegrationKind::kSlack: ReadSlack(yaml, node, global, &out); break;
    case IntegrationKind::kTeams: ReadTeams(yaml, node, global, &out); break;
    case IntegrationKind::kEmail: ReadEmail(yaml, node, global, &out); break;
    case IntegrationKind::kCommand: ReadCommand(yaml, node, &out); break;
  }
  return out;
}

}  // namespace

std::string_view Name(IntegrationKind kind) {
  return std::find_if(kKinds.begin(), kKinds.end(), [&](const KindRow& row) { return row.kind == kind; })->name;
}

GlobalOptions ReadGlobal(YamlReader& yaml, const YAML::Node& node, int64_t* resolve_timeout_ns) {
  GlobalOptions global;
  if (!node || node.IsNull()) return global;
  if (!yaml.CheckMap(
          node, "global",
          {"resolve_timeout", "http_config", "smtp_from", "smtp_smarthost", "smtp_hello", "smtp_auth_username",
           "smtp_auth_password", "smtp_auth_password_file", "smtp_require_tls", "slack_api_url", "slack_api_url_file"}))
    return global;
  *resolve_timeout_ns = ReadDurationNs(yaml, node, "resolve_timeout", *resolve_timeout_ns);
  global.http = ReadHttp(yaml, node, {});
  global.email.from = yaml.Text(node, "smtp_from");
  global.email.smarthost = yaml.Text(node, "smtp_smarthost");
  if (std::string hello = yaml.Text(node, "smtp_hello"); !hello.empty()) global.email.hello = std::move(hello);
  global.email.user = yaml.Text(node, "smtp_auth_username");
  global.email.password = ReadSecret(yaml, node, "smtp_auth_password");
  global.email.require_tls = ReadBool(yaml, node, "smtp_require_tls", true);
  global.slack_url = ReadSecret(yaml, node, "slack_api_url");
  return global;
}

AlertmanagerTarget ReadAlertmanager(YamlReader& yaml, const YAML::Node& node, const GlobalOptions& global) {
  constexpr int64_t kSecondNs = 1'000'000'000;
  AlertmanagerTarget target;
  if (!yaml.CheckMap(node, "an Alertmanager", {"url", "http_config", "timeout", "resend_delay"})) return target;
  target.url = yaml.Text(node, "url", Need::kRequired);
  if (!target.url.empty() && !target.url.starts_with("http://") && !target.url.starts_with("https://")) {
    yaml.Fault(node["url"], "url must begin with http:// or https://");
  }
  // It is named in logs and metrics.
  if (const size_t path = target.url.find('/', target.url.find("://") + 3);
      target.url.substr(0, path).contains('@') || target.url.find_first_of("?#") != std::string::npos) {
    yaml.Fault(node["url"], "url has no user, password or query: credentials go into http_config");
    target.url.clear();
  }
  while (target.url.ends_with('/')) target.url.pop_back();
  if (target.url.ends_with("/api/v2/alerts")) {
    yaml.Fault(node["url"], "url is that of the Alertmanager: /api/v2/alerts is added to it");
  }
  target.http = ReadHttp(yaml, node, global.http);
  target.timeout_ns = ReadDurationNs(yaml, node, "timeout", target.timeout_ns);
  if (target.timeout_ns < kSecondNs) yaml.Fault(node["timeout"], "timeout must be at least 1s");
  target.resend_delay_ns = ReadDurationNs(yaml, node, "resend_delay", target.resend_delay_ns);
  if (target.resend_delay_ns < kSecondNs || target.resend_delay_ns > 60 * kSecondNs) {
    yaml.Fault(node["resend_delay"], "resend_delay must be from 1s to 1m: what is told is good for four minutes");
  }
  return target;
}

Receiver ReadReceiver(YamlReader& yaml, const YAML::Node& node, const GlobalOptions& global) {
  Receiver receiver;
  if (!yaml.CheckMap(
          node, "a receiver",
          {"name", "webhook_configs", "slack_configs", "msteams_configs", "email_configs", "command_configs"}))
    return receiver;
  receiver.name = yaml.Text(node, "name", Need::kRequired);
  for (const KindRow& row : kKinds) {
    for (const YAML::Node& entry : yaml.List(node, row.key)) {
      receiver.integrations.push_back(ReadIntegration(yaml, entry, row, global));
    }
  }
  return receiver;
}

}  // namespace tidemark::query::notify

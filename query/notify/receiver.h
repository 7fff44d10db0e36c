// Receiver: who is told, by some ways (integrations) at once.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace tidemark::query::notify {

// A text that is nobody's business: itself, or the file in which it stands, which is read each time that it is needed.
struct Secret {
  std::string text = {};
  std::string file = {};
  [[nodiscard]] bool empty() const { return text.empty() && file.empty(); }
  friend bool operator==(const Secret&, const Secret&) = default;
};

struct TlsOptions {
  std::string ca_file = {};
  std::string cert_file = {};
  std::string key_file = {};
  bool insecure_skip_verify = false;
  friend bool operator==(const TlsOptions&, const TlsOptions&) = default;
};

struct HttpOptions {
  std::string user = {};  // basic; empty: none
  Secret password = {};
  std::string authorization = {};  // the scheme in front of `credentials`
  Secret credentials = {};
  TlsOptions tls = {};
  std::string proxy_url = {};
  bool follow_redirects = true;
  friend bool operator==(const HttpOptions&, const HttpOptions&) = default;
};

// Another Alertmanager, which is told of the alerts of our rules.
struct AlertmanagerTarget {
  std::string url = {};  // http://HOST:PORT[/PREFIX], without a slash behind; /api/v2/alerts is below it
  HttpOptions http = {};
  int64_t timeout_ns = 10'000'000'000;
  // How long until it is told again of what has not changed. Range [1 s, 1 min]: what is told is good for four minutes.
  int64_t resend_delay_ns = 60'000'000'000;
  friend bool operator==(const AlertmanagerTarget&, const AlertmanagerTarget&) = default;
};

struct EmailOptions {
  std::string to = {};
  std::string from = {};
  std::string smarthost = {};  // host:port
  std::string hello = "localhost";
  std::string user = {};
  Secret password = {};
  std::vector<std::pair<std::string, std::string>> headers = {};
  bool require_tls = true;
  TlsOptions tls = {};
};

enum class IntegrationKind : uint8_t { kWebhook, kSlack, kTeams, kEmail, kCommand };
// "webhook", "slack", "msteams", "email", "command".
std::string_view Name(IntegrationKind kind);

struct Integration {
  IntegrationKind kind = IntegrationKind::kWebhook;
  bool send_resolved = true;
  Secret url = {};  // of webhooks of all shapes
  HttpOptions http = {};
  size_t max_alerts = 0;                  // of a message; 0: all
  std::string channel = {};               // Slack
  std::string username = {};              // Slack
  EmailOptions email = {};                // kEmail
  std::vector<std::string> command = {};  // kCommand: the program and its arguments
};

struct Receiver {
  std::string name = {};
  std::vector<Integration> integrations = {};
};

}  // namespace tidemark::query::notify

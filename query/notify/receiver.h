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
};

struct TlsOptions {
  std::string ca_file = {};
  std::string cert_file = {};
  std::string key_file = {};
  bool insecure_skip_verify = false;
};

struct HttpOptions {
  std::string user = {};  // basic; empty: none
  Secret password = {};
  std::string authorization = {};  // the scheme in front of `credentials`
  Secret credentials = {};
  TlsOptions tls = {};
  std::string proxy_url = {};
  bool follow_redirects = true;
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

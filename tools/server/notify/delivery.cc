#include "tools/server/notify/delivery.h"

#include <fmt/core.h>

#include <algorithm>
#include <utility>

#include "storage/base/yaml_reader.h"
#include "tools/server/http/message.h"
#include "tools/server/notify/command_run.h"
#include "tools/server/notify/curl_request.h"
#include "tools/server/notify/mail.h"
#include "tools/server/notify/payload.h"

namespace tidemark::server::notify {
namespace {

using query::notify::EmailOptions;
using query::notify::HttpOptions;
using query::notify::Integration;
using query::notify::IntegrationKind;
using query::notify::Message;
using Kind = DeliveryOutcome::Kind;

constexpr size_t kSecretBytesMax = 64 << 10;
constexpr int64_t kSecondNs = 1'000'000'000;

// A secret that cannot be read may be there again soon.
DeliveryOutcome Again(const Error& error) { return {.kind = Kind::kAgain, .reason = error.message}; }

Status SetCredentials(const HttpOptions& http, CurlRequest* request) {
  if (!http.user.empty()) {
    TM_TRY_ASSIGN(const std::string password, ReadSecretText(http.password));
    request->Set(CURLOPT_HTTPAUTH, static_cast<long>(CURLAUTH_BASIC));  // NOLINT(google-runtime-int): libcurl's
    request->Set(CURLOPT_USERNAME, http.user);
    request->Set(CURLOPT_PASSWORD, password);
  }
  if (!http.authorization.empty()) {
    TM_TRY_ASSIGN(const std::string credentials, ReadSecretText(http.credentials));
    request->AddHeader(fmt::format("Authorization: {} {}", http.authorization, credentials));
  }
  return {};
}

DeliveryOutcome OutcomeOf(const CurlRequest& request) {
  const auto status = request.status();
  if (status >= 200 && status < 300) return {};
  DeliveryOutcome outcome{.kind = Kind::kRefused,
                          .reason = fmt::format("it answered {}: {}", status, request.answer().substr(0, 200)),
                          .retry_after_ns = std::min<int64_t>(request.retry_after_s(), 3600) * kSecondNs};
  // Too early, too many or broken there: later it may be taken.
  if (status >= 500 || status == 429 || status == 408) outcome.kind = Kind::kAgain;
  return outcome;
}

DeliveryOutcome Post(const Message& message, const Integration& integration, const std::string& body,
                     const DeliveryOptions& options, const std::atomic<bool>& stop) {
  const Result<std::string> url = ReadSecretText(integration.url);
  if (!url.ok()) return Again(url.error());
  return PostJson(*url, integration.http, body, {"Idempotency-Key: " + message.id}, options, stop);
}

DeliveryOutcome SendMail(const Message& message, const EmailOptions& email, const DeliveryOptions& options,
                         int64_t now_ns, const std::atomic<bool>& stop) {
  const Mail mail = MailOf(message, email, options.external_url, now_ns);
  if (mail.to.empty()) return {.kind = Kind::kRefused, .reason = "there is no address in `to`"};
  CurlRequest request(options.timeout_ms, options.connect_timeout_ms, &stop);
  // The port that is for TLS from the first byte.
  const bool smtps = email.smarthost.ends_with(":465");
  request.Set(CURLOPT_URL, fmt::format("{}://{}/{}", smtps ? "smtps" : "smtp", email.smarthost, email.hello));
  request.Set(CURLOPT_PROTOCOLS_STR, "smtp,smtps");
  request.Set(CURLOPT_USE_SSL, static_cast<long>(email.require_tls ? CURLUSESSL_ALL : CURLUSESSL_TRY));  // NOLINT
  request.SetTls(email.tls);
  request.Set(CURLOPT_MAIL_FROM, "<" + mail.from + ">");
  for (const std::string& to : mail.to) request.AddRecipient("<" + to + ">");
  if (!email.user.empty()) {
    const Result<std::string> password = ReadSecretText(email.password);
    if (!password.ok()) return Again(password.error());
    request.Set(CURLOPT_USERNAME, email.user);
    request.Set(CURLOPT_PASSWORD, *password);
  }
  request.SetUpload(mail.data);
  const Status sent = request.Perform();
  if (sent.ok()) return {};
  // 5yz is for good (RFC 5321, 4.2.1).
  const bool refused = request.status() >= 500 && request.status() < 600;
  return {.kind = refused ? Kind::kRefused : Kind::kAgain, .reason = sent.error().message};
}

}  // namespace

DeliveryOutcome PostJson(const std::string& url, const HttpOptions& http, const std::string& body,
                         const std::vector<std::string>& headers, const DeliveryOptions& options,
                         const std::atomic<bool>& stop) {
  CurlRequest request(options.timeout_ms, options.connect_timeout_ms, &stop);
  request.Set(CURLOPT_URL, url);
  request.Set(CURLOPT_PROTOCOLS_STR, "http,https");
  request.Set(CURLOPT_REDIR_PROTOCOLS_STR, "http,https");
  request.Set(CURLOPT_FOLLOWLOCATION, http.follow_redirects ? 1L : 0L);
  request.Set(CURLOPT_MAXREDIRS, 10L);
  // A redirect must not turn what is sent into a GET, whatever its number.
  request.Set(CURLOPT_POSTREDIR, static_cast<long>(CURL_REDIR_POST_ALL));  // NOLINT(google-runtime-int): libcurl's
  request.Set(CURLOPT_POST, 1L);
  request.Set(CURLOPT_POSTFIELDSIZE, static_cast<long>(body.size()));  // NOLINT(google-runtime-int): libcurl's
  request.Set(CURLOPT_POSTFIELDS, body);
  // From the environment somebody else's proxy would be taken.
  request.Set(CURLOPT_PROXY, http.proxy_url);
  request.SetTls(http.tls);
  request.AddHeader("Content-Type: application/json");
  request.AddHeader("Expect:");
  for (const std::string& header : headers) request.AddHeader(header);
  if (const Status set = SetCredentials(http, &request); !set.ok()) return Again(set.error());
  if (const Status sent = request.Perform(); !sent.ok()) return Again(sent.error());
  return OutcomeOf(request);
}

Result<std::string> ReadSecretText(const query::notify::Secret& secret) {
  if (secret.file.empty()) return secret.text;
  TM_TRY_ASSIGN(const std::string text, ReadTextFile(secret.file, kSecretBytesMax));
  return std::string(http::Trim(std::string_view(text).substr(0, text.find_last_not_of("\r\n") + 1)));
}

DeliveryOutcome Deliver(const Message& message, const Integration& integration, const DeliveryOptions& options,
                        int64_t now_ns, const std::atomic<bool>& stop) {
  switch (integration.kind) {
    case IntegrationKind::kWebhook:
      return Post(message, integration,
                  WebhookJson(message, options.external_url,
                              {.alerts_max = integration.max_alerts, .status_of_shown = options.as_alertmanager}),
                  options, stop);
    case IntegrationKind::kSlack:
      return Post(message, integration, SlackJson(message, integration, options.external_url), options, stop);
    case IntegrationKind::kTeams:
      return Post(message, integration, TeamsJson(message, options.external_url), options, stop);
    case IntegrationKind::kEmail: return SendMail(message, integration.email, options, now_ns, stop);
    case IntegrationKind::kCommand: return RunCommand(message, integration, options, stop);
  }
  return {.kind = Kind::kRefused, .reason = "it is of no kind"};
}

}  // namespace tidemark::server::notify

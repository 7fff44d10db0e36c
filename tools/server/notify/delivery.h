// Deliver: one attempt to bring a message to a receiver by one of its ways. Blocks; may be called from many threads.
//
// HTTP, SMTP and TLS are libcurl's. What a receiver says is never shown to anybody but in the log, shortened.
#pragma once

#include <atomic>
#include <cstdint>
#include <string>
#include <vector>

#include "query/notify/notifier.h"
#include "query/notify/receiver.h"

namespace tidemark::server::notify {

struct DeliveryOptions {
  std::string external_url;  // where people find this server
  int64_t timeout_ms = 30'000;
  int64_t connect_timeout_ms = 10'000;
  bool as_alertmanager = false;  // see WebhookJson
};

struct DeliveryOutcome {
  enum class Kind : uint8_t { kDelivered, kAgain, kRefused };
  Kind kind = Kind::kDelivered;
  std::string reason = {};     // of what failed
  int64_t retry_after_ns = 0;  // as the receiver asks; 0: it does not say
};

// `now_ns` dates mails. `stop` ends it early, with kAgain.
DeliveryOutcome Deliver(const query::notify::Message& message, const query::notify::Integration& integration,
                        const DeliveryOptions& options, int64_t now_ns, const std::atomic<bool>& stop);

// Posts JSON, with these header lines beside its type.
DeliveryOutcome PostJson(const std::string& url, const query::notify::HttpOptions& http, const std::string& body,
                         const std::vector<std::string>& headers, const DeliveryOptions& options,
                         const std::atomic<bool>& stop);

// The text of a secret. Errors: those of reading its file, which name it.
Result<std::string> ReadSecretText(const query::notify::Secret& secret);

}  // namespace tidemark::server::notify

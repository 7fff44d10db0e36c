// QuotaService: the acts `usage` and `quota ...`: who takes how much, and what databases may take.
#pragma once

#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "tools/admin/act_handlers.h"
#include "tools/server/http/message.h"
#include "tools/server/quota/quota_book.h"

namespace tidemark::server::quota {

// What one token takes.
struct TokenUsage {
  std::string token;
  QuotaLimits limits;
  Usage usage;
};

// Thread-safe. Answers in the envelope of the Prometheus API.
class QuotaService {
 public:
  // Of all tokens, sorted by name.
  using Tokens = std::function<std::vector<TokenUsage>()>;

  // `quotas` outlives it.
  QuotaService(QuotaBook* quotas, Tokens tokens) : quotas_(quotas), tokens_(std::move(tokens)) {}

  // The acts that it does.
  static admin::ActHandlers<QuotaService> Handlers();

  // Both for /metrics, in Prometheus' text format.
  [[nodiscard]] std::string MetricsText() const;

 private:
  http::Response ShowUsage(http::Request& request) const;
  // db, quota (repeats): those that the database has from then on, none for none.
  http::Response SetQuotas(http::Request& request) const;
  http::Response ListQuotas(http::Request& request) const;

  QuotaBook* const quotas_;
  const Tokens tokens_;
};

}  // namespace tidemark::server::quota

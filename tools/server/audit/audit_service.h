// AuditService: the acts `audit list` and `audit verify`.
#pragma once

#include "tools/admin/act_handlers.h"
#include "tools/server/audit/auditor.h"
#include "tools/server/http/message.h"

namespace tidemark::server::audit {

inline constexpr size_t kListDefault = 100;
inline constexpr size_t kListMax = 10'000;

// Thread-safe.
class AuditService {
 public:
  // `auditor` outlives it; null: nothing is written down, and the acts say so.
  explicit AuditService(const Auditor* auditor) : auditor_(auditor) {}

  static admin::ActHandlers<AuditService> Handlers();

  // An array of records, newest first; `who`, `limit`.
  http::Response List(http::Request& request) const;
  // {"whole":true}, or false with `broken`: where the chain breaks first.
  http::Response Verify(http::Request& request) const;

 private:
  [[nodiscard]] http::Response NotKept() const;

  const Auditor* const auditor_;
};

}  // namespace tidemark::server::audit

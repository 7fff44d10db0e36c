#include "tools/server/audit/audit_service.h"

#include <fmt/core.h>

#include <charconv>
#include <string>
#include <vector>

#include "query/api/envelope.h"
#include "storage/base/text/instant.h"
#include "storage/base/text/json_string.h"

namespace tidemark::server::audit {
namespace {

using http::Request;
using http::Response;
using text::AppendJsonString;

Response Succeed(const std::string& data) {
  Response response = http::JsonResponse(200, query::api::BeginSuccess() + data + query::api::SuccessTail({}, {}));
  response.Set("Cache-Control", "no-store");
  return response;
}

Response Fail(int status, query::api::ErrorType type, std::string_view text) {
  return http::JsonResponse(status, query::api::ErrorReply(type, text).body);
}

std::string RecordJson(const Record& record) {
  std::string out = fmt::format(R"({{"sequence":{},"time":")", record.sequence);
  text::AppendRfc3339(&out, record.time_ns);
  out += R"(","who":)";
  AppendJsonString(&out, record.who);
  out += R"(,"from":)";
  AppendJsonString(&out, record.from);
  out += R"(,"act":)";
  AppendJsonString(&out, record.act);
  out += R"(,"target":)";
  AppendJsonString(&out, record.target);
  out += fmt::format(R"(,"status":{},"count":{})", record.status, record.count);
  if (!record.why.empty()) {
    out += R"(,"why":)";
    AppendJsonString(&out, record.why);
  }
  return out + '}';
}

}  // namespace

admin::ActHandlers<AuditService> AuditService::Handlers() {
  static constexpr admin::ActHandler<AuditService> kHandlers[] = {
      {"audit list", &AuditService::List},
      {"audit verify", &AuditService::Verify},
  };
  return kHandlers;
}

Response AuditService::NotKept() const {
  return Fail(503, query::api::ErrorType::kUnavailable,
              "nothing is written down while the store is read-only: see /health, and `tidemark admin repair`");
}

Response AuditService::List(Request& request) const {
  if (auditor_ == nullptr) return NotKept();
  size_t limit = kListDefault;
  if (const std::string_view text = request.params.Get("limit"); !text.empty()) {
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), limit);
    if (error != std::errc() || end != text.data() + text.size() || limit == 0 || limit > kListMax) {
      return Fail(400, query::api::ErrorType::kBadData, fmt::format("limit is 1 to {}", kListMax));
    }
  }
  const Result<std::vector<Record>> records = auditor_->List(request.params.Get("who"), limit);
  if (!records.ok()) return Fail(503, query::api::ErrorType::kUnavailable, records.error().message);
  std::string data = "[";
  for (const Record& record : *records) {
    if (data.size() > 1) data += ',';
    data += RecordJson(record);
  }
  return Succeed(data + ']');
}

Response AuditService::Verify(Request& /*request*/) const {
  if (auditor_ == nullptr) return NotKept();
  const Result<std::string> broken = auditor_->Verify();
  if (!broken.ok()) return Fail(503, query::api::ErrorType::kUnavailable, broken.error().message);
  std::string data = fmt::format(R"({{"whole":{})", broken->empty());
  if (!broken->empty()) {
    data += R"(,"broken":)";
    AppendJsonString(&data, *broken);
  }
  return Succeed(data + '}');
}

}  // namespace tidemark::server::audit

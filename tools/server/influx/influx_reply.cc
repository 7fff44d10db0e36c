#include "tools/server/influx/influx_reply.h"

#include <fmt/core.h>

#include <atomic>
#include <cstdint>
#include <random>
#include <string>
#include <utility>

#include "query/api/json.h"
#include "storage/base/hash.h"

namespace tidemark::server {
namespace {

using http::Request;
using http::Response;
using text::AppendJsonString;

// Bytes of X-Influxdb-Error.
constexpr size_t kMaxErrorHeaderBytes = 1024;

// A number for one request: a random start for the process and a count.
std::string NewRequestId() {
  static const uint64_t kStart = (uint64_t{std::random_device{}()} << 32) | std::random_device{}();
  static std::atomic<uint64_t> count{0};
  const uint64_t n = count.fetch_add(1, std::memory_order_relaxed);
  // In the shape of a UUID, which is what clients expect to see.
  return fmt::format("{:08x}-{:04x}-4{:03x}-8{:03x}-{:012x}", static_cast<uint32_t>(kStart >> 32),
                     static_cast<uint16_t>(kStart >> 16), static_cast<unsigned>(kStart >> 4 & 0xFFF),
                     static_cast<unsigned>(n >> 48 & 0xFFF), n & 0xFFFF'FFFF'FFFFU);
}

std::string FaultsJson(const std::vector<ingest::Fault>& faults) {
  std::string out = "[";
  for (const ingest::Fault& fault : faults) {
    if (out.size() > 1) out += ',';
    out += R"({"line_number":)";
    query::api::AppendInteger(&out, fault.number);
    if (fault.column != 0) {
      out += R"(,"column":)";
      query::api::AppendInteger(&out, fault.column);
    }
    out += R"(,"error_message":)";
    AppendJsonString(&out, fault.reason);
    out += R"(,"original_line":)";
    AppendJsonString(&out, fault.text);
    out += '}';
  }
  out += ']';
  return out;
}

std::string_view V2Code(int status) {
  switch (status) {
    case 400: return "invalid";
    case 401: return "unauthorized";
    case 403: return "forbidden";
    case 404: return "not found";
    case 405: return "method not allowed";
    case 413: return "request too large";
    case 422: return "unprocessable entity";
    case 429: return "too many requests";
    case 503: return "unavailable";
    default: return "internal error";
  }
}

// Both generations' fields, each in its place, and the faults line by line. `code` is of 2.x; "": 1.x.
Response Refusal(int status, std::string_view text, std::string_view code, const std::vector<ingest::Fault>& faults) {
  std::string body = "{";
  if (!code.empty()) {
    body += R"("code":")";
    body += code;
    body += R"(","message":)";
    AppendJsonString(&body, text);
    body += ',';
  }
  body += R"("error":)";
  AppendJsonString(&body, text);
  if (!faults.empty()) {
    body += R"(,"data":)";
    body += FaultsJson(faults);
  }
  body += "}\n";
  Response response = http::JsonResponse(status, std::move(body));
  response.Set("X-Influxdb-Error", std::string(text.substr(0, kMaxErrorHeaderBytes)));
  if (status == 503) response.Set("Retry-After", "1");
  return response;
}

}  // namespace

void AddInfluxHeaders(const Request& request, Response* response) {
  std::string_view id = request.Header("X-Request-Id");
  if (id.empty()) id = request.Header("Request-Id");
  std::string given(id.substr(0, 128));
  if (given.empty()) given = NewRequestId();
  response->Set("Request-Id", given)
      .Set("X-Influxdb-Build", "OSS")
      .Set("X-Influxdb-Version", std::string(kInfluxVersion))
      .Set("X-Request-Id", given);
}

Response InfluxError(int status, std::string_view text, const std::vector<ingest::Fault>& faults) {
  return Refusal(status, text, "", faults);
}

Response InfluxV2Error(int status, std::string_view text, const std::vector<ingest::Fault>& faults) {
  return Refusal(status, text, V2Code(status), faults);
}

Response InfluxV2Conflict(std::string_view text) { return Refusal(422, text, "conflict", {}); }

Response WhoAsks(const Request& request) {
  const std::string_view name = request.caller->name();
  std::string body = fmt::format(R"({{"id":"{:016x}","name":)", Hash64(name, 0));
  AppendJsonString(&body, name);
  return http::JsonResponse(200, body + R"(,"status":"active","links":{"self":"/api/v2/me"}})"
                                        "\n");
}

Response RefuseFlux() {
  return InfluxV2Error(
      422,
      "Flux is not served here: ask in PromQL at /api/v1/query and /api/v1/query_range with db=BUCKET, "
      "where a field `usage` of the measurement `cpu` is the metric cpu_usage and tags are labels; "
      "Grafana's data source is Prometheus at /db/BUCKET");
}

}  // namespace tidemark::server

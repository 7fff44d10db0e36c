#include "tools/server/write/write_endpoint.h"

#include <fmt/core.h>

#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "ingest/lineprotocol/decoder.h"
#include "ingest/lineprotocol/parser.h"
#include "ingest/native/decoder.h"
#include "ingest/remotewrite/decoder.h"
#include "ingest/remotewrite/request_decoder.h"
#include "storage/base/check.h"
#include "storage/base/text/json_string.h"
#include "tools/server/influx/influx_reply.h"

namespace tidemark::server {
namespace {

using http::Request;
using http::Response;

// /db/NAME in front of the path counts more than `named`.
std::string DatabaseOf(const Request& request, std::string_view named) {
  return request.database.empty() ? std::string(named) : request.database;
}

WriteTarget Refused(int status, std::string text) {
  return {.database = {}, .policy = {}, .refused_status = status, .refused_text = std::move(text)};
}

// A name of a database in a parameter that only looks like the right one: the points would go to the default database.
std::optional<WriteTarget> Mistyped(const Request& request, std::string_view right) {
  for (const auto& [name, value] : request.params.pairs()) {
    if (name == right || name == "db" || value.empty()) continue;
    const auto is = [&](std::string_view word) { return http::EqualsNoCase(name, word); };
    if (!is("db") && !is("database") && !is("bucket") && !is("dbname")) continue;
    return Refused(400, fmt::format("unknown parameter \"{}\": the database is named by {}=NAME", name, right));
  }
  return std::nullopt;
}

// A parameter in another case: it would be passed over, and points get other times or another policy than was meant.
std::optional<WriteTarget> MistypedCase(const Request& request, std::string_view right) {
  for (const auto& [name, value] : request.params.pairs()) {
    if (name != right && http::EqualsNoCase(name, right)) {
      return Refused(400, fmt::format("unknown parameter \"{}\": it is written \"{}\"", name, right));
    }
  }
  return std::nullopt;
}

WriteTarget InfluxTarget(const Request& request, bool require_database) {
  WriteTarget target{.database = DatabaseOf(request, request.params.Get("db"))};
  if (target.database.empty()) {
    if (auto refused = Mistyped(request, "db")) return *std::move(refused);
    if (require_database) return Refused(400, "database is required");
  }
  for (const std::string_view right : {"precision", "rp", "consistency"}) {
    if (auto refused = MistypedCase(request, right)) return *std::move(refused);
  }
  target.policy = request.params.Get("rp");
  const std::string_view consistency = request.params.Get("consistency");
  const auto is = [&](std::string_view level) { return http::EqualsNoCase(consistency, level); };
  if (!consistency.empty() && !is("any") && !is("one") && !is("quorum") && !is("all")) {
    return Refused(400, "invalid consistency level");
  }
  const Result<lineprotocol::Precision> precision = lineprotocol::ParsePrecision(request.params.Get("precision"));
  if (!precision.ok()) return Refused(400, precision.error().message);
  target.time_unit_ns = static_cast<int64_t>(*precision);
  return target;
}

// bucket=db/rp, as the 1.x server reads it.
WriteTarget InfluxV2Target(const Request& request, bool /*require_database*/) {
  std::string_view bucket = request.params.Get("bucket");
  std::string_view policy;
  if (const size_t slash = bucket.find('/'); slash != std::string_view::npos) {
    policy = bucket.substr(slash + 1);
    bucket = bucket.substr(0, slash);
  }
  if (bucket.empty()) bucket = request.params.Get("db");
  WriteTarget target{.database = DatabaseOf(request, bucket), .policy = std::string(policy)};
  if (target.database.empty()) {
    if (auto refused = Mistyped(request, "bucket")) return *std::move(refused);
    return Refused(400, "a bucket is required: bucket=NAME");
  }
  if (auto refused = MistypedCase(request, "precision")) return *std::move(refused);
  const std::string_view text = request.params.Get("precision");
  const Result<lineprotocol::Precision> precision = lineprotocol::ParsePrecision(text);
  if (!precision.ok() || (!text.empty() && text != "ns" && text != "us" && text != "ms" && text != "s")) {
    return Refused(400, fmt::format("invalid precision \"{}\"; valid precision units are ns, us, ms, and s", text));
  }
  target.time_unit_ns = static_cast<int64_t>(*precision);
  return target;
}

WriteTarget RemoteWriteTarget(const Request& request, bool /*require_database*/) {
  WriteTarget target{.database = DatabaseOf(request, request.params.Get("db"))};
  if (target.database.empty()) {
    if (auto refused = Mistyped(request, "db")) return *std::move(refused);
  }
  return target;
}

Response RefuseAsInflux(int status, std::string_view text) { return InfluxError(status, text); }

// As Prometheus' receiver: plain text, for the request as a whole.
Response RefuseAsReceiver(int status, std::string_view text, const std::vector<ingest::Fault>& /*faults*/) {
  Response response = http::GoError(status, text);
  if (status == 503) response.Set("Retry-After", "1");
  return response;
}

// {"error":"...","rows":[{"row":3,"column":2,"series":"cpu,host=a","reason":"..."}]}: ingest/native/README.md.
Response RefuseAsNative(int status, std::string_view text, const std::vector<ingest::Fault>& faults) {
  std::string body = R"({"error":)";
  text::AppendJsonString(&body, text);
  if (!faults.empty()) {
    body += R"(,"rows":[)";
    for (const ingest::Fault& fault : faults) {
      body += fmt::format(R"({}{{"row":{},"column":{},"series":)", &fault == &faults.front() ? "" : ",", fault.number,
                          fault.column);
      text::AppendJsonString(&body, fault.text);
      body += R"(,"reason":)";
      text::AppendJsonString(&body, fault.reason);
      body += '}';
    }
    body += ']';
  }
  Response response = http::JsonResponse(status, body + "}\n");
  if (status == 503) response.Set("Retry-After", "1");
  return response;
}

Response RefuseAsNativeUnread(int status, std::string_view text) { return RefuseAsNative(status, text, {}); }

constexpr WriteEndpoint kEndpoints[] = {
    {.path = "/write",
     .source = "line protocol",
     .method = http::Method::kPost,
     .check_media = nullptr,
     .decoder = &lineprotocol::MakeDecoder,
     .target = &InfluxTarget,
     .empty_status = 200,
     .refuse = &InfluxError,
     .refuse_unread = &RefuseAsInflux,
     .finish = &AddInfluxHeaders},
    {.path = "/api/v2/write",
     .source = "line protocol 2.x",
     .method = http::Method::kPost,
     .check_media = nullptr,
     .decoder = &lineprotocol::MakeDecoder,
     .target = &InfluxV2Target,
     .empty_status = 204,
     .refuse = &InfluxV2Error,
     .refuse_unread = &RefuseAsInflux,
     .finish = &AddInfluxHeaders},
    {.path = "/api/v1/write",
     .source = "remote write",
     .method = http::Method::kPost,
     .check_media = &remotewrite::CheckHeaders,
     .decoder = &remotewrite::MakeDecoder,
     .target = &RemoteWriteTarget,
     .empty_status = 0,
     .refuse = &RefuseAsReceiver,
     .refuse_unread = nullptr,
     .finish = nullptr},
    {.path = "/api/v1/native",
     .source = "native",
     .method = http::Method::kPost,
     .check_media = nullptr,
     .decoder = &native::MakeDecoder,
     .target = &RemoteWriteTarget,
     .empty_status = 0,
     .refuse = &RefuseAsNative,
     .refuse_unread = &RefuseAsNativeUnread,
     .finish = nullptr},
};

constexpr DatagramProtocol kDatagramProtocols[] = {
    {.name = "line protocol over UDP", .decoder = &lineprotocol::MakeDecoder},
};

}  // namespace

std::span<const WriteEndpoint> WriteEndpoints() { return kEndpoints; }

const WriteEndpoint& WriteEndpointAt(std::string_view path) {
  for (const WriteEndpoint& endpoint : kEndpoints) {
    if (endpoint.path == path) return endpoint;
  }
  TM_CHECK(false);
  return kEndpoints[0];
}

std::span<const DatagramProtocol> DatagramProtocols() { return kDatagramProtocols; }

}  // namespace tidemark::server

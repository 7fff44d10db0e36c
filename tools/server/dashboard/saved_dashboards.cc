#include "tools/server/dashboard/saved_dashboards.h"

#include <fmt/core.h>
#include <simdjson.h>

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "query/api/envelope.h"
#include "storage/base/text/instant.h"
#include "storage/base/text/json_string.h"

namespace tidemark::server {
namespace {

using http::Request;
using http::Response;
using query::api::ErrorType;
using storage::Document;
using storage::DocumentInfo;

constexpr std::string_view kKind = "dashboard";
constexpr size_t kHistoryShown = 100;

int StatusOf(ErrorCode code) {
  switch (code) {
    case ErrorCode::kInvalidArgument: return 400;
    case ErrorCode::kNotFound: return 404;
    case ErrorCode::kConflict: return 412;
    case ErrorCode::kLimitExceeded: return 413;
    case ErrorCode::kCorruption: return 500;
    default: return 503;
  }
}

Response Fail(int status, std::string_view text) {
  const ErrorType type = status == 503   ? ErrorType::kUnavailable
                         : status == 500 ? ErrorType::kInternal
                         : status == 404 ? ErrorType::kNotFound
                                         : ErrorType::kBadData;
  return http::JsonResponse(status, query::api::ErrorReply(type, text).body);
}
Response Fail(const Error& error) { return Fail(StatusOf(error.code), error.message); }

Response Succeed(const std::string& data) {
  Response response = http::JsonResponse(200, query::api::BeginSuccess() + data + query::api::SuccessTail({}, {}));
  response.Set("Cache-Control", "no-store");
  return response;
}

std::string TagOf(uint64_t version) { return fmt::format("\"{}\"", version); }

// Names stand in addresses and file names as they are.
Result<void> CheckName(std::string_view name) {
  const bool good = !name.empty() && name.size() <= SavedDashboards::kNameBytesMax && name.front() != '.' &&
                    std::ranges::all_of(name, [](char c) {
                      return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
                             c == '_' || c == '.';
                    });
  if (good) return {};
  return InvalidArgument(
      fmt::format("a dashboard's name is 1 to {} letters, digits, '-', '_' and '.', the last not in front",
                  SavedDashboards::kNameBytesMax));
}

// The title in a dashboard's bytes. What else is in it is the page's business (clients/dashboard/SCHEMA.md).
Result<std::string> TitleOf(std::string_view bytes) {
  simdjson::dom::parser parser;
  simdjson::dom::object object;
  const simdjson::padded_string padded(bytes);
  const simdjson::error_code error = parser.parse(padded).get(object);
  if (error != simdjson::SUCCESS) {
    return InvalidArgument(fmt::format("a dashboard is a JSON object: {}", simdjson::error_message(error)));
  }
  std::string_view title;
  if (object["title"].get(title) != simdjson::SUCCESS) return InvalidArgument(R"(a dashboard has a text "title")");
  if (simdjson::dom::array rows; object["rows"].get(rows) != simdjson::SUCCESS) {
    return InvalidArgument(R"(a dashboard has a list "rows"; one of Grafana is imported by the page)");
  }
  return std::string(title);
}

std::string InfoMembers(const DocumentInfo& info) {
  std::string out = R"("name":)";
  text::AppendJsonString(&out, info.name);
  out += fmt::format(R"(,"version":{},"bytes":{},"deleted":{},"author":)", info.version, info.bytes, info.deleted);
  text::AppendJsonString(&out, info.author);
  out += R"(,"time":")";
  text::AppendRfc3339(&out, info.time_ns);
  return out + '"';
}

std::optional<uint64_t> ParseVersion(std::string_view text) {
  uint64_t version = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), version);
  if (error != std::errc{} || end != text.data() + text.size() || version == 0) return std::nullopt;
  return version;
}

// The version that the request says it is made from; 0: there must be none. Without one, the refusal.
struct Expected {
  std::optional<uint64_t> version;
  std::optional<Response> refusal;
};

Expected ExpectedOf(const Request& request) {
  const std::string_view match = http::Trim(request.Header("If-Match"));
  if (match.empty() && http::Trim(request.Header("If-None-Match")) == "*") return {.version = 0, .refusal = {}};
  if (match.empty()) {
    return {.version = {},
            .refusal = Fail(428,
                            "say which version this is made from: the header If-Match with the ETag of the "
                            "dashboard, or If-None-Match: * for a new one")};
  }
  std::optional<uint64_t> version;
  if (match.size() > 2 && match.front() == '"' && match.back() == '"') {
    version = ParseVersion(match.substr(1, match.size() - 2));
  }
  if (!version)
    return {.version = {}, .refusal = Fail(400, "If-Match must be one ETag of this dashboard, such as \"7\"")};
  return {.version = version, .refusal = {}};
}

}  // namespace

storage::DocumentKind DashboardKind() {
  return {.word = std::string(kKind),
          .history = 50,
          .deleted = 100,
          .max_documents = 1'000,
          .max_bytes = uint64_t{64} << 20};
}

Response SavedDashboards::List() const {
  std::string data = "[";
  std::string after;
  for (;;) {
    const std::vector<DocumentInfo> page = documents_->List(kKind, {.after = after});
    if (page.empty()) break;
    after = page.back().name;
    for (const DocumentInfo& info : page) {
      const Result<Document> document = documents_->Get(kKind, info.name);
      // Deleted between the list and here.
      if (!document.ok() && document.error().code == ErrorCode::kNotFound) continue;
      std::string title = info.name;
      if (document.ok()) {
        if (Result<std::string> read = TitleOf(document->bytes); read.ok()) title = std::move(read).value();
      }
      data += data.size() > 1 ? ",{" : "{";
      data += InfoMembers(document.ok() ? document->info : info) + R"(,"title":)";
      text::AppendJsonString(&data, title);
      if (!document.ok()) {
        data += R"(,"error":)";
        text::AppendJsonString(&data, document.error().message);
      }
      data += '}';
    }
  }
  return Succeed(data + ']');
}

Response SavedDashboards::Get(const Request& request, std::string_view name) const {
  const std::string_view wanted = request.params.Get("version");
  const std::optional<uint64_t> version = ParseVersion(wanted);
  if (!wanted.empty() && !version) return Fail(400, fmt::format("version=\"{}\" is not a version", wanted));
  const Result<Document> document =
      version ? documents_->GetVersion(kKind, name, *version) : documents_->Get(kKind, name);
  if (!document.ok()) return Fail(document.error());
  const std::string tag = TagOf(document->info.version);
  Response response = http::JsonResponse(200, "");
  response.Set("ETag", tag).Set("Cache-Control", "no-cache").Set("X-Content-Type-Options", "nosniff");
  if (http::ListContains(request.Header("If-None-Match"), tag)) {
    response.status = 304;
    return response;
  }
  response.body = document->bytes;
  return response;
}

Response SavedDashboards::History(std::string_view name) const {
  const Result<std::vector<DocumentInfo>> versions = documents_->History(kKind, name, kHistoryShown);
  if (!versions.ok()) return Fail(versions.error());
  std::string data = "[";
  for (const DocumentInfo& info : *versions) {
    data += data.size() > 1 ? ",{" : "{";
    data += InfoMembers(info) + '}';
  }
  return Succeed(data + ']');
}

Result<void> SavedDashboards::CheckMaker(const http::Caller& caller, std::string_view name) const {
  if (caller.filter() == nullptr) return {};
  const Result<std::vector<DocumentInfo>> versions = documents_->History(kKind, name, kHistoryShown);
  if (!versions.ok() || versions->empty() || versions->front().deleted) return {};  // there is none
  for (const DocumentInfo& info : *versions) {
    if (info.deleted) break;  // what was before is another one
    if (info.author == caller.name()) return {};
  }
  return InvalidArgument(
      fmt::format("\"{}\" sees the series of its filter only, and may change no dashboards but those that it has made: "
                  "save this one by another name",
                  caller.name()));
}

Response SavedDashboards::Put(const Request& request, std::string_view name) {
  if (const Result<void> good = CheckName(name); !good.ok()) return Fail(good.error());
  Expected expected = ExpectedOf(request);
  if (expected.refusal) return std::move(*expected.refusal);
  if (const Result<std::string> title = TitleOf(request.body.view()); !title.ok()) return Fail(title.error());
  const Result<uint64_t> version =
      documents_->Put(kKind, name, std::string(request.body.view()), request.caller->name(), expected.version);
  if (!version.ok()) return Fail(version.error());
  std::string data = R"({"name":)";
  text::AppendJsonString(&data, name);
  Response response = Succeed(data + fmt::format(R"(,"version":{}}})", *version));
  response.Set("ETag", TagOf(*version));
  return response;
}

Response SavedDashboards::Delete(const Request& request, std::string_view name) {
  Expected expected = ExpectedOf(request);
  if (expected.refusal) return std::move(*expected.refusal);
  const Result<uint64_t> version = documents_->Delete(kKind, name, request.caller->name(), expected.version);
  if (!version.ok()) return Fail(version.error());
  return Succeed(fmt::format(R"({{"version":{}}})", *version));
}

}  // namespace tidemark::server

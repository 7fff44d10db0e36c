#include "tools/server/influx/bucket_service.h"

#include <fmt/core.h>

#include <algorithm>
#include <charconv>
#include <utility>
#include <vector>

#include "storage/model/limits.h"
#include "tools/server/influx/bucket_json.h"
#include "tools/server/influx/drop_database.h"
#include "tools/server/influx/influx_reply.h"
#include "tools/server/influx/influx_shows.h"

namespace tidemark::server {
namespace {

using http::Access;
using http::Request;
using http::Response;

// The one place where an Error of these requests becomes a status.
Response Refusal(const Error& error) {
  switch (error.code) {
    case ErrorCode::kInvalidArgument: return InfluxV2Error(400, error.message);
    case ErrorCode::kUnsupported: return InfluxV2Error(422, error.message);
    case ErrorCode::kNotFound: return InfluxV2Error(404, error.message);
    case ErrorCode::kConflict:
    case ErrorCode::kAlreadyExists: return InfluxV2Conflict(error.message);
    case ErrorCode::kLimitExceeded: return InfluxV2Error(413, error.message);
    case ErrorCode::kResourceExhausted:
    case ErrorCode::kUnavailable:
    case ErrorCode::kTimeout:
    case ErrorCode::kCancelled: return InfluxV2Error(503, error.message);
    case ErrorCode::kCorruption:
    case ErrorCode::kIo:
    case ErrorCode::kInternal: return InfluxV2Error(500, error.message);
  }
  return InfluxV2Error(500, error.message);
}

// Says why to the caller and to the log of who was refused.
Response Forbid(Request* request, std::string_view what, std::string_view database) {
  request->refusal =
      fmt::format("\"{}\" has no right to {} the bucket \"{}\"", request->caller->name(), what, database);
  return InfluxV2Error(403, request->refusal);
}

bool MaySee(const http::Caller& caller, std::string_view database) {
  return caller.May(Access::kRead, database) || caller.May(Access::kWrite, database);
}

Response Made(int status, std::string body) { return http::JsonResponse(status, std::move(body) + "\n"); }

// Which part of a list is asked for.
struct Page {
  uint64_t limit = BucketService::kPageSize;
  uint64_t offset = 0;
  bool descending = false;

  [[nodiscard]] std::string Link(uint64_t at) const {
    return fmt::format(R"("/api/v2/buckets?descending={}&limit={}&offset={}")", descending, limit, at);
  }
};

Result<uint64_t> NumberOf(const Request& request, std::string_view name, uint64_t otherwise) {
  const std::string_view text = request.params.Get(name);
  if (text.empty()) return otherwise;
  uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) {
    return InvalidArgument(fmt::format("{} \"{}\" is no whole number", name, text));
  }
  return value;
}

Result<Page> PageOf(const Request& request) {
  Page page;
  TM_TRY_ASSIGN(page.limit, NumberOf(request, "limit", BucketService::kPageSize));
  TM_TRY_ASSIGN(page.offset, NumberOf(request, "offset", 0));
  if (page.limit < 1 || page.limit > BucketService::kPageSizeMax) {
    return Unsupported(fmt::format("limit must be between 1 and {}", BucketService::kPageSizeMax));
  }
  page.descending = request.params.Get("descending") == "true";
  return page;
}

// What is left of a list after the bucket with this id.
void CutBehind(std::string_view id, std::vector<storage::DatabaseInfo>* list) {
  const auto at = std::ranges::find_if(*list, [id](const auto& info) { return BucketId(info.name) == id; });
  list->erase(list->begin(), at == list->end() ? at : at + 1);
}

// Whether a request is about another organization than the one there is.
bool OtherOrg(const Request& request) {
  const std::string_view id = request.params.Get("orgID");
  return !id.empty() && id != kOrgId;
}

}  // namespace

Result<storage::DatabaseInfo> BucketService::ById(const http::Caller& caller, std::string_view id) const {
  std::vector<storage::DatabaseInfo> found = store_->Databases();
  std::erase_if(found, [&](const storage::DatabaseInfo& info) {
    return BucketId(info.name) != id || !MaySee(caller, info.name);
  });
  if (found.empty()) return NotFound("bucket not found");
  // Whoever makes databases chooses their names: one of them could have been made for its hash.
  if (found.size() > 1) {
    return MakeError(ErrorCode::kConflict,
                     fmt::format("the id {} is that of two buckets, \"{}\" and \"{}\": use the name of the one "
                                 "that is meant",
                                 id, found[0].name, found[1].name));
  }
  return std::move(found.front());
}

Response BucketService::List(const Request& request) const {
  const Result<Page> page = PageOf(request);
  if (!page.ok()) return Refusal(page.error());
  if (OtherOrg(request)) return InfluxV2Error(404, "organization not found");
  const std::string_view name = request.params.Get("name");
  const std::string_view id = request.params.Get("id");
  std::vector<storage::DatabaseInfo> found = store_->Databases();
  std::erase_if(found, [&](const storage::DatabaseInfo& info) {
    return !MaySee(*request.caller, info.name) || (!name.empty() && info.name != name) ||
           (!id.empty() && BucketId(info.name) != id);
  });
  // As 2.x has it: one bucket that is not there is an error where it is named completely, else an empty list.
  if (found.empty() && !id.empty()) return InfluxV2Error(404, "bucket not found");
  if (found.empty() && !name.empty() && (request.params.Has("org") || request.params.Has("orgID"))) {
    return InfluxV2Error(404, fmt::format("bucket \"{}\" not found", name));
  }
  std::ranges::sort(found, {}, &storage::DatabaseInfo::name);
  if (page->descending) std::ranges::reverse(found);
  if (const std::string_view after = request.params.Get("after"); !after.empty()) CutBehind(after, &found);
  found.erase(found.begin(), found.begin() + static_cast<std::ptrdiff_t>(std::min(page->offset, found.size())));
  if (found.size() > page->limit) found.resize(page->limit);
  std::string body = R"({"links":{"self":)" + page->Link(page->offset);
  if (page->offset > 0) body += R"(,"prev":)" + page->Link(page->offset - std::min(page->offset, page->limit));
  if (found.size() == page->limit) body += R"(,"next":)" + page->Link(page->offset + page->limit);
  body += R"(},"buckets":[)";
  for (const storage::DatabaseInfo& info : found) {
    if (!body.ends_with('[')) body += ',';
    AppendBucketJson(&body, info);
  }
  return Made(200, body + "]}");
}

Response BucketService::Get(const Request& request, std::string_view id) const {
  const Result<storage::DatabaseInfo> info = ById(*request.caller, id);
  if (!info.ok()) return Refusal(info.error());
  std::string body;
  AppendBucketJson(&body, *info);
  return Made(200, std::move(body));
}

Response BucketService::Create(Request& request) const {
  Result<NewBucket> wanted = ParseNewBucket(request.body.view());
  if (!wanted.ok()) return Refusal(wanted.error());
  // As for a write that makes a database: what is made here must be a name that can be written to.
  if (const auto named = model::CheckDatabaseName(wanted->name); !named.ok()) return Refusal(named.error());
  if (!request.caller->May(Access::kWrite, wanted->name)) return Forbid(&request, "write", wanted->name);
  storage::DatabaseInfo info{.name = std::move(wanted->name), .options = defaults_};
  info.options.retention_ns = wanted->retention_ns.value_or(info.options.retention_ns);
  // 0 leaves the length to the server.
  if (wanted->partition_ns.value_or(0) > 0) info.options.partition_ns = *wanted->partition_ns;
  if (const Status made = store_->CreateDatabase(info.name, info.options); !made.ok()) {
    if (made.error().code != ErrorCode::kAlreadyExists) return Refusal(made.error());
    return InfluxV2Conflict(fmt::format("bucket with name {} already exists", info.name));
  }
  request.act = fmt::format("made the bucket {}", info.name);
  std::string body;
  AppendBucketJson(&body, info);
  return Made(201, std::move(body));
}

Response BucketService::Change(Request& request, std::string_view id) const {
  const Result<BucketChange> wanted = ParseBucketChange(request.body.view());
  if (!wanted.ok()) return Refusal(wanted.error());
  Result<storage::DatabaseInfo> info = ById(*request.caller, id);
  if (!info.ok()) return Refusal(info.error());
  if (!request.caller->May(Access::kAdmin, info->name)) return Forbid(&request, "administer", info->name);
  if (wanted->name && *wanted->name != info->name) {
    return InfluxV2Error(422,
                         fmt::format("the bucket \"{}\" cannot be renamed: points are found by its name; make another "
                                     "one and write to that",
                                     info->name));
  }
  Result<storage::DatabaseOptions> options =
      store_->ChangeDatabaseOptions(info->name, [&](storage::DatabaseOptions* changed) -> Status {
        changed->retention_ns = wanted->retention_ns.value_or(changed->retention_ns);
        if (wanted->partition_ns.value_or(0) > 0) changed->partition_ns = *wanted->partition_ns;
        return {};
      });
  if (!options.ok()) return Refusal(options.error());
  info->options = std::move(options).value();
  request.act = fmt::format("changed the bucket {}", info->name);
  std::string body;
  AppendBucketJson(&body, *info);
  return Made(200, std::move(body));
}

Response BucketService::Remove(Request& request, std::string_view id) const {
  const Result<storage::DatabaseInfo> info = ById(*request.caller, id);
  if (!info.ok()) return Refusal(info.error());
  if (!request.caller->May(Access::kAdmin, info->name)) return Forbid(&request, "administer", info->name);
  const Status dropped = DropDatabase(store_, policies_, info->name, request.caller->name());
  if (!dropped.ok()) return Refusal(dropped.error());
  request.act = fmt::format("dropped the bucket {}", info->name);
  Response response;
  response.status = 204;
  return response;
}

Response BucketService::Orgs(const Request& request) const {
  if (OtherOrg(request)) return InfluxV2Error(404, "organization not found");
  const std::string_view name = request.params.Get("org");
  std::string body = R"({"links":{"self":"/api/v2/orgs"},"orgs":[)";
  AppendOrgJson(&body, name.empty() ? kOrgName : name);
  return Made(200, body + "]}");
}

Response BucketService::Org(std::string_view id) const {
  if (id != kOrgId) return InfluxV2Error(404, "organization not found");
  std::string body;
  AppendOrgJson(&body, kOrgName);
  return Made(200, std::move(body));
}

// The bucket of a deletion, by name or id.
Result<std::string> BucketService::DatabaseOf(const Request& request) const {
  std::string_view name = request.database;
  if (name.empty()) {
    name = request.params.Get("bucket");
    const std::string_view id = request.params.Get("bucketID");
    if (id.empty() && name.empty()) return InvalidArgument("Please provide either bucketID or bucket");
    if (!id.empty()) {
      TM_TRY_ASSIGN(storage::DatabaseInfo info, ById(*request.caller, id));
      return std::move(info.name);
    }
    // As for writes: the name of a policy may follow.
    name = name.substr(0, name.find('/'));
  }
  if (!store_->HasDatabase(name) || !MaySee(*request.caller, name)) {
    return NotFound(fmt::format("bucket \"{}\" not found", name));
  }
  return std::string(name);
}

Response BucketService::Delete(Request& request) const {
  const Result<BucketDeletion> wanted = ParseBucketDeletion(request.body.view());
  if (!wanted.ok()) return Refusal(wanted.error());
  if (OtherOrg(request)) return InfluxV2Error(404, "organization not found");
  const Result<std::string> database = DatabaseOf(request);
  if (!database.ok()) return Refusal(database.error());
  if (!request.caller->May(Access::kAdmin, *database)) return Forbid(&request, "administer", *database);
  const storage::SeriesFilter held = storage::SeriesFilter::Of(request.caller->filter());
  const Result<std::shared_ptr<const storage::View>> view = store_->OpenView(*database, held);
  if (!view.ok()) return Refusal(view.error());
  Result<Selection> selection = SelectionOf(**view, wanted->predicate);
  if (!selection.ok()) return Refusal(selection.error());
  if (!selection->selectors.empty() && !wanted->range.empty()) {
    const Result<storage::DeleteReport> report =
        store_->Delete(*database, {.selectors = held.Narrow(selection->selectors),
                                   .range = wanted->range,
                                   .fields = std::move(selection->fields)});
    if (!report.ok()) return Refusal(report.error());
  }
  request.act = fmt::format("deleted points of the bucket {}", *database);
  Response response;
  response.status = 204;
  return response;
}

}  // namespace tidemark::server

#include "tools/server/rules/backfill_api.h"

#include <fmt/core.h>

#include <algorithm>
#include <string>
#include <utility>

#include "query/api/values.h"
#include "tools/server/rules/refusal.h"

namespace tidemark::server {
namespace {

using http::Request;
using http::Response;

Response Succeed(int status, const std::string& data) {
  Response response = http::JsonResponse(status, R"({"status":"success","data":)" + data + "}");
  response.Set("Cache-Control", "no-store");
  return response;
}

Result<int64_t> TimeOf(const Request& request, std::string_view name) {
  const Result<int64_t> ms = query::api::ParseTimeMs(request.params.Get(name));
  if (!ms.ok()) return ms.error().Within(fmt::format("invalid parameter \"{}\"", name));
  return ms;
}

Result<BackfillRequest> RequestOf(const Request& request, int64_t now_ms) {
  BackfillRequest asked;
  for (const auto& [name, to] : {std::pair("group", &asked.group), std::pair("file", &asked.file)}) {
    *to = request.params.Get(name);
    if (to->empty()) return InvalidArgument(fmt::format("{}=NAME is missing: of a rule group that is in force", name));
  }
  for (const std::string_view rule : request.params.All("rule[]")) asked.range.rules.emplace(rule);
  TM_TRY_ASSIGN(asked.range.from_ms, TimeOf(request, "start"));
  asked.range.to_ms = now_ms;
  if (!request.params.Get("end").empty()) {
    TM_TRY_ASSIGN(asked.range.to_ms, TimeOf(request, "end"));
  }
  // What is to come is recorded by the rules themselves.
  asked.range.to_ms = std::min(asked.range.to_ms, now_ms);
  asked.author = request.caller->name();
  return asked;
}

}  // namespace

Response BackfillApi::List(Request& /*request*/) const {
  std::string out = "[";
  for (const BackfillJob& job : jobs_->List()) {
    if (out.size() > 1) out += ',';
    out += PrintBackfillJob(job);
  }
  return Succeed(200, out + "]");
}

Response BackfillApi::Begin(Request& request) const {
  Result<BackfillRequest> asked = RequestOf(request, clock_->NowNs() / 1'000'000);
  if (!asked.ok()) return RefuseRules(asked.error());
  if (const Status can = check_(*asked); !can.ok()) return RefuseRules(can.error());
  const Result<std::string> id = jobs_->Begin(std::move(asked).value());
  if (!id.ok()) return RefuseRules(id.error());
  const Result<BackfillJob> job = jobs_->Find(*id);
  return job.ok() ? Succeed(202, PrintBackfillJob(*job)) : RefuseRules(job.error());
}

Response BackfillApi::Cancel(Request& request) const {
  const std::string& id = request.captures[0];
  if (const Status done = jobs_->Cancel(id); !done.ok()) return RefuseRules(done.error());
  const Result<BackfillJob> job = jobs_->Find(id);
  return job.ok() ? Succeed(202, PrintBackfillJob(*job)) : RefuseRules(job.error());
}

}  // namespace tidemark::server

#include "tools/server/jobs/job_service.h"

#include <fmt/core.h>

#include <algorithm>
#include <charconv>
#include <memory>
#include <optional>
#include <system_error>
#include <utility>

#include "query/api/envelope.h"
#include "storage/base/text/instant.h"
#include "storage/base/text/json_string.h"

namespace tidemark::server::jobs {
namespace {

using http::Request;
using http::Response;
using query::api::ErrorReply;
using query::api::ErrorType;

Response Answer(query::api::Reply reply) { return http::JsonResponse(reply.status, std::move(reply.body)); }
Response Fail(const Error& error) {
  if (error.code == ErrorCode::kInvalidArgument) return Answer(ErrorReply(ErrorType::kBadData, error.message));
  return Answer(ErrorReply(error));
}
Response Succeed(const std::string& data) {
  return http::JsonResponse(200, R"({"status":"success","data":)" + data + '}');
}

std::string DatabaseOf(const Request& request) {
  if (!request.database.empty()) return request.database;
  const std::string_view named = request.params.Get("db");
  return std::string(named.empty() ? storage::kDefaultDatabase : named);
}

Result<std::string> IdOf(const Request& request) {
  const std::string_view id = request.params.Get("id");
  if (id.empty())
    return InvalidArgument("parameter \"id\" is missing: of a job, as `tidemark admin jobs list` shows it");
  return std::string(id);
}

// The last line of a reply that follows a job.
std::string LastLine(const Job& job) {
  std::string line = "{" + PrintJob(job);
  switch (job.state) {
    case JobState::kDone:
      return line + R"(,"done":true})"
                    "\n";
    case JobState::kPaused:
      return line + R"(,"paused":true})"
                    "\n";
    case JobState::kWaiting:
    case JobState::kRunning:
      return line + R"(,"error":"the server stops: the job goes on when it is started again"})"
                    "\n";
    case JobState::kCancelled:
      return line + R"(,"error":"the job was cancelled"})"
                    "\n";
    case JobState::kFailed: break;
  }
  line += R"(,"error":)";
  text::AppendJsonString(&line, job.error);
  return line + "}\n";
}

std::optional<uint64_t> BytesBefore(const Job& job) {
  constexpr std::string_view kKey = R"("bytesBefore":)";
  const size_t at = job.progress.details.find(kKey);
  if (at == std::string::npos) return std::nullopt;
  uint64_t bytes = 0;
  const char* const begin = job.progress.details.data() + at + kKey.size();
  if (std::from_chars(begin, job.progress.details.data() + job.progress.details.size(), bytes).ec != std::errc()) {
    return std::nullopt;
  }
  return bytes;
}

// By its number, since it may get another name meanwhile.
uint64_t BytesOf(const storage::Store& store, uint32_t database) {
  for (const storage::DatabaseInfo& info : store.Databases()) {
    if (info.id == database) return info.disk_bytes;
  }
  return 0;
}

// 0: there is none of that name.
uint32_t NumberOf(const storage::Store& store, std::string_view database) {
  for (const storage::DatabaseInfo& info : store.Databases()) {
    if (info.name == database) return info.id;
  }
  return 0;
}

}  // namespace

admin::ActHandlers<JobService> JobService::Handlers() {
  static constexpr admin::ActHandler<JobService> kHandlers[] = {
      {"compact", &JobService::Compact},    {"backup create", &JobService::CreateBackup},
      {"verify", &JobService::Verify},      {"jobs list", &JobService::List},
      {"jobs follow", &JobService::Follow}, {"jobs pause", &JobService::Pause},
      {"jobs resume", &JobService::Resume}, {"jobs cancel", &JobService::Cancel},
  };
  return kHandlers;
}

Response JobService::Compact(Request& request) const {
  const std::string database = DatabaseOf(request);
  if (!store_->HasDatabase(database)) {
    return Answer(ErrorReply(ErrorType::kNotFound, fmt::format("database not found: \"{}\"", database)));
  }
  return Begin(request, {.kind = "compact", .database = database, .author = std::string(request.caller->name())});
}

Response JobService::CreateBackup(Request& request) const {
  return Begin(request, {.kind = "backup", .database = {}, .author = std::string(request.caller->name())});
}

Response JobService::Verify(Request& request) const {
  return Begin(request, {.kind = "verify", .database = {}, .author = std::string(request.caller->name())});
}

Response JobService::Begin(Request& request, JobRequest wanted) const {
  const bool detach = request.params.IsOn("detach");
  Result<std::string> id = book_->Begin(wanted);
  if (!id.ok()) return Fail(id.error());
  if (!detach) return Tell(std::move(id).value());
  const Result<Job> job = book_->Find(*id);
  if (!job.ok()) return Fail(job.error());
  Response response = http::TextResponse(200, "{" + PrintJob(*job) +
                                                  R"(,"done":true,"detached":true})"
                                                  "\n");
  response.content_type = "application/x-ndjson";
  return response;
}

Response JobService::Tell(std::string id) const {
  Response response;
  response.content_type = "application/x-ndjson";
  response.ends_at_drain = true;
  response.produce = [book = book_, id = std::move(id)](const std::shared_ptr<http::ReplyStream>& stream) {
    const Result<Job> last =
        book->Follow(id, [&stream](const Job& job) { return stream->Push("{" + PrintJob(job) + "}\n"); });
    if (last.ok()) {
      stream->Push(LastLine(*last));
    } else {
      std::string line = R"({"error":)";
      text::AppendJsonString(&line, last.error().message);
      stream->Push(line + "}\n");
    }
    stream->Finish();
  };
  return response;
}

std::vector<Job> JobService::All() const {
  std::vector<Job> all = book_->List();
  for (const OtherJobs& others : others_) {
    std::vector<Job> more = others.list();
    all.insert(all.end(), std::make_move_iterator(more.begin()), std::make_move_iterator(more.end()));
  }
  // What has not ended first, as it is what people look for; then the newest.
  std::ranges::stable_sort(all, [](const Job& a, const Job& b) {
    if (HasEnded(a.state) != HasEnded(b.state)) return HasEnded(b.state);
    return a.begun_ns > b.begun_ns;
  });
  return all;
}

Response JobService::List(Request& /*request*/) const {
  std::string data = "[";
  for (const Job& job : All()) data += (data.size() > 1 ? ",{" : "{") + PrintJob(job, JobForm::kListed) + "}";
  return Succeed(data + "]");
}

Response JobService::Follow(Request& request) const {
  Result<std::string> id = IdOf(request);
  if (!id.ok()) return Fail(id.error());
  const Result<Job> job = book_->Find(*id);
  if (job.ok()) return Tell(std::move(id).value());
  // Others are told once.
  for (const Job& other : All()) {
    if (other.id != *id) continue;
    Response response = http::TextResponse(200, "{" + PrintJob(other) +
                                                    R"(,"done":true})"
                                                    "\n");
    response.content_type = "application/x-ndjson";
    return response;
  }
  return Fail(job.error());
}

Response JobService::Act(Request& request, std::string_view verb,
                         Result<Job> (JobBook::*act)(std::string_view id)) const {
  const Result<std::string> id = IdOf(request);
  if (!id.ok()) return Fail(id.error());
  Result<Job> done = (book_->*act)(*id);
  if (!done.ok() && done.error().code == ErrorCode::kNotFound) {
    for (const OtherJobs& others : others_) {
      const std::vector<Job> theirs = others.list();
      if (std::ranges::any_of(theirs, [&](const Job& job) { return job.id == *id; })) done = others.act(verb, *id);
    }
  }
  if (!done.ok()) return Fail(done.error());
  return Succeed("{" + PrintJob(*done) + "}");
}

JobKind VerifyKind(storage::Store* store) {
  const auto run = [store](const Job& /*job*/, const std::stop_token& stop,
                           const JobKind::Told& told) -> Result<JobProgress> {
    constexpr uint64_t kBytesAtOnce = uint64_t{8} << 20;
    constexpr size_t kDamagesNamed = 100;
    uint64_t pages = 0;
    uint64_t damaged = 0;
    JobProgress progress;
    progress.total = store->Stats().disk_bytes;
    storage::ScrubPlace place;
    for (bool done = false; !done;) {
      if (stop.stop_requested()) return MakeError(ErrorCode::kCancelled, "stopped");
      TM_TRY_ASSIGN(const storage::ScrubStep step, store->Scrub(place, kBytesAtOnce));
      place = step.next;
      done = step.round_done;
      pages += step.pages;
      damaged += step.damaged.size();
      progress.done += step.bytes;
      if (done) progress.total = progress.done;
      progress.total = std::max(progress.total, progress.done);
      progress.details = fmt::format(R"("pages":{},"bytesRead":{},"damagedPages":{})", pages, progress.done, damaged);
      if (!done) told(progress);
    }
    if (damaged == 0) return progress;
    std::string named;
    size_t count = 0;
    for (const model::Finding& finding : store->Findings()) {
      if (finding.area != model::FindingArea::kPages || finding.accepted || ++count > kDamagesNamed) continue;
      named += named.empty() ? "" : ",";
      text::AppendJsonString(&named, model::Describe(finding));
    }
    progress.details += R"(,"damage":[)" + named + "]";
    return progress;
  };
  return {.name = "verify", .run = run};
}

namespace {

// Of partitions that stay as they were: `,"partitionsLeft":1,"left":["2023-11-14T00:00:00Z to ...: why"]`; the list is
// there only when they are.
std::string LeftJson(const std::vector<storage::PartitionLeft>& left) {
  constexpr size_t kNamedMax = 100;
  if (left.empty()) return R"(,"partitionsLeft":0)";
  std::string named;
  for (size_t i = 0; i < std::min(left.size(), kNamedMax); ++i) {
    if (i > 0) named += ',';
    text::AppendJsonString(
        &named, fmt::format("the rows from {} to {} stay as they were: {}", text::PrintSecond(left[i].bounds.first.ns),
                            text::PrintSecond(left[i].bounds.last.ns), left[i].why));
  }
  return fmt::format(R"(,"partitionsLeft":{},"left":[)", left.size()) + named + "]";
}

}  // namespace

JobKind CompactKind(storage::Store* store, std::function<bool()> has_room) {
  const auto run = [store, has_room = std::move(has_room)](const Job& job, const std::stop_token& stop,
                                                           const JobKind::Told& told) -> Result<JobProgress> {
    // What is in memory comes to disk first, so that before and after are of the same rows. Not on a full disk, where
    // the compaction opens the reserve before it writes anything.
    if (has_room()) TM_RETURN_IF_ERROR(store->Checkpoint());
    const uint32_t number = NumberOf(*store, job.database);
    // Of one that goes on, what it began with.
    const uint64_t before = BytesBefore(job).value_or(BytesOf(*store, number));
    const auto progress_of = [&](const storage::CompactionProgress& progress) {
      JobProgress told_of{
          .done = progress.partitions_done,
          .total = progress.partitions_total,
          .details = fmt::format(
              R"("partitionsDone":{},"partitionsTotal":{},"bytesRead":{},"bytesWritten":{},"bytesBefore":{},"bytesAfter":{})",
              progress.partitions_done, progress.partitions_total, progress.bytes_read, progress.bytes_written, before,
              BytesOf(*store, number))};
      told_of.details += LeftJson(progress.left);
      return told_of;
    };
    TM_TRY_ASSIGN(
        const storage::CompactionProgress done,
        store->Compact(job.database, stop, [&](const storage::CompactionProgress& now) { told(progress_of(now)); }));
    return progress_of(done);
  };
  return {.name = "compact", .run = run};
}

}  // namespace tidemark::server::jobs

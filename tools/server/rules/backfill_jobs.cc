#include "tools/server/rules/backfill_jobs.h"

#include <fmt/core.h>
#include <simdjson.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <iterator>
#include <utility>

#include "query/api/json.h"
#include "storage/base/log.h"

namespace tidemark::server {
namespace {

using query::api::JsonObject;
using query::rules::BackfillProgress;

constexpr std::string_view kKind = "backfills";
constexpr std::string_view kInterrupted =
    "the server has stopped meanwhile: begin it again; what is recorded stays and is not computed anew into other rows";

// How often it is stored how far a back-fill is.
constexpr int64_t kSaveEachNs = 2'000'000'000;

constexpr std::array kStates = {BackfillState::kWaiting, BackfillState::kRunning,   BackfillState::kDone,
                                BackfillState::kFailed,  BackfillState::kCancelled, BackfillState::kInterrupted};

bool HasEnded(BackfillState state) { return state != BackfillState::kWaiting && state != BackfillState::kRunning; }

// Ids ascend with their names.
std::string IdOf(uint64_t number) { return fmt::format("{:08}", number); }

// Reads keys of one object; whether all were there.
class Reader {
 public:
  explicit Reader(simdjson::dom::element root) : root_(root) {}
  template <typename T>
  void Read(std::string_view key, T* out) {
    good_ = root_[key].get(*out) == simdjson::SUCCESS && good_;
  }
  void Read(std::string_view key, std::string* out) {
    std::string_view text;
    Read(key, &text);
    *out = text;
  }
  void Read(std::string_view key, std::set<std::string>* out) {
    simdjson::dom::array all;
    Read(key, &all);
    if (!good_) return;
    for (const simdjson::dom::element one : all) {
      std::string_view text;
      good_ = one.get(text) == simdjson::SUCCESS && good_;
      out->emplace(text);
    }
  }
  [[nodiscard]] bool good() const { return good_; }

 private:
  simdjson::dom::element root_;
  bool good_ = true;
};

}  // namespace

std::string_view Name(BackfillState state) {
  switch (state) {
    case BackfillState::kWaiting: return "waiting";
    case BackfillState::kRunning: return "running";
    case BackfillState::kDone: return "done";
    case BackfillState::kFailed: return "failed";
    case BackfillState::kCancelled: return "cancelled";
    case BackfillState::kInterrupted: return "interrupted";
  }
  return "interrupted";
}

std::string PrintBackfillJob(const BackfillJob& job) {
  std::string out;
  {
    JsonObject object(&out);
    object.String("id", job.id);
    object.String("file", job.request.file);
    object.String("group", job.request.group);
    std::string* const rules = object.Key("rules");
    *rules += '[';
    for (const std::string& rule : job.request.range.rules) {
      if (rules->back() != '[') *rules += ',';
      query::api::AppendJsonString(rules, rule);
    }
    *rules += ']';
    object.Integer("startMs", job.request.range.from_ms);
    object.Integer("endMs", job.request.range.to_ms);
    object.String("author", job.request.author);
    object.String("state", Name(job.state));
    object.String("error", job.error);
    object.Integer("timesDone", job.progress.times_done);
    object.Integer("timesTotal", job.progress.times_total);
    object.Integer("rowsWritten", job.progress.rows_written);
    object.Integer("rowsThere", job.progress.rows_there);
    object.Integer("failures", job.progress.failures);
    object.String("firstFailure", job.progress.first_failure);
    object.Integer("begunNs", job.begun_ns);
    object.Integer("endedNs", job.ended_ns);
  }
  return out;
}

Result<BackfillJob> ReadBackfillJob(std::string_view text) {
  simdjson::dom::parser parser;
  const simdjson::padded_string bytes(text);
  simdjson::dom::element root;
  if (parser.parse(bytes).get(root) != simdjson::SUCCESS) return Corruption("a stored back-fill is no JSON");
  Reader reader(root);
  BackfillJob job;
  std::string state;
  reader.Read("id", &job.id);
  reader.Read("file", &job.request.file);
  reader.Read("group", &job.request.group);
  reader.Read("rules", &job.request.range.rules);
  reader.Read("startMs", &job.request.range.from_ms);
  reader.Read("endMs", &job.request.range.to_ms);
  reader.Read("author", &job.request.author);
  reader.Read("state", &state);
  reader.Read("error", &job.error);
  reader.Read("timesDone", &job.progress.times_done);
  reader.Read("timesTotal", &job.progress.times_total);
  reader.Read("rowsWritten", &job.progress.rows_written);
  reader.Read("rowsThere", &job.progress.rows_there);
  reader.Read("failures", &job.progress.failures);
  reader.Read("firstFailure", &job.progress.first_failure);
  reader.Read("begunNs", &job.begun_ns);
  reader.Read("endedNs", &job.ended_ns);
  const auto known = std::ranges::find(kStates, state, [](BackfillState one) { return Name(one); });
  if (!reader.good() || known == kStates.end()) return Corruption("a stored back-fill is not what is written here");
  job.state = *known;
  return job;
}

BackfillJobs::BackfillJobs(storage::DocumentStore* documents, const Clock* clock, Run run)
    : documents_(documents), clock_(clock), run_(std::move(run)) {
  MutexLock lock(mutex_);
  Load();
}

void BackfillJobs::Load() {
  for (const storage::DocumentInfo& info : documents_->List(kKind, {})) {
    const Result<storage::Document> document = documents_->Get(kKind, info.name);
    Result<BackfillJob> job = document.ok() ? ReadBackfillJob(document->bytes) : Result<BackfillJob>(document.error());
    // A number that was given is not given again.
    uint64_t number = 0;
    std::from_chars(info.name.data(), info.name.data() + info.name.size(), number);
    next_ = std::max(next_, number + 1);
    if (!job.ok()) {
      TM_LOG(kError, "the back-fill {} is left out: {}", info.name, job.error().message);
      continue;
    }
    if (!HasEnded(job->state)) {
      job->state = BackfillState::kInterrupted;
      job->error = kInterrupted;
    }
    jobs_[info.name] = std::move(job).value();
  }
}

Status BackfillJobs::Save(const BackfillJob& job) {
  TM_TRY_ASSIGN([[maybe_unused]] const uint64_t version,
                documents_->Put(kKind, job.id, PrintBackfillJob(job), job.request.author));
  return {};
}

void BackfillJobs::ForgetOld() {
  for (auto at = jobs_.begin(); at != jobs_.end() && jobs_.size() > kBackfillsKept;) {
    if (!HasEnded(at->second.state)) {
      ++at;
      continue;
    }
    if (const auto done = documents_->Delete(kKind, at->first, at->second.request.author); !done.ok()) return;
    at = jobs_.erase(at);
  }
}

Result<std::string> BackfillJobs::Begin(BackfillRequest request) {
  MutexLock lock(mutex_);
  if (waiting_.size() >= kBackfillsWaitingMax) {
    return LimitExceeded(fmt::format("{} back-fills wait already: one runs at a time", waiting_.size()));
  }
  BackfillJob job{.id = IdOf(next_), .request = std::move(request), .progress = {}, .error = {}};
  job.begun_ns = clock_->NowNs();
  TM_RETURN_IF_ERROR(Save(job));
  ++next_;
  const std::string id = job.id;
  jobs_[id] = std::move(job);
  waiting_.push_back(id);
  ForgetOld();
  wake_.NotifyAll();
  return id;
}

std::vector<BackfillJob> BackfillJobs::List() const {
  MutexLock lock(mutex_);
  std::vector<BackfillJob> out;
  for (auto at = jobs_.rbegin(); at != jobs_.rend(); ++at) out.push_back(at->second);
  return out;
}

Result<BackfillJob> BackfillJobs::Find(std::string_view id) const {
  MutexLock lock(mutex_);
  const auto at = jobs_.find(id);
  if (at == jobs_.end()) return NotFound(fmt::format("there is no back-fill {}", id));
  return at->second;
}

Status BackfillJobs::Cancel(std::string_view id) {
  MutexLock lock(mutex_);
  const auto at = jobs_.find(id);
  if (at == jobs_.end()) return NotFound(fmt::format("there is no back-fill {}", id));
  BackfillJob& job = at->second;
  if (HasEnded(job.state)) {
    return MakeError(ErrorCode::kConflict, fmt::format("the back-fill {} has ended: it is {}", id, Name(job.state)));
  }
  if (job.state == BackfillState::kRunning) {
    stop_.request_stop();
    return {};
  }
  std::erase(waiting_, job.id);
  job.state = BackfillState::kCancelled;
  job.ended_ns = clock_->NowNs();
  return Save(job);
}

void BackfillJobs::Start() {
  thread_ = std::thread([this] { Work(); });
}

void BackfillJobs::Work() {
  for (;;) {
    std::string id;
    BackfillRequest request;
    std::stop_token stop;
    {
      MutexLock lock(mutex_);
      while (!stopping_ && waiting_.empty()) wake_.Wait(mutex_);
      if (stopping_) return;
      id = running_ = waiting_.front();
      waiting_.pop_front();
      stop_ = std::stop_source();
      stop = stop_.get_token();
      BackfillJob& job = jobs_[id];
      job.state = BackfillState::kRunning;
      request = job.request;
    }
    RunJob(id, request, stop);
  }
}

void BackfillJobs::RunJob(const std::string& id, const BackfillRequest& request, const std::stop_token& stop) {
  int64_t saved_ns = clock_->SteadyNs();
  const Result<BackfillProgress> done = run_(request, stop, [&](const BackfillProgress& progress) {
    MutexLock lock(mutex_);
    BackfillJob& job = jobs_[id];
    job.progress = progress;
    // What is shown of it after a crash.
    if (clock_->SteadyNs() - saved_ns < kSaveEachNs) return;
    saved_ns = clock_->SteadyNs();
    if (const Status saved = Save(job); !saved.ok()) {
      TM_LOG(kWarn, "how far the back-fill {} is is not stored: {}", id, saved.error().message);
    }
  });
  MutexLock lock(mutex_);
  running_.clear();
  BackfillJob& job = jobs_[id];
  job.ended_ns = clock_->NowNs();
  if (done.ok()) {
    job.progress = *done;
    job.state = BackfillState::kDone;
  } else if (done.error().code == ErrorCode::kCancelled) {
    job.state = stopping_ ? BackfillState::kInterrupted : BackfillState::kCancelled;
    if (stopping_) job.error = kInterrupted;
  } else {
    job.state = BackfillState::kFailed;
    job.error = done.error().message;
    TM_LOG(kWarn, "the back-fill {} of the group {} in {} has failed: {}", id, request.group, request.file, job.error);
  }
  if (const Status saved = Save(job); !saved.ok()) {
    TM_LOG(kWarn, "what became of the back-fill {} is not stored: {}", id, saved.error().message);
  }
}

void BackfillJobs::Stop() {
  {
    MutexLock lock(mutex_);
    stopping_ = true;
    stop_.request_stop();
    wake_.NotifyAll();
  }
  if (thread_.joinable()) thread_.join();
}

}  // namespace tidemark::server

#include "tools/server/jobs/job_book.h"

#include <fmt/core.h>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <system_error>
#include <utility>

#include "storage/base/log.h"
#include "storage/base/text/json_string.h"

namespace tidemark::server::jobs {
namespace {

constexpr std::string_view kKind = "jobs";
// Progress is stored so often: what a restart shows is this old at most.
constexpr int64_t kSaveNs = 10'000'000'000;
// From one piece of news to the next.
constexpr std::chrono::milliseconds kNews(200);

// Names of documents ascend with the numbers.
std::string NameOf(uint64_t number) { return fmt::format("{:020}", number); }

uint64_t NumberOf(std::string_view id) {
  uint64_t number = 0;
  const auto [end, error] = std::from_chars(id.data(), id.data() + id.size(), number);
  return error == std::errc() && end == id.data() + id.size() ? number : 0;
}

Error NoJob(std::string_view id) {
  return NotFound(fmt::format("there is no job {}; `tidemark admin jobs list` shows those that there are", id));
}

Error Conflict(const Job& job, std::string_view what) {
  return MakeError(ErrorCode::kConflict, fmt::format("job {} is {}: {}", job.id, Name(job.state), what));
}

// What the document of a job holds.
std::string Stored(const Job& job, const std::string& store) {
  std::string out = "{" + PrintJob(job) + R"(,"store":)";
  text::AppendJsonString(&out, store);
  return out + "}";
}

}  // namespace

JobBook::JobBook(storage::DocumentStore* documents, const Clock* clock, std::vector<JobKind> kinds, std::string store)
    : documents_(documents), clock_(clock), store_(std::move(store)) {
  MutexLock lock(mutex_);
  for (JobKind& kind : kinds) {
    lanes_.push_back(std::make_unique<Lane>());
    lanes_.back()->kind = std::move(kind);
  }
  if (documents_ != nullptr) Load();
}

void JobBook::Load() {
  std::string after;
  for (;;) {
    const auto page = documents_->List(kKind, {.prefix = {}, .after = after});
    if (page.empty()) return;
    after = page.back().name;
    for (const storage::DocumentInfo& info : page) {
      const Result<storage::Document> document = documents_->Get(kKind, info.name);
      Result<Job> job = document.ok() ? ReadJob(document->bytes) : Result<Job>(document.error());
      // A number that was given is not given again.
      const uint64_t number = NumberOf(info.name);
      next_ = std::max(next_, number + 1);
      if (!job.ok()) {
        TM_LOG(kError, "the job {} is left out: {}", info.name, job.error().message);
        continue;
      }
      Lane* const lane = LaneOf(job->kind);
      if (lane == nullptr && !HasEnded(job->state)) {
        job->state = JobState::kFailed;
        job->error = fmt::format("this server does no work of the kind {}", job->kind);
      }
      const bool elsewhere = !job->store.empty() && !store_.empty() && job->store != store_;
      if (elsewhere && !HasEnded(job->state)) {
        job->state = JobState::kCancelled;
        job->error = "it was begun in another store, of whose backup this one was made";
        job->ended_ns = clock_->NowNs();
      }
      if (!HasEnded(job->state) && job->state != JobState::kPaused) {
        job->state = JobState::kWaiting;
        lane->waiting.push_back(job->id);
      }
      entries_[number].job = std::move(job).value();
    }
  }
}

JobBook::Lane* JobBook::LaneOf(std::string_view kind) {
  const auto found = std::ranges::find_if(lanes_, [&](const auto& lane) { return lane->kind.name == kind; });
  return found == lanes_.end() ? nullptr : found->get();
}

Result<JobBook::Entry*> JobBook::EntryOf(std::string_view id) {
  const auto found = entries_.find(NumberOf(id));
  if (found == entries_.end()) return NoJob(id);
  return &found->second;
}

Status JobBook::Save(Entry* entry) {
  entry->saved_at_ns = clock_->SteadyNs();
  if (documents_ == nullptr || (has_room_ && !has_room_())) return {};
  const Job& job = entry->job;
  TM_TRY_ASSIGN([[maybe_unused]] const uint64_t version,
                documents_->Put(kKind, NameOf(NumberOf(job.id)), Stored(job, store_), job.author));
  return {};
}

void JobBook::SaveOrTell(Entry* entry) {
  if (const Status saved = Save(entry); !saved.ok()) {
    TM_LOG(kWarn, "what became of job {} is not stored: {}", entry->job.id, saved.error().message);
  }
}

void JobBook::Changed(Entry* entry) {
  ++entry->changes;
  changed_.NotifyAll();
}

void JobBook::ForgetOld() {
  size_t ended = 0;
  for (const auto& [_, entry] : entries_) ended += HasEnded(entry.job.state) ? 1 : 0;
  for (auto at = entries_.begin(); at != entries_.end() && ended > kJobsKept;) {
    if (!HasEnded(at->second.job.state)) {
      ++at;
      continue;
    }
    if (documents_ != nullptr && !documents_->Delete(kKind, NameOf(at->first), at->second.job.author).ok()) return;
    at = entries_.erase(at);
    --ended;
  }
}

Result<std::string> JobBook::Begin(const JobRequest& request) {
  MutexLock lock(mutex_);
  if (stopping_) return MakeError(ErrorCode::kUnavailable, "the server stops");
  Lane* const lane = LaneOf(request.kind);
  if (lane == nullptr) return InvalidArgument(fmt::format("there is no work of the kind {}", request.kind));
  for (auto& [_, entry] : entries_) {
    const Job& job = entry.job;
    if (job.kind == request.kind && job.database == request.database && !HasEnded(job.state) &&
        entry.wanted == Wanted::kGoOn && job.state != JobState::kPaused) {
      return job.id;
    }
  }
  if (lane->waiting.size() >= kJobsWaitingMax) {
    return LimitExceeded(fmt::format("{} jobs of the kind {} wait already", lane->waiting.size(), request.kind));
  }
  const uint64_t number = next_;
  Entry entry;
  entry.job = {.id = std::to_string(number),
               .kind = request.kind,
               .database = request.database,
               .author = request.author,
               .progress = {},
               .error = {}};
  entry.job.begun_ns = clock_->NowNs();
  // On a full disk it is done all the same: it may be what makes room.
  SaveOrTell(&entry);
  ++next_;
  lane->waiting.push_back(entry.job.id);
  entries_[number] = std::move(entry);
  ForgetOld();
  wake_.NotifyAll();
  return std::to_string(number);
}

std::vector<Job> JobBook::List() const {
  MutexLock lock(mutex_);
  std::vector<Job> out;
  for (auto at = entries_.rbegin(); at != entries_.rend(); ++at) out.push_back(at->second.job);
  return out;
}

Result<Job> JobBook::Find(std::string_view id) const {
  MutexLock lock(mutex_);
  const auto found = entries_.find(NumberOf(id));
  if (found == entries_.end()) return NoJob(id);
  return found->second.job;
}

Result<Job> JobBook::Follow(std::string_view id, const std::function<bool(const Job&)>& told) const {
  uint64_t seen = ~uint64_t{0};
  for (;;) {
    Job job;
    {
      MutexLock lock(mutex_);
      auto found = entries_.find(NumberOf(id));
      if (found == entries_.end()) return NoJob(id);
      // Whoever asks is looked after now and then also while nothing changes: he may have gone.
      if (found->second.changes == seen && !HasEnded(found->second.job.state) && !stopping_) {
        changed_.WaitFor(mutex_, std::chrono::seconds(1));
        found = entries_.find(NumberOf(id));
        if (found == entries_.end()) return NoJob(id);
      }
      seen = found->second.changes;
      job = found->second.job;
      if (HasEnded(job.state) || job.state == JobState::kPaused || stopping_) return job;
    }
    if (!told(job)) return job;
    std::this_thread::sleep_for(kNews);
  }
}

Result<Job> JobBook::Pause(std::string_view id) {
  MutexLock lock(mutex_);
  TM_TRY_ASSIGN(Entry* const entry, EntryOf(id));
  Job& job = entry->job;
  if (HasEnded(job.state) || job.state == JobState::kPaused) return Conflict(job, "it cannot be paused");
  Lane* const lane = LaneOf(job.kind);
  entry->wanted = Wanted::kPause;
  if (job.state == JobState::kRunning) {
    lane->stop.request_stop();
    return job;
  }
  std::erase(lane->waiting, job.id);
  job.state = JobState::kPaused;
  entry->wanted = Wanted::kGoOn;
  SaveOrTell(entry);
  Changed(entry);
  return job;
}

Result<Job> JobBook::Resume(std::string_view id) {
  MutexLock lock(mutex_);
  TM_TRY_ASSIGN(Entry* const entry, EntryOf(id));
  Job& job = entry->job;
  if (job.state != JobState::kPaused && job.state != JobState::kFailed) return Conflict(job, "it is not paused");
  Lane* const lane = LaneOf(job.kind);
  if (lane == nullptr) return Conflict(job, fmt::format("this server does no work of the kind {}", job.kind));
  job.state = JobState::kWaiting;
  job.error.clear();
  job.ended_ns = 0;
  lane->waiting.push_back(job.id);
  SaveOrTell(entry);
  Changed(entry);
  wake_.NotifyAll();
  return job;
}

Result<Job> JobBook::Cancel(std::string_view id) {
  MutexLock lock(mutex_);
  TM_TRY_ASSIGN(Entry* const entry, EntryOf(id));
  Job& job = entry->job;
  if (HasEnded(job.state)) return Conflict(job, "it has ended");
  if (job.state == JobState::kRunning) {
    entry->wanted = Wanted::kCancel;
    LaneOf(job.kind)->stop.request_stop();
    return job;
  }
  if (Lane* const lane = LaneOf(job.kind); lane != nullptr) std::erase(lane->waiting, job.id);
  job.state = JobState::kCancelled;
  job.ended_ns = clock_->NowNs();
  SaveOrTell(entry);
  Changed(entry);
  return job;
}

Status JobBook::RenameDatabase(std::string_view from, std::string_view to, const Commit& commit) {
  MutexLock lock(mutex_);
  std::vector<Entry*> about;
  std::vector<storage::DocumentChange> changes;
  for (auto& [number, entry] : entries_) {
    // One that has failed may be resumed.
    const bool over = HasEnded(entry.job.state) && entry.job.state != JobState::kFailed;
    if (entry.job.database != from || over) continue;
    about.push_back(&entry);
    if (documents_ == nullptr) continue;
    Job job = entry.job;
    job.database = to;
    changes.push_back({.kind = std::string(kKind),
                       .name = NameOf(number),
                       .bytes = Stored(job, store_),
                       .author = job.author,
                       .expected = std::nullopt});
  }
  TM_RETURN_IF_ERROR(commit(std::move(changes)));
  for (Entry* const entry : about) {
    entry->job.database = to;
    Changed(entry);
  }
  return {};
}

void JobBook::Start() {
  for (const auto& lane : lanes_) lane->thread = std::thread([this, at = lane.get()] { Work(at); });
}

void JobBook::Work(Lane* lane) {
  for (;;) {
    Job job;
    std::stop_token stop;
    {
      MutexLock lock(mutex_);
      while (!stopping_ && lane->waiting.empty()) wake_.Wait(mutex_);
      if (stopping_) return;
      lane->running = lane->waiting.front();
      lane->waiting.pop_front();
      lane->stop = std::stop_source();
      stop = lane->stop.get_token();
      Entry& entry = entries_.at(NumberOf(lane->running));
      entry.wanted = Wanted::kGoOn;
      entry.job.state = JobState::kRunning;
      job = entry.job;
      SaveOrTell(&entry);
      Changed(&entry);
    }
    RunJob(lane, job, stop);
  }
}

void JobBook::RunJob(Lane* lane, const Job& job, const std::stop_token& stop) {
  const uint64_t number = NumberOf(job.id);
  Result<JobProgress> done = lane->kind.run(job, stop, [this, number](JobProgress progress) {
    MutexLock lock(mutex_);
    Entry& entry = entries_.at(number);
    entry.job.progress = std::move(progress);
    Changed(&entry);
    if (clock_->SteadyNs() - entry.saved_at_ns >= kSaveNs) SaveOrTell(&entry);
  });
  MutexLock lock(mutex_);
  lane->running.clear();
  Entry& entry = entries_.at(number);
  if (!done.ok() && done.error().code == ErrorCode::kNotFound && entry.job.database != job.database) {
    // Its database got another name before the work found it.
    entry.job.state = JobState::kWaiting;
    lane->waiting.push_front(entry.job.id);
  } else {
    End(&entry, std::move(done), stop);
  }
  SaveOrTell(&entry);
  Changed(&entry);
}

void JobBook::End(Entry* entry, Result<JobProgress> done, const std::stop_token& stop) {
  Job& job = entry->job;
  const Wanted wanted = std::exchange(entry->wanted, Wanted::kGoOn);
  if (done.ok()) job.progress = std::move(done).value();
  // Work that was done before it saw that it should stop is done.
  const bool cut = done.ok() ? stop.stop_requested() && job.progress.done < job.progress.total
                             : done.error().code == ErrorCode::kCancelled;
  if (cut && wanted == Wanted::kPause) {
    job.state = JobState::kPaused;
    return;
  }
  if (cut && wanted == Wanted::kGoOn && stopping_) {
    job.state = JobState::kWaiting;
    return;
  }
  job.ended_ns = clock_->NowNs();
  if (cut) {
    job.state = JobState::kCancelled;
  } else if (done.ok()) {
    job.state = JobState::kDone;
  } else {
    job.state = JobState::kFailed;
    job.error = done.error().message;
    TM_LOG(kWarn, "job {} ({}) has failed: {}", job.id, job.kind, job.error);
  }
}

void JobBook::Stop() {
  {
    MutexLock lock(mutex_);
    stopping_ = true;
    for (const auto& lane : lanes_) lane->stop.request_stop();
    wake_.NotifyAll();
    changed_.NotifyAll();
  }
  for (const auto& lane : lanes_) {
    if (lane->thread.joinable()) lane->thread.join();
  }
}

}  // namespace tidemark::server::jobs

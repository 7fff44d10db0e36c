// JobBook: the long work of this server, one job of a kind at a time, each kind on a thread of its own.
//
//   JobBook jobs(documents, &clock, {{.name = "compact", .run = compact}});
//   jobs.Start();
//   TM_TRY_ASSIGN(const std::string id, jobs.Begin({.kind = "compact", .database = "metrics", .author = "ada"}));
//   jobs.Follow(id, [](const Job& job) { ...; return true; });
//
// A job is a document. One that had not ended when the server stopped goes on after the next start: the work of every
// kind is such that what was done of it is not done again. One that was paused waits until it is resumed. In a store
// that was made of a backup those of the store that was copied have ended: the backup holds the job that made it.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <stop_token>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "storage/base/clock.h"
#include "storage/base/mutex.h"
#include "storage/base/result.h"
#include "storage/documents.h"
#include "tools/server/jobs/job.h"

namespace tidemark::server::jobs {

// Jobs of one kind that wait at most; one more is refused.
inline constexpr size_t kJobsWaitingMax = 100;
// Jobs that have ended and are remembered; the oldest goes first.
inline constexpr size_t kJobsKept = 100;

// What is asked for.
struct JobRequest {
  std::string kind;
  std::string database;
  std::string author;
};

struct JobKind {
  using Told = std::function<void(JobProgress)>;
  std::string name;
  // Does the work, up to its end, or until `stop`: then kCancelled, or what was done so far. Called again after a pause
  // or a restart. Returns the last progress. Blocks.
  std::function<Result<JobProgress>(const Job& job, const std::stop_token& stop, const Told& told)> run;
};

// Thread-safe.
class JobBook {
 public:
  // Documents (null: nothing outlives the process) and clock outlive it. `store` is the id of the documents' store:
  // jobs that were begun in another one, of whose backup this one was made, do not go on. "": all of them do.
  JobBook(storage::DocumentStore* documents, const Clock* clock, std::vector<JobKind> kinds, std::string store = {});
  ~JobBook() { Stop(); }
  // Whether the disk has room for documents; before the first Begin. Where it has none jobs are done all the same,
  // since some of them give space back, and are not stored.
  void SetRoom(std::function<bool()> has_room) { has_room_ = std::move(has_room); }
  JobBook(const JobBook&) = delete;
  JobBook& operator=(const JobBook&) = delete;

  // Its id. One that is not done yet of the same kind and database is not begun twice: its id is returned. Errors:
  // kInvalidArgument (no such kind), kLimitExceeded (too many wait), kUnavailable (the server stops), those of the
  // documents.
  Result<std::string> Begin(const JobRequest& request);
  // The last begun first.
  [[nodiscard]] std::vector<Job> List() const;
  // kNotFound.
  [[nodiscard]] Result<Job> Find(std::string_view id) const;
  // Calls `told` with the job now, and whenever it has come further (a few times a second at most), until it has ended
  // or is paused, the book stops, or `told` says false. The last as it returns. kNotFound.
  Result<Job> Follow(std::string_view id, const std::function<bool(const Job&)>& told) const;

  // Each returns the job as it is then, or will be in a moment. kNotFound; kConflict where it is not so that this can
  // be done.
  Result<Job> Pause(std::string_view id);   // waiting or running
  Result<Job> Resume(std::string_view id);  // paused, or failed
  Result<Job> Cancel(std::string_view id);  // whatever has not ended

  // A database gets another name: those that are about it and may go on yet are about it still. Calls `commit` with
  // what changes of their documents, and believes it when that succeeds; no job changes meanwhile. One that runs goes
  // on. Errors: those of `commit`.
  using Commit = std::function<Status(std::vector<storage::DocumentChange> changes)>;
  Status RenameDatabase(std::string_view from, std::string_view to, const Commit& commit);

  void Start();
  // What runs goes on after the next start. Idempotent.
  void Stop();

 private:
  // What is to become of a job whose work has been asked to stop.
  enum class Wanted : uint8_t { kGoOn, kPause, kCancel };
  struct Entry {
    Job job;
    Wanted wanted = Wanted::kGoOn;
    uint64_t changes = 0;
    int64_t saved_at_ns = 0;  // steady
  };
  struct Lane {
    JobKind kind;
    std::deque<std::string> waiting;
    std::string running;
    std::stop_source stop;
    std::thread thread;
  };

  void Load() TM_REQUIRES(mutex_);
  void Work(Lane* lane);
  void RunJob(Lane* lane, const Job& job, const std::stop_token& stop);
  void End(Entry* entry, Result<JobProgress> done, const std::stop_token& stop) TM_REQUIRES(mutex_);
  Lane* LaneOf(std::string_view kind) TM_REQUIRES(mutex_);
  Result<Entry*> EntryOf(std::string_view id) TM_REQUIRES(mutex_);
  void Changed(Entry* entry) TM_REQUIRES(mutex_);
  Status Save(Entry* entry) TM_REQUIRES(mutex_);
  // Logs what keeps it from being stored: the work is done all the same.
  void SaveOrTell(Entry* entry) TM_REQUIRES(mutex_);
  void ForgetOld() TM_REQUIRES(mutex_);

  storage::DocumentStore* const documents_;
  std::function<bool()> has_room_;
  const Clock* const clock_;
  const std::string store_;
  mutable Mutex mutex_;
  mutable CondVar wake_;     // for the lanes
  mutable CondVar changed_;  // for who follows
  bool stopping_ TM_GUARDED_BY(mutex_) = false;
  std::vector<std::unique_ptr<Lane>> lanes_;                 // their fields under mutex_
  std::map<uint64_t, Entry> entries_ TM_GUARDED_BY(mutex_);  // by number, which ascends
  uint64_t next_ TM_GUARDED_BY(mutex_) = 1;
};

}  // namespace tidemark::server::jobs

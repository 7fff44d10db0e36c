// BackfillJobs: back-fills of recording rules (query/rules/backfill.h) that somebody has begun, one after the other on
// a thread of its own.
//
//   BackfillJobs jobs(documents, &clock, run);
//   jobs.Start();
//   TM_TRY_ASSIGN(const std::string id, jobs.Begin({.file = "f.yml", .group = "g", .range = ..., .author = "ada"}));
//
// A job is a document, so that it is known after a restart: one that had not ended then is interrupted, and is to be
// begun again. That loses nothing, since rows that are there are not touched.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <stop_token>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "query/rules/backfill.h"
#include "storage/base/clock.h"
#include "storage/base/mutex.h"
#include "storage/base/result.h"
#include "storage/documents.h"

namespace tidemark::server {

inline constexpr size_t kBackfillsWaitingMax = 20;
// Jobs that are remembered; the oldest that has ended goes first.
inline constexpr size_t kBackfillsKept = 100;

enum class BackfillState : uint8_t { kWaiting, kRunning, kDone, kFailed, kCancelled, kInterrupted };
// "waiting", "running", "done", "failed", "cancelled", "interrupted".
std::string_view Name(BackfillState state);

struct BackfillRequest {
  std::string file;  // or namespace
  std::string group;
  query::rules::BackfillRange range;
  std::string author;
};

struct BackfillJob {
  std::string id;
  BackfillRequest request;
  BackfillState state = BackfillState::kWaiting;
  query::rules::BackfillProgress progress;
  std::string error;  // why it has failed, or is to be begun again
  int64_t begun_ns = 0;
  int64_t ended_ns = 0;  // 0: it has not
};

// One object; what /api/v1/backfills shows and what is stored.
std::string PrintBackfillJob(const BackfillJob& job);
// kCorruption.
Result<BackfillJob> ReadBackfillJob(std::string_view text);

// Thread-safe.
class BackfillJobs {
 public:
  using Progress = std::function<void(const query::rules::BackfillProgress&)>;
  // Does one. Blocks.
  using Run = std::function<Result<query::rules::BackfillProgress>(const BackfillRequest& request,
                                                                   const std::stop_token& stop, const Progress& told)>;

  // Both outlive it.
  BackfillJobs(storage::DocumentStore* documents, const Clock* clock, Run run);
  ~BackfillJobs() { Stop(); }
  BackfillJobs(const BackfillJobs&) = delete;
  BackfillJobs& operator=(const BackfillJobs&) = delete;

  // Its id. kLimitExceeded: too many wait; errors of the documents.
  Result<std::string> Begin(BackfillRequest request);
  // The last begun first.
  [[nodiscard]] std::vector<BackfillJob> List() const;
  // kNotFound.
  [[nodiscard]] Result<BackfillJob> Find(std::string_view id) const;
  // It ends soon. kNotFound; kConflict: it has ended.
  Status Cancel(std::string_view id);

  void Start();
  // Ends the job that runs, which is interrupted then. Idempotent.
  void Stop();

 private:
  void Load() TM_REQUIRES(mutex_);
  void Work();
  void RunJob(const std::string& id, const BackfillRequest& request, const std::stop_token& stop);
  Status Save(const BackfillJob& job) TM_REQUIRES(mutex_);
  void ForgetOld() TM_REQUIRES(mutex_);

  storage::DocumentStore* const documents_;
  const Clock* const clock_;
  const Run run_;
  mutable Mutex mutex_;
  CondVar wake_;
  bool stopping_ TM_GUARDED_BY(mutex_) = false;
  std::map<std::string, BackfillJob, std::less<>> jobs_ TM_GUARDED_BY(mutex_);  // by id, which ascends
  std::deque<std::string> waiting_ TM_GUARDED_BY(mutex_);
  std::string running_ TM_GUARDED_BY(mutex_);
  std::stop_source stop_ TM_GUARDED_BY(mutex_);  // of the one that runs
  uint64_t next_ TM_GUARDED_BY(mutex_) = 1;
  std::thread thread_;
};

}  // namespace tidemark::server

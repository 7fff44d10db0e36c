// Job: long work that somebody has asked for, and may leave and come back to.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "storage/base/result.h"

namespace tidemark::server::jobs {

enum class JobState : uint8_t { kWaiting, kRunning, kPaused, kDone, kFailed, kCancelled };
// "waiting", "running", "paused", "done", "failed", "cancelled".
std::string_view Name(JobState state);
// Whether nothing comes of it any more.
[[nodiscard]] inline bool HasEnded(JobState state) {
  return state == JobState::kDone || state == JobState::kFailed || state == JobState::kCancelled;
}

struct JobProgress {
  // In the unit of its kind; 0 of 0 while that is not known.
  uint64_t done = 0;
  uint64_t total = 0;
  // What else its kind tells: members of a JSON object without braces, or "".
  std::string details;
};

struct Job {
  std::string id;        // "1"; of others than the book's with a word in front
  std::string kind;      // "compact"
  std::string database;  // "": of none
  std::string author;
  JobState state = JobState::kWaiting;
  JobProgress progress;
  std::string error;     // why it has failed
  int64_t begun_ns = 0;  // when it was asked for, since 1970
  int64_t ended_ns = 0;  // 0: it has not
  std::string store{};   // id of the store whose job it is; "": not known. In documents only
};

enum class JobForm : uint8_t {
  kWhole,   // what is stored, and what a reply that follows a job has: the details of its kind among the others
  kListed,  // times to the second, and the details of its kind under "details": one more column, whatever the kind
};
// One JSON object without braces.
std::string PrintJob(const Job& job, JobForm form = JobForm::kWhole);
// Of such an object with braces. Errors: kCorruption.
Result<Job> ReadJob(std::string_view text);

}  // namespace tidemark::server::jobs

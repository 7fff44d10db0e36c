#include "tools/server/rules/backfills_as_jobs.h"

#include <fmt/core.h>

#include <string>
#include <utility>
#include <vector>

namespace tidemark::server {
namespace {

constexpr std::string_view kWord = "backfill-";

jobs::JobState StateOf(BackfillState state) {
  switch (state) {
    case BackfillState::kWaiting: return jobs::JobState::kWaiting;
    case BackfillState::kRunning: return jobs::JobState::kRunning;
    case BackfillState::kDone: return jobs::JobState::kDone;
    case BackfillState::kCancelled: return jobs::JobState::kCancelled;
    case BackfillState::kFailed:
    case BackfillState::kInterrupted: return jobs::JobState::kFailed;
  }
  return jobs::JobState::kFailed;
}

jobs::Job JobOf(const BackfillJob& backfill) {
  return {.id = std::string(kWord) + backfill.id,
          .kind = "backfill",
          .database = {},
          .author = backfill.request.author,
          .state = StateOf(backfill.state),
          .progress = {.done = backfill.progress.times_done,
                       .total = backfill.progress.times_total,
                       .details = fmt::format(R"("rowsWritten":{})", backfill.progress.rows_written)},
          .error = backfill.error,
          .begun_ns = backfill.begun_ns,
          .ended_ns = backfill.ended_ns};
}

}  // namespace

jobs::OtherJobs BackfillsAsJobs(BackfillJobs* backfills) {
  return {.list =
              [backfills] {
                std::vector<jobs::Job> out;
                for (const BackfillJob& one : backfills->List()) out.push_back(JobOf(one));
                return out;
              },
          .act = [backfills](std::string_view verb, std::string_view id) -> Result<jobs::Job> {
            if (verb != "cancel") {
              return Unsupported("a back-fill can be cancelled, and be begun again: what it has recorded stays");
            }
            id.remove_prefix(kWord.size());
            TM_RETURN_IF_ERROR(backfills->Cancel(id));
            TM_TRY_ASSIGN(const BackfillJob job, backfills->Find(id));
            return JobOf(job);
          }};
}

}  // namespace tidemark::server

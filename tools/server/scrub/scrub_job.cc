#include "tools/server/scrub/scrub_job.h"

#include <fmt/core.h>

#include <algorithm>

namespace tidemark::server {
namespace {

jobs::Job JobOf(const storage::Store& store, const Scrubber& scrubber) {
  const ScrubState state = scrubber.state();
  jobs::Job job{.id = "scrub", .kind = "scrub", .database = {}, .author = "the server", .progress = {}, .error = {}};
  const bool under_way = state.round_begun_ns != 0;
  job.state = scrubber.config().bytes_per_second == 0 ? jobs::JobState::kCancelled
              : state.paused                          ? jobs::JobState::kPaused
              : under_way                             ? jobs::JobState::kRunning
                                                      : jobs::JobState::kWaiting;
  job.begun_ns = under_way ? state.round_begun_ns : state.last_begun_ns;
  job.ended_ns = under_way ? 0 : state.last_ended_ns;
  if (under_way) {
    job.progress.done = state.round_bytes;
    job.progress.total = std::max(state.round_bytes, store.Stats().disk_bytes);
  }
  job.progress.details = fmt::format(R"("rounds":{},"damagedPages":{})", state.rounds, state.damaged.size());
  return job;
}

}  // namespace

jobs::OtherJobs ScrubAsJob(const storage::Store* store, Scrubber* scrubber) {
  return {.list = [store, scrubber] { return std::vector<jobs::Job>{JobOf(*store, *scrubber)}; },
          .act = [store, scrubber](std::string_view verb, std::string_view) -> Result<jobs::Job> {
            if (verb == "cancel") {
              return Unsupported(
                  "the scrub has no end: pause it, or set scrub.bytes_per_second to 0 to have it never again");
            }
            TM_RETURN_IF_ERROR(scrubber->SetPaused(verb == "pause", "an operator"));
            return JobOf(*store, *scrubber);
          }};
}

}  // namespace tidemark::server

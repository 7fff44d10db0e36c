// The scrub as one of the jobs that `admin jobs` shows.
#pragma once

#include "tools/server/jobs/job_service.h"
#include "tools/server/scrub/scrubber.h"

namespace tidemark::server {

// Its id is "scrub"; it can be paused and resumed. `store` and `scrubber` outlive what is returned.
jobs::OtherJobs ScrubAsJob(const storage::Store* store, Scrubber* scrubber);

}  // namespace tidemark::server

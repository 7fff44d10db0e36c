// Back-fills among the jobs that `admin jobs` shows.
#pragma once

#include "tools/server/jobs/job_service.h"
#include "tools/server/rules/backfill_jobs.h"

namespace tidemark::server {

// Their ids are "backfill-" and the number that `alert backfill --list` shows; they can be cancelled. `backfills`
// outlives what is returned.
jobs::OtherJobs BackfillsAsJobs(BackfillJobs* backfills);

}  // namespace tidemark::server

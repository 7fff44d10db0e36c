// BackfillApi: back-fills through HTTP, in the envelope of Prometheus' API.
#pragma once

#include <functional>

#include "storage/base/clock.h"
#include "tools/server/http/message.h"
#include "tools/server/rules/backfill_jobs.h"

namespace tidemark::server {

// Thread-safe.
class BackfillApi {
 public:
  // Whether there is something to do, by query::rules::Manager::CheckBackfillGroup.
  using Check = std::function<Status(const BackfillRequest& request)>;

  // Both outlive it.
  BackfillApi(BackfillJobs* jobs, const Clock* clock, Check check)
      : jobs_(jobs), clock_(clock), check_(std::move(check)) {}

  // 200 with all jobs, the last begun first.
  [[nodiscard]] http::Response List(http::Request& request) const;
  // group=NAME, file=NAME (or namespace), start and end as in /api/v1/query_range, end by default now, rule[]=NAME of
  // those that are meant: 202 with the job; 400, 404, and 413 where too many wait.
  [[nodiscard]] http::Response Begin(http::Request& request) const;
  // The job of the capture: 202 when it ends soon; 404, 409.
  [[nodiscard]] http::Response Cancel(http::Request& request) const;

 private:
  BackfillJobs* const jobs_;
  const Clock* const clock_;
  const Check check_;
};

}  // namespace tidemark::server

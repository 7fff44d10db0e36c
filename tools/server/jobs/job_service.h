// JobService: the acts about long work: those that begin some, and `jobs list|follow|pause|resume|cancel`.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "storage/storage.h"
#include "tools/admin/act_handlers.h"
#include "tools/server/http/message.h"
#include "tools/server/jobs/job_book.h"

namespace tidemark::server::jobs {

// Work that somebody else keeps, shown beside the book's: back-fills, the scrub. Its ids have a word in front.
struct OtherJobs {
  std::function<std::vector<Job>()> list;
  // "pause", "resume" or "cancel" of one of its ids. kUnsupported: it cannot be done with that kind; as JobBook's.
  std::function<Result<Job>(std::string_view verb, std::string_view id)> act;
};

// Thread-safe. Answers in the envelope of the Prometheus API.
class JobService {
 public:
  // All outlive it.
  JobService(storage::Store* store, JobBook* book) : store_(store), book_(book) {}
  // Before the first request.
  void Add(OtherJobs others) { others_.push_back(std::move(others)); }

  static admin::ActHandlers<JobService> Handlers();

 private:
  // Begins a compaction, or joins the one of the database that has not ended, and tells of it an object a line. A
  // client that goes away leaves it to go on. detach=1: tells of it once.
  http::Response Compact(http::Request& request) const;
  http::Response CreateBackup(http::Request& request) const;
  http::Response Verify(http::Request& request) const;
  http::Response List(http::Request& request) const;
  http::Response Follow(http::Request& request) const;
  http::Response Pause(http::Request& request) const { return Act(request, "pause", &JobBook::Pause); }
  http::Response Resume(http::Request& request) const { return Act(request, "resume", &JobBook::Resume); }
  http::Response Cancel(http::Request& request) const { return Act(request, "cancel", &JobBook::Cancel); }

  http::Response Act(http::Request& request, std::string_view verb,
                     Result<Job> (JobBook::*act)(std::string_view id)) const;
  http::Response Begin(http::Request& request, JobRequest wanted) const;
  [[nodiscard]] http::Response Tell(std::string id) const;
  [[nodiscard]] std::vector<Job> All() const;

  storage::Store* const store_;
  JobBook* const book_;
  std::vector<OtherJobs> others_;
};

// The kind "verify": reads and checks all pages once, as fast as the disk gives them.
JobKind VerifyKind(storage::Store* store);

// The kind "compact": folds each partition of a database, and tells what it has won.
JobKind CompactKind(storage::Store* store, std::function<bool()> has_room = [] { return true; });

}  // namespace tidemark::server::jobs

// Auditor: writes down who changed what and who was refused. It hears of requests from the router, keeps what it hears
// in a bounded queue, and writes it on a thread of its own, so that no io thread waits for the disk; whoever was
// allowed to change something gets his answer when that is written.
//
//   TM_TRY_ASSIGN(std::unique_ptr<Auditor> auditor, Auditor::Start(data + "/audit", store->Documents(), &clock));
//   Router router(routes, {.observer = auditor.get()});
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "storage/base/clock.h"
#include "storage/base/mutex.h"
#include "storage/documents.h"
#include "tools/server/audit/log_files.h"
#include "tools/server/http/observer.h"

namespace tidemark::server::audit {

inline constexpr std::string_view kHeadKind = "audit";
inline constexpr std::string_view kHeadName = "head";
// Records that wait. Of refusals, more are counted and not written; an act waits.
inline constexpr size_t kQueueMax = 4'096;
// Refusals of one kind from one address within this time are one record.
inline constexpr int64_t kRefusalsWithinNs = 1'000'000'000;

// Thread-safe.
class Auditor final : public http::Observer {
 public:
  // Goes on behind what is in `directory`. The documents and the clock outlive it. Where the directory does not hold
  // the line that the head in the documents names, it goes on behind that line all the same, so that Verify finds the
  // gap for as long as the files around it are kept. kIo; kCorruption: the head cannot be read.
  static Result<std::unique_ptr<Auditor>> Start(std::string directory, storage::DocumentStore* documents,
                                                const Clock* clock);
  // Writes what waits.
  ~Auditor() override;

  void Refused(const http::Request& head, int status, std::string_view why) override TM_EXCLUDES(mutex_);
  void Changed(const http::Request& request, int status) override TM_EXCLUDES(mutex_);

  // Of what was done by other means than a request, such as a signal.
  void Did(std::string who, std::string from, std::string_view act) TM_EXCLUDES(mutex_);

  // The newest `limit` records that are written, newest first, of `who` only when that is not empty.
  [[nodiscard]] Result<std::vector<Record>> List(std::string_view who, size_t limit) const;
  // The first break of the chain, or where it is not what this server has written; "" when it is whole.
  [[nodiscard]] Result<std::string> Verify() const;

  struct Counters {
    uint64_t written = 0;
    uint64_t lost = 0;  // refusals beyond the queue, and what could not be written
  };
  [[nodiscard]] Counters counters() const TM_EXCLUDES(mutex_);

 private:
  Auditor(LogFiles files, std::string directory, storage::DocumentStore* documents, const Clock* clock);
  // Returns when it is written.
  void Add(Record record) TM_EXCLUDES(mutex_);
  void Run();
  // What waits, as one batch.
  std::vector<Record> Take() TM_REQUIRES(mutex_);
  void Write(std::vector<Record> batch) TM_EXCLUDES(mutex_);

  const std::string directory_;
  storage::DocumentStore* const documents_;
  const Clock* const clock_;
  LogFiles files_;  // of the thread
  mutable Mutex mutex_;
  CondVar work_;
  CondVar written_;
  std::deque<Record> waiting_ TM_GUARDED_BY(mutex_);
  // By who, address, act, status and reason.
  std::map<std::string, Record> refusals_ TM_GUARDED_BY(mutex_);
  int64_t refusals_since_ns_ TM_GUARDED_BY(mutex_) = 0;
  uint64_t taken_ TM_GUARDED_BY(mutex_) = 0;  // of all that ever waited
  uint64_t done_ TM_GUARDED_BY(mutex_) = 0;
  Counters counters_ TM_GUARDED_BY(mutex_);
  Head on_disk_ TM_GUARDED_BY(mutex_);        // the last line that is known to be on disk
  uint64_t begun_ TM_GUARDED_BY(mutex_) = 0;  // the sequence up to which lines may be on disk
  bool ending_ TM_GUARDED_BY(mutex_) = false;
  std::jthread thread_;  // last: it uses all of the above
};

}  // namespace tidemark::server::audit

// SpooledSink: a PointSink that hands batches to the client library, which delivers them when the server is there.
#pragma once

#include <atomic>
#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "clients/cpp/writer.h"
#include "storage/base/mutex.h"
#include "storage/model/point_sink.h"

namespace tidemark::sink {

struct SpooledSinkOptions {
  std::string server{};
  // Each sink takes the first of the folders spool_root/0 to spool_root/15 that no other process has open, so that
  // programs that run side by side do not wait for each other. "": no spool; what the server does not take is then
  // lost with the process. A root belongs to one server: whatever lies in its folders goes there.
  std::string spool_root{};
  // Of each folder; beyond it the oldest rows are given up.
  uint64_t spool_bytes = uint64_t{256} << 20;
};

// Thread-safe. Write does not wait for the server: a report says that the rows are with the server or in the spool.
// What programs that have ended left in other folders of the root is delivered in the background.
class SpooledSink final : public model::PointSink {
 public:
  // How things stand after Close. Rows may be counted as points by the client; here they are rows of reports.
  struct Balance {
    uint64_t delivered = 0;
    uint64_t waiting = 0;   // on disk, for the next sink with this root
    uint64_t rejected = 0;  // refused by the server, for good
    uint64_t lost = 0;      // the spool was full, or there is none
    std::string last_error{};
    std::string first_refusal{};  // the server's words
  };

  // Errors: kInvalidArgument, kIo, kUnavailable (all folders are taken).
  static Result<std::unique_ptr<SpooledSink>> Open(const SpooledSinkOptions& options);
  // Close(2 s).
  ~SpooledSink() override;
  SpooledSink(const SpooledSink&) = delete;
  SpooledSink& operator=(const SpooledSink&) = delete;

  // Errors: kInvalidArgument, kResourceExhausted, kTimeout (neither disk nor server took the rows in 10 s).
  Result<model::WriteReport> Write(std::string_view database, const model::Batch& batch) override;

  // Waits until everything in all folders is delivered or refused. Errors: kTimeout.
  Result<void> Flush(std::chrono::milliseconds wait);

  // Tries for `wait` to deliver what is left; the rest stays in the spool. Writes after it are refused. Later calls
  // return the balance of the first.
  Balance Close(std::chrono::milliseconds wait);

  // Of this sink's own folder.
  [[nodiscard]] client::WriterStats stats() const { return own_->stats(); }

 private:
  struct Refusals {
    Mutex mutex;
    std::string first TM_GUARDED_BY(mutex);
  };

  SpooledSink() = default;
  Result<void> OpenFolders(const SpooledSinkOptions& options);

  std::shared_ptr<Refusals> refusals_ = std::make_shared<Refusals>();
  std::unique_ptr<client::Writer> own_;
  // Of folders that other programs have left behind; nothing is added to them.
  std::vector<std::unique_ptr<client::Writer>> others_;
  Mutex close_mutex_;
  bool closed_ TM_GUARDED_BY(close_mutex_) = false;
  Balance balance_ TM_GUARDED_BY(close_mutex_);
};

}  // namespace tidemark::sink

// SpooledSink: a PointSink that hands batches to the client library, which delivers them when the server is there.
#pragma once

#include <memory>
#include <string>

#include "clients/cpp/writer.h"
#include "storage/model/point_sink.h"

namespace tidemark::cli {

// Thread-safe. Unlike RemoteSink, Write does not wait for the server: a report says that the rows are with the server
// or in the spool. What the server refuses later is in stats(). The destructor tries for two seconds to deliver what is
// left; the rest stays in the spool for the next sink.
class SpooledSink final : public model::PointSink {
 public:
  // Takes the first of the folders spool_root/0 to spool_root/15 that no other process has open, so that programs that
  // run side by side do not wait for each other. Errors: kInvalidArgument, kIo, kUnavailable (all are taken).
  static Result<std::unique_ptr<SpooledSink>> Open(const std::string& server, const std::string& spool_root);

  // Errors: kInvalidArgument, kResourceExhausted, kTimeout (neither disk nor server took the rows in 10 s).
  Result<model::WriteReport> Write(std::string_view database, const model::Batch& batch) override;

  [[nodiscard]] client::WriterStats stats() const { return writer_->stats(); }

 private:
  explicit SpooledSink(std::unique_ptr<client::Writer> writer) : writer_(std::move(writer)) {}

  std::unique_ptr<client::Writer> writer_;
};

}  // namespace tidemark::cli

#include "tools/cli/remote_sink.h"

#include <fmt/core.h>

#include "tools/cli/line_protocol_text.h"

namespace tidemark::cli {

Result<model::WriteReport> RemoteSink::Write(std::string_view database, const model::Batch& batch) {
  std::string body;
  TM_RETURN_IF_ERROR(AppendLineProtocol(batch, &body));
  model::WriteReport report;
  if (body.empty()) return report;
  MutexLock lock(mutex_);
  TM_TRY_ASSIGN(const HttpReply reply,
                client_->Send("POST", "/write" + QueryString({{"db", std::string(database)}}), {}, body));
  if (reply.status == 429 || reply.status == 503) {
    return MakeError(ErrorCode::kResourceExhausted, fmt::format("the server is busy: {}", reply.body));
  }
  if (reply.status / 100 != 2) {
    return InvalidArgument(fmt::format("the server answered {}: {}", reply.status, reply.body));
  }
  report.rows_written = batch.rows.size();
  report.points_written = batch.points();
  return report;
}

}  // namespace tidemark::cli

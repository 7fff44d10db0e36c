#include "tools/server/backup/backup_service.h"

#include <fmt/core.h>

#include <memory>
#include <stop_token>
#include <string>
#include <utility>
#include <vector>

#include "query/api/envelope.h"
#include "storage/backup.h"
#include "storage/base/text/instant.h"
#include "storage/base/text/json_string.h"

namespace tidemark::server::backup {
namespace {

using http::Request;
using http::Response;

// Without braces.
std::string Json(const storage::BackupInfo& info) {
  std::string out = fmt::format(R"("id":{},"time":")", info.id);
  text::AppendRfc3339(&out, info.made_ns);
  out += fmt::format(R"(","bytes":{},"files":{},"store":)", info.bytes, info.files);
  text::AppendJsonString(&out, info.store_id);
  return out;
}

}  // namespace

admin::ActHandlers<BackupService> BackupService::Handlers() {
  static constexpr admin::ActHandler<BackupService> kHandlers[] = {
      {"backup create", &BackupService::Create},
      {"backup list", &BackupService::List},
  };
  return kHandlers;
}

Response BackupService::Create(Request&) const {
  Response response;
  response.content_type = "application/x-ndjson";
  response.ends_at_drain = true;
  response.produce = [maker = maker_](const std::shared_ptr<http::ReplyStream>& stream) {
    // A client that goes away stops the copying; the next backup uses what was copied.
    std::stop_source stop;
    const auto made = maker->Make(stop.get_token(), [&stream, &stop](uint64_t bytes) {
      if (!stream->Push(fmt::format(R"({{"bytesCopied":{}}})", bytes) + "\n")) stop.request_stop();
    });
    std::string last = "{";
    if (made.ok()) {
      last += Json(*made) + R"(,"done":true)";
    } else {
      last += R"("error":)";
      text::AppendJsonString(&last, made.error().message);
    }
    stream->Push(last + "}\n");
    stream->Finish();
  };
  return response;
}

Response BackupService::List(Request&) const {
  const std::string& directory = maker_->config().directory;
  std::vector<storage::BackupInfo> all;
  // No folder yet is no backup yet.
  if (!directory.empty()) {
    auto found = storage::ListBackups(directory);
    if (!found.ok() && found.error().code != ErrorCode::kNotFound) {
      query::api::Reply reply = query::api::ErrorReply(found.error());
      return http::JsonResponse(reply.status, std::move(reply.body));
    }
    if (found.ok()) all = std::move(found).value();
  }
  std::string data = R"({"status":"success","data":[)";
  for (size_t i = 0; i < all.size(); ++i) data += (i == 0 ? "{" : ",{") + Json(all[i]) + '}';
  return http::JsonResponse(200, data + "]}");
}

}  // namespace tidemark::server::backup

#include "tools/server/backup/backup_service.h"

#include <fmt/core.h>

#include <string>
#include <utility>
#include <vector>

#include "query/api/envelope.h"
#include "storage/backup.h"
#include "tools/server/backup/backup_job.h"

namespace tidemark::server::backup {
namespace {

using http::Request;
using http::Response;

}  // namespace

admin::ActHandlers<BackupService> BackupService::Handlers() {
  static constexpr admin::ActHandler<BackupService> kHandlers[] = {
      {"backup list", &BackupService::List},
  };
  return kHandlers;
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
  for (size_t i = 0; i < all.size(); ++i) data += (i == 0 ? "{" : ",{") + BackupJson(all[i]) + '}';
  return http::JsonResponse(200, data + "]}");
}

}  // namespace tidemark::server::backup

// The act "partitions".
#include <fmt/core.h>

#include <string>
#include <string_view>
#include <utility>

#include "query/api/envelope.h"
#include "storage/base/text/instant.h"
#include "tools/server/admin/admin_service.h"
#include "tools/server/admin/database_of.h"

namespace tidemark::server {
namespace {

// What an operator has to know of a partition: whether a compaction would make it smaller, and whether only rollups are
// left.
std::string_view StateOf(const storage::PartitionInfo& partition) {
  if (partition.tiers_only) return "rollups only";
  return partition.sealed ? "sealed" : "open";
}

}  // namespace

http::Response AdminService::ShowPartitions(http::Request& request) const {
  const std::string database = DatabaseOf(request);
  const auto view = store_->OpenView(database, storage::SeriesFilter::Of(request.caller->filter()));
  if (!view.ok()) {
    query::api::Reply reply = query::api::ErrorReply(view.error());
    return http::JsonResponse(reply.status, std::move(reply.body));
  }
  std::string data = "[";
  for (const storage::PartitionInfo& partition : (*view)->Partitions()) {
    if (data.size() > 1) data += ',';
    data += fmt::format(
        R"({{"from":"{}","to":"{}","firstRow":"{}","lastRow":"{}","values":{},"epochs":{},"bytes":{},"state":"{}"}})",
        text::PrintSecond(partition.bounds.first.ns), text::PrintSecond(partition.bounds.last.ns),
        text::PrintSecond(partition.rows.first.ns), text::PrintSecond(partition.rows.last.ns), partition.row_count,
        partition.epochs, partition.bytes, StateOf(partition));
  }
  return http::JsonResponse(200, R"({"status":"success","data":)" + data + "]}");
}

}  // namespace tidemark::server

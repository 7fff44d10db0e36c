#include "tools/server/routes/filtered_routes.h"

#include <algorithm>

namespace tidemark::server {
namespace {

constexpr const char* kHeld = nullptr;
constexpr const char* kServer = "this is about the whole server";
constexpr const char* kDatabase = "this is about all series of a database";
constexpr const char* kSilences = "silences are for the alerts of all";
constexpr const char* kSenders = "alerts of other programs come with a token for all series";
constexpr const char* kConfigured = "the configuration is the server's";

// In the order of the areas (areas.h). Patterns of one prefix stand together.
constexpr FilteredRoute kRows[] = {
    // Writes get or must have the labels of the filter: write/write_gate.h.
    {"/write", kHeld},
    {"/api/v2/write", kHeld},
    {"/api/v1/write", kHeld},
    {"/api/v1/native", kHeld},
    // Whether the server is up, and whose token it is.
    {"/ping", kHeld},
    {"/api/v2/ping", kHeld},
    {"/ready", kHeld},
    {"/api/v2/setup", kHeld},
    {"/health", kHeld},
    {"/-/ready", kHeld},
    {"/-/healthy", kHeld},
    {"/api/v1/session", kHeld},
    {"/api/v2/me", kHeld},
    {"/api/v2/orgs", kHeld},
    {"/api/v2/orgs/*", kHeld},
    // Questions: each opens its view with the filter.
    {"/api/v1/read", kHeld},
    {"/api/v1/query", kHeld},
    {"/api/v1/query_range", kHeld},
    {"/api/v1/query_batch", kHeld},
    {"/api/v1/format_query", kHeld},
    {"/api/v1/parse_query", kHeld},
    {"/api/v1/query_exemplars", kHeld},
    {"/api/v1/labels", kHeld},
    {"/api/v1/label/*/values", kHeld},
    {"/api/v1/series", kHeld},
    {"/api/v1/rows", kHeld},
    {"/api/v1/metadata", kHeld},
    {"/api/v1/events", kHeld},
    {"/federate", kHeld},
    {"/api/v1/status/tsdb", kHeld},
    {"/api/v1/status/tsdb/blocks", "rows and bytes are counted by partition, not by series"},
    {"/api/v1/status/buildinfo", kHeld},
    {"/api/v1/status/config", kConfigured},
    {"/api/v1/status/flags", kConfigured},
    {"/api/v1/status/runtimeinfo", kServer},
    {"/api/v1/status/walreplay", kHeld},
    {"/api/v1/features", kHeld},
    {"/api/v1/targets", kHeld},
    {"/api/v1/targets/metadata", kHeld},
    {"/api/v1/targets/relabel_steps", kHeld},
    {"/api/v1/scrape_pools", kHeld},
    {"/api/v1/alertmanagers", kHeld},
    {"/api/v1/notifications", kHeld},
    {"/api/v1/notifications/live", kHeld},
    {"/api/v1/rules", kHeld},
    {"/api/v1/alerts", kHeld},
    // Statements: those about a whole database are refused one by one, deletions are narrowed.
    {"/query", kHeld},
    {"/api/v2/query", kHeld},
    {"/api/v2/query/*", kHeld},
    {"/api/v2/buckets", kHeld},
    {"/api/v2/buckets/*", kHeld},
    {"/api/v2/delete", kHeld},
    // Rules see what their maker sees.
    {"/config/v1/rules", kHeld},
    {"/config/v1/rules/*", kHeld},
    {"/config/v1/rules/*/*", kHeld},
    {"/prometheus/config/v1/rules", kHeld},
    {"/prometheus/config/v1/rules/*", kHeld},
    {"/prometheus/config/v1/rules/*/*", kHeld},
    {"/rules", kHeld},
    {"/rules/*", kHeld},
    {"/rules/*/*", kHeld},
    {"/api/v1/rules/*", kHeld},
    {"/api/v1/rules/*/*", kHeld},
    {"/api/v1/backfills", "a back-fill reads and writes for all"},
    {"/api/v1/backfills/*", "a back-fill reads and writes for all"},
    {"/api/v2/alerts", kHeld},
    {"/api/v2/alerts/groups", kHeld},
    {"/api/v2/silences", kSilences},
    {"/api/v2/silence/*", kSilences},
    {"/api/v2/status", kConfigured},
    {"/api/v2/receivers", kConfigured},
    {"/api/v1/admin/alert/test", kServer},
    // Administration: what names its series is narrowed to those of the filter.
    {"/api/v1/admin/delete", kHeld},
    {"/api/v1/admin/tsdb/delete_series", kHeld},
    {"/api/v1/admin/tsdb/clean_tombstones", kDatabase},
    {"/api/v1/admin/cardinality", kDatabase},
    {"/api/v1/admin/import", "rows are imported as they are: write them"},
    {"/api/v1/admin/retention", kDatabase},
    {"/api/v1/admin/rollup", kDatabase},
    {"/api/v1/admin/types", kDatabase},
    {"/api/v1/admin/compact", kDatabase},
    {"/api/v1/admin/rejections", "refused lines are of all writers"},
    {"/api/v1/admin/databases", kDatabase},
    {"/api/v1/admin/partitions", kDatabase},
    {"/api/v1/admin/tokens", kServer},
    {"/metrics", kServer},
    // Documents and files, in which there are no series.
    {"/api/v1/dashboards", kHeld},
    {"/api/v1/dashboards/*", kHeld},
    {"/api/v1/dashboards/*/history", kHeld},
    {"/", kHeld},
    {"/graph", kHeld},
    {"/dashboard", kHeld},
    {"/dashboard/assets/*", kHeld},
};

}  // namespace

std::span<const FilteredRoute> FilteredRoutes() { return kRows; }

void HoldRoutes(std::vector<http::Route>* routes) {
  for (http::Route& route : *routes) {
    const auto* const row = std::ranges::find(kRows, std::string_view(route.pattern), &FilteredRoute::pattern);
    route.filtered = row != std::end(kRows) && row->refusal == nullptr;
    if (row != std::end(kRows) && row->refusal != nullptr) route.unfiltered = row->refusal;
    // What somebody says of others' alerts is believed.
    if (route.pattern == "/api/v2/alerts" && route.access == http::Access::kWrite) {
      route.filtered = false;
      route.unfiltered = kSenders;
    }
    // A bucket is a whole database.
    if (route.pattern == "/api/v2/buckets/*" && route.access == http::Access::kAdmin) {
      route.filtered = false;
      route.unfiltered = kDatabase;
    }
  }
}

}  // namespace tidemark::server

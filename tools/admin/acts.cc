#include "tools/admin/acts.h"

namespace tidemark::admin {
namespace {

using Kind = Parameter::Kind;

constexpr Parameter kDatabase = {.flag = "db", .parameter = "db", .required = true, .help = "database"};
constexpr Parameter kDryRun = {
    .flag = "--dry-run", .parameter = "dry_run", .kind = Kind::kSwitch, .help = "only say what would go"};
constexpr Parameter kData = {.flag = "--data", .parameter = {}, .required = true, .help = "the data directory"};

constexpr Parameter kOfDatabase[] = {kDatabase};

constexpr Parameter kRetentionSet[] = {
    kDatabase,
    {.flag = "keep", .parameter = "keep", .help = "of all points: 30d, 12h, ...; inf keeps everything"},
    {.flag = "--match",
     .parameter = "match[]",
     .kind = Kind::kList,
     .help = "series that are kept for --keep only, such as '{__name__=~\"debug_.*\"}'"},
    {.flag = "--keep", .parameter = "keep", .help = "of --match: 1d, ...; inf takes the rule away"},
    {.flag = "--max-bytes",
     .parameter = "max_bytes",
     .help = "drop the oldest partitions above this: 50GB, 50GiB; 0: no limit"},
    kDryRun,
};

constexpr Parameter kRollupSet[] = {
    kDatabase,
    {.flag = "--tier",
     .parameter = "tier",
     .kind = Kind::kList,
     .required = true,
     .help = "WIDTH:KEEP such as 5m:90d or 1h:inf, once for each; outlives the raw rows where it is kept longer; "
             "none: no tiers"},
    kDryRun,
};

constexpr Parameter kDelete[] = {
    kDatabase,
    {.flag = "--match",
     .parameter = "match[]",
     .kind = Kind::kList,
     .required = true,
     .help = "series such as 'cpu_usage{host=\"a\"}'; more than one: all of them"},
    {.flag = "--start",
     .parameter = "start",
     .kind = Kind::kTime,
     .help = "from this time on (unix seconds, RFC 3339, -2d); else from the first"},
    {.flag = "--end", .parameter = "end", .kind = Kind::kTime, .help = "up to and with this time; else to the last"},
    {.flag = "--field",
     .parameter = "field",
     .kind = Kind::kList,
     .help = "only this field; more than one: all of them"},
    kDryRun,
};

constexpr Parameter kRejections[] = {
    {.flag = "db", .parameter = "db", .help = "of this database only"},
    {.flag = "--limit", .parameter = "limit", .kind = Kind::kCount, .help = "how many at most", .initial = 100},
};

constexpr Parameter kVerify[] = {kData};
constexpr Parameter kRepair[] = {
    kData,
    {.flag = "--dry-run", .parameter = {}, .kind = Kind::kSwitch, .help = "only say what would be given up"},
};

constexpr Act kActs[] = {
    {.name = "retention set",
     .has_command = true,
     .method = Method::kPost,
     .path = "/api/v1/admin/retention",
     .right = Right::kAdmin,
     .reply = Reply::kObject,
     .keys = "database retentionSeconds maxBytes selectors tiers partitionsDropped selected",
     .help = "keep the points of DB, or of some series, for some time",
     .parameters = kRetentionSet},
    {.name = "retention show",
     .has_command = true,
     .method = Method::kGet,
     .path = "/api/v1/admin/retention",
     .right = Right::kAdmin,
     .reply = Reply::kObject,
     .keys = "database retentionSeconds maxBytes selectors tiers",
     .help = "what DB keeps",
     .parameters = kOfDatabase},
    {.name = "rollup set",
     .has_command = true,
     .method = Method::kPost,
     .path = "/api/v1/admin/rollup",
     .right = Right::kAdmin,
     .reply = Reply::kObject,
     .keys = "database retentionSeconds maxBytes selectors tiers",
     .help = "the tiers of DB, in place of those that it has",
     .parameters = kRollupSet},
    {.name = "delete",
     .has_command = true,
     .method = Method::kPost,
     .path = "/api/v1/admin/delete",
     .right = Right::kAdmin,
     .reply = Reply::kObject,
     .keys = "database dryRun deleted",
     .help = "delete points of DB that are there now",
     .parameters = kDelete},
    {.name = "tsdb delete_series",
     .has_command = false,
     .method = Method::kPostOrPut,
     .path = "/api/v1/admin/tsdb/delete_series",
     .right = Right::kAdmin,
     .reply = Reply::kNone,
     .keys = {},
     .help = {},
     .parameters = {}},
    {.name = "tsdb clean_tombstones",
     .has_command = false,
     .method = Method::kPostOrPut,
     .path = "/api/v1/admin/tsdb/clean_tombstones",
     .right = Right::kAdmin,
     .reply = Reply::kNone,
     .keys = {},
     .help = {},
     .parameters = {}},
    {.name = "databases",
     .has_command = false,
     .method = Method::kGet,
     .path = "/api/v1/admin/databases",
     .right = Right::kAdmin,
     .reply = Reply::kList,
     .keys = "database retentionSeconds partitionSeconds syncIntervalSeconds series fields partitions diskBytes",
     .help = {},
     .parameters = {}},
    {.name = "verify",
     .has_command = true,
     .method = Method::kNone,
     .path = {},
     .right = Right::kAdmin,
     .reply = Reply::kNone,
     .keys = {},
     .help = "read all of a data directory whose server is stopped; exit code 1 when something is damaged",
     .parameters = kVerify},
    {.name = "repair",
     .has_command = true,
     .method = Method::kNone,
     .path = {},
     .right = Right::kAdmin,
     .reply = Reply::kNone,
     .keys = {},
     .help = "set aside what is damaged in the journal and stops the start; the server is stopped meanwhile",
     .parameters = kRepair},
    {.name = "compact",
     .has_command = true,
     .method = Method::kPost,
     .path = "/api/v1/admin/compact",
     .right = Right::kAdmin,
     .reply = Reply::kProgress,
     .keys = "partitionsDone partitionsTotal bytesRead bytesWritten",
     .help = "fold each partition of DB into one epoch, without what was deleted",
     .parameters = kOfDatabase},
    {.name = "rejections",
     .has_command = true,
     .method = Method::kGet,
     .path = "/api/v1/admin/rejections",
     .right = Right::kAdmin,
     .reply = Reply::kList,
     .keys = "number time database line reason message",
     .help = "the last points that were refused, and why; newest first",
     .parameters = kRejections},
    {.name = "checkpoint",
     .has_command = true,
     .method = Method::kPost,
     .path = "/api/v1/admin/checkpoint",
     .right = Right::kAdmin,
     .reply = Reply::kObject,
     .keys = "checkpoints diskBytes",
     .help = "write everything staged in memory into pages on disk",
     .parameters = {}},
};

constexpr Group kGroups[] = {
    {"retention", "how long points are kept"},
    {"rollup", "rollup tiers"},
};

}  // namespace

std::span<const Act> Acts() { return kActs; }
std::span<const Group> Groups() { return kGroups; }

}  // namespace tidemark::admin

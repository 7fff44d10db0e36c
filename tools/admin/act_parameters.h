// What the commands of the acts take: the flags of each row of acts.cc, which alone includes this.
#pragma once

#include "tools/admin/acts.h"

namespace tidemark::admin::parameters {

using Kind = Parameter::Kind;

inline constexpr Parameter kDatabase = {.flag = "db", .parameter = "db", .required = true, .help = "database"};
inline constexpr Parameter kDryRun = {
    .flag = "--dry-run", .parameter = "dry_run", .kind = Kind::kSwitch, .help = "only say what would go"};
inline constexpr Parameter kOffline = {
    .flag = "--data", .parameter = {}, .help = "a data directory whose server is stopped, in place of a server"};
inline constexpr Parameter kData = {.flag = "--data", .parameter = {}, .required = true, .help = "the data directory"};

// Work that goes on by itself.
inline constexpr Parameter kDetach = {.flag = "--detach",
                                      .parameter = "detach",
                                      .kind = Kind::kSwitch,
                                      .help = "do not wait for its end; `tidemark admin jobs follow` comes back to it"};
inline constexpr Parameter kCompact[] = {kDatabase, kDetach, kOffline};
inline constexpr Parameter kBackupCreate[] = {kDetach};
inline constexpr Parameter kJob[] = {
    {.flag = "id", .parameter = "id", .required = true, .help = "of the job, as `tidemark admin jobs list` shows it"},
};
inline constexpr Parameter kRenameDatabase[] = {
    {.flag = "from", .parameter = "from", .required = true, .help = "the database"},
    {.flag = "to", .parameter = "to", .required = true, .help = "its new name"},
    {.flag = "--dry-run",
     .parameter = "dry_run",
     .kind = Kind::kSwitch,
     .help = "only say whether it can be, and what else names the database"},
    kOffline,
};
inline constexpr Parameter kFieldShow[] = {
    kDatabase,
    {.flag = "--measurement", .parameter = "measurement", .help = "only its fields"},
    {.flag = "--field", .parameter = "field", .help = "only fields of this name"},
    kOffline,
};
inline constexpr Parameter kFieldDrop[] = {
    kDatabase,
    {.flag = "measurement", .parameter = "measurement", .required = true, .help = "whose field it is"},
    {.flag = "field", .parameter = "field", .required = true, .help = "the field"},
    kDryRun,
    kOffline,
};

inline constexpr Parameter kOfDatabase[] = {kDatabase, kOffline};
// Of acts that take nothing else.
inline constexpr Parameter kAnywhere[] = {kOffline};

inline constexpr Parameter kRetentionSet[] = {
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
    kOffline,
};

inline constexpr Parameter kRollupSet[] = {
    kDatabase,
    {.flag = "--tier",
     .parameter = "tier",
     .kind = Kind::kList,
     .required = true,
     .help = "WIDTH:KEEP such as 5m:90d or 1h:inf, once for each; outlives the raw rows where it is kept longer; "
             "none: no tiers"},
    kDryRun,
    kOffline,
};

inline constexpr Parameter kTypesSet[] = {
    kDatabase,
    {.flag = "conflicts",
     .parameter = "conflicts",
     .required = true,
     .help = "widen: an integer field that gets a float is a float field from then on, and its integers stay as they "
             "are; refuse: the row is refused, as by InfluxDB"},
    kOffline,
};

inline constexpr Parameter kDelete[] = {
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
    kOffline,
};

inline constexpr Parameter kRejections[] = {
    {.flag = "db", .parameter = "db", .help = "of this database only"},
    {.flag = "--source", .parameter = "source", .help = "of this way in only, as \"line protocol\""},
    {.flag = "--start",
     .parameter = "start",
     .kind = Kind::kTime,
     .help = "refused from this time on (unix seconds, RFC 3339, -2d)"},
    {.flag = "--end", .parameter = "end", .kind = Kind::kTime, .help = "refused up to and with this time"},
    {.flag = "--limit", .parameter = "limit", .kind = Kind::kCount, .help = "how many at most", .initial = 100},
};

inline constexpr Parameter kWithHash = {
    .flag = "--hash",
    .parameter = {},
    .kind = Kind::kSwitch,
    .help = "also print the logical hash of each database, see `tidemark admin hash`"};
inline constexpr Parameter kVerify[] = {kOffline, kWithHash, kDetach};
inline constexpr Parameter kRepair[] = {
    kData,
    {.flag = "--dry-run", .parameter = {}, .kind = Kind::kSwitch, .help = "only say what would be given up"},
};

inline constexpr Parameter kBackupFrom = {
    .flag = "--from", .parameter = {}, .required = true, .help = "the folder of the backups (backup.directory)"};
inline constexpr Parameter kBackupId = {.flag = "--id",
                                        .parameter = {},
                                        .kind = Kind::kCount,
                                        .help = "of the backup, as the list shows it; 0: the newest"};
inline constexpr Parameter kBackupVerify[] = {kBackupFrom, kBackupId, kWithHash};
inline constexpr Parameter kBackupRestore[] = {
    kBackupFrom,
    kBackupId,
    {.flag = "--data", .parameter = {}, .required = true, .help = "the data directory to make; nothing may lie there"},
};

inline constexpr Parameter kMatch = {
    .flag = "--match",
    .parameter = {},
    .kind = Kind::kList,
    .help = "series such as 'cpu_usage{host=\"a\"}'; more than one: all of them; else all"};
inline constexpr Parameter kStart = {.flag = "--start",
                                     .parameter = {},
                                     .kind = Kind::kTime,
                                     .help = "from this time on (unix seconds, RFC 3339, -2d); else from the first"};
inline constexpr Parameter kEnd = {
    .flag = "--end", .parameter = {}, .kind = Kind::kTime, .help = "up to and with this time; else to the last"};
inline constexpr Parameter kExport[] = {
    kDatabase,
    kMatch,
    kStart,
    kEnd,
    {.flag = "--format",
     .parameter = {},
     .help = "jsonl (everything, exactly), csv (the same), lp (line protocol); else by the name of --to"},
    {.flag = "--to",
     .parameter = {},
     .help = "the file to make, packed when its name ends in .zst or .gz; else standard output"},
    kOffline,
};
inline constexpr Parameter kImportState = {
    .flag = "--state",
    .parameter = {},
    .help = "a file that says how far it has come; a second run with it goes on there. It goes when all is done"};
inline constexpr Parameter kNoComparison = {
    .flag = "--no-comparison",
    .parameter = {},
    .kind = Kind::kSwitch,
    .help = "do not read back what was imported and compare it, point by point"};
inline constexpr Parameter kImportFile[] = {
    kDatabase,
    {.flag = "source",
     .parameter = {},
     .required = true,
     .help = "what `admin export` has made, packed or not; - for standard input"},
    {.flag = "--format", .parameter = {}, .help = "jsonl, csv or lp; else by the name of the file"},
    kImportState,
    kNoComparison,
    kOffline,
};
inline constexpr Parameter kImportPrometheus[] = {
    kDatabase,
    {.flag = "source",
     .parameter = {},
     .required = true,
     .help = "the folder of --storage.tsdb.path, of a Prometheus that is stopped; a snapshot of it; or one block"},
    kImportState,
    kNoComparison,
    kOffline,
};
inline constexpr Parameter kImportInfluxdb[] = {
    {.flag = "source",
     .parameter = {},
     .required = true,
     .help = "what `influx_inspect export` has made, packed or not; - for standard input"},
    {.flag = "--db",
     .parameter = "db",
     .help =
         "database; else those that the export names. Points of a retention policy of its own name go to DB.POLICY"},
    kImportState,
    kNoComparison,
    kOffline,
};
inline constexpr Parameter kImportVictoriametrics[] = {
    kDatabase,
    {.flag = "source",
     .parameter = {},
     .required = true,
     .help = "the JSON lines of /api/v1/export, packed or not; - for standard input"},
    kImportState,
    kNoComparison,
    kOffline,
};
inline constexpr Parameter kHash[] = {
    {.flag = "db", .parameter = "db", .help = "of this database only"},
    kMatch,
    kStart,
    kEnd,
    {.flag = "--json", .parameter = {}, .kind = Kind::kSwitch, .help = "one JSON object a database"},
    kOffline,
};

inline constexpr Parameter kCardinality[] = {
    kDatabase,
    {.flag = "--limit",
     .parameter = "limit",
     .kind = Kind::kCount,
     .help = "rows of each table, up to 1000",
     .initial = 10},
    {.flag = "--source",
     .parameter = "source",
     .help = "the label that says who sends; else the first that is there of instance, host, hostname, agent, source"},
    kOffline,
};

inline constexpr Parameter kSupport[] = {
    {.flag = "--to",
     .parameter = {},
     .required = true,
     .help = "the archive to make, packed when its name ends in .zst or .gz: support.tar.zst"},
    {.flag = "--log",
     .parameter = {},
     .help = "the file with the server's log; else the journal of the unit tidemarkd"},
    {.flag = "--data", .parameter = {}, .help = "the data directory, whose files are listed; no server is asked then"},
};

inline constexpr Parameter kBackupDatabase[] = {
    kDatabase,
    kBackupFrom,
    kBackupId,
    {.flag = "--as", .parameter = {}, .help = "its name from then on; else the one that it has in the backup"},
    kOffline,
};

inline constexpr Parameter kTokenName = {.flag = "name", .parameter = "name", .required = true, .help = "of the token"};
inline constexpr Parameter kQuota = {
    .flag = "--quota",
    .parameter = "quota",
    .kind = Kind::kList,
    .help =
        "points/s=, bytes/s=, new_series/s=, series=, query_memory= or queries=, as points/s=100000; once for each; "
        "beyond it requests get 429"};
inline constexpr Parameter kTokenNew[] = {
    kTokenName,
    {.flag = "--grant",
     .parameter = "grant",
     .kind = Kind::kList,
     .required = true,
     .help = "read:DB, write:DB or admin:DB; * in DB stands for any characters; once for each"},
    {.flag = "--certificate-name",
     .parameter = "certificate_name",
     .kind = Kind::kList,
     .help =
         "a client's certificate with this alternative name shows the token: dns:agent.example, email:..., uri:..., "
         "ip:...; once for each"},
    {.flag = "--filter",
     .parameter = "filter",
     .kind = Kind::kList,
     .help = "the series that it may see and write, as '{team=~\"a|b\"}'; more than one: those of each"},
    kQuota,
    {.flag = "--expires", .parameter = "expires", .help = "after this time: 90d; else it is good until it is revoked"},
    {.flag = "--note", .parameter = "note", .help = "what it is for"},
};
inline constexpr Parameter kTokenFirst[] = {kTokenName, kData};
inline constexpr Parameter kCertificateNew[] = {
    {.flag = "name",
     .parameter = {},
     .required = true,
     .help = "by which the server is asked: a host name or an address"},
    {.flag = "--also", .parameter = {}, .kind = Kind::kList, .help = "a further name or address; once for each"},
    {.flag = "--days", .parameter = {}, .kind = Kind::kCount, .help = "how long it is good", .initial = 365},
    {.flag = "--out", .parameter = {}, .required = true, .help = "the folder that gets certificate.pem and key.pem"},
};
inline constexpr Parameter kQuotaSet[] = {kDatabase, kQuota};
inline constexpr Parameter kTokenQuota[] = {kTokenName, kQuota};
inline constexpr Parameter kTokenRotate[] = {
    kTokenName,
    {.flag = "--overlap",
     .parameter = "overlap",
     .help = "how long the secret that it has is still good: 24h; else it ends at once"},
};
inline constexpr Parameter kTokenRevoke[] = {
    kTokenName,
    {.flag = "--last",
     .parameter = "last",
     .kind = Kind::kSwitch,
     .help = "also when no other is admin of everything: a new one is then made in the data directory only"},
};
inline constexpr Parameter kAuditList[] = {
    {.flag = "--who", .parameter = "who", .help = "of this token only"},
    {.flag = "--limit",
     .parameter = "limit",
     .kind = Kind::kCount,
     .help = "how many at most, the newest",
     .initial = 100},
};
inline constexpr Parameter kSessionRevoke[] = {
    {.flag = "id", .parameter = "id", .required = true, .help = "of the session, as the list shows it"},
};

}  // namespace tidemark::admin::parameters

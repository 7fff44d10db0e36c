#include "tools/server/config/config.h"

#include <fmt/core.h>
#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <concepts>
#include <limits>
#include <set>

#include "query/rules/rule_file.h"
#include "storage/base/text/byte_size.h"
#include "storage/base/text/duration.h"
#include "storage/base/yaml_reader.h"
#include "tools/server/config/address.h"
#include "tools/server/config/listeners.h"
#include "tools/server/config/setting_changes.h"
#include "tools/server/config/setting_text.h"
#include "tools/server/http/endpoint.h"
#include "tools/server/notify/ping.h"

namespace tidemark::server {
namespace {

using Texts = std::vector<std::string>;

// Makes rows of the table, one kind of value each.
class Table {
 public:
  template <std::unsigned_integral T>
  void Count(std::string key, T* value, uint64_t min, uint64_t max, std::string comment) {
    Add(
        std::move(key), std::move(comment),
        [value, min, max](std::string_view text) -> Status {
          TM_TRY_ASSIGN(const uint64_t count, ParseCount(text));
          if (count < min || count > max) return InvalidArgument(fmt::format("{} is not in [{}, {}]", count, min, max));
          *value = static_cast<T>(count);
          return {};
        },
        [value] { return Texts{std::to_string(*value)}; });
  }
  template <std::unsigned_integral T>
  void Size(std::string key, T* value, std::string comment, uint64_t max = std::numeric_limits<T>::max()) {
    Add(
        std::move(key), std::move(comment),
        [value, max](std::string_view text) -> Status {
          TM_TRY_ASSIGN(const uint64_t size, ParseSize(text));
          if (size > max) return InvalidArgument(fmt::format("{} is more than {}", text, text::PrintByteSize(max)));
          *value = static_cast<T>(size);
          return {};
        },
        [value] { return Texts{text::PrintByteSize(*value)}; });
  }
  // A duration kept in units of `unit_ns` nanoseconds, at least 1 ms unless `zero` says that 0 means something.
  void Duration(std::string key, int64_t* value, int64_t unit_ns, bool zero, std::string comment) {
    Add(
        std::move(key), std::move(comment),
        [value, unit_ns, zero](std::string_view text) -> Status {
          TM_TRY_ASSIGN(const int64_t ms, ParseDuration(text));
          if (ms == 0 && !zero) return InvalidArgument("must be longer than 0");
          *value = ms * (1'000'000 / unit_ns);
          return {};
        },
        [value, unit_ns] { return Texts{ShowDuration(*value / (1'000'000 / unit_ns))}; });
  }
  void Timeout(std::string key, std::chrono::milliseconds* value, std::string comment) {
    Add(
        std::move(key), std::move(comment),
        [value](std::string_view text) -> Status {
          TM_TRY_ASSIGN(const int64_t ms, ParseDuration(text));
          if (ms == 0) return InvalidArgument("must be longer than 0");
          *value = std::chrono::milliseconds(ms);
          return {};
        },
        [value] { return Texts{ShowDuration(value->count())}; });
  }
  void Switch(std::string key, bool* value, std::string comment) {
    Add(
        std::move(key), std::move(comment),
        [value](std::string_view text) -> Status {
          TM_TRY_ASSIGN(*value, ParseSwitch(text));
          return {};
        },
        [value] { return Texts{*value ? "on" : "off"}; });
  }
  void Text(std::string key, std::string* value, std::string comment) {
    Add(
        std::move(key), std::move(comment),
        [value](std::string_view text) -> Status {
          *value = text;
          return {};
        },
        [value] { return Texts{*value}; });
  }
  template <typename T>
  void List(std::string key, std::vector<T>* values, Result<T> (*parse)(std::string_view),
            std::string (*show)(const T&), std::string comment) {
    Setting& row = Add(
        std::move(key), std::move(comment),
        [values, parse](std::string_view text) -> Status {
          TM_TRY_ASSIGN(T value, parse(text));
          values->push_back(std::move(value));
          return {};
        },
        [values, show] {
          Texts texts;
          for (const T& value : *values) texts.push_back(show(value));
          return texts;
        });
    row.list = true;
    row.clear = [values] { values->clear(); };
  }

  Setting& Add(std::string key, std::string comment, std::function<Status(std::string_view)> set,
               std::function<Texts()> show) {
    Setting& row = rows.emplace_back();
    row.key = std::move(key);
    row.comment = std::move(comment);
    row.set = std::move(set);
    row.show = std::move(show);
    return row;
  }

  std::vector<Setting> rows;
};

Result<std::string> AnyText(std::string_view text) { return std::string(text); }
std::string ShowText(const std::string& text) { return text; }

Result<std::string> EndpointText(std::string_view text) {
  TM_TRY_ASSIGN([[maybe_unused]] const http::Endpoint endpoint, http::ParseEndpoint(text));
  return std::string(text);
}

constexpr std::string_view kLevels[] = {"trace", "debug", "info", "warn", "error"};

// Walks the file's tree and gives the scalars to the table.
class Reader {
 public:
  Reader(YamlReader& yaml, std::vector<Setting> rows) : yaml_(yaml), rows_(std::move(rows)) {}

  void Read(const YAML::Node& node, const std::string& prefix) {
    if (node.IsNull()) return;
    if (!node.IsMap()) return yaml_.Fault(node, fmt::format("{} must be a map", prefix.empty() ? "the file" : prefix));
    for (const auto& entry : node) {
      const std::string key =
          (prefix.empty() ? "" : prefix + ".") + (entry.first.IsScalar() ? entry.first.Scalar() : "");
      if (!seen_.insert(key).second) {
        yaml_.Fault(entry.first, fmt::format("key \"{}\" is given twice", key));
      } else if (const auto row =
                     std::find_if(rows_.begin(), rows_.end(), [&](const Setting& s) { return s.key == key; });
                 row != rows_.end()) {
        ReadValue(*row, entry.second);
      } else if (std::any_of(rows_.begin(), rows_.end(),
                             [&](const Setting& s) { return s.key.starts_with(key + "."); })) {
        Read(entry.second, key);
      } else {
        yaml_.Fault(entry.first, fmt::format("unknown key \"{}\"", key));
      }
    }
  }

 private:
  void ReadValue(const Setting& row, const YAML::Node& node) {
    if (row.list) {
      if (!node.IsSequence() && !node.IsNull()) return yaml_.Fault(node, fmt::format("{} must be a list", row.key));
      row.clear();
      for (const YAML::Node& element : node) ReadScalar(row, element);
      return;
    }
    ReadScalar(row, node);
  }
  void ReadScalar(const Setting& row, const YAML::Node& node) {
    if (!node.IsScalar()) return yaml_.Fault(node, fmt::format("{} must be one value", row.key));
    if (const Status set = row.set(node.Scalar()); !set.ok()) {
      yaml_.Fault(node, fmt::format("{}: {}", row.key, set.error().message));
    }
  }

  YamlReader& yaml_;
  std::vector<Setting> rows_;
  std::set<std::string> seen_;
};

// Where the server is asked, and by which names it and the pages that may ask it are known.
void AddNames(Config& c, Table* table) {
  table->List<std::string>("http.listen", &c.listen, EndpointText, ShowText,
                           "Addresses that serve HTTP, ADDRESS:PORT each; port 0 takes a free one. Without tokens only "
                           "loopback addresses.");
  table->rows.back().flag = "--http";
  table->List<std::string>("http.allowed_origins", &c.allowed_origins, AnyText, ShowText,
                           "Origins (scheme://host:port) whose pages may read and change, besides the server's own.");
  table->List<std::string>(
      "http.allowed_hosts", &c.allowed_hosts, AnyText, ShowText,
      "Names by which this server is asked, without port, besides loopback ones: of a proxy in front, "
      "as long as there are no tokens.");
}

// Where people find it, and below which path it serves.
void AddAddress(Config& c, Table* table) {
  const auto add = [table](std::string key, std::string* value, Result<std::string> (*parse)(std::string_view),
                           std::string comment) {
    table->Add(
        std::move(key), std::move(comment),
        [value, parse](std::string_view text) -> Status {
          TM_TRY_ASSIGN(*value, parse(text));
          return {};
        },
        [value] { return Texts{*value}; });
  };
  add("http.external_url", &c.external_url, &ParseExternalUrl,
      "The URL by which people reach this server, such as https://metrics.example/tm behind a proxy: for links, "
      "redirects and cookies. Empty: the first of its listen addresses, as it is written there; set it where sockets "
      "are "
      "inherited or a port is 0.");
  add("http.route_prefix", &c.route_prefix, &ParseRoutePrefix,
      "The path below which everything is served; empty: that of http.external_url. / where a proxy takes it off.");
}

// A section of its own each, behind all of `http`.
void AddTls(Config& c, Table* table) {
  table->List<std::string>("https.listen", &c.tls_listen, EndpointText, ShowText,
                           "Addresses that serve HTTP over TLS, ADDRESS:PORT each.");
  table->rows.back().flag = "--https";
  table->Text("tls.certificate_file", &c.tls.certificate,
              "PEM: the server's certificate, then those that lead to its authority.");
  table->Text("tls.key_file", &c.tls.key, "PEM: the certificate's key, without a pass phrase.");
  table->Text("tls.client_ca_file", &c.tls.client_authorities,
              "PEM: authorities whose certificates clients may show in place of a token; empty: none is asked for.");
  table->Add(
      "tls.min_version", "1.2 or 1.3.",
      [&c](std::string_view text) -> Status {
        TM_TRY_ASSIGN(c.tls.oldest, tls::ParseVersion(text));
        return {};
      },
      [&c] { return Texts{std::string(tls::Name(c.tls.oldest))}; });
}

void AddAccess(Config& c, Table* table) {
  AddTls(c, table);
  table->Duration("access.session_lifetime", &c.session_lifetime_ms, 1'000'000, false,
                  "How long who signs in to the page stays signed in.");
}

// How slowly a body may come.
void AddBodyPace(Config& c, Table* table) {
  table->Timeout("http.body_stall", &c.http.body_stall, "A body that brings nothing for this long gets 408.");
  table->Timeout("http.body_grace", &c.http.body_grace,
                 "While half of the bodies' memory or of the connections is in use, a body may come slowly for this "
                 "long...");
  table->Size("http.body_rate_min", &c.http.body_bytes_per_second_min, "...and then at no less than this each second.");
}

// Who is told of alerts.
void AddNotify(Config& c, Table* table) {
  table->Text("notify.config", &c.notify.config_file,
              "Who is told of alerts: a file in Alertmanager's format; empty: nobody is.");
  table->Switch("notify.as_alertmanager", &c.notify.as_alertmanager,
                "Tell as Alertmanager 0.25 does: a resolve is lost while its alert is muted, and whoever was told of "
                "nothing may get one.");
  Setting& watchdog = table->Add(
      "notify.watchdog",
      "A URL that is called while alerts are evaluated and told of: whoever watches the calls says when they stay out; "
      "empty: none is.",
      [&c](std::string_view text) -> Status {
        if (!text.empty()) TM_RETURN_IF_ERROR(notify::CheckPingUrl(std::string(text)));
        c.notify.watchdog_url = text;
        return {};
      },
      [&c] { return Texts{c.notify.watchdog_url}; });
  // Such addresses are often all that it takes to call them.
  watchdog.secret = true;
  table->Duration("notify.watchdog_interval", &c.notify.watchdog_interval_ns, 1, false,
                  "How often notify.watchdog is called.");
}

void AddRules(Config& c, Table* table) {
  constexpr int64_t kMs = 1'000'000;
  table->List<std::string>("rules.files", &c.rule_files, AnyText, ShowText,
                           "Rule files in Prometheus' format; patterns with * and ? too.");
  table->Text("rules.database", &c.rules.database, "The database that rules read and write; empty: the default one.");
  table->Duration("rules.interval", &c.rules.default_interval_ms, kMs, false, "Interval of groups that name none.");
  table->Duration("rules.outage_tolerance", &c.rules.outage_tolerance_ms, kMs, false,
                  "After a start, alerts go on that were active within this time.");
  table->Duration("rules.for_grace", &c.rules.for_grace_ms, kMs, true,
                  "After a start, pending alerts fire no sooner than this.");
  table->Switch(
      "rules.self", &c.self_alerts,
      "Rules that alert on the server itself, over what host_metrics records: disk, damage, memory, receivers.");
  AddNotify(c, table);
}

// Copies of the store.
void AddBackup(Config& c, Table* table) {
  table->Text("backup.directory", &c.backup.directory,
              "Where backups of the store go, best on another disk; empty: none are made.");
  table->Duration("backup.interval", &c.backup.interval_ms, 1'000'000, true,
                  "How often one is made by itself; 0: only when `tidemark admin backup create` asks for it.");
  table->Count("backup.keep", &c.backup.keep, 0, 100'000, "So many of the newest stay; 0: all.");
}

// Reading what is on disk, to know of damage.
void AddScrub(Config& c, Table* table) {
  table->Size("scrub.bytes_per_second", &c.scrub.bytes_per_second,
              "Pages are read and checked in the background at this rate; what is damaged is in /health; 0: never.");
  table->Duration("scrub.interval", &c.scrub.interval_ms, 1'000'000, false,
                  "From the beginning of one round through all pages to that of the next.");
}

// What the server does without being asked.
void AddUnasked(Config& c, Table* table) {
  AddRules(c, table);
  AddBackup(c, table);
  AddScrub(c, table);
}

// Walls for names.
void AddNameLimits(Config& c, Table* table) {
  constexpr uint64_t kMany = uint64_t{1} << 40;
  table->Count("storage.max_fields_per_database", &c.store.max_fields_per_database, 1, kMany,
               "Fields of one database; rows with further ones are refused.");
  table->Count("storage.max_databases", &c.store.max_databases, 1, kMany,
               "Databases; writes that would make one more are refused.");
  table->Size("memory.limit", &c.memory_limit_bytes,
              "Memory of the process, at most; 0: what control groups and the machine allow.");
}

// How long queries share the cores, and which are told as slow.
void AddTurns(Config& c, Table* table) {
  table->Duration("query.slow", &c.api.slow_query_ms, 1'000'000, true,
                  "A query that took this long or longer is told in the log; 0: none is.");
  table->Duration("query.grace", &c.api.turns.grace_ns, 1, false,
                  "Processor time after which a query is a long one, which takes turns with other long ones.");
  table->Count("query.long_threads", &c.api.turns.places, 0, 1024,
               "Threads that compute for long queries while short ones come; 0: half the cores.");
  table->Count("query.long_max", &c.api.turns.long_queries_max, 1, 1'000'000,
               "Long queries that share these threads; more wait for their turn.");
  table->Count("query.waiting_max", &c.api.turns.waiting_max, 0, 10'000,
               "Long queries that wait for their turn, each on a thread; more get 503.");
}

// What a query may take, and how its text is read.
void AddQueries(Config& c, Table* table) {
  constexpr uint64_t kMany = uint64_t{1} << 40;
  constexpr int64_t kMs = 1'000'000;
  table->Duration("query.timeout", &c.api.timeout_ms, kMs, false, "A query is stopped after this time.");
  table->Duration("query.lookback", &c.api.lookback_ms, kMs, false, "How old an instant selector's sample may be.");
  table->Duration("query.default_subquery_step", &c.api.default_subquery_step_ms, kMs, false,
                  "Step of a subquery that names none.");
  table->Size("query.text_bytes_max", &c.api.parse.text_size_max, "The text of a query or selector.",
              uint64_t{1} << 20);
  table->Switch("query.experimental_functions", &c.api.parse.experimental_functions,
                "Take the functions and aggregations that Prometheus calls experimental.");
  table->Switch("query.extended_range_selectors", &c.api.parse.extended_range_selectors,
                "Take the range modifiers anchored and smoothed, which Prometheus calls experimental.");
  table->Switch("query.fill_modifiers", &c.api.parse.fill_modifiers,
                "Take fill, fill_left and fill_right on operators, which Prometheus calls experimental.");
  table->Count("query.max_series", &c.api.budget.max_series, 0, kMany, "Series of one selector; 0: no limit.");
  table->Count("query.max_samples", &c.api.budget.max_samples, 0, uint64_t{1} << 60,
               "Samples of one query; 0: no limit.");
  table->Count("query.max_points", &c.api.budget.max_points, 0, uint64_t{1} << 60,
               "Series times steps of one result, also inside a query; 0: no limit.");
  table->Size("query.cache_bytes", &c.api.cache_bytes, "Memory for results of range queries that come again; 0: none.");
  table->Size("query.max_memory", &c.api.budget.max_bytes, "Memory of one query; 0: no limit.");
  table->Size("query.total_memory", &c.api.total_memory_bytes,
              "Memory of all queries and results that are not sent yet; more get 503. 0: no limit.");
  AddTurns(c, table);
}

void AddThreads(Config& c, Table* table) {
  table->Count("http.io_threads", &c.http.io_threads, 0, 1024, "Threads that move bytes; 0: as many as cores.");
  table->Count("http.write_threads", &c.http.write_threads, 1, 1024, "Writes that wait for the disk at once.");
  table->Count("http.read_threads", &c.http.read_threads, 1, 1024, "Queries that run at once.");
  table->Count("http.service_threads", &c.http.service_threads, 1, 1024, "Health checks and metrics at once.");
  table->Count("http.stream_threads", &c.http.stream_threads, 1, 1024,
               "Replies produced while they are sent, at once.");
}

}  // namespace

std::vector<Setting> SettingsOf(Config* config) {
  constexpr uint64_t kMany = uint64_t{1} << 40;
  constexpr int64_t kMs = 1'000'000;
  Table table;
  Config& c = *config;
  table.Text("data", &c.data, "The directory that holds everything.");
  AddNames(c, &table);
  AddAddress(c, &table);
  AddThreads(c, &table);
  table.Count("http.queue_max", &c.http.queue_max, 1, kMany, "Requests that wait for a thread; more get 503.");
  table.Count(
      "http.connections_max", &c.http.connections_max, 0, kMany,
      "Open connections; more get 503. 0: as many as the open files that are allowed leave beside the store's.");
  table.Count("http.connections_per_address_max", &c.http.connections_per_address_max, 0, kMany,
              "Open connections of one address; more get 503. 0: half of http.connections_max.");
  table.Size("http.header_bytes_max", &c.http.header_bytes_max, "A request's line and headers; more gets 431.");
  table.Size("http.body_bytes_max", &c.http.body_bytes_max, "A request's body as received; more gets 413.");
  table.Size("http.decoded_bytes_max", &c.http.decode.decoded_bytes, "A request's body unpacked; more gets 413.");
  table.Count("http.decode_ratio_max", &c.http.decode.ratio, 1, 1'000'000, "Unpacked bytes for each byte received.");
  table.Size("http.body_memory", &c.http.body_memory_bytes, "All bodies held at once; more get 503.");
  table.Size("http.reply_memory", &c.http.reply_memory_bytes, "All replies held for slow clients; more get 503.");
  table.Timeout("http.header_timeout", &c.http.header_timeout, "A request's head must have come within this time.");
  AddBodyPace(c, &table);
  table.Timeout("http.idle_timeout", &c.http.idle_timeout, "A connection without a request is closed after this time.");
  table.Duration("http.drain", &c.drain_ms, kMs, true, "At the end, requests that run get this long to finish.");
  AddAccess(c, &table);
  table.Switch("write.require_database", &c.require_database,
               "Refuse /write without db=, as InfluxDB 1.x does, instead of writing to the default database.");
  table.Size("write.parse_memory", &c.parse_memory_bytes,
             "All batches being parsed at once, 8 bytes for each byte of a body; more get 503.");
  table.List<UdpConfig>("udp", &c.udp, ParseUdp, ShowUdp,
                        "Line protocol over UDP: ADDRESS:PORT,db=NAME,precision=ns,batch=1MiB,interval=1s each.");
  table.List<NativeConfig>(
      "native", &c.native, ParseNative, ShowNative,
      "Native batches over TCP: ADDRESS:PORT,db=NAME,connections=64,tls=off each; tls=on takes the files of tls.*.");
  table.Switch(
      "host_metrics", &c.host_metrics,
      "Sample this machine every second into the database _host, and record in _server when no server was up.");
  table.Switch("storage.create_databases", &c.store.create_databases, "A write to an unknown database creates it.");
  table.Duration("storage.partition", &c.store.new_database.partition_ns, 1, false,
                 "Length of a partition of new databases.");
  table.Duration("storage.retention", &c.store.new_database.retention_ns, 1, true,
                 "How long new databases keep points; 0: for ever.");
  table.Duration("storage.sync_interval", &c.store.new_database.sync_interval_ns, 1, true,
                 "0: every write is on disk before its answer. Else new databases are synced this often.");
  table.Size("storage.staged_bytes", &c.store.staged_bytes, "Rows in memory before they are compressed there.");
  table.Count("storage.checkpoint_points", &c.store.checkpoint_points, 1, kMany,
              "Points between checkpoints, at most.");
  table.Duration("storage.checkpoint_interval", &c.store.checkpoint_interval_ns, 1, false,
                 "Time between checkpoints, at most.");
  table.Size("storage.journal_segment_bytes", &c.store.journal_segment_bytes, "Size of one journal segment.");
  table.Size("storage.cache_bytes", &c.store.cache_bytes, "Cache of compressed pages.");
  table.Count("storage.max_series_per_database", &c.store.max_series_per_database, 1, kMany,
              "Series of one database; points of further ones are refused.");
  AddNameLimits(c, &table);
  AddQueries(c, &table);
  AddUnasked(c, &table);
  table.Count("pool.workers", &c.pool_workers, 0, 1024, "Threads for queries and background work; 0: one a core.");
  table.Add(
      "log.level", "trace, debug, info, warn or error.",
      [&c](std::string_view text) -> Status {
        const auto at = std::find(std::begin(kLevels), std::end(kLevels), text);
        if (at == std::end(kLevels)) return InvalidArgument(fmt::format("\"{}\" is no log level", text));
        c.log_level = static_cast<log::Level>(at - std::begin(kLevels));
        return {};
      },
      [&c] { return Texts{std::string(kLevels[static_cast<size_t>(c.log_level)])}; });
  MarkLive(&table.rows);
  return std::move(table.rows);
}

Status ParseConfig(std::string_view text, const std::string& file, Config* config) {
  YamlReader yaml(file);
  const auto read = yaml.Read(text, [&](const YAML::Node& root) {
    Reader(yaml, SettingsOf(config)).Read(root, "");
    return true;
  });
  TM_RETURN_IF_ERROR(read);
  return {};
}

Status LoadConfig(const std::string& path, Config* config) {
  TM_TRY_ASSIGN(const std::string text, ReadTextFile(path, kConfigFileBytesMax));
  return ParseConfig(text, path, config);
}

}  // namespace tidemark::server

#include "tools/server/config/limits.h"

#include <fmt/core.h>

#include <algorithm>
#include <string_view>
#include <utility>

#include "executor/agent/pipeline/pipeline_file.h"
#include "ingest/lineprotocol/parser.h"
#include "ingest/native/limits.h"
#include "ingest/remotewrite/decoder.h"
#include "ingest/write_path/write_path.h"
#include "query/api/event_tap.h"
#include "query/api/metadata_book.h"
#include "query/notify/notifier.h"
#include "query/promql/chain_limit.h"
#include "query/rules/rule_file.h"
#include "query/rules/template.h"
#include "storage/base/check.h"
#include "storage/base/text/byte_size.h"
#include "storage/base/text/params.h"
#include "storage/model/limits.h"
#include "tools/server/batch/batch_request.h"
#include "tools/server/dashboard/saved_dashboards.h"
#include "tools/server/influx/influx_service.h"
#include "tools/server/notify/outbox.h"
#include "tools/server/routes/route_row.h"
#include "tools/server/rules/backfill_jobs.h"
#include "tools/server/rules/rule_book.h"
#include "tools/server/write/native_listener.h"
#include "tools/server/write/write_id_book.h"

namespace tidemark::server {
namespace {

std::string Bytes(uint64_t bytes) {
  std::string text = text::PrintByteSize(bytes);
  return text.find_first_not_of("0123456789") == std::string::npos ? text + " bytes" : text;
}

// Collects rows of one area after the other.
class Table {
 public:
  explicit Table(Config* config) : settings_(SettingsOf(config)) {}

  void Area(std::string name) { area_ = std::move(name); }
  void Fixed(std::string what, std::string value, std::string beyond) {
    rows_.push_back({area_, std::move(what), std::move(value), std::move(beyond)});
  }
  // A setting: its value as the configuration shows it.
  void Set(std::string_view key, std::string what, std::string beyond) {
    const auto setting =
        std::find_if(settings_.begin(), settings_.end(), [&](const Setting& s) { return s.key == key; });
    TM_CHECK(setting != settings_.end());
    rows_.push_back({area_, std::move(what), setting->show().front(), std::move(beyond), std::string(key)});
  }
  std::vector<Limit> Take() { return std::move(rows_); }

 private:
  const std::vector<Setting> settings_;
  std::string area_;
  std::vector<Limit> rows_;
};

void AddConnections(Table* table) {
  table->Area("Connections and requests");
  table->Set("http.connections_max", "open connections; 0: as open files allow", "503, and closed");
  table->Set("http.connections_per_address_max", "open connections of one address; 0: half of all", "503, and closed");
  table->Set("http.queue_max", "requests that wait for a thread, of each kind", "503");
  table->Set("http.header_bytes_max", "request line and headers", "431");
  table->Set("http.header_timeout", "time for a head to come", "408");
  table->Set("http.body_bytes_max", "a body as received", "413");
  table->Set("http.decoded_bytes_max", "a body unpacked", "413");
  table->Set("http.decode_ratio_max", "unpacked bytes for each byte received", "413");
  table->Set("http.body_stall", "time without progress of a body", "408");
  table->Set("http.body_grace",
             "time in which a body may come slowly, where half of the bodies' memory or of the connections is in use",
             "408, if it is slower than the next row");
  table->Set("http.body_rate_min", "bytes of a body in a second, at least", "408");
  table->Set("http.body_memory", "all bodies together", "503");
  table->Fixed("what bodies unpack to beyond 20 times what was received, all together",
               Bytes(http::ServerOptions().dense_memory_bytes), "503");
  table->Set("http.reply_memory", "all replies that wait for slow clients", "503");
  table->Set("http.idle_timeout", "time between requests, and without progress in sending", "the connection is closed");
  table->Fixed("a form (queries, administration)", Bytes(kFormBytesMax), "413");
  table->Fixed("parameters of a request", std::to_string(text::kMaxPairs), "400");
}

void AddWriting(Table* table) {
  const lineprotocol::Limits line;
  const remotewrite::Limits remote;
  const native::Limits native;
  const write_path::WritePathOptions path;
  table->Area("Writing");
  table->Fixed("a database's name", Bytes(model::kDatabaseNameBytesMax), "400");
  table->Fixed("a series key: measurement and tags", Bytes(model::kSeriesKeyBytesMax), "the point is refused (400)");
  table->Fixed("the name of a measurement or field", Bytes(path.max_name_bytes), "the point is refused (400)");
  table->Fixed("a line of line protocol", Bytes(line.max_line_bytes), "the line is refused, the others are kept (400)");
  table->Fixed("a string value of line protocol", Bytes(line.max_string_bytes),
               "the line is refused, the others are kept (400)");
  table->Fixed("bad lines that an answer describes", std::to_string(line.max_errors), "they are counted");
  table->Set("write.parse_memory", "batches that are being parsed", "503");
  table->Fixed("a remote write, unpacked", Bytes(remote.max_decoded_bytes), "413");
  table->Fixed("samples of a remote write", std::to_string(remote.max_samples), "413");
  table->Fixed("metadata entries of a remote write", std::to_string(remote.max_metadata), "413");
  table->Fixed("rows of a native batch", std::to_string(native.max_rows), "413");
  table->Fixed("values of a native batch", std::to_string(native.max_values), "413");
  table->Fixed("fields of the measurements and sets of fields of a native batch",
               std::to_string(native.max_shape_fields), "413");
  table->Fixed("series of a dictionary of native batches", std::to_string(native.max_series), "413");
  table->Fixed("memory of such a dictionary", Bytes(native.max_dictionary_bytes), "413");
  table->Fixed("dictionaries that are remembered", std::to_string(native.max_dictionaries),
               "the least recently used goes; its sender gets 409 and defines its series anew");
  table->Fixed("memory of those", Bytes(native.max_book_bytes), "the same");
  table->Fixed("connections for native batches, of one address of `native`",
               std::to_string(NativeConfig().connections_max),
               "503, and closed; `connections=` of that address is another number");
  table->Fixed("values of X-Write-Id that are remembered, for 24 hours", std::to_string(WriteIdOptions().ids_max),
               "the oldest are forgotten");
  table->Fixed("an X-Write-Id", Bytes(WriteIdBook::kMaxIdBytes), "400");
  table->Fixed("writes at once", std::to_string(path.max_writes_in_flight), "503");
  table->Fixed("batches of these writes", Bytes(path.max_bytes_in_flight), "503; one alone is taken");
  table->Fixed("refused points that are remembered", std::to_string(path.rejection_log_entries),
               "the oldest are forgotten");
  table->Fixed("metric families of a database with metadata", std::to_string(query::api::MetadataBook::kMaxFamilies),
               "metadata of further ones are not kept");
  table->Set("storage.max_series_per_database", "series of a database", "points of new series are refused (400)");
  table->Set("storage.max_fields_per_database", "fields of a database", "rows with new fields are refused (400)");
  table->Set("storage.max_databases", "databases", "a write to a new one is refused (400)");
  table->Set(
      "memory.limit",
      "memory of the process; 0: of the control group or machine. Of 85 % of it less 64 MiB names may have 45 %",
      "new names are refused (400), known series go on; other sizes are lowered at the start, and the log says it");
}

void AddQueries(Table* table, const Config& config) {
  table->Area("Queries");
  table->Set("query.text_bytes_max", "text of a query or selector", "400");
  table->Fixed("parentheses, arguments and signs inside each other", std::to_string(config.api.parse.depth_max), "400");
  table->Fixed("levels of a query's tree", std::to_string(config.api.parse.height_max), "400");
  table->Fixed("operands of a chain of or, or of and", std::to_string(query::promql::kChainOperandsMax), "400");
  table->Fixed("steps of a range query", std::to_string(config.api.points_max), "400");
  table->Set("query.timeout", "time of a query", "503, timeout");
  table->Set("query.max_series", "series of one selector", "422, names the budget and how to ask for less");
  table->Set("query.max_samples", "samples that a query reads", "422");
  table->Set("query.max_points", "series times steps of a result, also inside", "422");
  table->Set("query.max_memory", "memory of a query", "422");
  table->Set("query.total_memory", "memory of all queries and unsent results", "503");
  table->Set("query.long_max", "long queries that take turns", "others wait");
  table->Set("query.waiting_max", "long queries that wait for their turn",
             "503; the client that waits for most is refused first");
  table->Set("query.cache_bytes", "results that are kept for queries that come again", "the oldest are forgotten");
  table->Fixed("series that a request for labels, series or events looks at", std::to_string(config.api.series_max),
               "422");
  table->Fixed("events of an answer", std::to_string(config.api.events_max), "the newest are given");
  table->Fixed("followers of events", std::to_string(query::api::EventTap::kMaxFollowers), "503");
  table->Fixed("questions of a batch", std::to_string(kBatchQuestionsMax), "413");
  table->Fixed("text of one answer in a batch", Bytes(config.api.streamed_bytes_min), "413 for that question");
  table->Fixed("a saved dashboard", Bytes(storage::kMaxDocumentBytes), "413");
  table->Fixed("saved dashboards", std::to_string(DashboardKind().max_documents), "413");
  table->Fixed("groups of rules that are put through the API", std::to_string(RulesKind().max_documents), "413");
  table->Fixed("back-fills of rules that wait", std::to_string(kBackfillsWaitingMax), "413");
  table->Fixed("back-fills that are remembered", std::to_string(kBackfillsKept),
               "the oldest that has ended is forgotten");
  table->Fixed("evaluations of one back-fill", std::to_string(query::rules::kBackfillTimesMax), "400");
  table->Fixed("statements of an InfluxQL request", std::to_string(InfluxService::kStatementsMax), "400");
  table->Fixed("an answer of InfluxQL", Bytes(InfluxService::kReplyBytesMax), "413");
}

void AddFiles(Table* table) {
  table->Area("Files and rules");
  table->Fixed("the configuration", Bytes(kConfigFileBytesMax), "it does not start");
  table->Fixed("a rule file", Bytes(query::rules::kRuleFileBytesMax), "it does not start");
  table->Fixed("the text that a template gives", Bytes(query::rules::Template::kTextBytesMax), "the text says so");
  table->Fixed("blocks of a template inside each other", std::to_string(query::rules::Template::kDepthMax),
               "the rule file is refused");
  table->Fixed("a pipeline file", Bytes(executor::kMaxPipelineFileBytes), "it is refused");
  table->Fixed("tasks of a pipeline", std::to_string(executor::kMaxPipelineTasks), "it is refused");
  table->Fixed("retries of a task", std::to_string(executor::kMaxRetries), "it is refused");
  table->Fixed("slots of a task", std::to_string(executor::kMaxTaskSlots), "it is refused");
}

void AddAlerts(Table* table) {
  table->Area("Alerts");
  const query::notify::NotifierOptions limits;
  table->Fixed("the file of who is told", Bytes(query::notify::kConfigBytesMax), "it does not start");
  table->Fixed("receivers; routes", fmt::format("{}; {}", query::notify::kReceiversMax, query::notify::kRoutesMax),
               "it does not start");
  table->Fixed("alerts that are known at once", std::to_string(limits.alerts_max), "400, the others are kept");
  table->Fixed("groups of alerts at once", std::to_string(limits.groups_max), "alerts of further ones are not told");
  table->Fixed("silences, expired ones of the last days included", std::to_string(limits.silences.count_max), "400");
  table->Fixed("messages being sent at once", std::to_string(notify::Outbox::kThreadsMax), "others wait");
  table->Fixed("how long a message is tried", "24h", "it is given up");
}

}  // namespace

std::vector<Limit> LimitsOf(Config config) {
  Table table(&config);
  AddConnections(&table);
  AddWriting(&table);
  AddQueries(&table, config);
  AddFiles(&table);
  AddAlerts(&table);
  return table.Take();
}

std::string PrintLimits(const Config& config) {
  std::string out = "# Limits\n\nWhat has a name in the last column is a setting; the rest is fixed.\n";
  std::string area;
  for (const Limit& limit : LimitsOf(config)) {
    if (limit.area != area) {
      area = limit.area;
      out += fmt::format("\n## {}\n| limit | default | beyond it | setting |\n|---|---|---|---|\n", area);
    }
    out += fmt::format("| {} | {} | {} | {} |\n", limit.what, limit.value, limit.beyond,
                       limit.key.empty() ? "" : "`" + limit.key + "`");
  }
  return out;
}

}  // namespace tidemark::server

#include "tools/server/watch/self_metrics.h"

#include <dirent.h>
#include <fmt/core.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <string_view>
#include <vector>

#include "query/api/json.h"

namespace tidemark::server {
namespace {

// Writes metric after metric: the first value of a family brings its HELP and TYPE along.
class Writer {
 public:
  void Family(std::string_view name, std::string_view type, std::string_view help) {
    name_ = name;
    out_ += fmt::format("# HELP {} {}\n# TYPE {} {}\n", name, help, name, type);
  }
  // `labels` as they stand between the braces.
  void Value(std::string_view labels, double value) {
    out_ += name_;
    if (!labels.empty()) out_ += fmt::format("{{{}}}", labels);
    out_ += ' ';
    query::api::AppendFloat(&out_, value);
    out_ += '\n';
  }
  void Counter(std::string_view name, std::string_view help, double value) {
    Family(name, "counter", help);
    Value("", value);
  }
  void Gauge(std::string_view name, std::string_view help, double value) {
    Family(name, "gauge", help);
    Value("", value);
  }
  std::string Take() { return std::move(out_); }

 private:
  std::string name_;
  std::string out_;
};

double Number(uint64_t value) { return static_cast<double>(value); }
double Seconds(int64_t ns) { return static_cast<double>(ns) * 1e-9; }
double Seconds(uint64_t ns) { return static_cast<double>(ns) * 1e-9; }

void AddProcess(Writer* out, double start_seconds) {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) * 1e-6;
  };
  out->Counter("process_cpu_seconds_total", "CPU time of this process, user and system.",
               seconds(usage.ru_utime) + seconds(usage.ru_stime));
  std::ifstream statm("/proc/self/statm");
  uint64_t pages_virtual = 0;
  uint64_t pages_resident = 0;
  if (statm >> pages_virtual >> pages_resident) {
    const auto page = static_cast<double>(::sysconf(_SC_PAGESIZE));
    out->Gauge("process_virtual_memory_bytes", "Address space of this process.", Number(pages_virtual) * page);
    out->Gauge("process_resident_memory_bytes", "Memory of this process.", Number(pages_resident) * page);
  }
  if (DIR* const directory = ::opendir("/proc/self/fd"); directory != nullptr) {
    double count = -3;  // ".", ".." and the directory itself
    while (::readdir(directory) != nullptr) ++count;
    ::closedir(directory);
    out->Gauge("process_open_fds", "Open file descriptors.", count);
  }
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) == 0) {
    out->Gauge("process_max_fds", "Most file descriptors that may be open.", Number(limit.rlim_cur));
  }
  out->Gauge("process_start_time_seconds", "When this process began, since 1970.", start_seconds);
}

void AddMemory(Writer* out, const memory::Budget& budget) {
  const memory::Usage usage = budget.usage();
  const memory::ClassUsage& names = usage.classes[static_cast<size_t>(memory::Class::kNames)];
  out->Gauge("tidemark_memory_limit_bytes", "Memory that is used at most.", Number(usage.limit_bytes));
  out->Gauge("tidemark_memory_used_bytes", "Memory in use.", Number(usage.total_bytes));
  out->Gauge("tidemark_memory_names_limit_bytes", "Memory beyond which new names are refused.",
             Number(names.limit_bytes));
  out->Gauge("tidemark_memory_names_used_bytes", "Memory of series, fields and databases.", Number(names.used_bytes));
  out->Gauge("tidemark_memory_names_refused", "1 while new series, fields and databases are refused.",
             budget.NamesAdmitted() ? 0 : 1);
}

void AddStore(Writer* out, const storage::StoreStats& stats) {
  out->Counter("tidemark_rows_written_total", "Rows written since the start.", Number(stats.rows_written));
  out->Counter("tidemark_points_written_total", "Points written since the start.", Number(stats.points_written));
  out->Counter("tidemark_rows_rejected_total", "Rows that the store refused.", Number(stats.rows_rejected));
  out->Counter("tidemark_journal_written_bytes_total", "Bytes written to the journal.",
               Number(stats.journal_bytes_written));
  out->Counter("tidemark_journal_syncs_total", "Syncs of the journal.", Number(stats.journal_syncs));
  out->Gauge("tidemark_journal_live_bytes", "Journal that a restart would replay.", Number(stats.journal_live_bytes));
  out->Gauge("tidemark_staged_bytes", "Rows in memory, not yet compressed.", Number(stats.staged_bytes));
  out->Gauge("tidemark_slab_bytes", "Rows in memory, compressed, not yet on disk as pages.", Number(stats.slab_bytes));
  out->Gauge("tidemark_write_wait_rounds_max",
             "Rounds of making room that the write that waited longest has waited for.",
             Number(stats.longest_write_wait_rounds));
  out->Gauge("tidemark_series", "Series of all databases.", Number(stats.series));
  out->Counter("tidemark_series_created_total", "Series created since the start.", Number(stats.series_created));
  out->Counter("tidemark_checkpoints_total", "Checkpoints taken.", Number(stats.checkpoints));
  out->Counter("tidemark_checkpoint_failures_total", "Checkpoints that failed.", Number(stats.checkpoint_failures));
  out->Gauge("tidemark_last_checkpoint_seconds", "Duration of the last checkpoint.", Seconds(stats.last_checkpoint_ns));
  out->Counter("tidemark_seals_total", "Partitions sealed by background work.", Number(stats.seals));
  out->Counter("tidemark_seal_failures_total", "Partitions that could not be sealed.", Number(stats.seal_failures));
  out->Counter("tidemark_seal_read_bytes_total", "Pages that sealing has read.", Number(stats.seal_bytes_read));
  out->Counter("tidemark_seal_written_bytes_total", "Pages that sealing has written.",
               Number(stats.seal_bytes_written));
  out->Gauge("tidemark_seal_queue", "Partitions that wait to be sealed.", Number(stats.seal_queue));
  out->Gauge("tidemark_seal_progress", "How far the partition that is being sealed has come, 0 to 1.",
             stats.seal_progress);
  out->Gauge("tidemark_partitions_left", "Partitions that are not folded because something of them cannot be read.",
             Number(stats.partitions_left));
  out->Gauge("tidemark_seal_healthy", "Whether the last seal succeeded.", stats.last_seal_error.empty() ? 1 : 0);
  out->Gauge("tidemark_last_seal_seconds", "Duration of the last seal.", Seconds(stats.last_seal_ns));
  out->Gauge("tidemark_sealed_epochs", "Live epochs that are sealed.", Number(stats.sealed_epochs));
  out->Gauge("tidemark_epochs", "Live epochs on disk.", Number(stats.epochs));
  out->Gauge("tidemark_partitions", "Partitions on disk.", Number(stats.partitions));
  out->Gauge("tidemark_disk_bytes", "Pages on disk.", Number(stats.disk_bytes));
  out->Counter("tidemark_corrupt_pages_total", "Pages that failed their checksum.", Number(stats.corrupt_pages));
  out->Gauge("tidemark_recovery_seconds", "Duration of the last start's recovery.", Seconds(stats.recovery_ns));
  out->Gauge("tidemark_recovered_points", "Points replayed from the journal at the last start.",
             Number(stats.recovered_points));
  out->Gauge("tidemark_read_only", "1 while writes are refused.", stats.read_only ? 1 : 0);
  out->Gauge("tidemark_reserve_bytes", "Set aside of the disk for what gives space back when it is full.",
             Number(stats.reserve_bytes));
  out->Gauge("tidemark_reserve_wanted_bytes", "What is to be set aside.", Number(stats.reserve_wanted_bytes));
  out->Gauge("tidemark_reserve_in_use", "1 from when a full disk took the reserve until it is whole again.",
             stats.reserve_in_use ? 1 : 0);
}

void AddFindings(Writer* out, const std::vector<model::Finding>& findings) {
  out->Family("tidemark_findings", "gauge",
              "Places of the store that are not as they were written, and that no repair has accepted: see /health.");
  for (int number = 0; number <= static_cast<int>(model::FindingArea::kClock); ++number) {
    const auto area = static_cast<model::FindingArea>(number);
    const auto count = std::count_if(findings.begin(), findings.end(), [area](const model::Finding& finding) {
      return finding.area == area && !finding.accepted;
    });
    out->Value(fmt::format("area=\"{}\"", model::NameOf(area)), static_cast<double>(count));
  }
}

void AddClock(Writer* out, const storage::RetentionTime& time) {
  out->Gauge("tidemark_clock_ahead_seconds",
             "How far the machine's clock is ahead of the time that is trusted; below 0: behind. 0: it is trusted.",
             time.jumped ? static_cast<double>(time.machine.ns - time.trusted.ns) * 1e-9 : 0);
}

void AddHttp(Writer* out, const http::Server& server) {
  const http::ServerCounters& counters = server.counters();
  out->Counter("tidemark_tls_handshakes_total", "TLS handshakes that succeeded.", Number(counters.handshakes));
  out->Counter("tidemark_tls_handshakes_failed_total", "TLS handshakes that failed or came too slowly.",
               Number(counters.handshakes_failed));
  out->Counter("tidemark_http_connections_total", "Connections accepted.", Number(counters.connections_accepted));
  out->Counter("tidemark_http_connections_refused_total", "Connections closed because there were too many.",
               Number(counters.connections_refused));
  out->Gauge("tidemark_http_connections", "Open connections.", Number(counters.connections_open));
  out->Gauge("tidemark_tls_connections", "Open connections under TLS.", Number(counters.connections_encrypted));
  out->Counter("tidemark_http_received_bytes_total", "Bytes received.", Number(counters.received_bytes));
  out->Counter("tidemark_http_sent_bytes_total", "Bytes sent.", Number(counters.sent_bytes));
  out->Counter("tidemark_http_malformed_total", "Requests that were not HTTP.", Number(counters.malformed));
  out->Counter("tidemark_http_timeouts_total", "Requests that came too slowly.", Number(counters.timeouts));
  out->Counter("tidemark_http_overloaded_total", "Requests refused because too many ran.", Number(counters.overloaded));
  out->Counter("tidemark_http_late_answers_total", "Requests answered at their deadline while they were still at work.",
               Number(counters.late_answers));
  out->Gauge("tidemark_http_body_bytes", "Request bodies held.", Number(counters.body_bytes));
  out->Gauge("tidemark_http_reply_bytes", "Large replies held.", Number(counters.reply_bytes));
  out->Family("tidemark_http_queue", "gauge", "Requests that wait for a thread.");
  out->Value("lane=\"write\"", static_cast<double>(server.queued_writes()));
  out->Value("lane=\"read\"", static_cast<double>(server.queued_reads()));
}

void AddRoutes(Writer* out, const http::Router& router) {
  const auto handler = [&router](size_t i) {
    const http::Route& route = router.routes()[i];
    return fmt::format("handler=\"{}\",method=\"{}\"", route.pattern, http::Name(route.methods.front()));
  };
  out->Family("tidemark_http_requests_total", "counter", "Replies by route and class of status.");
  for (size_t i = 0; i <= router.routes().size(); ++i) {
    const std::string labels = i < router.routes().size() ? handler(i) : "handler=\"\",method=\"\"";
    for (size_t status = 1; status < 6; ++status) {
      const uint64_t count = router.tally(i).replies[status].load(std::memory_order_relaxed);
      if (count > 0) out->Value(fmt::format("{},code=\"{}xx\"", labels, status), Number(count));
    }
  }
  out->Family("tidemark_http_handler_seconds_total", "counter", "Time spent in handlers.");
  for (size_t i = 0; i < router.routes().size(); ++i) {
    const uint64_t ns = router.tally(i).handler_ns.load(std::memory_order_relaxed);
    if (ns > 0) out->Value(handler(i), Seconds(ns));
  }
}

void AddWrites(Writer* out, const WriteCounters& counters) {
  out->Counter("tidemark_ingest_points_total", "Points taken over the network.", Number(counters.points));
  out->Counter("tidemark_ingest_rows_rejected_total", "Rows refused after parsing.", Number(counters.rows_rejected));
  out->Counter("tidemark_ingest_bad_lines_total", "Lines that could not be parsed.", Number(counters.lines_bad));
  out->Counter("tidemark_ingest_failed_requests_total", "Write requests answered with an error.",
               Number(counters.requests_failed));
}

void AddDictionaries(Writer* out, const WriteService& writes) {
  const native::DictionaryBook::Stats stats = writes.dictionaries();
  out->Gauge("tidemark_native_dictionaries", "Dictionaries of series that senders of native batches have filled.",
             Number(stats.dictionaries));
  out->Gauge("tidemark_native_dictionary_bytes", "Memory of those dictionaries.", Number(stats.bytes));
  out->Counter("tidemark_native_dictionaries_forgotten_total", "Dictionaries given up to keep within their bounds.",
               Number(stats.forgotten));
  if (writes.write_ids() == nullptr) return;
  out->Gauge("tidemark_write_ids", "Values of X-Write-Id that are remembered.",
             static_cast<double>(writes.write_ids()->size()));
  out->Counter("tidemark_write_repeats_total", "Requests that were known by their X-Write-Id as written already.",
               Number(writes.write_ids()->repeats()));
}

void AddWritePath(Writer* out, const write_path::WritePathStats& stats) {
  out->Counter("tidemark_writes_total", "Batches offered to the write path, by whomever.", Number(stats.writes));
  out->Gauge("tidemark_writes_in_flight", "Batches being written.", static_cast<double>(stats.writes_in_flight));
  out->Gauge("tidemark_write_bytes_in_flight", "Bytes of batches being written.", Number(stats.bytes_in_flight));
  const auto by_reason = [out](std::string_view name, std::string_view help, const auto& counts) {
    out->Family(name, "counter", help);
    for (size_t code = 0; code < counts.size(); ++code) {
      if (counts[code] == 0) continue;
      out->Value(fmt::format("reason=\"{}\"", Phrase(static_cast<ErrorCode>(code))), Number(counts[code]));
    }
  };
  by_reason("tidemark_write_rows_rejected_total", "Rows refused, by what was wrong.", stats.rows_rejected_by);
  by_reason("tidemark_write_batches_failed_total", "Whole batches refused, by what was wrong.", stats.writes_failed_by);
  const auto by_source = [&](std::string_view name, std::string_view help, uint64_t write_path::SourceStats::* member) {
    out->Family(name, "counter", help);
    for (const write_path::SourceStats& source : stats.sources) {
      out->Value(fmt::format("source=\"{}\"", source.source.empty() ? "tidemark" : source.source),
                 Number(source.*member));
    }
  };
  by_source("tidemark_write_source_points_total", "Points written, by the way they came in; tidemark: its own.",
            &write_path::SourceStats::points_written);
  by_source("tidemark_write_source_rows_total", "Rows written, by the way they came in.",
            &write_path::SourceStats::rows_written);
  by_source("tidemark_write_source_rows_rejected_total", "Rows refused, by the way they came in.",
            &write_path::SourceStats::rows_rejected);
}

void AddNative(Writer* out, const std::vector<std::unique_ptr<NativeListener>>& listeners) {
  if (listeners.empty()) return;
  out->Family("tidemark_native_connections", "gauge", "Connections for native batches that are open.");
  for (const auto& listener : listeners) {
    out->Value(fmt::format("listen=\"{}\"", listener->config().listen),
               static_cast<double>(listener->connections_now()));
  }
  const auto each = [&](std::string_view name, std::string_view help, auto member) {
    out->Family(name, "counter", help);
    for (const auto& listener : listeners) {
      out->Value(fmt::format("listen=\"{}\"", listener->config().listen), Number(listener->counters().*member));
    }
  };
  each("tidemark_native_connections_total", "Connections accepted.", &NativeCounters::connections);
  each("tidemark_native_connections_refused_total", "Connections that were one too many.",
       &NativeCounters::connections_refused);
  each("tidemark_native_handshakes_failed_total", "TLS handshakes that failed or came too slowly.",
       &NativeCounters::handshakes_failed);
  each("tidemark_native_batches_total", "Batches received.", &NativeCounters::batches);
  each("tidemark_native_bytes_total", "Bytes of those.", &NativeCounters::bytes);
  each("tidemark_native_waits_total", "Batches held, and their senders with them, while there was no room.",
       &NativeCounters::waits);
}

void AddUdp(Writer* out, const std::vector<std::unique_ptr<UdpListener>>& listeners) {
  if (listeners.empty()) return;
  const auto each = [&](std::string_view name, std::string_view help, auto member) {
    out->Family(name, "counter", help);
    for (const auto& listener : listeners) {
      out->Value(fmt::format("listen=\"{}\"", listener->config().listen), Number(listener->counters().*member));
    }
  };
  each("tidemark_udp_datagrams_total", "Datagrams received.", &UdpCounters::datagrams);
  each("tidemark_udp_bytes_total", "Bytes received.", &UdpCounters::bytes);
  each("tidemark_udp_batches_total", "Batches written.", &UdpCounters::batches);
  each("tidemark_udp_failed_batches_total", "Batches lost because the store refused them.",
       &UdpCounters::failed_batches);
  each("tidemark_udp_failed_datagrams_total", "Datagrams of these batches.", &UdpCounters::failed_datagrams);
  each("tidemark_udp_dropped_datagrams_total", "Datagrams that the kernel had no room for: they came too fast.",
       &UdpCounters::dropped);
}

void AddRules(Writer* out, const query::rules::Manager& rules) {
  const query::rules::Snapshot snapshot = rules.Status();
  if (snapshot.groups.empty()) return;
  const auto label = [](const query::rules::GroupStatus& group) {
    std::string text = "group=";
    text::AppendJsonString(&text, group.group->file + ";" + group.group->name);
    return text;
  };
  out->Family("tidemark_rule_evaluations_total", "counter", "Evaluations of a group.");
  for (const auto& group : snapshot.groups) out->Value(label(group), Number(group.evaluations));
  out->Family("tidemark_rule_missed_total", "counter", "Evaluations left out because the one before took too long.");
  for (const auto& group : snapshot.groups) out->Value(label(group), Number(group.missed));
  out->Family("tidemark_rule_last_duration_seconds", "gauge", "Duration of a group's last evaluation.");
  for (const auto& group : snapshot.groups) out->Value(label(group), Seconds(group.evaluation_ns));
}

void AddWatchdog(Writer* out, const Watchdog& watchdog) {
  const WatchdogStats stats = watchdog.Stats();
  out->Family("tidemark_watchdog_calls_total", "counter", "Calls of notify.watchdog that were answered well.");
  out->Value("", Number(stats.calls));
  out->Family("tidemark_watchdog_failed_total", "counter", "Calls of notify.watchdog that were not.");
  out->Value("", Number(stats.failed));
  out->Family("tidemark_watchdog_held_total", "counter",
              "Calls that were not made, since alerts were not evaluated or not told of.");
  out->Value("", Number(stats.held));
}

void AddNotify(Writer* out, const notify::NotifyService& service, const std::string& version) {
  // Karma and others find out by this name that they may ask as they ask Alertmanager.
  out->Family("alertmanager_build_info", "gauge", "1, with the version as a label: Alertmanager's API is answered.");
  out->Value(fmt::format("version=\"{}\"", version), 1);
  const std::vector<notify::LaneStats> lanes = service.Lanes();
  if (lanes.empty()) return;
  const auto each = [&](std::string_view name, std::string_view type, std::string_view help, const auto& value) {
    out->Family(name, type, help);
    for (const notify::LaneStats& lane : lanes) {
      std::string label = "receiver=";
      text::AppendJsonString(&label, lane.receiver);
      out->Value(fmt::format("{},integration=\"{}\"", label, lane.integration), value(lane));
    }
  };
  each("tidemark_notifications_total", "counter", "Messages that reached their receiver.",
       [](const notify::LaneStats& lane) { return Number(lane.delivered); });
  each("tidemark_notifications_failed_total", "counter", "Attempts that did not.",
       [](const notify::LaneStats& lane) { return Number(lane.failed); });
  each("tidemark_notifications_refused_total", "counter", "Messages that a receiver will never take.",
       [](const notify::LaneStats& lane) { return Number(lane.refused); });
  each("tidemark_notifications_waiting", "gauge", "Messages on their way.",
       [](const notify::LaneStats& lane) { return static_cast<double>(lane.waiting); });
}

void AddSenders(Writer* out, const notify::AlertmanagerSenders& senders) {
  const std::vector<notify::SenderStats> all = senders.Stats();
  if (all.empty()) return;
  const auto each = [&](std::string_view name, std::string_view help, uint64_t notify::SenderStats::* value) {
    out->Family(name, "counter", help);
    for (const notify::SenderStats& stats : all) {
      std::string label = "alertmanager=";
      text::AppendJsonString(&label, stats.url);
      out->Value(label, Number(stats.*value));
    }
  };
  each("tidemark_alertmanager_sent_total", "Alerts that reached another Alertmanager.", &notify::SenderStats::sent);
  each("tidemark_alertmanager_failed_total", "Messages that did not.", &notify::SenderStats::failed);
}

void AddPool(Writer* out, const executor::PoolStats& stats) {
  out->Gauge("tidemark_pool_workers", "Threads of the pool.", static_cast<double>(stats.workers));
  out->Gauge("tidemark_pool_busy_workers", "Threads that run something.", static_cast<double>(stats.busy_workers));
  out->Counter("tidemark_pool_steals_total", "Items taken from another worker.", Number(stats.steals));
  out->Counter("tidemark_pool_submit_waits_total", "Times that a full queue made somebody wait.",
               Number(stats.submit_waits));
  const auto each = [&](std::string_view name, std::string_view help, auto value, std::string_view type = "counter") {
    out->Family(name, type, help);
    for (size_t kind = 0; kind < executor::kTaskKinds; ++kind) {
      out->Value(fmt::format("kind=\"{}\"", Name(static_cast<TaskKind>(kind))), value(stats.kinds[kind]));
    }
  };
  each("tidemark_pool_tasks_total", "Tasks finished.",
       [](const executor::KindStats& kind) { return Number(kind.tasks_finished); });
  each("tidemark_pool_tasks_given_up_total", "Tasks that were cancelled or late when their turn came.",
       [](const executor::KindStats& kind) { return Number(kind.tasks_given_up); });
  each(
      "tidemark_pool_tasks_open", "Tasks that wait or run.",
      [](const executor::KindStats& kind) { return Number(kind.tasks_submitted - kind.tasks_finished); }, "gauge");
  each("tidemark_pool_loops_total", "Parallel loops begun.",
       [](const executor::KindStats& kind) { return Number(kind.loops); });
  each("tidemark_pool_wait_seconds_total", "Time that tasks waited.",
       [](const executor::KindStats& kind) { return Seconds(kind.wait_ns); });
  each(
      "tidemark_pool_wait_seconds_max", "The longest time that a task waited.",
      [](const executor::KindStats& kind) { return Seconds(kind.wait_max_ns); }, "gauge");
  each("tidemark_pool_run_seconds_total", "Time that threads worked.",
       [](const executor::KindStats& kind) { return Seconds(kind.run_ns); });
}

void AddTurns(Writer* out, const query::api::QueryApi& api) {
  const query::run::Turns::Stats turns = api.TurnStats();
  out->Gauge("tidemark_query_long", "Queries that have run for longer than the grace.", Number(turns.long_queries));
  out->Gauge("tidemark_query_long_waiting", "Of them, those that wait for their turn.", Number(turns.waiting));
  out->Gauge("tidemark_query_long_entering", "Queries that wait to be among the long ones that take turns.",
             Number(turns.entering));
  out->Counter("tidemark_query_long_refused_total",
               "Queries refused because too many long ones waited, or for too long.", Number(turns.refused));
  out->Gauge("tidemark_query_memory_bytes", "Memory of queries and of results that are not sent yet.",
             Number(api.query_memory_bytes()));
}

void AddResultCache(Writer* out, const query::cache::ResultCacheStats& stats) {
  out->Family("tidemark_query_cache_queries_total", "counter",
              "Range queries by what the result cache had: all of it, part of it, nothing, or nothing to keep.");
  out->Value("result=\"hit\"", Number(stats.hits));
  out->Value("result=\"partial\"", Number(stats.partial_hits));
  out->Value("result=\"miss\"", Number(stats.misses));
  out->Value("result=\"bypassed\"", Number(stats.bypassed));
  out->Counter("tidemark_query_cache_reused_steps_total", "Steps of queries that came out of the cache.",
               Number(stats.steps_reused));
  out->Counter("tidemark_query_cache_changed_steps_total", "Steps in the cache whose data had changed.",
               Number(stats.steps_changed));
  out->Counter("tidemark_query_cache_evictions_total", "Results that had to make room.", Number(stats.evictions));
  out->Gauge("tidemark_query_cache_bytes", "Memory of the result cache.", Number(stats.bytes));
  out->Gauge("tidemark_query_cache_results", "Results in the cache.", Number(stats.entries));
}

void AddBackups(Writer* out, const backup::BackupMaker::Counters& backups) {
  out->Counter("tidemark_backups_total", "Backups that were made.", Number(backups.made));
  out->Counter("tidemark_backup_failures_total", "Backups that could not be made, or were stopped.",
               Number(backups.failed));
  out->Gauge("tidemark_backup_last_success_timestamp_seconds",
             "When the newest backup was begun, since 1970; 0: there is none.", Seconds(backups.last_made_ns));
  out->Gauge("tidemark_backup_last_size_bytes", "Size of the newest backup.", Number(backups.last_bytes));
  out->Gauge("tidemark_backup_last_duration_seconds", "How long the last backup since the start took.",
             Seconds(backups.last_duration_ns));
}

void AddScrub(Writer* out, const ScrubState& scrub) {
  out->Counter("tidemark_scrub_rounds_total", "Rounds through all pages that were done, since the store was made.",
               Number(scrub.rounds));
  out->Gauge("tidemark_scrub_round_pages", "Pages read in the round that is under way, or in the last.",
             Number(scrub.round_pages));
  out->Gauge("tidemark_scrub_round_bytes", "Bytes of them.", Number(scrub.round_bytes));
  out->Gauge("tidemark_scrub_damaged_pages", "Pages that were damaged when they were read last.",
             Number(scrub.damaged.size()));
  out->Gauge("tidemark_scrub_last_round_timestamp_seconds", "When the last round was done, since 1970; 0: none was.",
             Seconds(scrub.last_ended_ns));
}

}  // namespace

std::string MetricsText(const MetricSources& sources) {
  Writer out;
  out.Counter("tidemark_restarts_total", "Restarts of this process, without a request that failed.",
              Number(sources.restarts));
  out.Gauge("tidemark_restart_pause_seconds", "How long requests waited in the last of them.",
            sources.restart_pause_seconds);
  out.Family("tidemark_build_info", "gauge", "1, with the version as a label.");
  out.Value(fmt::format("version=\"{}\"", sources.version), 1);
  AddProcess(&out, sources.start_seconds);
  out.Gauge("tidemark_config_last_reload_successful", "Whether the last attempt to reload the settings succeeded.",
            sources.reload_good ? 1 : 0);
  out.Gauge("tidemark_config_last_reload_success_timestamp_seconds",
            "When the settings in force were read, since 1970.", sources.config_seconds);
  if (sources.store != nullptr) AddStore(&out, sources.store->Stats());
  if (sources.memory != nullptr) AddMemory(&out, *sources.memory);
  if (sources.store != nullptr) AddFindings(&out, sources.store->Findings());
  if (sources.store != nullptr) AddClock(&out, sources.store->ReadClock());
  if (sources.http != nullptr) AddHttp(&out, *sources.http);
  if (sources.router != nullptr) AddRoutes(&out, *sources.router);
  if (sources.writes != nullptr) {
    AddWrites(&out, sources.writes->counters());
    AddDictionaries(&out, *sources.writes);
  }
  if (sources.write_path != nullptr) AddWritePath(&out, sources.write_path->Stats());
  if (sources.events != nullptr) {
    out.Gauge("tidemark_event_followers", "Clients that follow events.",
              static_cast<double>(sources.events->followers()));
  }
  if (sources.udp != nullptr) AddUdp(&out, *sources.udp);
  if (sources.native != nullptr) AddNative(&out, *sources.native);
  if (sources.auditor != nullptr) {
    const audit::Auditor::Counters audited = sources.auditor->counters();
    out.Counter("tidemark_audit_records_total", "Acts and refusals that were written down.", Number(audited.written));
    out.Counter("tidemark_audit_lost_total", "Acts and refusals that could not be written down.", Number(audited.lost));
  }
  if (sources.backups != nullptr) AddBackups(&out, sources.backups->counters());
  if (sources.scrubber != nullptr) AddScrub(&out, sources.scrubber->state());
  if (sources.rules != nullptr) AddRules(&out, *sources.rules);
  if (sources.watchdog != nullptr) AddWatchdog(&out, *sources.watchdog);
  if (sources.notify != nullptr) AddNotify(&out, *sources.notify, sources.version);
  if (sources.senders != nullptr) AddSenders(&out, *sources.senders);
  if (sources.api != nullptr) {
    AddResultCache(&out, sources.api->CacheStats());
    AddTurns(&out, *sources.api);
  }
  if (sources.pool != nullptr) AddPool(&out, sources.pool->stats());
  return out.Take();
}

}  // namespace tidemark::server

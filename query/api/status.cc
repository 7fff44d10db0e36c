// /api/v1/status/... and features: what the server is, how it is set, and what its series are made of.
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <iterator>
#include <string>
#include <system_error>
#include <thread>
#include <unordered_map>
#include <utility>
#include <vector>

#include "query/api/api.h"
#include "query/api/json.h"
#include "query/api/values.h"
#include "query/names/series_walk.h"
#include "query/promql/functions.h"
#include "query/promql/numbers.h"
#include "query/run/query_state.h"
#include "storage/base/hash.h"
#include "storage/base/usable_cpus.h"

namespace tidemark::query::api {
namespace {

// Rows of each table of status/tsdb: when no limit is asked for, and at most (as Prometheus).
constexpr uint64_t kTopDefault = 10;
constexpr uint64_t kTopMax = 10'000;
// How many series are looked at between two questions whether the client is still there.
constexpr size_t kSeriesBetweenChecks = 4096;

struct Counted {
  std::string name;
  uint64_t value = 0;
};

// The `limit` greatest, greatest first; equal ones by name, so that the answer is always the same.
void AppendTop(std::string* out, std::vector<Counted> all, size_t limit) {
  const size_t shown = std::min(limit, all.size());
  std::partial_sort(
      all.begin(), all.begin() + static_cast<std::ptrdiff_t>(shown), all.end(),
      [](const Counted& a, const Counted& b) { return a.value != b.value ? a.value > b.value : a.name < b.name; });
  out->push_back('[');
  for (size_t i = 0; i < shown; ++i) {
    if (i > 0) out->push_back(',');
    JsonObject row(out);
    row.String("name", all[i].name);
    row.Integer("value", all[i].value);
  }
  out->push_back(']');
}

struct Pair {
  std::string_view name;
  std::string_view value;
  friend bool operator==(const Pair&, const Pair&) = default;
};
struct PairHash {
  size_t operator()(const Pair& pair) const { return Hash64(pair.value, Hash64(pair.name, 0)); }
};

// Counts what the labels of all series hold. Label bytes live as long as the view.
class Cardinality {
 public:
  void Add(const model::LabelViews& labels) {
    ++series_;
    for (const model::LabelView& label : labels) ++pairs_[{label.name, label.value}];
  }
  [[nodiscard]] uint64_t series() const { return series_; }
  [[nodiscard]] size_t pairs() const { return pairs_.size(); }
  // What it holds, and what the lists hold besides that are made of it in the end.
  [[nodiscard]] uint64_t bytes() const { return pairs_.size() * kBytesPerPair; }

  [[nodiscard]] std::vector<Counted> ByMetric() const {
    std::vector<Counted> out;
    for (const auto& [pair, count] : pairs_) {
      if (pair.name == model::kMetricNameLabel) out.push_back({std::string(pair.value), count});
    }
    return out;
  }
  [[nodiscard]] std::vector<Counted> ByPair(size_t limit) const {
    // Only the texts of those that can be shown are made: there may be as many pairs as series.
    std::vector<std::pair<uint64_t, Pair>> all;
    all.reserve(pairs_.size());
    for (const auto& [pair, count] : pairs_) all.emplace_back(count, pair);
    const auto before = [](const auto& a, const auto& b) {
      if (a.first != b.first) return a.first > b.first;
      return a.second.name != b.second.name ? a.second.name < b.second.name : a.second.value < b.second.value;
    };
    const size_t shown = std::min(limit, all.size());
    std::partial_sort(all.begin(), all.begin() + static_cast<std::ptrdiff_t>(shown), all.end(), before);
    std::vector<Counted> out;
    for (size_t i = 0; i < shown; ++i) {
      const Pair& pair = all[i].second;
      out.push_back({std::string(pair.name) + "=" + std::string(pair.value), all[i].first});
    }
    return out;
  }
  // Values of each label, or the bytes that they take.
  [[nodiscard]] std::vector<Counted> ByName(bool bytes) const {
    std::unordered_map<std::string_view, uint64_t> names;
    for (const auto& [pair, count] : pairs_) names[pair.name] += bytes ? pair.value.size() : 1;
    std::vector<Counted> out;
    for (const auto& [name, count] : names) out.push_back({std::string(name), count});
    return out;
  }

 private:
  uint64_t series_ = 0;
  // A node of the map, its place in the table, and a row of each list.
  static constexpr uint64_t kBytesPerPair = 160;

  std::unordered_map<Pair, uint64_t, PairHash> pairs_;
};

void AppendTime(JsonObject* object, std::string_view name, int64_t ns) {
  std::string* const out = object->Key(name);
  out->push_back('"');
  AppendRfc3339(out, ns);
  out->push_back('"');
}

std::string HostName() {
  char name[256] = {};
  return ::gethostname(name, sizeof(name) - 1) == 0 ? name : "";
}

// Threads of this process: one entry each in /proc.
int64_t CountThreads() {
  std::error_code error;
  const std::filesystem::directory_iterator tasks("/proc/self/task", error);
  return error ? 0 : std::distance(begin(tasks), end(tasks));
}

// The ULID of a time, its random part zero: partitions of a database begin at different times, so it names one. Times
// before 1970 wrap around. Source: https://github.com/ulid/spec
std::string UlidOf(int64_t ms) {
  constexpr std::string_view kDigits = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
  constexpr size_t kTimeDigits = 10;
  constexpr size_t kRandomDigits = 16;
  auto bits = static_cast<uint64_t>(ms) & ((uint64_t{1} << 48U) - 1);
  std::string out(kTimeDigits + kRandomDigits, '0');
  for (size_t i = kTimeDigits; i-- > 0; bits >>= 5U) out[i] = kDigits[bits & 31U];
  return out;
}

void AppendAllOn(std::string* out, std::span<const std::string_view> names) {
  JsonObject object(out);
  for (const std::string_view name : names) object.Bool(name, true);
}

}  // namespace

Reply QueryApi::BuildInfo() const {
  // The version is that of the API and language spoken.
  std::string body = BeginSuccess();
  {
    JsonObject info(&body);
    info.String("version", "3.0.0");
    info.String("revision", options_.revision);
    info.String("branch", "");
    info.String("buildUser", "");
    info.String("buildDate", options_.build_date);
    info.String("goVersion", "");
    info.String("application", "Tidemark");
    info.String("applicationVersion", options_.version);
    // Grafana edits rules where it finds this, at Mimir's addresses.
    JsonObject features(info.Key("features"));
    features.String("ruler_config_api", "true");
    features.String("alertmanager_config_api", "false");
  }
  return EndSuccess(std::move(body));
}

Reply QueryApi::StatusConfig() const {
  std::string body = BeginSuccess();
  JsonObject(&body).String("yaml", shown()->config_yaml);
  return EndSuccess(std::move(body));
}

Reply QueryApi::StatusFlags() const {
  std::string body = BeginSuccess();
  {
    JsonObject flags(&body);
    const std::shared_ptr<const Shown> now = shown();
    for (const auto& [name, value] : now->flags) flags.String(name, value);
  }
  return EndSuccess(std::move(body));
}

Reply QueryApi::StatusRuntimeInfo(const ApiRequest& request) const {
  const std::string_view database = DatabaseOf(request);
  int64_t retention_ns = 0;
  for (const storage::DatabaseInfo& info : dependencies_.store->Databases()) {
    if (info.name == (database.empty() ? storage::kDefaultDatabase : database))
      retention_ns = info.options.retention_ns;
  }
  std::error_code ignored;
  std::string body = BeginSuccess();
  {
    JsonObject info(&body);
    AppendTime(&info, "startTime", options_.start_ns);
    info.String("CWD", std::filesystem::current_path(ignored).string());
    info.String("hostname", HostName());
    AppendTime(&info, "serverTime", NowMs() * 1'000'000);
    info.Bool("reloadConfigSuccess", shown()->reload_good);
    AppendTime(&info, "lastConfigTime", shown()->config_ns);
    info.Integer("corruptionCount", dependencies_.store->Stats().corrupt_pages);
    info.Integer("goroutineCount", CountThreads());
    info.Integer("GOMAXPROCS", UsableCpus());
    info.Integer("GOMEMLIMIT", 0);
    info.String("GOGC", "");
    info.String("GODEBUG", "");
    info.String("storageRetention", retention_ns == 0 ? "" : promql::DurationToString(retention_ns / 1'000'000));
  }
  return EndSuccess(std::move(body));
}

Reply QueryApi::StatusTsdb(const ApiRequest& request) const {
  uint64_t limit = kTopDefault;
  if (const std::string_view text = request.params.Get("limit"); !text.empty()) {
    const Result<uint64_t> parsed = ParseLimit(text);
    if (!parsed.ok() || *parsed == 0) {
      return ErrorReply(ErrorType::kBadData, "limit must be a positive number");
    }
    if (*parsed > kTopMax) return ErrorReply(ErrorType::kBadData, "limit must not exceed 10000");
    limit = *parsed;
  }
  const auto view = OpenView(request);
  if (!view.ok()) return ErrorReply(view.error());
  run::QueryState state(ContextFor(request, *view));
  run::Reservation memory(&state);
  const auto look = [&](uint64_t held) {
    Status status = state.CheckInterrupt();
    return status.ok() ? memory.Set(held) : status;
  };
  // Names outlive their rows: those that are present count.
  std::vector<model::SeriesRef> refs;
  const std::vector<model::Matcher> everything;
  const Status found = names::SelectAll(**view, {&everything, 1}, {}, {}, options_.series_max, look, &refs);
  if (!found.ok()) return ErrorReply(found.error());
  Cardinality cardinality;
  model::LabelViews labels;
  for (size_t i = 0; i < refs.size(); ++i) {
    if (i % kSeriesBetweenChecks == 0) {
      Status status = state.CheckInterrupt();
      if (status.ok()) status = memory.Set(refs.size() * sizeof(model::SeriesRef) + cardinality.bytes());
      if (!status.ok()) return ErrorReply(status.error());
    }
    // A name that got another type has the series under both: it is one.
    const model::FieldId newest = (*view)->NewestOf(refs[i].field);
    if (newest != refs[i].field &&
        std::binary_search(refs.begin(), refs.end(), model::SeriesRef{newest, refs[i].series}))
      continue;
    (*view)->LabelsOf(refs[i], &labels);
    cardinality.Add(labels);
  }
  if (const Status held = memory.Set(refs.size() * sizeof(model::SeriesRef) + cardinality.bytes()); !held.ok()) {
    return ErrorReply(held.error());
  }
  std::string body = BeginSuccess();
  {
    JsonObject data(&body);
    {
      JsonObject head(data.Key("headStats"));
      head.Integer("numSeries", cardinality.series());
      head.Integer("numLabelPairs", cardinality.pairs());
      // Of what is in memory and not on disk yet. Chunks are Prometheus' own.
      const model::TimeRange rows = (*view)->Staged().rows;
      head.Integer("chunkCount", 0);
      head.Integer("minTime", rows.empty() ? 0 : rows.first.FloorMs());
      head.Integer("maxTime", rows.empty() ? 0 : rows.last.FloorMs());
    }
    AppendTop(data.Key("seriesCountByMetricName"), cardinality.ByMetric(), limit);
    AppendTop(data.Key("labelValueCountByLabelName"), cardinality.ByName(false), limit);
    AppendTop(data.Key("memoryInBytesByLabelName"), cardinality.ByName(true), limit);
    AppendTop(data.Key("seriesCountByLabelValuePair"), cardinality.ByPair(limit), limit);
  }
  return EndSuccess(std::move(body));
}

Reply QueryApi::StatusTsdbBlocks(const ApiRequest& request) const {
  const auto view = OpenView(request);
  if (!view.ok()) return ErrorReply(view.error());
  std::string body = BeginSuccess();
  {
    JsonObject data(&body);
    std::string* const out = data.Key("blocks");
    out->push_back('[');
    bool first = true;
    for (const storage::PartitionInfo& partition : (*view)->Partitions()) {
      if (!first) out->push_back(',');
      first = false;
      JsonObject block(out);
      block.String("ulid", UlidOf(partition.bounds.first.FloorMs()));
      // The end of a block is not in it.
      block.Integer("minTime", partition.rows.first.FloorMs());
      block.Integer("maxTime", partition.rows.last.FloorMs() + 1);
      {
        JsonObject stats(block.Key("stats"));
        stats.Integer("numSamples", partition.row_count);
        stats.Integer("numBytes", partition.bytes);
      }
      {
        JsonObject compaction(block.Key("compaction"));
        compaction.Integer("level", partition.sealed ? 2 : 1);
        compaction.Raw("sources", "[]");
      }
      {
        JsonObject own(block.Key("tidemark"));
        own.Integer("epochs", partition.epochs);
        own.Bool("sealed", partition.sealed);
        own.Bool("tiersOnly", partition.tiers_only);
      }
      block.Integer("version", 1);
    }
    out->push_back(']');
  }
  return EndSuccess(std::move(body));
}

Reply QueryApi::WalReplay() const {
  // Requests are served once the journal has been replayed.
  std::string body = BeginSuccess();
  {
    JsonObject data(&body);
    data.Integer("min", 0);
    data.Integer("max", 0);
    data.Integer("current", 0);
  }
  return EndSuccess(std::move(body));
}

Reply QueryApi::Features() const {
  using promql::AggregateOp;
  static constexpr std::string_view kApi[] = {"exclude_alerts", "label_values_match", "query_stats",
                                              "query_warnings", "rule_group_filters", "rules_pagination",
                                              "series_limit",   "time_range_labels"};
  const promql::ParseOptions& parse = options_.parse;
  std::string body = BeginSuccess();
  {
    JsonObject data(&body);
    AppendAllOn(data.Key("api"), kApi);
    {
      JsonObject language(data.Key("promql"));
      language.Bool("anchored", parse.extended_range_selectors);
      language.Bool("at_modifier", true);
      language.Bool("bool", true);
      language.Bool("by", true);
      language.Bool("delayed_name_removal", true);
      language.Bool("duration_expr", parse.duration_expressions);
      language.Bool("fill", parse.fill_modifiers);
      language.Bool("group_left", true);
      language.Bool("group_right", true);
      language.Bool("ignoring", true);
      language.Bool("negative_offset", true);
      language.Bool("offset", true);
      language.Bool("on", true);
      language.Bool("smoothed", parse.extended_range_selectors);
      language.Bool("subqueries", true);
      language.Bool("utf8_names", true);
      language.Bool("without", true);
    }
    {
      JsonObject functions(data.Key("promql_functions"));
      for (const promql::FunctionSignature& function : promql::Functions()) {
        functions.Bool(function.name, !function.experimental || parse.experimental_functions);
      }
    }
    {
      JsonObject operators(data.Key("promql_operators"));
      for (auto op = promql::BinaryOp::kAdd; op <= promql::BinaryOp::kUnless;
           op = static_cast<promql::BinaryOp>(static_cast<int>(op) + 1)) {
        operators.Bool(promql::Symbol(op), true);
      }
      for (auto op = AggregateOp::kSum; op <= AggregateOp::kLimitRatio;
           op = static_cast<AggregateOp>(static_cast<int>(op) + 1)) {
        const bool experimental = op == AggregateOp::kLimitk || op == AggregateOp::kLimitRatio;
        operators.Bool(promql::Name(op), !experimental || parse.experimental_functions);
      }
    }
  }
  return EndSuccess(std::move(body));
}

}  // namespace tidemark::query::api

// The query endpoints: query, query_range.
#include <fmt/core.h>

#include <algorithm>
#include <memory>
#include <utility>

#include "query/api/api.h"
#include "query/api/explain.h"
#include "query/api/held_answer.h"
#include "query/api/json.h"
#include "query/api/result_text.h"
#include "query/api/values.h"
#include "query/cache/reuse_rule.h"
#include "query/promql/durations.h"
#include "query/promql/parser.h"
#include "query/run/query_state.h"
#include "query/run/slow_queries.h"
#include "storage/base/log.h"

namespace tidemark::query::api {
namespace {

run::TurnOptions Sharing(run::TurnOptions turns, const run::MemoryTotal* memory) {
  turns.memory = memory;
  return turns;
}

// Pieces in which a long result is handed on.
constexpr size_t kPieceBytes = size_t{64} << 10;

void AppendSeconds(std::string* out, int64_t ns) { AppendJsonNumber(out, static_cast<double>(ns) * 1e-9); }

// Prometheus' statistics, and ours beside them, as the last field of `data`.
std::string StatsText(const run::QueryStats& stats, int64_t parse_ns, int64_t execute_ns) {
  std::string text;
  std::string* const out = &text;
  out->append(R"(,"stats":{"timings":{"evalTotalTime":)");
  AppendSeconds(out, execute_ns);
  out->append(R"(,"resultSortTime":0,"queryPreparationTime":)");
  AppendSeconds(out, parse_ns);
  out->append(R"(,"innerEvalTime":)");
  AppendSeconds(out, execute_ns);
  out->append(R"(,"execQueueTime":0,"execTotalTime":)");
  AppendSeconds(out, parse_ns + execute_ns);
  out->append(R"(},"samples":{"totalQueryableSamples":)");
  AppendInteger(out, stats.samples);
  out->append(R"(,"peakSamples":)");
  AppendInteger(out, stats.peak_bytes / sizeof(double));
  out->append(R"(},"tidemark":{"series":)");
  AppendInteger(out, stats.series);
  out->append(R"(,"tierBuckets":)");
  AppendInteger(out, stats.tier_buckets);
  out->append(R"(,"peakBytes":)");
  AppendInteger(out, stats.peak_bytes);
  out->append(R"(,"cache":)");
  AppendJsonString(out, stats.cache);
  out->append(R"(,"stepsReused":)");
  AppendInteger(out, stats.steps_reused);
  out->append(R"(,"resolution":)");
  AppendJsonString(out, stats.resolution);
  out->append(R"(,"operators":[)");
  for (size_t i = 0; i < stats.operators.size(); ++i) {
    out->append(i > 0 ? R"(,{"name":)" : R"({"name":)");
    AppendJsonString(out, stats.operators[i].name);
    out->append(R"(,"selfTime":)");
    AppendSeconds(out, stats.operators[i].self_ns);
    out->push_back('}');
  }
  out->append("]}}");
  return text;
}

Result<run::Resolution> ParseResolution(std::string_view text) {
  if (text.empty() || text == "auto") return run::Resolution{};
  if (text == "raw") return run::Resolution{.kind = run::Resolution::Kind::kRaw, .tier_ns = 0};
  TM_TRY_ASSIGN(const int64_t ms, ParseDurationMs(text));
  if (ms <= 0) return InvalidArgument("a resolution is raw, auto or the positive width of a tier");
  return run::Resolution{.kind = run::Resolution::Kind::kTier, .tier_ns = ms * 1'000'000};
}

}  // namespace

std::string_view DatabaseOf(const ApiRequest& request) {
  return request.database.empty() ? request.params.Get("db") : request.database;
}

QueryApi::QueryApi(ApiDependencies dependencies, ApiOptions options)
    : dependencies_(std::move(dependencies)),
      options_(std::move(options)),
      own_memory_(dependencies_.memory != nullptr ? nullptr
                                                  : std::make_unique<run::MemoryTotal>(options_.total_memory_bytes)),
      memory_(own_memory_ ? own_memory_.get() : dependencies_.memory),
      cache_(std::make_unique<cache::ResultCache>(options_.cache_bytes)),
      turns_(std::make_unique<run::Turns>(Sharing(options_.turns, memory_))),
      runner_({.store = dependencies_.store,
               .scheduler = dependencies_.scheduler,
               .clock = dependencies_.clock,
               .execute = dependencies_.execute,
               .turns = turns_.get(),
               .memory = memory_,
               .cache = options_.cache_bytes > 0 ? cache_.get() : nullptr,
               .timeout_ms = options_.timeout_ms,
               .lookback_ms = options_.lookback_ms,
               .default_subquery_step_ms = options_.default_subquery_step_ms,
               .budget = options_.budget}),
      shown_(std::make_shared<const Shown>(
          Shown{.config_yaml = options_.config_yaml, .flags = options_.flags, .config_ns = options_.start_ns})) {}

int64_t QueryApi::NowMs() const { return model::Timestamp{runner_.clock().NowNs()}.FloorMs(); }

Result<std::shared_ptr<const storage::View>> QueryApi::OpenView(const ApiRequest& request) const {
  return runner_.OpenView(DatabaseOf(request), request.filter);
}

run::QueryContext QueryApi::ContextFor(const ApiRequest& request, std::shared_ptr<const storage::View> view) const {
  return ContextFor(request, std::move(view), ErrorReply(ErrorType::kTimeout, run::TimedOut().message));
}

run::QueryContext QueryApi::ContextFor(const ApiRequest& request, std::shared_ptr<const storage::View> view,
                                       Reply late) const {
  run::QueryContext context;
  context.view = std::move(view);
  context.scheduler = dependencies_.scheduler;
  context.clock = &runner_.clock();
  context.deadline_ns = runner_.clock().SteadyNs() + runner_.limits().timeout_ms * 1'000'000;
  context.stop = request.stop;
  context.client = request.client;
  context.budget = runner_.limits().budget;
  context.turns = turns_.get();
  context.memory = MemoryOf(request);
  if (request.on_deadline) request.on_deadline(context.deadline_ns, std::move(late));
  return context;
}

Reply QueryApi::Query(const ApiRequest& request) const {
  const Result<uint64_t> limit = ParseLimit(request.params.Get("limit"));
  if (!limit.ok()) return BadParameter("limit", limit.error());
  run::RangeSpec range{.start_ms = 0, .end_ms = NowMs(), .step_ms = 0, .instant = true};
  if (const std::string_view time = request.params.Get("time"); !time.empty()) {
    const Result<int64_t> parsed = ParseTimeMs(time);
    if (!parsed.ok()) return BadParameter("time", parsed.error().Within("Invalid time value for 'time'"));
    range.end_ms = *parsed;
  }
  range.start_ms = range.end_ms;
  return Run(request, range, *limit);
}

Reply QueryApi::QueryRange(const ApiRequest& request) const {
  const Result<uint64_t> limit = ParseLimit(request.params.Get("limit"));
  if (!limit.ok()) return BadParameter("limit", limit.error());
  const Result<int64_t> start = ParseTimeMs(request.params.Get("start"));
  if (!start.ok()) return BadParameter("start", start.error());
  const Result<int64_t> end = ParseTimeMs(request.params.Get("end"));
  if (!end.ok()) return BadParameter("end", end.error());
  if (*end < *start) {
    return BadParameter("end", InvalidArgument("end timestamp must not be before start time"));
  }
  const Result<int64_t> step = ParseDurationMs(request.params.Get("step"));
  if (!step.ok()) return BadParameter("step", step.error());
  if (*step <= 0) {
    return BadParameter("step", InvalidArgument("zero or negative query resolution step widths are not accepted. "
                                                "Try a positive integer"));
  }
  // As unsigned numbers, because the difference of two times may not fit.
  const uint64_t length = static_cast<uint64_t>(*end) - static_cast<uint64_t>(*start);
  if (length / static_cast<uint64_t>(*step) > static_cast<uint64_t>(options_.points_max)) {
    return ErrorReply(ErrorType::kBadData,
                      "exceeded maximum resolution of 11,000 points per timeseries. Try decreasing the query "
                      "resolution (?step=XX)");
  }
  return Run(request, {.start_ms = *start, .end_ms = *end, .step_ms = *step, .instant = false}, *limit);
}

struct QueryApi::ParsedQuery {
  promql::ExprPtr expr;
  std::string_view text;
  int64_t timeout_ms = 0;
  int64_t lookback_ms = 0;
  run::Resolution resolution;
};

std::variant<QueryApi::ParsedQuery, Reply> QueryApi::ParseQueryRequest(const ApiRequest& request,
                                                                       const run::RangeSpec& range) const {
  ParsedQuery parsed{.expr = nullptr,
                     .text = request.params.Get("query"),
                     .timeout_ms = runner_.limits().timeout_ms,
                     .lookback_ms = options_.lookback_ms,
                     .resolution = {}};
  if (const std::string_view text = request.params.Get("timeout"); !text.empty()) {
    const Result<int64_t> timeout_ms = ParseDurationMs(text);
    if (!timeout_ms.ok()) return BadParameter("timeout", timeout_ms.error());
    parsed.timeout_ms = std::clamp<int64_t>(*timeout_ms, 0, parsed.timeout_ms);
  }
  if (const std::string_view text = request.params.Get("lookback_delta"); !text.empty()) {
    const Result<int64_t> lookback_ms = ParseDurationMs(text);
    if (!lookback_ms.ok()) {
      return ErrorReply(ErrorType::kBadData,
                        lookback_ms.error().Within("error parsing lookback delta duration").message);
    }
    if (*lookback_ms > 0) parsed.lookback_ms = *lookback_ms;
  }
  const Result<run::Resolution> resolution = ParseResolution(request.params.Get("resolution"));
  if (!resolution.ok()) return BadParameter("resolution", resolution.error());
  parsed.resolution = *resolution;
  Result<promql::ExprPtr> expr = promql::Parse(parsed.text, options_.parse);
  if (!expr.ok()) return BadParameter("query", expr.error());
  parsed.expr = std::move(expr).value();
  const Status resolved =
      promql::ResolveDurations(*parsed.expr, range.instant ? 0 : range.step_ms, range.end_ms - range.start_ms);
  if (!resolved.ok()) return BadParameter("query", resolved.error());
  const promql::ValueType type = parsed.expr->type;
  if (!range.instant && type != promql::ValueType::kScalar && type != promql::ValueType::kVector) {
    return BadParameter(
        "query", InvalidArgument(fmt::format("invalid expression type {} for range query, must be Scalar or instant "
                                             "Vector",
                                             Quoted(promql::Phrase(type)))));
  }
  return parsed;
}

Reply QueryApi::Run(const ApiRequest& request, const run::RangeSpec& range, uint64_t limit) const {
  const Clock& clock = runner_.clock();
  const int64_t began = clock.SteadyNs();
  std::variant<ParsedQuery, Reply> parsed_or_error = ParseQueryRequest(request, range);
  if (Reply* error = std::get_if<Reply>(&parsed_or_error)) return std::move(*error);
  const ParsedQuery& parsed = std::get<ParsedQuery>(parsed_or_error);
  const int64_t parsed_at = clock.SteadyNs();
  if (request.on_deadline) {
    request.on_deadline(began + parsed.timeout_ms * 1'000'000,
                        ErrorReply(ErrorType::kTimeout, run::TimedOut().message));
  }
  Result<run::QueryResult> result = runner_.Run({.expr = *parsed.expr,
                                                 .range = range,
                                                 .text = parsed.text,
                                                 .database = DatabaseOf(request),
                                                 .filter = request.filter,
                                                 .timeout_ms = parsed.timeout_ms,
                                                 .lookback_ms = parsed.lookback_ms,
                                                 .resolution = parsed.resolution,
                                                 .stop = request.stop,
                                                 .client = request.client,
                                                 .memory = MemoryOf(request),
                                                 .began_ns = began,
                                                 .use_cache = request.params.Get("nocache") != "1"});
  if (const int64_t took_ns = clock.SteadyNs() - began;
      options_.slow_query_ms > 0 && took_ns >= options_.slow_query_ms * 1'000'000) {
    const run::SlowQuery slow{.text = parsed.text, .database = DatabaseOf(request), .range = range, .took_ns = took_ns};
    TM_LOG(kWarn, "{}", run::SlowQueryLine(slow, result));
  }
  if (!result.ok()) return ErrorReply(result.error());
  std::string stats;
  if (request.params.Has("stats") && !request.params.Get("stats").empty()) {
    stats = StatsText(result->stats, parsed_at - began, clock.SteadyNs() - parsed_at);
  }
  size_t first_step = 0;
  // What a limit leaves out may be there the next time, so that nothing would be known about it.
  if (!range.instant && request.params.Has("since") && limit == 0) {
    run::QueryContext context;
    context.lookback_ms = parsed.lookback_ms;
    context.default_subquery_step_ms = options_.default_subquery_step_ms;
    context.resolution = parsed.resolution;
    const std::optional<cache::ReuseRule> rule = cache::FindReuseRule(*parsed.expr, range, context);
    const Continuation next = Continue(request.params.Get("since"), rule, *result);
    first_step = next.first_step;
    stats += next.json;
  }
  if (request.params.Get("explain") == "1") stats += ",\"explain\":" + ExplainJson(result->stats);
  Reply reply;
  reply.headers.emplace_back("X-Tidemark-Resolution", result->stats.resolution);
  const auto writer = std::make_shared<ResultText>(std::move(result).value(), limit, std::move(stats), first_step);
  reply.body.reserve(std::min(writer->ExpectedBytes(), options_.streamed_bytes_min + kPieceBytes));
  if (!writer->Write(&reply.body, options_.streamed_bytes_min)) return reply;
  // Labels that many series share are small until each is written out, so that only the text knows how long it is.
  reply.rest = [writer, turns = turns_.get(), client = request.client](const Reply::Push& push) {
    // Text of hundreds of megabytes is work like any other.
    run::Turn turn(turns, run::Turn::Work::kWriting, {}, client);
    for (bool more = true; more;) {
      // Nothing interrupts it, so that it cannot fail.
      (void)turn.Pass([] { return Status(); });
      std::string piece;
      piece.reserve(kPieceBytes + kPieceBytes / 8);
      more = writer->Write(&piece, kPieceBytes);
      turn.Rest();
      if (!push(std::move(piece))) return;
    }
  };
  return reply;
}

}  // namespace tidemark::query::api

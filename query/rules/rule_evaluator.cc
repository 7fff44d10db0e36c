#include "query/rules/rule_evaluator.h"

#include <fmt/core.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>
#include <ranges>
#include <utility>

#include "query/promql/durations.h"
#include "query/promql/parser.h"
#include "query/promql/quote.h"
#include "query/rules/alert_update.h"
#include "query/rules/history.h"
#include "storage/base/log.h"
#include "storage/model/batch.h"
#include "storage/model/stale_marker.h"

namespace tidemark::query::rules {
namespace {

// Why the first of the rows that were refused was.
std::string FirstRejection(const model::WriteReport& report) {
  return report.rejections.empty() ? "" : report.rejections.front().error.message;
}

const model::Labels& SeriesOfPoint(const std::pair<const model::Labels*, double>& point) { return *point.first; }

// Of the map, which outlives them.
void AddPoints(const std::map<model::Labels, double>& series,
               std::vector<std::pair<const model::Labels*, double>>* points) {
  for (const auto& [labels, value] : series) points->emplace_back(&labels, value);
}

// Leaves each series to the first of the rules that gives it a value, as Prometheus does; that it ends is written only
// where no other goes on with it. What is to be said of each: "" where all that it gave is written, or is written by
// another with the same value.
std::vector<std::string> DropRepeated(std::span<PendingWrite* const> writes) {
  std::vector<std::string> said(writes.size());
  std::map<model::Labels, double> taken;
  for (size_t i = 0; i < writes.size(); ++i) {
    std::erase_if(writes[i]->series, [&](const auto& point) {
      if (model::IsStaleMarker(point.second)) return false;
      const auto [first, is_new] = taken.insert(point);
      if (!is_new && std::bit_cast<uint64_t>(first->second) != std::bit_cast<uint64_t>(point.second)) {
        said[i] = fmt::format(
            "duplicate sample for timestamp: a rule before it in the group gives {} too, with another value",
            model::ToString(point.first));
      }
      return !is_new;
    });
  }
  for (PendingWrite* const one : writes) {
    std::erase_if(one->series,
                  [&](const auto& point) { return model::IsStaleMarker(point.second) && taken.contains(point.first); });
  }
  return said;
}

}  // namespace

Samples SamplesOf(const run::QueryResult& result) {
  Samples out;
  if (result.type == promql::ValueType::kScalar) {
    out.emplace_back(model::Labels(), result.scalar);
    return out;
  }
  for (size_t row = 0; row < result.frame.size(); ++row) {
    if (result.frame.RowPresent(row)[0] == 0) continue;
    const frame::LabelSet& labels = result.frame.rows[row].labels;
    out.emplace_back(model::ToLabels(model::LabelViews(labels.begin(), labels.end())), result.frame.RowValues(row)[0]);
  }
  return out;
}

RuleEvaluator::RuleEvaluator(ManagerDependencies dependencies, ManagerOptions options)
    : dependencies_(std::move(dependencies)),
      options_(std::move(options)),
      runner_({.store = dependencies_.store,
               .scheduler = dependencies_.scheduler,
               .clock = dependencies_.clock,
               .execute = dependencies_.execute,
               .turns = nullptr,
               .memory = dependencies_.memory,
               .cache = nullptr,
               .timeout_ms = options_.timeout_ms,
               .lookback_ms = options_.lookback_ms,
               .default_subquery_step_ms = options_.default_subquery_step_ms,
               .budget = options_.budget,
               .closed_windows = options_.closed_windows}) {}

Result<void> RuleEvaluator::Evaluate(const Group& group, RuleState* state, int64_t now_ms, const std::stop_token& stop,
                                     PendingWrites* pending) const {
  const Rule& rule = *state->rule;
  TM_TRY_ASSIGN(const Samples samples, Run(rule, *rule.expr, rule.expr_text, now_ms - group.query_offset_ms,
                                           options_.lookback_ms, rule.database, stop));
  return rule.alerting ? UpdateAlerts(group, state, samples, now_ms, stop, pending)
                       : Record(group, state, samples, now_ms, pending);
}

Result<Samples> RuleEvaluator::Run(const Rule& rule, const promql::Expr& expr, std::string_view text, int64_t time_ms,
                                   int64_t lookback_ms, const std::string& database,
                                   const std::stop_token& stop) const {
  const run::RangeSpec at{.start_ms = time_ms, .end_ms = time_ms, .step_ms = 0, .instant = true};
  TM_TRY_ASSIGN(const run::QueryResult result, runner_.Run({.expr = expr,
                                                            .range = at,
                                                            .text = text,
                                                            .database = DatabaseOr(database),
                                                            .filter = rule.filter,
                                                            .lookback_ms = lookback_ms,
                                                            .stop = stop}));
  if (stop.stop_requested()) return MakeError(ErrorCode::kCancelled, "other rules have been put in its place");
  if (!result.missing.empty()) {
    return MakeError(ErrorCode::kCorruption,
                     fmt::format("the answer is not whole, so that the rule {} keeps what it was at: {}", rule.name,
                                 result.missing.front()));
  }
  return SamplesOf(result);
}

Result<std::map<model::Labels, PastAlert>> RuleEvaluator::ReadPast(const Rule& rule, int64_t now_ms,
                                                                   const std::stop_token& stop) const {
  std::map<model::Labels, PastAlert> past;
  const std::string name = promql::Quote(rule.name);
  const std::string since = fmt::format("ALERTS_FOR_STATE{{alertname={}}}", name);
  const std::pair<std::string, int64_t PastAlert::*> queries[] = {
      {since, &PastAlert::active_at_ms},
      {fmt::format("timestamp({})", since), &PastAlert::last_ms},
      {fmt::format("timestamp(ALERTS{{alertname={}, alertstate=\"firing\"}})", name), &PastAlert::firing_ms}};
  // An alert that ended has a stale marker behind its last sample and is not given.
  for (const auto& [text, member] : queries) {
    TM_TRY_ASSIGN(const promql::ExprPtr expr, promql::Parse(text));
    TM_TRY_ASSIGN(Samples samples, Run(rule, *expr, text, now_ms, options_.outage_tolerance_ms, rule.into, stop));
    for (auto& [labels, value] : samples) {
      SetLabel(&labels, model::kMetricNameLabel, "");
      SetLabel(&labels, kAlertState, "");
      // Whoever writes series of this name himself may write anything.
      if (std::fabs(value) < 1e12) past[std::move(labels)].*member = static_cast<int64_t>(value * 1000);
    }
  }
  std::erase_if(past, [](const auto& entry) {
    return entry.second.active_at_ms <= 0 || entry.second.last_ms < entry.second.active_at_ms;
  });
  return past;
}

Result<std::vector<TemplateSample>> RuleEvaluator::QueryForTemplate(const Rule& rule, std::string_view text,
                                                                    int64_t time_ms,
                                                                    const std::stop_token& stop) const {
  TM_TRY_ASSIGN(const promql::ExprPtr expr, promql::Parse(text, options_.parse));
  TM_RETURN_IF_ERROR(promql::ResolveDurations(*expr, 0, 0));
  if (expr->type != promql::ValueType::kScalar && expr->type != promql::ValueType::kVector) {
    return InvalidArgument("the expression must give a scalar or an instant vector");
  }
  TM_TRY_ASSIGN(Samples samples, Run(rule, *expr, text, time_ms, options_.lookback_ms, rule.database, stop));
  std::vector<TemplateSample> out;
  for (auto& [labels, value] : samples) out.push_back({.labels = std::move(labels), .value = value});
  return out;
}

Result<void> RuleEvaluator::UpdateAlerts(const Group& group, RuleState* state, const Samples& samples, int64_t now_ms,
                                         const std::stop_token& stop, PendingWrites* pending) const {
  const Rule& rule = *state->rule;
  const TemplateContext context{
      .query =
          [&](std::string_view text) { return QueryForTemplate(rule, text, now_ms - group.query_offset_ms, stop); },
      .now_ms = now_ms,
      .external_labels = &options_.external_labels,
      .external_url = options_.external_url};
  TM_TRY_ASSIGN(auto given, AlertsOf(rule, samples, context));
  TM_TRY_ASSIGN(const Surroundings around, Around(rule, now_ms - group.query_offset_ms, stop));
  if (!rule.data.empty()) TM_RETURN_IF_ERROR(GiveOthers(state, around, context, &given));
  if (group.limit != 0 && given.size() > group.limit) {
    return LimitExceeded(fmt::format("exceeded limit of {} with {} alerts", group.limit, given.size()));
  }
  std::map<model::Labels, PastAlert> past;
  if (!state->restored && options_.outage_tolerance_ms > 0 &&
      (!given.empty() || rule.keep_firing_for_ms > 0 || !rule.data.empty())) {
    TM_TRY_ASSIGN(past, ReadPast(rule, now_ms, stop));
  }
  bool same_question = true;
  if (!past.empty() && rule.no_data != NoData::kResolve) {
    TM_TRY_ASSIGN(same_question, AskedTheSame(group, rule, now_ms, stop));
  }
  // A query of a template that was ended has put its error into the text.
  if (stop.stop_requested()) return MakeError(ErrorCode::kCancelled, "other rules have been put in its place");
  if (!state->restored) TM_RETURN_IF_ERROR(RestoreFlapping(group, state, context));
  state->restored = true;
  TakeGiven(state, std::move(given), &past, now_ms, options_.for_grace_ms);
  KeepPast(state, past, context, around, same_question, options_.for_grace_ms);
  PendingWrites alone;
  PendingWrites* const notes = pending == nullptr ? &alone : pending;
  const size_t noted = notes->history.batch().rows.size();
  const std::map<model::Labels, double> series = Advance(group, state, now_ms, &notes->history);
  if (notes->history.batch().rows.size() > noted) notes->noted.push_back(&rule);
  if (pending == nullptr) WriteHistory(alone.history.batch());
  return WriteSeries(state, series, now_ms, pending);
}

std::map<model::Labels, double> RuleEvaluator::Advance(const Group& group, RuleState* state, int64_t now_ms,
                                                       model::BatchBuilder* history) const {
  std::vector<AlertChange> changes;
  std::map<model::Labels, double> series = MoveOn(state, now_ms, &changes);
  const std::vector<FlapNote> flaps = DampFlapping(state, now_ms, &changes);
  if (options_.history_database.empty()) return series;
  AppendHistory(group, changes, now_ms, history);
  AppendFlaps(group, flaps, now_ms, history);
  if (state->rule->no_data != NoData::kResolve && !state->active.empty()) {
    AppendQuestion(group, *state->rule, now_ms, history);
  }
  return series;
}

Result<void> RuleEvaluator::RestoreFlapping(const Group& group, RuleState* state,
                                            const TemplateContext& context) const {
  const Rule& rule = *state->rule;
  if (rule.flapping.changes == 0 || options_.history_database.empty() || options_.outage_tolerance_ms == 0) return {};
  const int64_t from_ms = context.now_ms - std::max(options_.outage_tolerance_ms, rule.flapping.within_ms);
  TM_TRY_ASSIGN(auto flaps,
                ReadFlaps(*dependencies_.store, options_.history_database, group, rule, from_ms, context.now_ms));
  // Another rule may have the same name.
  std::erase_if(flaps, [&](const auto& entry) { return !IsOfRule(rule, entry.first, context); });
  RestoreFlaps(state, std::move(flaps), context);
  return {};
}

Result<Surroundings> RuleEvaluator::Around(const Rule& rule, int64_t time_ms, const std::stop_token& stop) const {
  Surroundings around;
  for (const auto& part : rule.data) {
    TM_TRY_ASSIGN(Samples samples,
                  Run(rule, *part, rule.expr_text, time_ms, options_.lookback_ms, rule.database, stop));
    AddSeriesOf(std::move(samples), &around.present);
  }
  if (rule.recover) {
    TM_TRY_ASSIGN(Samples samples,
                  Run(rule, *rule.recover, rule.recover_text, time_ms, options_.lookback_ms, rule.database, stop));
    AddSeriesOf(std::move(samples), &around.recovered);
  }
  return around;
}

Result<bool> RuleEvaluator::AskedTheSame(const Group& group, const Rule& rule, int64_t now_ms,
                                         const std::stop_token& stop) const {
  if (options_.history_database.empty()) return true;
  const std::string text = QuestionSelector(group, rule);
  TM_TRY_ASSIGN(const promql::ExprPtr expr, promql::Parse(text));
  TM_TRY_ASSIGN(const Samples samples,
                Run(rule, *expr, text, now_ms, options_.outage_tolerance_ms, options_.history_database, stop));
  return samples.empty() || samples.front().second == QuestionOf(rule);
}

void RuleEvaluator::WriteHistory(const model::Batch& batch) const {
  if (options_.history_database.empty() || batch.rows.empty()) return;
  const Result<model::WriteReport> done = dependencies_.sink->Write(options_.history_database, batch);
  // The alerts go on without it.
  if (!done.ok()) {
    TM_LOG(kWarn, "changes of alerts are missing in the history: {}", done.error().message);
  } else if (done->rows_rejected > 0) {
    TM_LOG(kWarn, "{} changes of alerts are missing in the history: {}", done->rows_rejected, FirstRejection(*done));
  }
}

void RuleEvaluator::NoteHealth(const Group& group, const Rule& rule, const std::string& error, int64_t now_ms,
                               model::BatchBuilder* history) {
  AppendHistory(
      group,
      {{.labels = {{std::string(kAlertName), rule.name}},
        .from = AlertState::kInactive,
        .to = AlertState::kInactive,
        .value = std::numeric_limits<double>::quiet_NaN(),
        .reason = error.empty() ? "the rule can be evaluated again" : "the rule cannot be evaluated: " + error}},
      now_ms, history);
}

bool RuleEvaluator::MayRead(const RuleState& state, const Reads& reads, const PendingWrites& pending) const {
  // What a rule reads of before a restart is alerts of its name, and what was noted of them.
  const auto looks_back_at = [&](const Rule& rule) {
    return !state.restored && state.rule->alerting && rule.alerting && rule.name == state.rule->name;
  };
  if (!pending.noted.empty() && DatabaseOr(state.rule->database) == options_.history_database) return true;
  return std::ranges::any_of(pending.noted, [&](const Rule* rule) { return looks_back_at(*rule); }) ||
         std::ranges::any_of(pending.series, [&](const PendingWrite& one) {
           const Rule& rule = *one.state->rule;
           return looks_back_at(rule) ||
                  std::ranges::any_of(WritesOf(rule), [&](std::string_view name) { return reads.May(name); });
         });
}

Result<void> RuleEvaluator::Record(const Group& group, RuleState* state, const Samples& samples, int64_t now_ms,
                                   PendingWrites* pending) const {
  if (group.limit != 0 && samples.size() > group.limit) {
    return LimitExceeded(fmt::format("exceeded limit of {} with {} series", group.limit, samples.size()));
  }
  std::map<model::Labels, double> series;
  for (const auto& [sample_labels, value] : samples) {
    model::Labels labels = sample_labels;
    SetLabel(&labels, model::kMetricNameLabel, state->rule->name);
    for (const TemplatedText& text : state->rule->labels) SetLabel(&labels, text.name, text.text);
    TM_RETURN_IF_ERROR(HoldToMaker(*state->rule, &labels));
    if (!series.emplace(std::move(labels), value).second) {
      return InvalidArgument("vector contains metrics with the same labelset after applying rule labels");
    }
  }
  return WriteSeries(state, std::move(series), now_ms, pending);
}

Result<void> RuleEvaluator::WriteSeries(RuleState* state, std::map<model::Labels, double> series, int64_t now_ms,
                                        PendingWrites* pending) const {
  PendingWrite one{.state = state, .series = std::move(series), .written = std::nullopt};
  // Nearly always the series are those of the last time, which are many: so they are not copied.
  if (!std::ranges::equal(std::views::keys(one.series), state->written)) {
    one.written.emplace(std::views::keys(one.series).begin(), std::views::keys(one.series).end());
    for (const model::Labels& gone : state->written) one.series.emplace(gone, model::kStaleMarker);
  }
  if (pending == nullptr) return WriteOne(std::move(one), now_ms);
  if (!one.series.empty()) pending->series.push_back(std::move(one));
  return {};
}

Result<void> RuleEvaluator::WriteOne(PendingWrite one, int64_t now_ms) const {
  std::vector<Point> points;
  AddPoints(one.series, &points);
  const Result<void> done = Write(one.state->rule->into, points, now_ms);
  if (!one.written) return done;
  if (done.ok()) {
    one.state->written = std::move(*one.written);
  } else {
    // What has been written and what has not is unknown: all of it gets its marker once it ends.
    one.state->written.merge(*one.written);
  }
  return done;
}

std::vector<std::pair<RuleState*, Error>> RuleEvaluator::Flush(PendingWrites* pending, int64_t now_ms) const {
  WriteHistory(pending->history.batch());
  pending->history.Clear();
  pending->noted.clear();
  std::map<std::string_view, std::vector<PendingWrite*>> by_database;
  for (PendingWrite& one : pending->series) by_database[one.state->rule->into].push_back(&one);
  std::vector<std::pair<RuleState*, Error>> errors;
  for (const auto& [database, writes] : by_database) {
    std::vector<Point> all;
    for (const PendingWrite* const one : writes) AddPoints(one->series, &all);
    std::ranges::sort(all, {}, SeriesOfPoint);
    const bool unique = std::ranges::adjacent_find(all, {}, SeriesOfPoint) == all.end();
    if (unique && Write(std::string(database), all, now_ms).ok()) {
      for (PendingWrite* const one : writes) {
        if (one->written) one->state->written = std::move(*one->written);
      }
      continue;
    }
    const std::vector<std::string> twice = unique ? std::vector<std::string>(writes.size()) : DropRepeated(writes);
    for (size_t i = 0; i < writes.size(); ++i) {
      RuleState* const state = writes[i]->state;
      if (const Result<void> done = WriteOne(std::move(*writes[i]), now_ms); !done.ok()) {
        errors.emplace_back(state, done.error());
      } else if (!twice[i].empty()) {
        errors.emplace_back(state, MakeError(ErrorCode::kConflict, twice[i]));
      }
    }
  }
  pending->series.clear();
  return errors;
}

Result<void> RuleEvaluator::End(const Orphans& orphans, int64_t now_ms) const {
  std::vector<Point> points;
  for (const model::Labels& gone : orphans.series) points.emplace_back(&gone, model::kStaleMarker);
  return Write(orphans.database, points, now_ms);
}

Result<void> RuleEvaluator::Write(const std::string& database, std::span<const Point> series, int64_t now_ms) const {
  if (series.empty()) return {};
  if (dependencies_.recording == nullptr) return WriteRows(database, series, now_ms);
  if (!dependencies_.look) {
    ReaderLock lock(*dependencies_.recording);
    return WriteRows(database, series, now_ms);
  }
  WriterLock lock(*dependencies_.recording);
  // One rule's: all of one name.
  const auto name = std::ranges::find(*series.front().first, model::kMetricNameLabel, &model::Label::name);
  TM_RETURN_IF_ERROR(dependencies_.look(DatabaseOr(database), name->value, now_ms));
  return WriteRows(database, series, now_ms);
}

Result<void> RuleEvaluator::WriteRows(const std::string& database, std::span<const Point> series,
                                      int64_t now_ms) const {
  model::BatchBuilder builder;
  model::LabelViews tags;
  bool any = false;
  for (const auto& [labels, value] : series) {
    if (dependencies_.is_there && dependencies_.is_there(DatabaseOr(database), *labels, now_ms)) continue;
    any = true;
    std::string_view measurement;
    tags.clear();
    for (const model::Label& label : *labels) {
      if (label.name == model::kMetricNameLabel) {
        measurement = label.value;
      } else {
        tags.push_back({label.name, label.value});
      }
    }
    builder.Row(measurement, tags, model::Timestamp::FromMs(now_ms)).Field(model::kValueField, value);
  }
  if (!any) return {};
  TM_TRY_ASSIGN(const model::WriteReport report, dependencies_.sink->Write(DatabaseOr(database), builder.batch()));
  if (report.rows_rejected > 0) {
    return MakeError(ErrorCode::kConflict,
                     fmt::format("{} results were refused: {}", report.rows_rejected, FirstRejection(report)));
  }
  return {};
}

}  // namespace tidemark::query::rules

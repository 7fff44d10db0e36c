#include "query/rules/manager.h"

#include <fmt/core.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <set>
#include <utility>

#include "query/promql/durations.h"
#include "query/promql/parser.h"
#include "query/promql/quote.h"
#include "storage/base/log.h"
#include "storage/model/batch.h"
#include "storage/model/stale_marker.h"

namespace tidemark::query::rules {
namespace {

constexpr std::string_view kAlertName = "alertname";
constexpr std::string_view kAlertState = "alertstate";

// Sets or, with an empty value, removes one label.
void SetLabel(model::Labels* labels, std::string_view name, std::string value) {
  const auto at = std::lower_bound(labels->begin(), labels->end(), name,
                                   [](const model::Label& label, std::string_view n) { return label.name < n; });
  const bool there = at != labels->end() && at->name == name;
  if (value.empty()) {
    if (there) labels->erase(at);
  } else if (there) {
    at->value = std::move(value);
  } else {
    labels->insert(at, {std::string(name), std::move(value)});
  }
}

model::LabelViews ViewsOf(const model::Labels& labels) {
  model::LabelViews views;
  for (const model::Label& label : labels) views.push_back({label.name, label.value});
  return views;
}

}  // namespace

std::string_view Name(AlertState state) {
  switch (state) {
    case AlertState::kInactive: return "inactive";
    case AlertState::kPending: return "pending";
    case AlertState::kFiring: return "firing";
  }
  return "inactive";
}

AlertState RuleStatus::state() const {
  AlertState gravest = AlertState::kInactive;
  for (const Alert& alert : alerts) gravest = std::max(gravest, alert.state);
  return gravest;
}

// What an expression gave.
struct Manager::Samples {
  std::vector<std::pair<model::Labels, double>> samples;
};

struct Manager::RuleState {
  const Rule* rule = nullptr;
  RuleStatus status;
  struct Active {
    Alert alert;
    int64_t last_seen_ms = 0;
    int64_t keep_since_ms = 0;  // when a firing alert was no longer given; 0: it is given
  };
  std::map<model::Labels, Active> active;
  bool restored = false;
  std::set<model::Labels> written;  // series of the last evaluation
};

struct Manager::GroupState {
  const Group* group = nullptr;
  int64_t interval_ms = 0;
  int64_t next_ms = 0;
  // Held while the group runs, so that it never runs twice at once; `status` is what others see.
  Mutex running;
  std::vector<RuleState> rules;
  mutable Mutex mutex;
  GroupStatus status TM_GUARDED_BY(mutex);
};

Manager::Manager(ManagerDependencies dependencies, ManagerOptions options)
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
               .budget = options_.budget}) {}
Manager::~Manager() = default;

void Manager::SetGroups(std::vector<Group> groups) {
  auto owned = std::make_shared<const std::vector<Group>>(std::move(groups));
  const int64_t now_ms = model::Timestamp{dependencies_.clock->NowNs()}.FloorMs();
  std::vector<std::shared_ptr<GroupState>> states;
  for (const Group& group : *owned) {
    auto state = std::make_shared<GroupState>();
    state->group = &group;
    state->interval_ms = group.interval_ms > 0 ? group.interval_ms : options_.default_interval_ms;
    state->next_ms = now_ms;
    for (const Rule& rule : group.rules) {
      RuleState& added = state->rules.emplace_back();
      added.rule = &rule;
      added.status.rule = &rule;
    }
    MutexLock lock(state->mutex);
    state->status.group = &group;
    state->status.interval_ms = state->interval_ms;
    for (const RuleState& rule : state->rules) state->status.rules.push_back(rule.status);
    states.push_back(std::move(state));
  }
  MutexLock lock(mutex_);
  groups_ = std::move(owned);
  states_ = std::move(states);
}

model::Timestamp Manager::RunDue() {
  const int64_t now_ms = model::Timestamp{dependencies_.clock->NowNs()}.FloorMs();
  std::vector<std::shared_ptr<GroupState>> due;
  std::vector<uint64_t> missed;
  std::shared_ptr<const std::vector<Group>> owner;
  {
    MutexLock lock(mutex_);
    owner = groups_;
    for (const auto& state : states_) {
      // The machine's clock was set back: not only when it has caught up.
      if (state->next_ms - now_ms > state->interval_ms) state->next_ms = now_ms;
      if (state->next_ms > now_ms) continue;
      due.push_back(state);
      const int64_t skipped = (now_ms - state->next_ms) / state->interval_ms;
      missed.push_back(static_cast<uint64_t>(skipped));
      state->next_ms += (skipped + 1) * state->interval_ms;
    }
  }
  dependencies_.scheduler->ParallelFor(TaskKind::kRule, due.size(), [&](size_t i) {
    {
      MutexLock lock(due[i]->mutex);
      due[i]->status.missed += missed[i];
    }
    RunGroup(due[i].get(), now_ms);
  });
  MutexLock lock(mutex_);
  int64_t next_ms = INT64_MAX;
  for (const auto& state : states_) next_ms = std::min(next_ms, state->next_ms);
  return next_ms == INT64_MAX ? model::Timestamp::Max() : model::Timestamp::FromMs(next_ms);
}

void Manager::RunGroup(GroupState* group, int64_t now_ms) {
  MutexLock running(group->running);
  const int64_t began = dependencies_.clock->SteadyNs();
  for (RuleState& rule : group->rules) {
    const int64_t rule_began = dependencies_.clock->SteadyNs();
    const Result<void> done = RunRule(*group->group, &rule, now_ms);
    rule.status.health = done.ok() ? "ok" : "err";
    rule.status.last_error = done.ok() ? "" : done.error().message;
    rule.status.last_evaluation_ms = now_ms;
    rule.status.evaluation_ns = dependencies_.clock->SteadyNs() - rule_began;
    if (!done.ok()) {
      TM_LOG(kWarn, "rule \"{}\" of group \"{}\" in {}: {}", rule.rule->name, group->group->name, group->group->file,
             done.error().message);
    }
    rule.status.alerts.clear();
    for (const auto& [labels, active] : rule.active) rule.status.alerts.push_back(active.alert);
  }
  MutexLock lock(group->mutex);
  group->status.last_evaluation_ms = now_ms;
  group->status.evaluation_ns = dependencies_.clock->SteadyNs() - began;
  ++group->status.evaluations;
  for (size_t i = 0; i < group->rules.size(); ++i) group->status.rules[i] = group->rules[i].status;
}

Result<void> Manager::RunRule(const Group& group, RuleState* state, int64_t now_ms) {
  Result<Samples> samples = Evaluate(*state->rule, now_ms - group.query_offset_ms);
  if (!samples.ok()) return samples.error();
  return state->rule->alerting ? UpdateAlerts(group, state, *samples, now_ms) : Record(group, state, *samples, now_ms);
}

Result<Manager::Samples> Manager::Evaluate(const Rule& rule, int64_t time_ms) const {
  return Run(*rule.expr, rule.expr_text, time_ms, options_.lookback_ms);
}

Result<std::map<model::Labels, PastAlert>> Manager::ReadPast(const Rule& rule, int64_t now_ms) const {
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
    TM_TRY_ASSIGN(Samples samples, Run(*expr, text, now_ms, options_.outage_tolerance_ms));
    for (auto& [labels, value] : samples.samples) {
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

Result<std::vector<TemplateSample>> Manager::QueryForTemplate(std::string_view text, int64_t time_ms) const {
  TM_TRY_ASSIGN(const promql::ExprPtr expr, promql::Parse(text, options_.parse));
  TM_RETURN_IF_ERROR(promql::ResolveDurations(*expr, 0, 0));
  if (expr->type != promql::ValueType::kScalar && expr->type != promql::ValueType::kVector) {
    return InvalidArgument("the expression must give a scalar or an instant vector");
  }
  TM_TRY_ASSIGN(Samples samples, Run(*expr, text, time_ms, options_.lookback_ms));
  std::vector<TemplateSample> out;
  for (auto& [labels, value] : samples.samples) out.push_back({.labels = std::move(labels), .value = value});
  return out;
}

Result<Manager::Samples> Manager::Run(const promql::Expr& expr, std::string_view text, int64_t time_ms,
                                      int64_t lookback_ms) const {
  Samples out;
  const run::RangeSpec at{.start_ms = time_ms, .end_ms = time_ms, .step_ms = 0, .instant = true};
  TM_TRY_ASSIGN(
      const run::QueryResult result,
      runner_.Run(
          {.expr = expr, .range = at, .text = text, .database = options_.database, .lookback_ms = lookback_ms}));
  if (result.type == promql::ValueType::kScalar) {
    out.samples.emplace_back(model::Labels(), result.scalar);
    return out;
  }
  for (size_t row = 0; row < result.frame.size(); ++row) {
    if (result.frame.RowPresent(row)[0] == 0) continue;
    const frame::LabelSet& labels = result.frame.rows[row].labels;
    out.samples.emplace_back(model::ToLabels(model::LabelViews(labels.begin(), labels.end())),
                             result.frame.RowValues(row)[0]);
  }
  return out;
}

void Manager::KeepFiring(RuleState* state, const std::map<model::Labels, PastAlert>& past,
                         const TemplateContext& context) const {
  const Rule& rule = *state->rule;
  const double unknown = std::numeric_limits<double>::quiet_NaN();
  for (const auto& [labels, before] : past) {
    if (before.firing_ms == 0 || context.now_ms - before.firing_ms >= rule.keep_firing_for_ms) continue;
    const model::LabelViews views = ViewsOf(labels);
    // Another rule may have the same name.
    const bool of_rule = std::ranges::all_of(rule.labels, [&](const TemplatedText& text) {
      const auto label = std::ranges::find(labels, text.name, &model::Label::name);
      return text.expand.Expand(views, unknown, context) == (label == labels.end() ? "" : label->value);
    });
    if (!of_rule) continue;
    RuleState::Active& active = state->active[labels];
    active.alert.labels = labels;
    for (const TemplatedText& text : rule.annotations) {
      active.alert.annotations.push_back({text.name, text.expand.Expand(views, unknown, context)});
    }
    active.alert.state = AlertState::kFiring;
    active.alert.active_at_ms = before.active_at_ms;
    active.alert.value = unknown;
    active.last_seen_ms = active.keep_since_ms = before.firing_ms;
  }
}

Result<void> Manager::UpdateAlerts(const Group& group, RuleState* state, const Samples& samples, int64_t now_ms) {
  const Rule& rule = *state->rule;
  const TemplateContext context{
      .query = [&](std::string_view text) { return QueryForTemplate(text, now_ms - group.query_offset_ms); },
      .now_ms = now_ms,
      .external_url = options_.external_url};
  std::map<model::Labels, Alert> given;
  for (const auto& [sample_labels, value] : samples.samples) {
    model::Labels labels = sample_labels;
    SetLabel(&labels, model::kMetricNameLabel, "");
    // Templates see the name of the metric too.
    const model::LabelViews views = ViewsOf(sample_labels);
    Alert alert;
    alert.labels = labels;
    for (const TemplatedText& text : rule.labels)
      SetLabel(&alert.labels, text.name, text.expand.Expand(views, value, context));
    SetLabel(&alert.labels, kAlertName, rule.name);
    for (const TemplatedText& text : rule.annotations) {
      alert.annotations.push_back({text.name, text.expand.Expand(views, value, context)});
    }
    alert.active_at_ms = now_ms;
    alert.value = value;
    model::Labels key = alert.labels;
    if (!given.emplace(std::move(key), std::move(alert)).second) {
      return InvalidArgument("vector contains metrics with the same labelset after applying alert labels");
    }
  }
  if (group.limit != 0 && given.size() > group.limit) {
    state->active.clear();
    return LimitExceeded(fmt::format("exceeded limit of {} with {} alerts", group.limit, given.size()));
  }
  std::map<model::Labels, PastAlert> past;
  if (!state->restored && (!given.empty() || rule.keep_firing_for_ms > 0)) {
    TM_TRY_ASSIGN(past, ReadPast(rule, now_ms));
  }
  state->restored = true;
  for (auto& [labels, alert] : given) {
    RuleState::Active& active = state->active[labels];
    if (active.last_seen_ms == 0) {
      active.alert = std::move(alert);
      if (const auto before = past.find(labels); before != past.end()) {
        active.alert.active_at_ms = RestoredActiveAt(before->second, now_ms, rule.for_ms, options_.for_grace_ms);
      }
    } else {
      active.alert.value = alert.value;
      active.alert.annotations = std::move(alert.annotations);
    }
    active.last_seen_ms = now_ms;
    active.keep_since_ms = 0;
    past.erase(labels);
  }
  KeepFiring(state, past, context);
  std::map<model::Labels, double> series;
  for (auto it = state->active.begin(); it != state->active.end();) {
    RuleState::Active& active = it->second;
    Alert& alert = active.alert;
    if (active.last_seen_ms != now_ms) {
      if (active.keep_since_ms == 0) active.keep_since_ms = now_ms;
      const bool kept = alert.state == AlertState::kFiring && rule.keep_firing_for_ms > 0 &&
                        now_ms - active.keep_since_ms < rule.keep_firing_for_ms;
      if (!kept) {
        it = state->active.erase(it);
        continue;
      }
    }
    if (alert.state == AlertState::kPending && now_ms - alert.active_at_ms >= rule.for_ms) {
      alert.state = AlertState::kFiring;
    }
    model::Labels labels = alert.labels;
    SetLabel(&labels, model::kMetricNameLabel, "ALERTS_FOR_STATE");
    series.emplace(labels, static_cast<double>(alert.active_at_ms / 1000));
    SetLabel(&labels, model::kMetricNameLabel, "ALERTS");
    SetLabel(&labels, kAlertState, std::string(Name(alert.state)));
    series.emplace(std::move(labels), 1);
    ++it;
  }
  return WriteSeries(state, std::move(series), now_ms);
}

Result<void> Manager::Record(const Group& group, RuleState* state, const Samples& samples, int64_t now_ms) {
  if (group.limit != 0 && samples.samples.size() > group.limit) {
    return LimitExceeded(fmt::format("exceeded limit of {} with {} series", group.limit, samples.samples.size()));
  }
  std::map<model::Labels, double> series;
  for (const auto& [sample_labels, value] : samples.samples) {
    model::Labels labels = sample_labels;
    SetLabel(&labels, model::kMetricNameLabel, state->rule->name);
    for (const TemplatedText& text : state->rule->labels) SetLabel(&labels, text.name, text.text);
    if (!series.emplace(std::move(labels), value).second) {
      return InvalidArgument("vector contains metrics with the same labelset after applying rule labels");
    }
  }
  return WriteSeries(state, std::move(series), now_ms);
}

Result<void> Manager::WriteSeries(RuleState* state, std::map<model::Labels, double> series, int64_t now_ms) {
  std::set<model::Labels> written;
  for (const auto& [labels, value] : series) written.insert(labels);
  for (const model::Labels& gone : state->written) series.emplace(gone, model::kStaleMarker);
  state->written = std::move(written);
  if (series.empty()) return {};
  model::BatchBuilder builder;
  model::LabelViews tags;
  for (const auto& [labels, value] : series) {
    std::string_view measurement;
    tags.clear();
    for (const model::Label& label : labels) {
      if (label.name == model::kMetricNameLabel) {
        measurement = label.value;
      } else {
        tags.push_back({label.name, label.value});
      }
    }
    builder.Row(measurement, tags, model::Timestamp::FromMs(now_ms)).Field(model::kValueField, value);
  }
  TM_TRY_ASSIGN(const model::WriteReport report, dependencies_.sink->Write(options_.database, builder.batch()));
  if (report.rows_rejected > 0) {
    return MakeError(ErrorCode::kConflict,
                     fmt::format("{} results were refused: {}", report.rows_rejected,
                                 report.rejections.empty() ? "" : report.rejections.front().error.message));
  }
  return {};
}

Snapshot Manager::Status() const {
  Snapshot snapshot;
  std::vector<std::shared_ptr<GroupState>> states;
  {
    MutexLock lock(mutex_);
    snapshot.owner = groups_;
    states = states_;
  }
  for (const auto& state : states) {
    MutexLock lock(state->mutex);
    snapshot.groups.push_back(state->status);
  }
  return snapshot;
}

}  // namespace tidemark::query::rules

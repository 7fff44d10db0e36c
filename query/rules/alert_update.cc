#include "query/rules/alert_update.h"

#include <fmt/core.h>

#include <algorithm>
#include <iterator>
#include <limits>
#include <utility>

#include "storage/base/text/duration.h"
#include "storage/base/utf8.h"

namespace tidemark::query::rules {
namespace {

// What an alert is about, as far as its labels tell.
model::Labels SeriesOf(const Rule& rule, model::Labels labels) {
  SetLabel(&labels, kAlertName, "");
  for (const TemplatedText& text : rule.labels) SetLabel(&labels, text.name, "");
  return labels;
}

// A set of series in which those are found too that were made by SeriesOf.
class SeriesSet {
 public:
  SeriesSet(const Rule& rule, const std::set<model::Labels>& all) : rule_(rule), all_(all) {}

  bool Has(const model::Labels& series, bool guessed) {
    if (!guessed) return all_.contains(series);
    if (less_.size() == 0) {
      for (const model::Labels& labels : all_) less_.insert(SeriesOf(rule_, labels));
    }
    return less_.contains(series);
  }

 private:
  const Rule& rule_;
  const std::set<model::Labels>& all_;
  std::set<model::Labels> less_;
};

// Notes whose series are there.
void NotePresent(RuleState* state, const Surroundings& around) {
  SeriesSet present(*state->rule, around.present);
  for (auto& [labels, one] : state->active) {
    one.gone = !present.Has(one.alert.series, one.guessed);
    if (one.gone) continue;
    one.alert.no_data = one.unseen = false;
    // The whole of its labels is known by another name.
    if (one.guessed) state->known.Forget(one.alert.series);
  }
}

Result<void> GiveWithoutData(RuleState* state, const std::set<model::Labels>& present, const TemplateContext& context,
                             std::map<model::Labels, Alert>* given) {
  const bool alerts = state->rule->no_data == NoData::kAlert;
  if (alerts) state->known.Take(present, context.now_ms);
  const std::vector<model::Labels> all_gone = state->known.Gone(present);
  const std::set<model::Labels> known(all_gone.begin(), all_gone.end());
  std::set<model::Labels> active;
  for (auto& [labels, one] : state->active) {
    // What has been gone for too long is known no more.
    if (!one.gone || one.unseen || (alerts && !known.contains(one.alert.series))) continue;
    active.insert(one.alert.series);
    Alert alert = one.alert;
    alert.no_data = true;
    given->try_emplace(labels, std::move(alert));
  }
  if (!alerts) return {};
  std::vector<std::pair<model::Labels, double>> gone;
  for (const model::Labels& series : all_gone) {
    if (!active.contains(series)) gone.emplace_back(series, std::numeric_limits<double>::quiet_NaN());
  }
  TM_TRY_ASSIGN(auto begun, AlertsOf(*state->rule, gone, context));
  for (auto& [labels, alert] : begun) {
    alert.no_data = true;
    given->try_emplace(labels, std::move(alert));
  }
  return {};
}

// Why an alert is given no more.
std::string_view ReasonOfEnd(const Rule& rule, const ActiveAlert& active) {
  if (active.alert.no_data) return "its series is gone for good";
  if (!rule.recover || active.alert.state != AlertState::kFiring) return "the condition does not hold any more";
  return active.gone ? "its series is gone" : "it has recovered";
}

}  // namespace

Status HoldToMaker(const Rule& rule, model::Labels* labels) {
  if (rule.filter.everything()) return {};
  model::LabelViews views = ViewsOf(*labels);
  const auto has = [&](const std::string& name) {
    return std::ranges::find(views, std::string_view(name), &model::LabelView::name) != views.end();
  };
  bool added = false;
  for (const model::Label& implied : rule.filter.implied()) {
    if (has(implied.name)) continue;
    SetLabel(labels, implied.name, implied.value);
    added = true;
  }
  if (added) views = ViewsOf(*labels);
  if (rule.filter.Accepts(views)) return {};
  return InvalidArgument(fmt::format("{} is none of the series that who made the rule may write: {}",
                                     model::ToString(*labels), rule.filter.text()));
}

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

void AddSeriesOf(std::vector<std::pair<model::Labels, double>> samples, std::set<model::Labels>* series) {
  for (auto& [labels, value] : samples) {
    SetLabel(&labels, model::kMetricNameLabel, "");
    series->insert(std::move(labels));
  }
}

Result<std::map<model::Labels, Alert>> AlertsOf(const Rule& rule,
                                                const std::vector<std::pair<model::Labels, double>>& samples,
                                                const TemplateContext& context) {
  std::map<model::Labels, Alert> given;
  for (const auto& [sample_labels, value] : samples) {
    // Templates see the name of the metric too.
    const model::LabelViews views = ViewsOf(sample_labels);
    Alert alert;
    alert.labels = sample_labels;
    SetLabel(&alert.labels, model::kMetricNameLabel, "");
    // Nobody could be told of an alert with a label of any bytes, which label_replace() makes.
    for (model::Label& label : alert.labels) label.value = ToUtf8(std::move(label.value));
    for (const TemplatedText& text : rule.labels)
      SetLabel(&alert.labels, text.name, text.expand.Expand(views, value, context));
    SetLabel(&alert.labels, kAlertName, rule.name);
    TM_RETURN_IF_ERROR(HoldToMaker(rule, &alert.labels));
    for (const TemplatedText& text : rule.annotations) {
      alert.annotations.push_back({text.name, text.expand.Expand(views, value, context)});
    }
    alert.active_at_ms = context.now_ms;
    alert.value = value;
    alert.series = sample_labels;
    SetLabel(&alert.series, model::kMetricNameLabel, "");
    model::Labels key = alert.labels;
    if (!given.emplace(std::move(key), std::move(alert)).second) {
      return InvalidArgument("vector contains metrics with the same labelset after applying alert labels");
    }
  }
  return given;
}

bool IsOfRule(const Rule& rule, const model::Labels& labels, const TemplateContext& context) {
  const double unknown = std::numeric_limits<double>::quiet_NaN();
  return std::ranges::all_of(rule.labels, [&](const TemplatedText& text) {
    const auto label = std::ranges::find(labels, text.name, &model::Label::name);
    return text.expand.Expand(ViewsOf(labels), unknown, context) == (label == labels.end() ? "" : label->value);
  });
}

void KeepPast(RuleState* state, const std::map<model::Labels, PastAlert>& past, const TemplateContext& context,
              const Surroundings& around, bool same_question, int64_t for_grace_ms) {
  const Rule& rule = *state->rule;
  const double unknown = std::numeric_limits<double>::quiet_NaN();
  SeriesSet present(rule, around.present);
  SeriesSet recovered(rule, around.recovered);
  for (const auto& [labels, before] : past) {
    const bool fired = before.firing_ms != 0;
    const model::Labels series = SeriesOf(rule, labels);
    const bool gone = !present.Has(series, true);
    const bool no_data = rule.no_data != NoData::kResolve && gone && same_question;
    const bool held = rule.recover && fired && !gone && !recovered.Has(series, true);
    const bool kept = fired && context.now_ms - before.firing_ms < rule.keep_firing_for_ms;
    if (!no_data && !held && !kept) continue;
    const model::LabelViews views = ViewsOf(labels);
    // Another rule may have the same name.
    if (!IsOfRule(rule, labels, context)) continue;
    ActiveAlert& active = state->active[labels];
    active.alert.labels = labels;
    for (const TemplatedText& text : rule.annotations) {
      active.alert.annotations.push_back({text.name, text.expand.Expand(views, unknown, context)});
    }
    active.alert.state = active.told = fired ? AlertState::kFiring : AlertState::kPending;
    active.alert.active_at_ms =
        fired ? before.active_at_ms : RestoredActiveAt(before, context.now_ms, rule.for_ms, for_grace_ms);
    active.alert.value = unknown;
    active.alert.series = series;
    active.alert.no_data = no_data;
    active.alert.recovering = held;
    active.guessed = true;
    active.gone = gone;
    if (no_data || held) {
      active.last_seen_ms = context.now_ms;
    } else {
      active.last_seen_ms = before.firing_ms;
      active.keep_since_ms = before.firing_ms;
    }
    if (no_data) state->known.Add(series, context.now_ms);
  }
}

Result<void> GiveOthers(RuleState* state, const Surroundings& around, const TemplateContext& context,
                        std::map<model::Labels, Alert>* given) {
  const Rule& rule = *state->rule;
  NotePresent(state, around);
  if (rule.no_data != NoData::kResolve) {
    TM_RETURN_IF_ERROR(GiveWithoutData(state, around.present, context, given));
  }
  if (!rule.recover) return {};
  SeriesSet recovered(rule, around.recovered);
  for (auto& [labels, one] : state->active) {
    if (one.gone || one.alert.state != AlertState::kFiring || recovered.Has(one.alert.series, one.guessed)) continue;
    Alert alert = one.alert;
    alert.recovering = true;
    given->try_emplace(labels, std::move(alert));
  }
  return {};
}

void TakeGiven(RuleState* state, std::map<model::Labels, Alert> given, std::map<model::Labels, PastAlert>* past,
               int64_t now_ms, int64_t for_grace_ms) {
  for (auto& [labels, alert] : given) {
    const auto [at, is_new] = state->active.try_emplace(labels);
    ActiveAlert& active = at->second;
    if (is_new) {
      active.alert = std::move(alert);
      if (const auto before = past->find(labels); before != past->end()) {
        active.alert.active_at_ms = RestoredActiveAt(before->second, now_ms, state->rule->for_ms, for_grace_ms);
        const bool fired = before->second.firing_ms == before->second.last_ms;
        active.told = fired ? AlertState::kFiring : AlertState::kPending;
      }
    } else {
      active.alert.value = alert.value;
      active.alert.annotations = std::move(alert.annotations);
      active.alert.series = std::move(alert.series);
      active.alert.no_data = alert.no_data;
      active.alert.recovering = alert.recovering;
    }
    // The expression itself has said what it is about.
    if (!active.alert.no_data && !active.alert.recovering) active.guessed = false;
    active.unseen = false;
    active.last_seen_ms = now_ms;
    active.keep_since_ms.reset();
    past->erase(labels);
  }
}

std::map<model::Labels, double> MoveOn(RuleState* state, int64_t now_ms, std::vector<AlertChange>* changes) {
  const Rule& rule = *state->rule;
  const auto note = [&](const ActiveAlert& active, AlertState to, std::string reason) {
    changes->push_back({active.alert.labels, active.told, to, active.alert.value, std::move(reason)});
  };
  std::map<model::Labels, double> series;
  for (auto it = state->active.begin(); it != state->active.end();) {
    ActiveAlert& active = it->second;
    Alert& alert = active.alert;
    // The clock may have been set back: nothing began later than now.
    alert.active_at_ms = std::min(alert.active_at_ms, now_ms);
    if (active.last_seen_ms != now_ms) {
      active.keep_since_ms = std::min(active.keep_since_ms.value_or(now_ms), now_ms);
      const bool kept = alert.state == AlertState::kFiring && rule.keep_firing_for_ms > 0 &&
                        now_ms - *active.keep_since_ms < rule.keep_firing_for_ms;
      if (!kept) {
        note(active, AlertState::kInactive, std::string(ReasonOfEnd(rule, active)));
        it = state->active.erase(it);
        continue;
      }
    }
    if (alert.state == AlertState::kPending && now_ms - alert.active_at_ms >= rule.for_ms) {
      alert.state = AlertState::kFiring;
    }
    if (alert.state != active.told) {
      note(active, alert.state,
           fmt::format("{}{}", alert.no_data ? "there is no data" : "the condition holds",
                       alert.state == AlertState::kFiring && rule.for_ms > 0
                           ? " for " + text::PrintDuration(rule.for_ms, text::DurationStyle::kPrometheus)
                           : ""));
      active.told = alert.state;
    }
    model::Labels labels = alert.labels;
    SetLabel(&labels, model::kMetricNameLabel, "ALERTS_FOR_STATE");
    series.emplace(labels, static_cast<double>(alert.active_at_ms / 1000));
    SetLabel(&labels, model::kMetricNameLabel, "ALERTS");
    SetLabel(&labels, kAlertState, std::string(Name(alert.state)));
    series.emplace(std::move(labels), 1);
    ++it;
  }
  return series;
}

std::vector<FlapNote> DampFlapping(RuleState* state, int64_t now_ms, std::vector<AlertChange>* changes) {
  std::vector<FlapNote> notes;
  const FlapLimit limit = state->rule->flapping;
  if (limit.changes == 0) return notes;
  std::set<model::Labels> changed;
  for (const AlertChange& change : *changes) {
    if ((change.from == AlertState::kFiring) == (change.to == AlertState::kFiring)) continue;
    FlapState& flap = state->flaps[change.labels];
    flap.alert.labels = change.labels;
    flap.alert.value = change.value;
    flap.log.Note(now_ms);
    changed.insert(change.labels);
  }
  for (auto at = state->flaps.begin(); at != state->flaps.end();) {
    auto& [labels, flap] = *at;
    const FlapTurn turn = std::exchange(flap.restored, false) ? FlapTurn::kNone : flap.log.At(limit, now_ms);
    if (changed.contains(labels) || turn != FlapTurn::kNone) {
      notes.push_back({labels, changed.contains(labels), flap.log.flapping()});
    }
    const auto active = state->active.find(labels);
    const bool is_active = active != state->active.end();
    if (is_active) {
      active->second.alert.flapping = flap.log.flapping();
      flap.alert = active->second.alert;
    } else {
      flap.alert.state = AlertState::kInactive;
      flap.alert.flapping = flap.log.flapping();
    }
    if (turn != FlapTurn::kNone) {
      const std::string reason = turn == FlapTurn::kBegins
                                     ? fmt::format("it flaps, {}: nobody is told of each change", PrintFlapLimit(limit))
                                     : "it does not flap any more: each change is told of again";
      // One event of an alert at a time.
      const auto same = std::ranges::find(*changes, labels, &AlertChange::labels);
      if (same != changes->end()) {
        same->reason += "; " + reason;
      } else {
        changes->push_back({labels, flap.alert.state, flap.alert.state, flap.alert.value, reason});
      }
    }
    at = flap.log.idle() ? state->flaps.erase(at) : std::next(at);
  }
  return notes;
}

void RestoreFlaps(RuleState* state, std::map<model::Labels, FlapLog> flaps, const TemplateContext& context) {
  const double unknown = std::numeric_limits<double>::quiet_NaN();
  for (auto& [labels, log] : flaps) {
    FlapState& flap = state->flaps[labels];
    flap.log = std::move(log);
    flap.restored = flap.log.flapping();
    flap.alert.labels = labels;
    flap.alert.value = unknown;
    for (const TemplatedText& text : state->rule->annotations) {
      flap.alert.annotations.push_back({text.name, text.expand.Expand(ViewsOf(labels), unknown, context)});
    }
  }
}

}  // namespace tidemark::query::rules

#include "query/ruletest/replay.h"

#include <fmt/core.h>

#include <algorithm>
#include <map>
#include <set>

#include "query/promql/printer.h"
#include "query/rules/alert_update.h"
#include "query/rules/rule_state.h"

namespace tidemark::query::ruletest {
namespace {

using rules::Alert;
using rules::AlertState;
using rules::Group;
using rules::Rule;
using rules::RuleState;

// Series that are read forward, evaluation by evaluation.
class SeriesReader {
 public:
  explicit SeriesReader(std::vector<ReplaySeries> series) : series_(std::move(series)), next_(series_.size()) {}

  // The samples of this time, which is later than that of the call before.
  std::vector<std::pair<model::Labels, double>> At(int64_t time_ms) {
    std::vector<std::pair<model::Labels, double>> out;
    for (size_t i = 0; i < series_.size(); ++i) {
      const auto& all = series_[i].samples;
      while (next_[i] < all.size() && all[next_[i]].first < time_ms) ++next_[i];
      if (next_[i] < all.size() && all[next_[i]].first == time_ms) {
        out.emplace_back(series_[i].labels, all[next_[i]].second);
      }
    }
    return out;
  }

 private:
  std::vector<ReplaySeries> series_;
  std::vector<size_t> next_;  // of each, the sample that has not been passed
};

// One alerting rule.
class RuleReplay {
 public:
  RuleReplay(const Group& group, const Rule& rule, const ReplayOptions& options, const AskRange& ask)
      : group_(group), options_(options), ask_(ask) {
    state_.rule = &rule;
    step_ms_ = group.interval_ms > 0 ? group.interval_ms : options.default_interval_ms;
  }

  Status Run(std::vector<ReplayFiring>* out) {
    const Rule& rule = *state_.rule;
    // One that was pending or kept firing at the start began before it.
    const int64_t known_ms = rule.no_data == rules::NoData::kResolve ? 0 : rules::kKnownMs;
    const int64_t before_ms = rule.for_ms + rule.keep_firing_for_ms + known_ms;
    const int64_t first_ms = (std::max<int64_t>(options_.from_ms - before_ms, 0) + step_ms_ - 1) / step_ms_ * step_ms_;
    TM_TRY_ASSIGN(SeriesReader condition, Ask(rule.expr_text, first_ms));
    std::vector<SeriesReader> data;
    for (const auto& part : rule.data) {
      TM_TRY_ASSIGN(SeriesReader compared, Ask(promql::ToString(*part), first_ms));
      data.push_back(std::move(compared));
    }
    std::optional<SeriesReader> recovered;
    if (rule.recover) {
      TM_TRY_ASSIGN(recovered, Ask(rule.recover_text, first_ms));
    }
    for (int64_t time_ms = first_ms; time_ms <= options_.to_ms; time_ms += step_ms_) {
      TM_RETURN_IF_ERROR(Step(time_ms, &condition, &data, recovered ? &*recovered : nullptr));
      Note(time_ms, out);
    }
    for (auto& [labels, firing] : firing_) out->push_back(std::move(firing));
    return {};
  }

 private:
  // What the rule sees when it is evaluated from `first_ms` on.
  Result<SeriesReader> Ask(const std::string& text, int64_t first_ms) const {
    const std::string& database = state_.rule->database.empty() ? options_.database : state_.rule->database;
    TM_TRY_ASSIGN(std::vector<ReplaySeries> series, ask_(database, text, first_ms - group_.query_offset_ms,
                                                         options_.to_ms - group_.query_offset_ms, step_ms_));
    return SeriesReader(std::move(series));
  }

  // `data`: what the condition compares, where the rule asks for it; `recovered`: null without a recovery condition.
  Status Step(int64_t time_ms, SeriesReader* condition, std::vector<SeriesReader>* data, SeriesReader* recovered) {
    const int64_t seen_ms = time_ms - group_.query_offset_ms;
    const rules::TemplateContext context{.query = {}, .now_ms = time_ms};
    TM_TRY_ASSIGN(auto given, rules::AlertsOf(*state_.rule, condition->At(seen_ms), context));
    if (!state_.rule->data.empty()) {
      rules::Surroundings around;
      for (SeriesReader& compared : *data) rules::AddSeriesOf(compared.At(seen_ms), &around.present);
      if (recovered != nullptr) rules::AddSeriesOf(recovered->At(seen_ms), &around.recovered);
      TM_RETURN_IF_ERROR(rules::GiveOthers(&state_, around, context, &given));
    }
    if (group_.limit != 0 && given.size() > group_.limit) {
      return LimitExceeded(fmt::format("exceeded limit of {} with {} alerts", group_.limit, given.size()));
    }
    std::map<model::Labels, rules::PastAlert> nothing;
    rules::TakeGiven(&state_, std::move(given), &nothing, time_ms, 0);
    std::vector<rules::AlertChange> changes;
    static_cast<void>(rules::MoveOn(&state_, time_ms, &changes));
    return {};
  }

  // What has begun to fire and what has ended.
  void Note(int64_t time_ms, std::vector<ReplayFiring>* out) {
    const auto fires = [&](const model::Labels& labels) {
      const auto at = state_.active.find(labels);
      return at != state_.active.end() && at->second.alert.state == AlertState::kFiring;
    };
    for (auto at = firing_.begin(); at != firing_.end();) {
      if (fires(at->first)) {
        ++at;
        continue;
      }
      at->second.ended_ms = time_ms;
      if (time_ms >= options_.from_ms) out->push_back(std::move(at->second));
      at = firing_.erase(at);
    }
    for (const auto& [labels, active] : state_.active) {
      if (active.alert.state != AlertState::kFiring || firing_.contains(labels)) continue;
      firing_[labels] = {.group = &group_,
                         .rule = state_.rule,
                         .labels = labels,
                         .active_ms = active.alert.active_at_ms,
                         .fired_ms = std::max(time_ms, options_.from_ms),
                         .ended_ms = {},
                         .value = active.alert.value};
    }
  }

  const Group& group_;
  const ReplayOptions& options_;
  const AskRange& ask_;
  int64_t step_ms_ = 0;
  RuleState state_;
  std::map<model::Labels, ReplayFiring> firing_;
};

}  // namespace

Result<std::vector<ReplayFiring>> Replay(const std::vector<Group>& groups, const ReplayOptions& options,
                                         const AskRange& ask) {
  std::vector<ReplayFiring> out;
  for (const Group& group : groups) {
    for (const Rule& rule : group.rules) {
      if (!rule.alerting) continue;
      if (const Status done = RuleReplay(group, rule, options, ask).Run(&out); !done.ok()) {
        return done.error().Within(fmt::format("rule \"{}\" of group \"{}\"", rule.name, group.name));
      }
    }
  }
  std::ranges::stable_sort(out, {}, &ReplayFiring::fired_ms);
  return out;
}

}  // namespace tidemark::query::ruletest

// How the alerts of a rule move on: from what its expression gave to which are active, pending or firing.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "query/rules/restore.h"
#include "query/rules/rule_state.h"
#include "query/rules/template.h"
#include "storage/base/result.h"
#include "storage/model/labels.h"

namespace tidemark::query::rules {

inline constexpr std::string_view kAlertName = "alertname";
inline constexpr std::string_view kAlertState = "alertstate";

// Sets or, with an empty value, removes one label.
void SetLabel(model::Labels* labels, std::string_view name, std::string value);

// Views into `labels`.
model::LabelViews ViewsOf(const model::Labels& labels);

// Adds the series of `samples`, by labels without __name__.
void AddSeriesOf(std::vector<std::pair<model::Labels, double>> samples, std::set<model::Labels>* series);

// The alerts that samples of the rule's expression stand for, labels and annotations expanded. kInvalidArgument where
// two of them have the same labels.
Result<std::map<model::Labels, Alert>> AlertsOf(const Rule& rule,
                                                const std::vector<std::pair<model::Labels, double>>& samples,
                                                const TemplateContext& context);

// Makes alerts of before a restart go on although their expression does not give them: those that fired as long as
// `keep_firing_for` says; with a policy of no data, pending ones too, as long as there is none. `past` has those that
// the expression does not give, `present` the series of the condition that there are.
void KeepPast(RuleState* state, const std::map<model::Labels, PastAlert>& past, const TemplateContext& context,
              const std::set<model::Labels>& present, int64_t for_grace_ms);

// Adds to `given` the alerts that go on, or begin, because their series are gone, and notes in the state whose series
// are there. `present`: those that there are.
Result<void> GiveWithoutData(RuleState* state, const std::set<model::Labels>& present, const TemplateContext& context,
                             std::map<model::Labels, Alert>* given);

// Takes what is `given` at `now_ms` into the state; `past`: what is known of before a restart.
void TakeGiven(RuleState* state, std::map<model::Labels, Alert> given, std::map<model::Labels, PastAlert>* past,
               int64_t now_ms, int64_t for_grace_ms);

// What has become of an alert.
struct AlertChange {
  model::Labels labels;
  AlertState from = AlertState::kInactive;
  AlertState to = AlertState::kInactive;
  double value = 0;  // the last that is known
  std::string reason;
};

// Ends what is given no more, lets fire what has been pending long enough, and returns the series that say so: ALERTS
// and ALERTS_FOR_STATE. Appends what has changed.
std::map<model::Labels, double> MoveOn(RuleState* state, int64_t now_ms, std::vector<AlertChange>* changes);

}  // namespace tidemark::query::rules

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

// Gives a series that a rule makes the labels that its maker's filter implies. kInvalidArgument where it is none that
// the maker may write.
Status HoldToMaker(const Rule& rule, model::Labels* labels);

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

// What there is at one evaluation beside what the expression gave; both are empty where the rule asks for neither.
// Series by labels without __name__.
struct Surroundings {
  std::set<model::Labels> present;    // those of the condition, whether it holds or not (Rule::data)
  std::set<model::Labels> recovered;  // those of which the recovery condition holds
};

// Whether an alert of the rule's name has the labels that the rule gives, as far as is known without its value.
bool IsOfRule(const Rule& rule, const model::Labels& labels, const TemplateContext& context);

// Makes alerts of before a restart go on although their expression does not give them: those that fired as long as
// `keep_firing_for` says, and until they recover; with a policy of no data, pending ones too, as long as there is none,
// but only with the `same_question` as before: a series that the rule did not ask for then is not gone. `past` has
// those that the expression does not give.
void KeepPast(RuleState* state, const std::map<model::Labels, PastAlert>& past, const TemplateContext& context,
              const Surroundings& around, bool same_question, int64_t for_grace_ms);

// Adds to `given` the alerts that go on, or begin, because their series are gone, and those that fire and have not
// recovered. Notes in the state whose series are there.
Result<void> GiveOthers(RuleState* state, const Surroundings& around, const TemplateContext& context,
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

// What a restart has to know of an alert that begins and ends to fire.
struct FlapNote {
  model::Labels labels;
  bool changed = false;  // it has begun or ended to fire
  bool flapping = false;
};

// Notes which alerts begin and end to flap, where the rule damps that, in the alerts and in `changes`, which are those
// of MoveOn. After it.
std::vector<FlapNote> DampFlapping(RuleState* state, int64_t now_ms, std::vector<AlertChange>* changes);

// Takes what is known of before a restart.
void RestoreFlaps(RuleState* state, std::map<model::Labels, FlapLog> flaps, const TemplateContext& context);

}  // namespace tidemark::query::rules

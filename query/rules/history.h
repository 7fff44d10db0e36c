// The history of alerts: a point for each change of one, and for each rule that cannot be evaluated or can again.
//
// Measurement `_alerts`, tags: the alert's labels, and `rule_group` and `rule_file`. Fields: `event` (string: "pending
// -> firing, value 7: the condition holds for 30s"), which /api/v1/events gives; `state` (0 inactive, 1 pending,
// 2 firing) and `value` for PromQL.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "query/rules/alert_update.h"
#include "query/rules/flapping.h"
#include "query/rules/rule_file.h"
#include "storage/model/batch.h"
#include "storage/storage.h"

namespace tidemark::query::rules {

inline constexpr std::string_view kHistoryMeasurement = "_alerts";

// Measurement `_rule_question`, tags rule_file, rule_group, rule and rule_labels: what a rule with alerts and a policy
// of no data asks for (QuestionOf), so that after a restart a series that it did not ask for before is not taken for
// one that is gone.
inline constexpr std::string_view kQuestionMeasurement = "_rule_question";

// A whole number below 2^52 made of what the rule reads: the same for the same expression and database.
double QuestionOf(const Rule& rule);
void AppendQuestion(const Group& group, const Rule& rule, int64_t now_ms, model::BatchBuilder* builder);
// PromQL of the series that AppendQuestion writes.
std::string QuestionSelector(const Group& group, const Rule& rule);

// Measurement `_alert_flapping`, tags as those of the history: of an alert of a rule that damps flapping, a point when
// it begins or ends to fire, and when it begins or ends to flap. `value`: 1 where it is the former, and 2 more where it
// flaps from then on. So a restart knows whether it does.
inline constexpr std::string_view kFlapMeasurement = "_alert_flapping";

void AppendFlaps(const Group& group, const std::vector<FlapNote>& notes, int64_t now_ms, model::BatchBuilder* builder);
// What AppendFlaps has noted of the rule in [from_ms, now_ms], by the labels of its alerts. Errors: those of reading.
Result<std::map<model::Labels, FlapLog>> ReadFlaps(const storage::Store& store, const std::string& database,
                                                   const Group& group, const Rule& rule, int64_t from_ms,
                                                   int64_t now_ms);

// A value as people read it: whole numbers whole, others with six digits. The exact one is the field `value`.
std::string ShortValue(double value);

void AppendHistory(const Group& group, const std::vector<AlertChange>& changes, int64_t now_ms,
                   model::BatchBuilder* builder);

}  // namespace tidemark::query::rules

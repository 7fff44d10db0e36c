// The history of alerts: a point for each change of one, and for each rule that cannot be evaluated or can again.
//
// Measurement `_alerts`, tags: the alert's labels, and `rule_group` and `rule_file`. Fields: `event` (string: "pending
// -> firing, value 7: the condition holds for 30s"), which /api/v1/events gives; `state` (0 inactive, 1 pending,
// 2 firing) and `value` for PromQL.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "query/rules/alert_update.h"
#include "query/rules/rule_file.h"
#include "storage/model/batch.h"

namespace tidemark::query::rules {

inline constexpr std::string_view kHistoryMeasurement = "_alerts";

void AppendHistory(const Group& group, const std::vector<AlertChange>& changes, int64_t now_ms,
                   model::BatchBuilder* builder);

}  // namespace tidemark::query::rules

#include "query/rules/history.h"

#include <fmt/core.h>

#include <cmath>
#include <string>

#include "query/frame/go_format.h"

namespace tidemark::query::rules {

void AppendHistory(const Group& group, const std::vector<AlertChange>& changes, int64_t now_ms,
                   model::BatchBuilder* builder) {
  for (const AlertChange& change : changes) {
    model::Labels labels = change.labels;
    SetLabel(&labels, "rule_group", group.name);
    SetLabel(&labels, "rule_file", group.file);
    std::string event = change.from == change.to ? "" : fmt::format("{} -> {}", Name(change.from), Name(change.to));
    if (!std::isnan(change.value)) event += fmt::format(", value {}", frame::GoFormat(change.value));
    event += (event.empty() ? "" : ": ") + change.reason;
    builder->Row(kHistoryMeasurement, ViewsOf(labels), model::Timestamp::FromMs(now_ms))
        .Field("event", event)
        .Field("state", static_cast<int64_t>(change.to));
    if (!std::isnan(change.value)) builder->Field("value", change.value);
  }
}

}  // namespace tidemark::query::rules

#include "tools/server/watch/last_firing.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "query/rules/alert_update.h"
#include "storage/model/stale_marker.h"

namespace tidemark::server {

Result<std::map<model::Labels, LastFiring>> ReadLastFiring(const storage::Store& store, const std::string& database,
                                                           int64_t from_ms, int64_t to_ms) {
  std::map<model::Labels, LastFiring> out;
  const auto view = store.OpenView(database, storage::SeriesFilter::Everything());
  if (!view.ok() && view.error().code == ErrorCode::kNotFound) return out;
  TM_RETURN_IF_ERROR(view);
  const model::TimeRange range{model::Timestamp::FromMs(from_ms), model::Timestamp::FromMs(to_ms)};
  const std::vector<model::Matcher> matchers{{model::MatchOp::kEqual, std::string(model::kMetricNameLabel), "ALERTS"},
                                             {model::MatchOp::kEqual, std::string(query::rules::kAlertState),
                                              std::string(Name(query::rules::AlertState::kFiring))}};
  TM_TRY_ASSIGN(const std::vector<model::SeriesRef> refs, (*view)->Select(matchers, range));
  // A cursor may give a series in pieces that are not in order.
  std::map<model::Labels, std::pair<int64_t, int64_t>> times;  // of the last sample, of the last marker
  const auto cursor = (*view)->Scan(refs, range);
  model::LabelViews views;
  for (model::Column column;;) {
    TM_TRY_ASSIGN(const bool more, cursor->Next(&column));
    if (!more) break;
    (*view)->LabelsOf(column.ref, &views);
    model::Labels labels = model::ToLabels(views);
    for (const std::string_view name : {model::kMetricNameLabel, query::rules::kAlertState})
      query::rules::SetLabel(&labels, name, "");
    auto& [sample_ms, marker_ms] = times[std::move(labels)];
    for (size_t i = 0; i < column.size(); ++i) {
      int64_t& last_ms = model::IsStaleMarker(model::DoubleAt(column, i)) ? marker_ms : sample_ms;
      last_ms = std::max(last_ms, model::Timestamp{column.times[i]}.FloorMs());
    }
  }
  for (const auto& [labels, last] : times) {
    out.emplace(labels, LastFiring{.last_ms = last.first, .ended = last.second > last.first});
  }
  return out;
}

}  // namespace tidemark::server

// SeriesSource: the series that one selector names, found once per query.
#pragma once

#include <cstddef>
#include <string>
#include <unordered_map>
#include <vector>

#include "query/plan/plan.h"
#include "query/run/query_state.h"
#include "storage/base/result.h"
#include "storage/model/ids.h"

namespace tidemark::query::scan {

// `refs` are sorted as the view gave them. Two of them have equal labels when writers spell one metric differently
// (measurement `cpu` with field `usage_user`, and `cpu_usage` with `user`), or when a field has got another type
// (View::NewestOf): those read as one series, merged by time.
struct SeriesSource {
  std::vector<model::SeriesRef> refs;
  // Groups of refs with equal labels, two or more in each, ascending; none of them is in `refs`.
  std::vector<std::vector<model::SeriesRef>> merged;
  // The metric name of each field in `refs` and `merged`.
  std::unordered_map<model::FieldId, std::string> names;

  // Series in all: first `refs`, then `merged`.
  [[nodiscard]] size_t size() const { return refs.size() + merged.size(); }
};

// Asks the index. Errors: kLimitExceeded past Budget::max_series, those of View::Select.
Result<SeriesSource> FindSeries(const plan::SelectorSlot& slot, run::QueryState* state);

}  // namespace tidemark::query::scan

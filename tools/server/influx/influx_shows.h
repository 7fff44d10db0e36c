// What SHOW statements list of a database: a statement's `"series":[...]`, "" for nothing to show.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "query/influxql/statement.h"
#include "storage/base/result.h"
#include "storage/storage.h"

namespace tidemark::server {

// {"name":...,"columns":["name"],"values":[["a"],["b"]]}; nothing for no names when `or_nothing`.
std::string NamesSeries(std::string_view series, const std::vector<std::string>& names, bool or_nothing);

Result<std::string> ShowMeasurements(const storage::View& view, const query::influxql::ShowMeasurements& show);
Result<std::string> ShowKeys(const storage::View& view, const query::influxql::ShowKeys& show);
Result<std::string> ShowSeries(const storage::View& view, const query::influxql::ShowSeries& show);

// The selectors of the series that a statement means: any of them.
Result<std::vector<std::vector<model::Matcher>>> SelectorsOf(const storage::View& view,
                                                             const query::influxql::Delete& drop);

}  // namespace tidemark::server

// What SHOW statements list of a database: a statement's `"series":[...]`, "" for nothing to show.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "query/influxql/statement.h"
#include "query/names/names_watch.h"
#include "storage/base/result.h"
#include "storage/storage.h"

namespace tidemark::server {

// {"name":...,"columns":["name"],"values":[["a"],["b"]]}; nothing for no names when `or_nothing`.
std::string NamesSeries(std::string_view series, const std::vector<std::string>& names, bool or_nothing);

// `watch` is asked again and again; its errors end the work. Nothing is looked for beyond LIMIT.
Result<std::string> ShowMeasurements(const storage::View& view, const query::influxql::ShowMeasurements& show,
                                     query::names::NamesWatch* watch);
Result<std::string> ShowKeys(const storage::View& view, const query::influxql::ShowKeys& show,
                             query::names::NamesWatch* watch);
Result<std::string> ShowSeries(const storage::View& view, const query::influxql::ShowSeries& show,
                               query::names::NamesWatch* watch);

// What of a database a deletion means.
struct Selection {
  std::vector<std::vector<model::Matcher>> selectors;  // the series: any of them
  // Only these fields; all where it is empty, which is when no other field spells its metric as one that is meant does.
  std::vector<std::string> fields;
};
// kInvalidArgument for what cannot be told from a field that is not meant.
Result<Selection> SelectionOf(const storage::View& view, const query::influxql::Delete& drop);
// The same of a predicate of InfluxDB 2, where _measurement and _field are names.
Result<Selection> SelectionOf(const storage::View& view, const query::influxql::Condition& predicate);

}  // namespace tidemark::server

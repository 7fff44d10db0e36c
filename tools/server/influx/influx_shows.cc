#include "tools/server/influx/influx_shows.h"

#include <fmt/core.h>

#include <algorithm>
#include <iterator>
#include <limits>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <unordered_set>
#include <utility>

#include "query/api/json.h"
#include "query/influxql/name_match.h"
#include "query/names/name_lists.h"
#include "query/names/series_walk.h"
#include "storage/model/field.h"
#include "storage/model/labels.h"

namespace tidemark::server {

namespace influxql = query::influxql;
using text::AppendJsonString;

namespace {

using query::names::BytesOf;
using query::names::SeriesWalk;

// A list of what a measurement with more series has is not sorted as a whole before LIMIT and OFFSET cut it: its pages
// follow each other in the order of storage, and only each of them is sorted. It depends on the measurement alone, so
// that pages of one list have nothing in common and miss nothing.
constexpr uint64_t kSortedSeries = 10'000;
// Series that are looked at together.
constexpr size_t kSeriesPerPart = size_t{1} << 16;

// The fields of each measurement.
using Measurements = std::map<std::string, std::vector<storage::FieldDescription>>;

// Those that any of `matchers` takes; all without one.
Result<Measurements> MeasurementsOf(const storage::View& view, std::span<const model::Matcher> matchers) {
  Measurements all;
  for (storage::FieldDescription& field : view.Fields()) all[field.measurement].push_back(std::move(field));
  if (matchers.empty()) return all;
  std::vector<std::string> names;
  for (const auto& [name, fields] : all) names.push_back(name);
  std::set<std::string> kept;
  for (const model::Matcher& matcher : matchers) {
    TM_TRY_ASSIGN(std::vector<std::string> some, influxql::Filter(matcher, names));
    kept.insert(std::make_move_iterator(some.begin()), std::make_move_iterator(some.end()));
  }
  std::erase_if(all, [&](const auto& entry) { return !kept.contains(entry.first); });
  return all;
}

// The series of one measurement that satisfy `where`: those of any of these selectors.
std::vector<std::vector<model::Matcher>> SeriesOf(const std::vector<storage::FieldDescription>& fields,
                                                  const influxql::Condition& where) {
  std::vector<std::string> metrics;
  for (const storage::FieldDescription& field : fields) metrics.push_back(field.metric);
  std::vector<std::vector<model::Matcher>> out = where.any_of;
  if (out.empty()) out.emplace_back();
  for (std::vector<model::Matcher>& matchers : out) {
    matchers.push_back(influxql::OneOf(std::string(model::kMetricNameLabel), metrics));
  }
  return out;
}

// Takes away what is of another measurement, whose metrics are spelled as those of these fields (`cpu` with `user`,
// `cpu_user` with `value`).
void KeepOwn(std::span<const storage::FieldDescription> fields, std::vector<model::SeriesRef>* series) {
  std::set<model::FieldId> own;
  for (const storage::FieldDescription& field : fields) {
    own.insert(field.id);
    own.insert(field.older.begin(), field.older.end());
  }
  std::erase_if(*series, [&](model::SeriesRef ref) { return !own.contains(ref.field); });
}

// Whether any series of these fields satisfies `matchers`. Names stay when their rows are deleted.
Result<bool> HasSeries(const storage::View& view, std::span<const storage::FieldDescription> fields,
                       std::span<const model::Matcher> matchers, query::names::NamesWatch* watch) {
  SeriesWalk walk(view, matchers, {}, {.once = true});
  std::vector<model::SeriesRef> part;
  for (bool more = true; more && part.empty();) {
    TM_RETURN_IF_ERROR(watch->Look(0));
    TM_TRY_ASSIGN(more, walk.Next(&part));
    KeepOwn(fields, &part);
  }
  return !part.empty();
}

// Rows of two columns, or of one where the second is not wanted.
struct Rows {
  std::vector<std::pair<std::string, std::string>> rows;
  bool two = true;
};

// What LIMIT and OFFSET leave of a list.
template <typename T>
void Cut(uint64_t limit, uint64_t offset, std::vector<T>* list) {
  list->erase(list->begin(), list->begin() + static_cast<std::ptrdiff_t>(std::min<uint64_t>(offset, list->size())));
  if (limit != 0 && list->size() > limit) list->resize(limit);
}

// How many names of a list that is cut like this are looked for; 0: all.
uint64_t Wanted(uint64_t limit, uint64_t offset) {
  return limit == 0 || limit > std::numeric_limits<uint64_t>::max() - offset ? 0 : limit + offset;
}

// Whether lists of what a measurement has are sorted as a whole.
bool IsSorted(const std::vector<storage::FieldDescription>& fields) {
  return std::ranges::all_of(fields, [](const auto& field) { return field.series <= kSortedSeries; });
}

// Whether a field of another measurement has the metric of one of these (`cpu` with `user`, `cpu_user` with `value`).
bool ShareMetrics(const storage::View& view, std::span<const storage::FieldDescription> fields) {
  std::map<std::string_view, std::string_view> measurement_of;
  for (const storage::FieldDescription& field : fields) measurement_of.emplace(field.metric, field.measurement);
  const std::vector<storage::FieldDescription> all = view.Fields();
  return std::ranges::any_of(all, [&](const storage::FieldDescription& other) {
    const auto found = measurement_of.find(other.metric);
    return found != measurement_of.end() && found->second != other.measurement;
  });
}

// The series of one measurement, each once: its fields share them. Sorted.
Result<std::vector<model::SeriesRef>> DistinctSeries(const storage::View& view,
                                                     const std::vector<storage::FieldDescription>& fields,
                                                     const influxql::Condition& where,
                                                     query::names::NamesWatch* watch) {
  std::vector<model::SeriesRef> all;
  TM_RETURN_IF_ERROR(query::names::SelectAll(
      view, SeriesOf(fields, where), where.range(), {.once = true}, watch->series_max(),
      [watch](uint64_t held) { return watch->Look(held); }, &all));
  KeepOwn(fields, &all);
  std::ranges::sort(all, {}, &model::SeriesRef::series);
  all.erase(std::ranges::unique(all, {}, &model::SeriesRef::series).begin(), all.end());
  return all;
}

Result<Rows> RowsOf(const storage::View& view, const influxql::ShowKeys& show,
                    const std::vector<storage::FieldDescription>& fields, query::names::NamesWatch* watch) {
  using What = influxql::ShowKeys::What;
  Rows out;
  if (show.what == What::kFieldKeys) {
    for (const storage::FieldDescription& field : fields) {
      const std::vector<model::Matcher> metric = {
          influxql::OneOf(std::string(model::kMetricNameLabel), std::span(&field.metric, 1))};
      TM_TRY_ASSIGN(const bool has_rows, HasSeries(view, {&field, 1}, metric, watch));
      if (has_rows) out.rows.emplace_back(field.field, model::Name(field.type));
    }
    std::ranges::sort(out.rows);
    return out;
  }
  const auto selectors = SeriesOf(fields, show.where);
  const query::names::Wanted whose{.sets = selectors, .range = show.where.range()};
  // Lists of names go by metrics. Where another measurement has one of them, its series are told apart one by one.
  std::optional<std::vector<model::SeriesRef>> own;
  if (ShareMetrics(view, fields)) {
    TM_TRY_ASSIGN(own, DistinctSeries(view, fields, show.where, watch));
  }
  std::vector<std::string> keys;
  if (own) {
    std::ranges::sort(*own);
    keys = view.NamesOf(*own);
  } else {
    TM_TRY_ASSIGN(keys, query::names::LabelNames(view, whose, watch));
  }
  std::erase(keys, model::kMetricNameLabel);
  if (show.what == What::kTagKeys) {
    out.two = false;
    for (std::string& key : keys) out.rows.emplace_back(std::move(key), "");
    return out;
  }
  if (show.key_match) {
    TM_TRY_ASSIGN(keys, influxql::Filter(*show.key_match, keys));
  } else {
    std::erase_if(keys, [&](const std::string& key) { return std::ranges::find(show.keys, key) == show.keys.end(); });
  }
  const uint64_t wanted = show.cardinality ? 0 : Wanted(show.limit, show.offset);
  const bool sorted = wanted == 0 || IsSorted(fields);
  uint64_t held = 0;
  for (const std::string& key : keys) {
    query::names::Names values;
    if (own) {
      values.names = view.ValuesOf(key, *own);
    } else {
      TM_TRY_ASSIGN(values, query::names::LabelValues(view, key, whose, sorted ? 0 : wanted - out.rows.size(), watch));
    }
    if (values.all && values.names.size() <= query::names::kFewNames) std::ranges::sort(values.names);
    TM_RETURN_IF_ERROR(watch->Look(held + BytesOf(values.names)));
    for (std::string& value : values.names) {
      if (wanted != 0 && out.rows.size() >= wanted) return out;
      held += sizeof(out.rows[0]) + key.size() + value.capacity();
      out.rows.emplace_back(key, std::move(value));
    }
    if (wanted != 0 && out.rows.size() >= wanted) return out;
  }
  return out;
}

// `cpu,dc=x,host=b`, as line protocol writes it.
std::string SeriesKey(std::string_view measurement, const model::LabelViews& labels) {
  std::string out;
  const auto append = [&](std::string_view text, std::string_view escaped) {
    for (const char c : text) {
      if (escaped.contains(c)) out += '\\';
      out += c;
    }
  };
  append(measurement, ", ");
  for (const model::LabelView& label : labels) {
    if (label.name == model::kMetricNameLabel) continue;
    out += ',';
    append(label.name, ",= ");
    out += '=';
    append(label.value, ",= ");
  }
  return out;
}

// The fields whose measurement, or name, `matcher` takes.
Status Keep(const model::Matcher& matcher, std::string storage::FieldDescription::* name,
            std::vector<storage::FieldDescription>* fields) {
  std::vector<std::string> names;
  for (const storage::FieldDescription& field : *fields) names.push_back(field.*name);
  std::ranges::sort(names);
  names.erase(std::ranges::unique(names).begin(), names.end());
  TM_TRY_ASSIGN(const std::vector<std::string> kept, influxql::Filter(matcher, names));
  std::erase_if(*fields, [&](const auto& field) { return !std::ranges::binary_search(kept, field.*name); });
  return {};
}

// The names of the fields that are meant, where a field that is not meant spells its metric as one of them does (`cpu`
// with `user`, `cpu_user` with `value`); none where no such field is.
Result<std::vector<std::string>> FieldsToName(const storage::View& view,
                                              std::span<const storage::FieldDescription> meant) {
  std::set<std::string_view> metrics;
  std::set<std::string> names;
  std::set<std::pair<std::string_view, std::string_view>> fields;
  for (const storage::FieldDescription& field : meant) {
    metrics.insert(field.metric);
    names.insert(field.field);
    fields.emplace(field.measurement, field.field);
  }
  bool alike = false;
  for (const storage::FieldDescription& other : view.Fields()) {
    if (!metrics.contains(other.metric) || fields.contains({other.measurement, other.field})) continue;
    if (names.contains(other.field)) {
      return InvalidArgument(fmt::format(
          "the field \"{}\" of \"{}\" is not meant, and its metric \"{}\" is spelled as one that is: delete "
          "one measurement after the other",
          other.field, other.measurement, other.metric));
    }
    alike = true;
  }
  return alike ? std::vector<std::string>(names.begin(), names.end()) : std::vector<std::string>();
}

// The first `wanted` series of one measurement in the order of storage, each once.
Result<std::vector<model::SeriesRef>> FirstSeries(const storage::View& view,
                                                  const std::vector<storage::FieldDescription>& fields,
                                                  const influxql::Condition& where, uint64_t wanted,
                                                  query::names::NamesWatch* watch) {
  constexpr uint64_t kBytesPerKnown = 64;
  std::vector<model::SeriesRef> first;
  std::unordered_set<model::SeriesId> known;
  for (const auto& series : SeriesOf(fields, where)) {
    SeriesWalk walk(view, series, where.range(), {.at_most = kSeriesPerPart, .enough = 1, .once = true});
    std::vector<model::SeriesRef> part;
    while (first.size() < wanted) {
      TM_RETURN_IF_ERROR(watch->Look(first.size() * kBytesPerKnown + part.capacity() * sizeof(model::SeriesRef)));
      walk.wanted().at_most = std::min<uint64_t>(wanted - first.size(), kSeriesPerPart);
      walk.wanted().enough = walk.wanted().at_most;
      TM_TRY_ASSIGN(const bool more, walk.Next(&part));
      if (!more) break;
      KeepOwn(fields, &part);
      std::ranges::copy_if(part, std::back_inserter(first),
                           [&](model::SeriesRef ref) { return known.insert(ref.series).second; });
    }
  }
  return first;
}

// The keys of `series` of one measurement, sorted; the first `wanted` of them, 0 for all: then no more are held.
Result<std::vector<std::string>> KeysOf(const storage::View& view, std::string_view measurement,
                                        std::span<const model::SeriesRef> series, uint64_t wanted, uint64_t held,
                                        query::names::NamesWatch* watch) {
  constexpr size_t kNamesPerLook = 1024;
  held += series.size_bytes();
  std::vector<std::string> keys;  // a heap with the last one on top where not all are wanted
  model::LabelViews labels;
  for (size_t i = 0; i < series.size(); ++i) {
    if (i % kNamesPerLook == 0) TM_RETURN_IF_ERROR(watch->Look(held));
    view.LabelsOf(series[i], &labels);
    std::string key = SeriesKey(measurement, labels);
    if (wanted != 0 && keys.size() == wanted) {
      if (key >= keys.front()) continue;
      std::ranges::pop_heap(keys);
      held -= sizeof(std::string) + keys.back().capacity();
      keys.pop_back();
    }
    held += sizeof(std::string) + key.capacity();
    keys.push_back(std::move(key));
    if (wanted != 0) std::ranges::push_heap(keys);
  }
  std::ranges::sort(keys);
  return keys;
}

// The keys of `series`, in their order.
Result<std::vector<std::string>> KeysInOrder(const storage::View& view, std::string_view measurement,
                                             std::span<const model::SeriesRef> series, uint64_t held,
                                             query::names::NamesWatch* watch) {
  constexpr size_t kNamesPerLook = 1024;
  held += series.size_bytes();
  std::vector<std::string> keys;
  model::LabelViews labels;
  for (size_t i = 0; i < series.size(); ++i) {
    if (i % kNamesPerLook == 0) TM_RETURN_IF_ERROR(watch->Look(held));
    view.LabelsOf(series[i], &labels);
    keys.push_back(SeriesKey(measurement, labels));
    held += sizeof(std::string) + keys.back().capacity();
  }
  return keys;
}

}  // namespace

std::string NamesSeries(std::string_view series, const std::vector<std::string>& names, bool or_nothing) {
  if (names.empty() && or_nothing) return {};
  std::string out = R"("series":[{"name":)";
  AppendJsonString(&out, series);
  out += R"(,"columns":["name"])";
  if (!names.empty()) {
    out += R"(,"values":[)";
    for (size_t i = 0; i < names.size(); ++i) {
      out += i > 0 ? ",[" : "[";
      AppendJsonString(&out, names[i]);
      out += ']';
    }
    out += ']';
  }
  return out + "}]";
}

Result<std::string> ShowMeasurements(const storage::View& view, const influxql::ShowMeasurements& show,
                                     query::names::NamesWatch* watch) {
  if (show.where.first_ns || show.where.last_ns) {
    return InvalidArgument("SHOW MEASUREMENTS doesn't support time in WHERE clause");
  }
  const std::span<const model::Matcher> named =
      show.name ? std::span(&*show.name, 1) : std::span<const model::Matcher>();
  TM_TRY_ASSIGN(const Measurements measurements, MeasurementsOf(view, named));
  std::vector<std::string> names;
  const uint64_t wanted = show.cardinality ? 0 : Wanted(show.limit, show.offset);
  for (const auto& [name, fields] : measurements) {
    if (wanted != 0 && names.size() >= wanted) break;
    bool found = false;
    for (const auto& series : SeriesOf(fields, show.where)) {
      if (found) break;
      // As in 1.x, a measurement is found by the values that its tags have: none has the value "".
      const bool nothing = std::ranges::any_of(series, [](const model::Matcher& matcher) {
        return matcher.op == model::MatchOp::kEqual && matcher.value.empty();
      });
      if (nothing) continue;
      TM_TRY_ASSIGN(found, HasSeries(view, fields, series, watch));
    }
    if (found) names.push_back(name);
  }
  Cut(show.limit, show.offset, &names);
  if (show.cardinality) {
    return fmt::format(R"("series":[{{"columns":["{}"],"values":[[{}]]}}])",
                       show.exact ? "count" : "cardinality estimation", names.size());
  }
  return NamesSeries("measurements", names, true);
}

// One series for each measurement that has any: {"name":...,"columns":["key","value"],"values":[["host","a"]]}; for
// CARDINALITY how many these are.
Result<std::string> ShowKeys(const storage::View& view, const influxql::ShowKeys& show,
                             query::names::NamesWatch* watch) {
  constexpr std::string_view kColumns[] = {R"("fieldKey","fieldType")", R"("tagKey")", R"("key","value")"};
  TM_TRY_ASSIGN(const Measurements measurements, MeasurementsOf(view, show.from));
  std::string out;
  for (const auto& [name, fields] : measurements) {
    TM_TRY_ASSIGN(Rows rows, RowsOf(view, show, fields, watch));
    TM_RETURN_IF_ERROR(watch->Look(out.capacity()));
    Cut(show.limit, show.offset, &rows.rows);
    std::ranges::sort(rows.rows);
    if (rows.rows.empty()) continue;
    out += out.empty() ? R"("series":[{"name":)" : R"(,{"name":)";
    AppendJsonString(&out, name);
    if (show.cardinality) {
      out += fmt::format(R"(,"columns":["count"],"values":[[{}]]}})", rows.rows.size());
      continue;
    }
    out += fmt::format(R"(,"columns":[{}],"values":[)", kColumns[static_cast<size_t>(show.what)]);
    for (size_t i = 0; i < rows.rows.size(); ++i) {
      out += i > 0 ? ",[" : "[";
      AppendJsonString(&out, rows.rows[i].first);
      if (rows.two) {
        out += ',';
        AppendJsonString(&out, rows.rows[i].second);
      }
      out += ']';
    }
    out += "]}";
  }
  return out.empty() ? out : out + "]";
}

// {"columns":["key"],"values":[["cpu,host=a"]]}; counts for CARDINALITY.
Result<std::string> ShowSeries(const storage::View& view, const influxql::ShowSeries& show,
                               query::names::NamesWatch* watch) {
  TM_TRY_ASSIGN(const Measurements measurements, MeasurementsOf(view, show.from));
  std::vector<std::pair<size_t, std::string>> all;  // with the place of their measurement
  std::string counts;
  size_t sum = 0;
  size_t place = 0;
  const uint64_t wanted = Wanted(show.limit, show.offset);
  uint64_t held = 0;
  for (const auto& [name, fields] : measurements) {
    if (!show.cardinality && wanted != 0 && all.size() >= wanted) break;
    const uint64_t left = wanted == 0 ? 0 : wanted - all.size();
    const bool first = !show.cardinality && left != 0 && !IsSorted(fields);
    TM_TRY_ASSIGN(const std::vector<model::SeriesRef> series, first ? FirstSeries(view, fields, show.where, left, watch)
                                                                    : DistinctSeries(view, fields, show.where, watch));
    if (series.empty()) continue;
    sum += series.size();
    if (show.cardinality) {
      counts += counts.empty() ? R"({"name":)" : R"(,{"name":)";
      AppendJsonString(&counts, name);
      counts += fmt::format(R"(,"columns":["count"],"values":[[{}]]}})", series.size());
      continue;
    }
    TM_TRY_ASSIGN(std::vector<std::string> keys,
                  first ? KeysInOrder(view, name, series, held, watch) : KeysOf(view, name, series, left, held, watch));
    held += BytesOf(keys);
    for (std::string& key : keys) all.emplace_back(place, std::move(key));
    ++place;
  }
  if (show.cardinality && show.from.empty() && show.where.everything() && !show.exact) {
    return fmt::format(R"("series":[{{"columns":["cardinality estimation"],"values":[[{}]]}}])", sum);
  }
  if (show.cardinality) return counts.empty() ? std::string() : R"("series":[)" + counts + "]";
  Cut(show.limit, show.offset, &all);
  if (all.empty()) return std::string();
  std::ranges::sort(all);
  TM_RETURN_IF_ERROR(watch->Look(2 * held));  // the text of the answer comes to as much
  std::string out = R"("series":[{"columns":["key"],"values":[)";
  for (const auto& [_, key] : all) {
    out += out.ends_with('[') ? "[" : ",[";
    AppendJsonString(&out, key);
    out += ']';
  }
  return out + "]}]";
}

Result<Selection> SelectionOf(const storage::View& view, const influxql::Delete& drop) {
  TM_TRY_ASSIGN(const Measurements measurements, MeasurementsOf(view, drop.from));
  Selection out;
  std::vector<storage::FieldDescription> meant;
  for (const auto& [name, fields] : measurements) {
    std::ranges::move(SeriesOf(fields, drop.where), std::back_inserter(out.selectors));
    std::ranges::copy(fields, std::back_inserter(meant));
  }
  TM_TRY_ASSIGN(out.fields, FieldsToName(view, meant));
  return out;
}

Result<Selection> SelectionOf(const storage::View& view, const influxql::Condition& predicate) {
  std::vector<std::vector<model::Matcher>> branches = predicate.any_of;
  if (branches.empty()) branches.emplace_back();
  Selection out;
  std::vector<storage::FieldDescription> meant;
  for (const std::vector<model::Matcher>& branch : branches) {
    std::vector<storage::FieldDescription> fields = view.Fields();
    std::vector<model::Matcher> tags;
    for (const model::Matcher& matcher : branch) {
      if (matcher.name == "_measurement") {
        TM_RETURN_IF_ERROR(Keep(matcher, &storage::FieldDescription::measurement, &fields));
      } else if (matcher.name == "_field") {
        TM_RETURN_IF_ERROR(Keep(matcher, &storage::FieldDescription::field, &fields));
      } else {
        tags.push_back(matcher);
      }
    }
    if (fields.empty()) continue;
    std::ranges::move(SeriesOf(fields, {.any_of = {std::move(tags)}}), std::back_inserter(out.selectors));
    std::ranges::move(fields, std::back_inserter(meant));
  }
  TM_TRY_ASSIGN(out.fields, FieldsToName(view, meant));
  return out;
}

}  // namespace tidemark::server

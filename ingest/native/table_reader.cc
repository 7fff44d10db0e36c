#include "ingest/native/table_reader.h"

#include <fmt/core.h>

#include <algorithm>
#include <set>

namespace tidemark::native {
namespace {

constexpr uint32_t kBadSeries = UINT32_MAX;
constexpr uint32_t kNoField = UINT32_MAX - 1;
// So many rows ahead the entries of their series are asked for: senders have more series than a cache.
constexpr uint32_t kPrefetchRows = 16;

void AddFault(const Limits& limits, ingest::Fault fault, ingest::Decoded* out) {
  ++out->faults_total;
  if (out->faults.size() >= limits.max_faults) return;
  fault.message = fault.text.empty() ? fault.reason : fmt::format("{}: {}", fault.text, fault.reason);
  out->faults.push_back(std::move(fault));
}

Result<void> CountFields(size_t fields, const Limits& limits, TableReader::Progress* progress) {
  progress->shape_fields += fields;
  if (progress->shape_fields <= limits.max_shape_fields) return {};
  return LimitExceeded(
      fmt::format("more than {} fields in a batch, those of each measurement and set of fields of a table counted anew",
                  limits.max_shape_fields));
}

}  // namespace

Result<TableReader::Plan> TableReader::Look(const wire::DataTable& table, uint64_t rows_left) {
  Plan plan;
  plan.series = Numbers<uint32_t>(table.series());
  TM_TRY_ASSIGN(const uint64_t times, TimesReader::CountOf(table.times()));
  uint64_t rows = plan.series.size();
  switch (table.layout()) {
    case wire::Layout::Rows:
      // `count` need not be there when the series say how many rows there are.
      plan.times = static_cast<uint32_t>(std::min<uint64_t>(times, rows));
      if (table.times() != nullptr && table.times()->values() == nullptr && table.times()->deltas() == nullptr &&
          table.times()->step_ns() != 0) {
        if (times != 0 && times != rows) return InvalidArgument(fmt::format("{} times for {} rows", times, rows));
        plan.times = plan.series.size();
      } else if (times != 1 && times != rows) {
        return InvalidArgument(fmt::format("{} times for {} rows", times, rows));
      }
      break;
    case wire::Layout::Grid:
      plan.grid = true;
      if (times > UINT32_MAX) return InvalidArgument("too many times");
      plan.times = static_cast<uint32_t>(times);
      rows *= times;
      break;
    default: return InvalidArgument("a layout that this server does not know");
  }
  if (rows > rows_left) return LimitExceeded("too many rows");
  plan.rows = static_cast<uint32_t>(rows);
  return plan;
}

Result<void> TableReader::OpenColumns(const wire::DataTable& table, const Plan& plan) {
  columns_.clear();
  if (table.columns() == nullptr || table.columns()->size() == 0) return InvalidArgument("no columns");
  std::set<std::string_view> names;
  uint32_t number = 0;
  for (const wire::Column* column : *table.columns()) {
    ++number;
    auto opened = ColumnReader::Open(*column, plan.rows);
    if (!opened.ok()) {
      return InvalidArgument(
          fmt::format("column {} ({}): {}", number, PrintKey(TextOf(column->name())), opened.error().message));
    }
    if (!names.insert(opened->name()).second) {
      return InvalidArgument(fmt::format("column {}: duplicate field \"{}\"", number, opened->name()));
    }
    columns_.push_back(*opened);
  }
  return {};
}

Result<void> TableReader::Judge(const Plan& plan, const SeriesDictionary& dictionary, bool remembered) {
  bad_.assign(plan.rows, 0);
  measurement_.resize(plan.rows);
  bad_rows_ = 0;
  uint32_t row = 0;
  const uint32_t repeat = plan.grid ? plan.times : 1;
  for (uint32_t s = 0; s < plan.series.size(); ++s) {
    const uint32_t number = plan.series[s];
    uint32_t measurement = SeriesDictionary::kRefused;
    if (number < dictionary.size()) {
      measurement = dictionary.MeasurementAt(number);
    } else if (remembered) {
      return MakeError(
          ErrorCode::kNotFound,
          fmt::format("series {} of the dictionary is not known here, which ends at {}; define all of them anew",
                      number, dictionary.size()));
    }
    for (uint32_t i = 0; i < repeat; ++i, ++row) {
      measurement_[row] = measurement;
      if (measurement == SeriesDictionary::kRefused) bad_[row] = kBadSeries;
    }
  }
  for (uint32_t c = 0; c < columns_.size(); ++c) columns_[c].MarkBad(c + 1, bad_);
  const bool may_lack =
      std::all_of(columns_.begin(), columns_.end(), [](const auto& column) { return column.sparse(); });
  for (row = 0; may_lack && row < plan.rows; ++row) {
    if (bad_[row] == 0 &&
        std::none_of(columns_.begin(), columns_.end(), [&](const auto& column) { return column.Has(row); })) {
      bad_[row] = kNoField;
    }
  }
  bad_rows_ = static_cast<uint64_t>(std::count_if(bad_.begin(), bad_.end(), [](uint32_t bad) { return bad != 0; }));
  return {};
}

void TableReader::Order(const Plan& plan, const SeriesDictionary& dictionary) {
  all_ = bad_rows_ == 0 && std::is_sorted(measurement_.begin(), measurement_.end());
  order_.clear();
  if (all_) return;
  // Rows of one shape that are together cost the journal and the heads least.
  if (plan.rows < dictionary.measurements().size()) {
    // Many measurements, of which a table has few: not all are counted for each of many small tables.
    for (uint32_t row = 0; row < plan.rows; ++row) {
      if (bad_[row] == 0) order_.push_back(row);
    }
    std::stable_sort(order_.begin(), order_.end(),
                     [&](uint32_t a, uint32_t b) { return measurement_[a] < measurement_[b]; });
    return;
  }
  // By counting.
  place_.assign(dictionary.measurements().size() + 1, 0);
  for (uint32_t row = 0; row < plan.rows; ++row) {
    if (bad_[row] == 0) ++place_[measurement_[row] + 1];
  }
  for (size_t m = 1; m < place_.size(); ++m) place_[m] += place_[m - 1];
  order_.resize(place_.back());
  for (uint32_t row = 0; row < plan.rows; ++row) {
    if (bad_[row] == 0) order_[place_[measurement_[row]]++] = row;
  }
}

void TableReader::ReportBad(const Plan& plan, const SeriesDictionary& dictionary, const Limits& limits,
                            Progress* progress) const {
  if (bad_rows_ == 0) return;
  progress->out->lines_refused += bad_rows_;
  progress->out->rows_refused += bad_rows_;
  for (uint32_t row = 0; row < plan.rows; ++row) {
    if (bad_[row] == 0) continue;
    if (progress->out->faults.size() >= limits.max_faults) {
      ++progress->out->faults_total;
      continue;
    }
    const uint32_t number = plan.SeriesOf(row);
    ingest::Fault fault{.number = static_cast<uint32_t>(progress->rows + row + 1),
                        .column = 0,
                        .reason = {},
                        .text = {},
                        .message = {}};
    if (number >= dictionary.size()) {
      fault.reason = fmt::format("series {} of a dictionary with {}", number, dictionary.size());
    } else {
      const std::string_view key = dictionary[number].key.bytes;
      fault.text = PrintKey(key);
      if (bad_[row] == kBadSeries) {
        fault.reason = CheckKey(key, limits.max_key_bytes).error().message;
      } else if (bad_[row] == kNoField) {
        fault.reason = "missing fields";
      } else {
        fault.column = bad_[row];
        const ColumnReader& column = columns_[bad_[row] - 1];
        fault.reason = fmt::format("field \"{}\": {}", PrintKey(column.name()), column.WhyBad());
      }
    }
    AddFault(limits, std::move(fault), progress->out);
  }
}

void TableReader::AddRow(const Plan& plan, const SeriesDictionary& dictionary, const std::vector<int64_t>& times,
                         uint32_t row, uint32_t shape, size_t first_value, const Progress& progress,
                         model::Batch* batch) const {
  // Filled where it lies: a row made elsewhere of small parts and copied in large ones waits for its parts.
  model::Row& out = batch->rows.emplace_back();
  out.number = plan.SeriesOf(row);
  out.key = dictionary[out.number].key;
  out.time = {times[plan.TimeOf(row)]};
  out.shape = shape;
  out.first_value = static_cast<uint32_t>(first_value);
  out.line = static_cast<uint32_t>(progress.rows + row + 1);
}

Result<void> TableReader::Emit(const Plan& plan, const SeriesDictionary& dictionary, const std::vector<int64_t>& times,
                               const Limits& limits, Progress* progress, model::Batch* batch) {
  const size_t width = columns_.size();
  const size_t first = batch->values.size();
  const uint32_t count = CountOfOrder(plan);
  batch->values.resize(first + count * width);
  batch->scales.resize(first + count * width, 0);
  batch->rows.reserve(batch->rows.size() + count);
  if (shape_of_.size() < dictionary.measurements().size()) shape_of_.resize(dictionary.measurements().size(), 0);
  const size_t shapes_before = batch->shapes.size();
  Result<void> fits;
  for (uint32_t i = 0; i < count; ++i) {
    if (i + kPrefetchRows < count) {
      const uint32_t ahead = all_ ? i + kPrefetchRows : order_[i + kPrefetchRows];
      dictionary.Prefetch(plan.SeriesOf(ahead));
    }
    const uint32_t row = all_ ? i : order_[i];
    uint32_t& shape = shape_of_[measurement_[row]];
    if (shape == 0) {
      fits = CountFields(width, limits, progress);
      if (!fits.ok()) break;
      model::Shape& made = batch->shapes.emplace_back();
      made.measurement = dictionary.measurements()[measurement_[row]];
      for (const ColumnReader& column : columns_) made.fields.push_back({column.name(), column.type()});
      shape = static_cast<uint32_t>(batch->shapes.size());
    }
    AddRow(plan, dictionary, times, row, shape - 1, first + i * width, *progress, batch);
  }
  const bool few = batch->shapes.size() - shapes_before < shape_of_.size() / 16;
  for (uint32_t i = 0; few && i < count; ++i) shape_of_[measurement_[all_ ? i : order_[i]]] = 0;
  if (!few) std::fill(shape_of_.begin(), shape_of_.end(), 0);
  TM_RETURN_IF_ERROR(std::move(fits));
  for (size_t c = 0; c < width; ++c) {
    columns_[c].Copy(order_, count, [&](size_t i) { return first + i * width + c; }, batch);
  }
  return {};
}

Result<void> TableReader::EmitSparse(const Plan& plan, const SeriesDictionary& dictionary,
                                     const std::vector<int64_t>& times, const Limits& limits, Progress* progress,
                                     model::Batch* batch) {
  const uint32_t count = CountOfOrder(plan);
  std::map<std::pair<uint32_t, std::string>, uint32_t> shapes;
  std::string fields;
  cursor_.resize(plan.rows);
  size_t next = batch->values.size();
  for (uint32_t i = 0; i < count; ++i) {
    const uint32_t row = all_ ? i : order_[i];
    fields.clear();
    for (const ColumnReader& column : columns_) fields.push_back(column.Has(row) ? '1' : '0');
    const auto [at, is_new] =
        shapes.try_emplace({measurement_[row], fields}, static_cast<uint32_t>(batch->shapes.size()));
    if (is_new) {
      TM_RETURN_IF_ERROR(CountFields(columns_.size(), limits, progress));
      model::Shape& made = batch->shapes.emplace_back();
      made.measurement = dictionary.measurements()[measurement_[row]];
      for (const ColumnReader& column : columns_) {
        if (column.Has(row)) made.fields.push_back({column.name(), column.type()});
      }
    }
    AddRow(plan, dictionary, times, row, at->second, next, *progress, batch);
    cursor_[row] = next;
    next += batch->shapes[at->second].fields.size();
  }
  batch->values.resize(next);
  batch->scales.resize(next, 0);
  for (const ColumnReader& column : columns_) {
    having_.clear();
    for (uint32_t i = 0; i < count; ++i) {
      const uint32_t row = all_ ? i : order_[i];
      if (column.Has(row)) having_.push_back(row);
    }
    if (having_.empty()) continue;
    column.Copy(having_, plan.rows, [&](size_t i) { return cursor_[having_[i]]++; }, batch);
  }
  return {};
}

Result<void> TableReader::Read(const wire::DataTable& table, const SeriesDictionary& dictionary, bool remembered,
                               const Limits& limits, int64_t now_ns, Progress* progress, model::Batch* batch) {
  auto plan = Look(table, limits.max_rows - progress->rows);
  if (!plan.ok() && plan.error().code == ErrorCode::kLimitExceeded) {
    return LimitExceeded(fmt::format("more than {} rows in a batch", limits.max_rows));
  }
  if (plan.ok()) {
    const uint64_t width = table.columns() == nullptr ? 0 : table.columns()->size();
    progress->values += plan->rows * width;
    if (progress->values > limits.max_values) {
      return LimitExceeded(fmt::format("more than {} values in a batch", limits.max_values));
    }
  }
  const Result<void> opened = plan.ok() ? OpenColumns(table, *plan) : Result<void>(plan.error());
  if (!opened.ok()) {
    // Its good rows cannot be told from bad ones.
    const uint64_t rows = plan.ok() ? plan->rows : 0;
    progress->out->lines_refused += std::max<uint64_t>(rows, 1);
    progress->out->rows_refused += rows;
    AddFault(limits, {0, 0, fmt::format("table {}: {}", progress->table, opened.error().message), {}, {}},
             progress->out);
    progress->rows += rows;
    return {};
  }
  if (plan->rows == 0) return {};
  for (const ColumnReader& column : columns_) progress->text_bytes += column.text_bytes();
  if (progress->text_bytes > progress->text_bytes_max) {
    return InvalidArgument(fmt::format("table {}: columns share the bytes of their strings", progress->table));
  }
  TM_RETURN_IF_ERROR(Judge(*plan, dictionary, remembered));
  ReportBad(*plan, dictionary, limits, progress);
  Order(*plan, dictionary);
  if (CountOfOrder(*plan) > 0) {
    const std::vector<int64_t>& times = times_.Read(table.times(), plan->times, now_ns);
    if (std::any_of(columns_.begin(), columns_.end(), [](const auto& column) { return column.sparse(); })) {
      TM_RETURN_IF_ERROR(EmitSparse(*plan, dictionary, times, limits, progress, batch));
    } else {
      TM_RETURN_IF_ERROR(Emit(*plan, dictionary, times, limits, progress, batch));
    }
  }
  progress->rows += plan->rows;
  return {};
}

}  // namespace tidemark::native

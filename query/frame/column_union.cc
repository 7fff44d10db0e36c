#include "query/frame/column_union.h"

#include <algorithm>
#include <numeric>

#include "storage/model/batch.h"

namespace tidemark::query::frame {

model::ColumnBuffer CopyAsDoubles(const model::Column& column) {
  model::ColumnBuffer out;
  out.times.resize(column.size());
  for (size_t i = 0; i < column.size(); ++i) out.times[i] = column.times[i];
  out.floats.resize(column.size());
  model::ToDoubles(column, 0, column.size(), out.floats.data());
  return out;
}

model::Column UniteColumns(const std::vector<model::ColumnBuffer>& columns, model::ColumnBuffer* buffer) {
  struct Row {
    int64_t time;
    size_t column;
    double value;
  };
  std::vector<Row> rows;
  rows.reserve(std::accumulate(columns.begin(), columns.end(), size_t{0},
                               [](size_t sum, const auto& column) { return sum + column.times.size(); }));
  for (size_t c = 0; c < columns.size(); ++c) {
    for (size_t i = 0; i < columns[c].times.size(); ++i) {
      rows.push_back({columns[c].times[i], c, columns[c].floats[i]});
    }
  }
  std::ranges::sort(
      rows, [](const Row& a, const Row& b) { return a.time != b.time ? a.time < b.time : a.column < b.column; });
  buffer->Clear();
  for (const Row& row : rows) {
    if (!buffer->times.empty() && buffer->times.back() == row.time) {
      buffer->floats.back() = row.value;
      continue;
    }
    buffer->times.push_back(row.time);
    buffer->floats.push_back(row.value);
  }
  model::Column out;
  out.type = model::FieldType::kFloat;
  out.scale = model::kBinaryScale;
  out.times = {.size = buffer->times.size(), .first_ns = 0, .step_ns = 0, .explicit_ns = buffer->times.data()};
  out.floats = buffer->floats.data();
  return out;
}

}  // namespace tidemark::query::frame

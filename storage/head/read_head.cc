#include <algorithm>
#include <bit>
#include <limits>
#include <numeric>
#include <vector>

#include "storage/head/head_shard.h"
#include "storage/model/batch.h"

namespace tidemark::head {
namespace {

constexpr int64_t kMaxMantissa = int64_t{1} << 53;

// A run of rows of one chunk that a read wants.
struct Run {
  const HeadChunk* chunk;
  uint32_t column;
  uint32_t begin;
  uint32_t end;
  bool all_in_range;
};

// The rows of a chunk before the first with a ticket of `tickets` or more; tickets never fall within a head.
uint32_t VisibleRows(const HeadChunk& chunk, uint64_t tickets) {
  const size_t fields = chunk.shape->fields.size();
  if (chunk.rows == 0 || LoadTicket(chunk.row(chunk.rows - 1), fields) < tickets) return chunk.rows;
  uint32_t low = 0;
  uint32_t high = chunk.rows - 1;
  while (low < high) {
    const uint32_t middle = (low + high) / 2;
    if (LoadTicket(chunk.row(middle), fields) < tickets) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  return low;
}

std::vector<Run> RunsOf(const Head& head, model::FieldId field, uint64_t tickets, model::TimeRange range) {
  std::vector<Run> runs;
  const HeadShape* shape = nullptr;
  int column = -1;
  const bool whole_head = range.first.ns <= head.min_ns && head.max_ns <= range.last.ns;
  for (const HeadChunk* chunk = head.first; chunk != nullptr; chunk = chunk->next) {
    if (chunk->shape != shape) {
      shape = chunk->shape;
      column = shape->Find(field);
    }
    if (column < 0) continue;
    const uint32_t visible = VisibleRows(*chunk, tickets);
    if (visible > 0 && head.in_order && !whole_head) {
      if (LoadWord(chunk->row(0)) > range.last.ns) break;
      if (LoadWord(chunk->row(visible - 1)) < range.first.ns) continue;
    }
    if (visible > 0) runs.push_back({chunk, static_cast<uint32_t>(column), 0, visible, whole_head});
    if (visible < chunk->rows) break;
  }
  return runs;
}

// Calls use(time, word, scale) for each row that the runs hold in `range`, in order of arrival.
template <typename Use>
void ForEach(const std::vector<Run>& runs, model::TimeRange range, Use use) {
  for (const Run& run : runs) {
    const size_t stride = HeadChunk::RowBytes(run.chunk->shape->fields.size());
    const uint8_t scale = run.chunk->scales()[run.column];
    const char* row = run.chunk->row(run.begin);
    for (uint32_t i = run.begin; i < run.end; ++i, row += stride) {
      const int64_t time = LoadWord(row);
      if (!run.all_in_range && (time < range.first.ns || time > range.last.ns)) continue;
      use(time, LoadWord(row + 8 + 8 * size_t{run.column}), scale);
    }
  }
}

// Brings the float runs to one scale; kBinaryScale when they have none in common.
uint8_t CommonScale(const std::vector<Run>& runs, model::TimeRange range) {
  uint8_t scale = 0;
  bool mixed = false;
  for (const Run& run : runs) {
    const uint8_t mine = run.chunk->scales()[run.column];
    if (mine == model::kBinaryScale) return model::kBinaryScale;
    mixed = mixed || (mine != scale && &run != &runs.front());
    scale = std::max(scale, mine);
  }
  if (!mixed) return scale;
  bool fits = true;
  ForEach(runs, range, [&](int64_t, int64_t word, uint8_t from) {
    for (uint8_t s = from; s < scale && fits; ++s) {
      word *= 10;
      fits = word < kMaxMantissa && word > -kMaxMantissa;
    }
  });
  return fits ? scale : model::kBinaryScale;
}

int64_t AtScale(int64_t mantissa, uint8_t from, uint8_t to) {
  for (; from < to; ++from) mantissa *= 10;
  return mantissa;
}

// Sorts `order` by time, equal times in order of arrival. Rows of several writers are out of order by a few places
// only, so they are inserted where they belong; what is far away is left to a merge sort.
void SortByTime(const std::vector<int64_t>& times, std::vector<uint32_t>* order) {
  constexpr size_t kMovesPerRow = 8;
  size_t moves_left = kMovesPerRow * times.size();
  for (size_t i = 1; i < order->size(); ++i) {
    const uint32_t row = (*order)[i];
    size_t at = i;
    while (at > 0 && times[(*order)[at - 1]] > times[row] && moves_left > 0) {
      (*order)[at] = (*order)[at - 1];
      --at;
      --moves_left;
    }
    (*order)[at] = row;
    if (moves_left == 0) break;
  }
  if (moves_left > 0) return;
  std::iota(order->begin(), order->end(), 0U);
  std::stable_sort(order->begin(), order->end(), [&](uint32_t a, uint32_t b) { return times[a] < times[b]; });
}

// The order by time in which each time stands once, with the last write. Empty when rows are in order already.
std::vector<uint32_t> LastWriteOrder(const std::vector<int64_t>& times) {
  bool in_order = true;
  for (size_t i = 1; i < times.size() && in_order; ++i) in_order = times[i - 1] < times[i];
  if (in_order) return {};
  std::vector<uint32_t> order(times.size());
  std::iota(order.begin(), order.end(), 0U);
  SortByTime(times, &order);
  size_t kept = 0;
  for (size_t i = 0; i < order.size(); ++i) {
    if (i + 1 < order.size() && times[order[i]] == times[order[i + 1]]) continue;
    order[kept++] = order[i];
  }
  order.resize(kept);
  return order;
}

template <typename T>
void Permute(const std::vector<uint32_t>& order, std::vector<T>* values) {
  if (values->empty()) return;
  std::vector<T> out;
  out.reserve(order.size());
  for (const uint32_t i : order) out.push_back((*values)[i]);
  values->swap(out);
}

// Fills in `times` as a regular timeline when it is one.
model::Times TimesOf(const std::vector<int64_t>& times) {
  model::Times out{.size = times.size(), .explicit_ns = times.data()};
  if (times.empty()) return {};
  const uint64_t step = times.size() > 1 ? static_cast<uint64_t>(times[1]) - static_cast<uint64_t>(times[0]) : 0;
  if (step > static_cast<uint64_t>(std::numeric_limits<int64_t>::max())) return out;
  uint64_t differs = 0;
  for (size_t i = 1; i < times.size(); ++i) {
    differs |= (static_cast<uint64_t>(times[i]) - static_cast<uint64_t>(times[i - 1])) ^ step;
  }
  if (differs == 0) out = {.size = times.size(), .first_ns = times[0], .step_ns = static_cast<int64_t>(step)};
  return out;
}

void PointInto(const model::ColumnBuffer& buffer, model::Column* column) {
  column->ints = buffer.ints.empty() ? nullptr : buffer.ints.data();
  column->floats = buffer.floats.empty() ? nullptr : buffer.floats.data();
  column->strings = buffer.strings.empty() ? nullptr : buffer.strings.data();
}

}  // namespace

namespace {

model::Column ReadRuns(const Head& head, model::SeriesRef ref, const std::vector<Run>& runs, model::TimeRange range,
                       model::ColumnBuffer* buffer) {
  model::Column column{.ref = ref};
  buffer->Clear();
  if (runs.empty()) return column;
  column.type = runs.front().chunk->shape->fields[runs.front().column].type;

  size_t rows = 0;
  for (const Run& run : runs) rows += run.end - run.begin;
  buffer->times.reserve(rows);
  if (column.type == model::FieldType::kString) {
    buffer->strings.reserve(rows);
    ForEach(runs, range, [&](int64_t time, int64_t word, uint8_t) {
      buffer->times.push_back(time);
      buffer->strings.push_back(StoredString(word));
    });
  } else if (column.type == model::FieldType::kFloat) {
    column.scale = CommonScale(runs, range);
    if (column.scale == model::kBinaryScale) {
      buffer->floats.reserve(rows);
      ForEach(runs, range, [&](int64_t time, int64_t word, uint8_t scale) {
        buffer->times.push_back(time);
        buffer->floats.push_back(model::FloatOf(word, scale));
      });
    } else {
      buffer->ints.reserve(rows);
      ForEach(runs, range, [&](int64_t time, int64_t word, uint8_t scale) {
        buffer->times.push_back(time);
        buffer->ints.push_back(AtScale(word, scale, column.scale));
      });
    }
  } else {
    buffer->ints.reserve(rows);
    ForEach(runs, range, [&](int64_t time, int64_t word, uint8_t) {
      buffer->times.push_back(time);
      buffer->ints.push_back(word);
    });
  }
  if (!head.in_order) {
    const std::vector<uint32_t> order = LastWriteOrder(buffer->times);
    if (!order.empty()) {
      Permute(order, &buffer->times);
      Permute(order, &buffer->ints);
      Permute(order, &buffer->floats);
      Permute(order, &buffer->strings);
    }
  }
  column.times = TimesOf(buffer->times);
  if (column.times.empty()) return {.ref = ref};
  PointInto(*buffer, &column);
  return column;
}

}  // namespace

model::Column ReadHead(const Head& head, model::SeriesRef ref, uint64_t tickets, model::TimeRange range,
                       model::ColumnBuffer* buffer) {
  if (head.rows == 0 || !range.Overlaps({{head.min_ns}, {head.max_ns}})) {
    buffer->Clear();
    return {.ref = ref};
  }
  return ReadRuns(head, ref, RunsOf(head, ref.field, tickets, range), range, buffer);
}

void ReadFields(const Head& head, model::TimeRange range, std::vector<model::ColumnBuffer>* buffers,
                const std::function<void(const model::Column&)>& use) {
  struct FieldRun {
    model::FieldId field;
    Run run;
  };
  const bool whole_head = range.first.ns <= head.min_ns && head.max_ns <= range.last.ns;
  std::vector<FieldRun> all;
  for (const HeadChunk* chunk = head.first; chunk != nullptr; chunk = chunk->next) {
    if (chunk->rows == 0) continue;
    const std::vector<model::ResolvedField>& fields = chunk->shape->fields;
    for (uint32_t column = 0; column < fields.size(); ++column) {
      all.push_back({fields[column].id, {chunk, column, 0, chunk->rows, whole_head}});
    }
  }
  // The runs of a field stay in the order of arrival.
  std::stable_sort(all.begin(), all.end(), [](const FieldRun& a, const FieldRun& b) { return a.field < b.field; });
  std::vector<Run> runs;
  size_t used = 0;
  for (size_t begin = 0, end = 0; begin < all.size(); begin = end) {
    runs.clear();
    for (; end < all.size() && all[end].field == all[begin].field; ++end) runs.push_back(all[end].run);
    if (used == buffers->size()) buffers->emplace_back();
    const model::Column column = ReadRuns(head, {all[begin].field, head.series}, runs, range, &(*buffers)[used]);
    if (column.empty()) continue;
    ++used;
    use(column);
  }
}

namespace {

// The one shape that all rows of a head have; null when there are several.
const HeadShape* OnlyShape(const Head& head) {
  const HeadShape* const shape = head.first->shape;
  for (const HeadChunk* chunk = head.first; chunk != nullptr; chunk = chunk->next) {
    if (chunk->shape != shape) return nullptr;
  }
  return shape;
}

// Whether all chunks hold column `index` at one scale.
bool SameScale(const Head& head, size_t index) {
  const uint8_t scale = head.first->scales()[index];
  for (const HeadChunk* chunk = head.first; chunk != nullptr; chunk = chunk->next) {
    if (chunk->scales()[index] != scale) return false;
  }
  return true;
}

// Finds the rows of a head in the order of time, each time once.
void SortRows(const Head& head, model::TimeRange range, std::vector<int64_t>* times, std::vector<const char*>* rows) {
  times->clear();
  rows->clear();
  for (const HeadChunk* chunk = head.first; chunk != nullptr; chunk = chunk->next) {
    const size_t stride = HeadChunk::RowBytes(chunk->shape->fields.size());
    const char* row = chunk->row(0);
    for (uint32_t i = 0; i < chunk->rows; ++i, row += stride) {
      const int64_t time = LoadWord(row);
      if (time < range.first.ns || time > range.last.ns) continue;
      times->push_back(time);
      rows->push_back(row);
    }
  }
  if (head.in_order) return;
  const std::vector<uint32_t> order = LastWriteOrder(*times);
  if (order.empty()) return;
  Permute(order, times);
  Permute(order, rows);
}

// Gathers column `index` of sorted rows that all have `shape`, floats at the scale of the first chunk.
void Gather(const std::vector<const char*>& rows, size_t index, model::Column* column, model::ColumnBuffer* buffer) {
  buffer->Clear();
  const size_t offset = 8 + 8 * index;
  const size_t count = rows.size();
  if (column->type == model::FieldType::kString) {
    buffer->strings.reserve(count);
    for (const char* const row : rows) buffer->strings.push_back(StoredString(LoadWord(row + offset)));
  } else if (column->type == model::FieldType::kFloat && column->scale == model::kBinaryScale) {
    buffer->floats.resize(count);
    for (size_t i = 0; i < count; ++i) buffer->floats[i] = std::bit_cast<double>(LoadWord(rows[i] + offset));
  } else {
    buffer->ints.resize(count);
    for (size_t i = 0; i < count; ++i) buffer->ints[i] = LoadWord(rows[i] + offset);
  }
  PointInto(*buffer, column);
}

}  // namespace

bool HeadRows::Read(const Head& head, model::TimeRange range) {
  columns_.clear();
  const HeadShape* const shape = OnlyShape(head);
  if (shape == nullptr) return false;
  SortRows(head, range, &times_, &rows_);
  if (times_.empty()) return true;
  if (buffers_.size() < shape->fields.size()) buffers_.resize(shape->fields.size());
  const model::Times times = TimesOf(times_);
  for (const uint32_t index : shape->by_field) {
    const model::SeriesRef ref{shape->fields[index].id, head.series};
    model::ColumnBuffer* const buffer = &buffers_[index];
    model::Column column{.ref = ref, .type = shape->fields[index].type};
    if (column.type == model::FieldType::kFloat && !SameScale(head, index)) {
      column = ReadHead(head, ref, std::numeric_limits<uint64_t>::max(), range, buffer);
      column.times = times;
    } else {
      column.times = times;
      column.scale = column.type == model::FieldType::kFloat ? head.first->scales()[index] : uint8_t{0};
      Gather(rows_, index, &column, buffer);
    }
    columns_.push_back(column);
  }
  return true;
}

}  // namespace tidemark::head

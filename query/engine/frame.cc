#include "query/engine/frame.h"

#include <algorithm>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>

#include "query/engine/query_state.h"

namespace tidemark::query::engine {

void Frame::Resize(size_t count) {
  rows.resize(count);
  values.resize(count * steps);
  present.resize(count * steps);
}

size_t Frame::AddRow(const RowHead& head) {
  rows.push_back(head);
  values.resize(rows.size() * steps);
  present.resize(rows.size() * steps);
  return rows.size() - 1;
}

void Frame::AddRowOf(const Frame& other, size_t row) {
  rows.push_back(other.rows[row]);
  const auto from_values = other.RowValues(row);
  const auto from_present = other.RowPresent(row);
  values.insert(values.end(), from_values.begin(), from_values.end());
  present.insert(present.end(), from_present.begin(), from_present.end());
}

void Frame::DropEmptyRows() {
  size_t out = 0;
  for (size_t row = 0; row < rows.size(); ++row) {
    const auto from = RowPresent(row);
    if (std::ranges::find(from, uint8_t{1}) == from.end()) continue;
    if (out != row) {
      rows[out] = rows[row];
      std::ranges::copy(RowValues(row), RowValues(out).begin());
      std::ranges::copy(from, RowPresent(out).begin());
    }
    ++out;
  }
  Resize(out);
}

namespace {

// For each row the first row with equal labels.
std::vector<size_t> FirstEqual(const Frame& frame, bool* any) {
  std::vector<size_t> first(frame.size());
  std::unordered_map<std::string, size_t> seen;
  seen.reserve(frame.size());
  std::string key;
  *any = false;
  for (size_t row = 0; row < frame.size(); ++row) {
    KeyOf(frame.rows[row].labels, &key);
    first[row] = seen.emplace(key, row).first->second;
    *any = *any || first[row] != row;
  }
  return first;
}

}  // namespace

Status MergeEqualLabels(Frame* frame) {
  if (frame->size() < 2) return {};
  bool any = false;
  const std::vector<size_t> first = FirstEqual(*frame, &any);
  if (!any) return {};
  for (size_t row = 0; row < frame->size(); ++row) {
    if (first[row] == row) continue;
    const auto into_values = frame->RowValues(first[row]);
    const auto into_present = frame->RowPresent(first[row]);
    const auto from_values = frame->RowValues(row);
    const auto from_present = frame->RowPresent(row);
    for (size_t step = 0; step < frame->steps; ++step) {
      if (from_present[step] == 0) continue;
      if (into_present[step] != 0) {
        return InvalidArgument("vector cannot contain metrics with the same labelset");
      }
      into_values[step] = from_values[step];
      into_present[step] = 1;
      from_present[step] = 0;
    }
  }
  frame->DropEmptyRows();
  return {};
}

Status DropNames(Frame* frame, QueryState* state) {
  auto arena = std::make_unique<LabelArena>();
  bool dropped = false;
  for (RowHead& row : frame->rows) {
    if (row.name == NameFate::kKeep) continue;
    row.labels = WithoutMetadata(row.labels, arena.get());
    row.name = NameFate::kKeep;
    dropped = true;
  }
  if (dropped) state->Keep(std::move(arena));
  return MergeEqualLabels(frame);
}

}  // namespace tidemark::query::engine

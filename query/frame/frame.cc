#include "query/frame/frame.h"

#include <algorithm>
#include <string>
#include <string_view>
#include <utility>

#include "query/frame/frame_order.h"
#include "query/frame/key_numbers.h"
#include "storage/base/check.h"
#include "storage/base/hash.h"

namespace tidemark::query::frame {

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

void Frame::DropEmptyRows() { TM_CHECK(query::frame::DropEmptyRows(this, nullptr).ok()); }

namespace {

// For each row the first row with equal labels; empty when no two are equal.
Result<std::vector<uint32_t>> FirstEqual(const Frame& frame, const Interrupt* interrupt) {
  std::vector<uint32_t> first(frame.size());
  std::vector<uint32_t> row_of_number;
  row_of_number.reserve(frame.size());
  KeyNumbers numbers(frame.size());
  std::string key;
  for (uint32_t row = 0; row < frame.size(); ++row) {
    TM_RETURN_IF_ERROR(CheckAtRow(interrupt, row));
    KeyOf(frame.rows[row].labels, &key);
    const auto [number, added] = numbers.NumberOf(Hash64(key, 0), [&](uint32_t other) {
      return frame.rows[row_of_number[other]].labels == frame.rows[row].labels;
    });
    if (added) row_of_number.push_back(row);
    first[row] = row_of_number[number];
  }
  if (row_of_number.size() == frame.size()) first.clear();
  return first;
}

}  // namespace

Status CheckAtRow(const Interrupt* interrupt, size_t row) {
  // Under a millisecond of hashing labels.
  constexpr size_t kRowsPerCheck = 1024;
  return interrupt != nullptr && row % kRowsPerCheck == 0 ? interrupt->CheckInterrupt() : Status();
}

Status MergeEqualLabels(Frame* frame, const Interrupt* interrupt) {
  if (frame->size() < 2) return {};
  TM_TRY_ASSIGN(const std::vector<uint32_t> first, FirstEqual(*frame, interrupt));
  if (first.empty()) return {};
  for (size_t row = 0; row < frame->size(); ++row) {
    TM_RETURN_IF_ERROR(CheckAtRow(interrupt, row));
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

Status DropNames(Frame* frame, LabelArena* arena, const Interrupt* interrupt) {
  for (size_t i = 0; i < frame->size(); ++i) {
    TM_RETURN_IF_ERROR(CheckAtRow(interrupt, i));
    RowHead& row = frame->rows[i];
    if (row.name == NameFate::kKeep) continue;
    row.labels = WithoutMetadata(row.labels, arena);
    row.name = NameFate::kKeep;
  }
  return MergeEqualLabels(frame, interrupt);
}

}  // namespace tidemark::query::frame

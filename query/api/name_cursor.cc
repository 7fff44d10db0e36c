#include "query/api/name_cursor.h"

#include <algorithm>
#include <limits>
#include <map>
#include <utility>

namespace tidemark::query::api {

NameCursor::NameCursor(std::shared_ptr<const storage::View> view, std::vector<model::SeriesRef> refs,
                       model::TimeRange range)
    : view_(std::move(view)), range_(range) {
  std::map<model::SeriesRef, std::vector<model::SeriesRef>> changed;  // by the newest field of their names
  model::FieldId field{};
  model::FieldId newest{};
  // The newest fields of names that have several; most have one.
  std::vector<model::FieldId> several;
  for (const model::SeriesRef ref : refs) {
    if (ref.field != field) {
      field = ref.field;
      newest = view_->NewestOf(field);
      if (newest != field) several.push_back(newest);
    }
  }
  std::sort(several.begin(), several.end());
  field = {};
  for (const model::SeriesRef ref : refs) {
    if (ref.field != field) {
      field = ref.field;
      newest = view_->NewestOf(field);
    }
    if (std::binary_search(several.begin(), several.end(), newest)) {
      changed[{newest, ref.series}].push_back(ref);
    } else {
      alone_.push_back(ref);
    }
  }
  for (auto& [_, group] : changed) groups_.push_back(std::move(group));
  rows_ = view_->Scan(alone_, range_);
}

Result<bool> NameCursor::Next(model::Column* column) {
  if (rows_ != nullptr) {
    TM_TRY_ASSIGN(const bool more, rows_->Next(column));
    Note(*rows_, &alone_warnings_);
    if (more) return true;
    rows_ = nullptr;
  }
  while (piece_ == pieces_.size()) {
    if (group_ == groups_.size()) return false;
    TM_RETURN_IF_ERROR(ReadGroup());
  }
  *column = pieces_[piece_++];
  return true;
}

void NameCursor::Note(const storage::ColumnCursor& cursor, size_t* seen) {
  const std::vector<std::string>& all = cursor.warnings();
  for (; *seen < all.size(); ++*seen) {
    if (std::find(warnings_.begin(), warnings_.end(), all[*seen]) == warnings_.end()) warnings_.push_back(all[*seen]);
  }
}

void NameCursor::Hold(const model::Column& column, Held* held) {
  const size_t rows = column.size();
  model::ColumnBuffer& buffer = held->buffer;
  buffer.times.resize(rows);
  for (size_t row = 0; row < rows; ++row) buffer.times[row] = column.times[row];
  held->column = column;
  held->column.times = {.size = rows, .first_ns = 0, .step_ns = 0, .explicit_ns = buffer.times.data()};
  if (column.floats != nullptr) {
    buffer.floats.assign(column.floats, column.floats + rows);
    held->column.floats = buffer.floats.data();
  }
  if (column.ints != nullptr) {
    buffer.ints.assign(column.ints, column.ints + rows);
    held->column.ints = buffer.ints.data();
  }
  if (column.strings != nullptr) {
    size_t bytes = 0;
    for (size_t row = 0; row < rows; ++row) bytes += column.strings[row].size();
    buffer.text.reserve(bytes);
    for (size_t row = 0; row < rows; ++row) {
      const std::string_view text = column.strings[row];
      buffer.strings.emplace_back(buffer.text.data() + buffer.text.size(), text.size());
      buffer.text.insert(buffer.text.end(), text.begin(), text.end());
    }
    held->column.strings = buffer.strings.data();
  }
}

Status NameCursor::ReadGroup() {
  const std::vector<model::SeriesRef>& group = groups_[group_++];
  const model::FieldId newest = view_->NewestOf(group.back().field);
  const auto cursor = view_->Scan(group, range_);
  held_.assign(group.size(), {});
  for (Held& held : held_) {
    model::Column column;
    TM_TRY_ASSIGN(const bool more, cursor->Next(&column));
    if (!more) return MakeError(ErrorCode::kInternal, "a scan ended before its last series");
    Hold(column, &held);
    held.column.ref.field = newest;
  }
  size_t seen = 0;
  Note(*cursor, &seen);
  pieces_.clear();
  piece_ = 0;
  std::vector<size_t> at(held_.size(), 0);
  size_t run = held_.size();  // which column the piece at hand is of, from run_begin on
  size_t run_begin = 0;
  const auto end_run = [&] {
    if (run < held_.size() && at[run] > run_begin) pieces_.push_back(held_[run].column.Slice(run_begin, at[run]));
    run = held_.size();
  };
  for (;;) {
    size_t first = held_.size();
    int64_t time_ns = std::numeric_limits<int64_t>::max();
    // Of rows at one time, the one of the youngest field, which is the last.
    for (size_t c = 0; c < held_.size(); ++c) {
      if (at[c] == held_[c].column.size() || held_[c].column.times[at[c]] > time_ns) continue;
      time_ns = held_[c].column.times[at[c]];
      first = c;
    }
    if (first == held_.size()) break;
    if (first != run) {
      end_run();
      run = first;
      run_begin = at[first];
    }
    for (size_t c = 0; c < held_.size(); ++c) {
      if (at[c] < held_[c].column.size() && held_[c].column.times[at[c]] == time_ns) ++at[c];
    }
  }
  end_run();
  return {};
}

}  // namespace tidemark::query::api

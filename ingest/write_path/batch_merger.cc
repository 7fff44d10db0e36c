#include "ingest/write_path/batch_merger.h"

#include <algorithm>

#include "storage/base/check.h"

namespace tidemark::write_path {
namespace {

bool Same(const model::Shape& a, const model::Shape& b) {
  return a.measurement == b.measurement &&
         std::equal(a.fields.begin(), a.fields.end(), b.fields.begin(), b.fields.end(),
                    [](const auto& x, const auto& y) { return x.type == y.type && x.name == y.name; });
}

}  // namespace

bool BatchMerger::MayMerge(const model::Batch& batch) {
  return batch.rows.size() <= kMaxRows && batch.strings.empty() && batch.names == nullptr;
}

void BatchMerger::Clear() {
  merged_.Clear();
  lines_.clear();
  parts_.clear();
}

uint32_t BatchMerger::ShapeOf(const model::Shape& shape) {
  // Those who write together mostly write the same.
  const auto at = std::find_if(merged_.shapes.begin(), merged_.shapes.end(),
                               [&](const model::Shape& known) { return Same(known, shape); });
  if (at == merged_.shapes.end()) {
    merged_.shapes.push_back(shape);
    return static_cast<uint32_t>(merged_.shapes.size() - 1);
  }
  return static_cast<uint32_t>(at - merged_.shapes.begin());
}

void BatchMerger::Add(const model::Batch& batch) {
  TM_CHECK(MayMerge(batch) && rows() + batch.rows.size() <= kMaxRows);
  if (parts_.empty()) merged_.source = batch.source;
  Part part{.first = rows(), .rows = batch.rows.size()};
  for (const model::Row& row : batch.rows) {
    const model::Shape& shape = batch.shapes[row.shape];
    const auto first = static_cast<std::ptrdiff_t>(row.first_value);
    const auto end = first + static_cast<std::ptrdiff_t>(shape.fields.size());
    model::Row& out = merged_.rows.emplace_back(row);
    lines_.push_back(row.line);
    out.shape = ShapeOf(shape);
    out.first_value = static_cast<uint32_t>(merged_.values.size());
    out.line = static_cast<uint32_t>(merged_.rows.size());
    merged_.values.insert(merged_.values.end(), batch.values.begin() + first, batch.values.begin() + end);
    merged_.scales.insert(merged_.scales.end(), batch.scales.begin() + first, batch.scales.begin() + end);
    part.points += shape.fields.size();
  }
  parts_.push_back(part);
}

std::vector<model::WriteReport> BatchMerger::Split(const model::WriteReport& report) const {
  std::vector<model::WriteReport> out(parts_.size());
  // As if nothing was refused.
  uint64_t rows_left = report.rows_written;
  uint64_t points_left = report.points_written;
  for (const model::Rejection& rejection : report.rejections) {
    const size_t row = rejection.line - 1;
    const auto behind = std::upper_bound(parts_.begin(), parts_.end(), row,
                                         [](size_t wanted, const Part& part) { return wanted < part.first; });
    out[static_cast<size_t>(behind - parts_.begin()) - 1].Reject(lines_[row], rejection.error);
  }
  size_t last_refused = out.size();
  for (size_t i = 0; i < out.size(); ++i) {
    const Part& part = parts_[i];
    if (out[i].rows_rejected > 0) last_refused = i;
    const uint64_t refused = std::min<uint64_t>(out[i].rows_rejected, part.rows);
    out[i].rows_written = part.rows - refused;
    out[i].points_written = part.rows == 0 ? 0 : part.points * out[i].rows_written / part.rows;
  }
  for (size_t i = 0; i < out.size(); ++i) {
    if (i == last_refused) continue;
    rows_left -= std::min(rows_left, out[i].rows_written);
    points_left -= std::min(points_left, out[i].points_written);
  }
  if (last_refused < out.size()) {
    out[last_refused].rows_written = rows_left;
    out[last_refused].points_written = points_left;
  }
  if (!out.empty()) out.front().series_created = report.series_created;
  return out;
}

}  // namespace tidemark::write_path

// A PointSink that keeps what it is given as rows that are easy to look at.
#pragma once

#include <algorithm>
#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "storage/model/batch.h"
#include "storage/model/point_sink.h"

namespace tidemark::executor {

struct SeenRow {
  std::string measurement{};
  std::map<std::string, std::string> tags{};
  std::map<std::string, model::FieldValue> fields{};
  int64_t time_ns = 0;

  [[nodiscard]] int64_t Int(const std::string& field) const { return std::get<int64_t>(fields.at(field)); }
  [[nodiscard]] double Float(const std::string& field) const { return std::get<double>(fields.at(field)); }
  [[nodiscard]] std::string Text(const std::string& field) const { return std::get<std::string>(fields.at(field)); }
};

inline std::vector<SeenRow> SeenRows(const model::Batch& batch) {
  std::vector<SeenRow> rows;
  for (const model::Row& row : batch.rows) {
    SeenRow seen;
    const model::Shape& shape = batch.shapes[row.shape];
    seen.measurement = shape.measurement;
    seen.time_ns = row.time.ns;
    for (size_t i = 0; i < shape.fields.size(); ++i) {
      seen.fields[std::string(shape.fields[i].name)] = model::ValueOf(batch, shape.fields[i].type, row.first_value + i);
    }
    // Canonical keys: length-prefixed measurement, then names and values (batch.h); all shorter than 128 bytes here.
    std::vector<std::string> parts;
    for (std::string_view key = row.key.bytes; !key.empty();) {
      const auto length = static_cast<size_t>(key[0]);
      parts.emplace_back(key.substr(1, length));
      key.remove_prefix(1 + length);
    }
    for (size_t i = 1; i + 1 < parts.size(); i += 2) seen.tags[parts[i]] = parts[i + 1];
    rows.push_back(std::move(seen));
  }
  return rows;
}

// Thread-safe in Write; look at the rest when nobody writes.
class RecordingSink final : public model::PointSink {
 public:
  Result<model::WriteReport> Write(std::string_view database, const model::Batch& batch) override {
    const std::lock_guard lock(mutex_);
    ++writes;
    databases.emplace_back(database);
    if (fail) return Error{ErrorCode::kUnavailable, "away"};
    for (SeenRow& row : SeenRows(batch)) rows.push_back(std::move(row));
    model::WriteReport report;
    report.rows_written = batch.rows.size();
    report.points_written = batch.points();
    if (on_write) on_write();
    return report;
  }

  [[nodiscard]] std::vector<SeenRow> Of(const std::string& measurement) const {
    std::vector<SeenRow> found;
    std::copy_if(rows.begin(), rows.end(), std::back_inserter(found),
                 [&](const SeenRow& row) { return row.measurement == measurement; });
    return found;
  }

  bool fail = false;
  std::function<void()> on_write;
  size_t writes = 0;
  std::vector<std::string> databases;
  std::vector<SeenRow> rows;

 private:
  std::mutex mutex_;
};

}  // namespace tidemark::executor

// ResolvedBatch: rows whose names have become ids; what is journaled, and what heads take, live and at replay alike.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "storage/model/field.h"
#include "storage/model/ids.h"
#include "storage/model/timestamp.h"

namespace tidemark::model {

struct ResolvedField {
  FieldId id{};
  FieldType type = FieldType::kFloat;  // as the database stores it
};

struct ResolvedShape {
  MeasurementId measurement{};
  std::vector<ResolvedField> fields;
};

struct ResolvedRow {
  SeriesId series{};
  uint32_t shape = 0;  // index into shapes
  Timestamp time;
  uint32_t first_value = 0;  // index into values and scales
  uint32_t line = 0;         // Row::line; not journaled
};

// Views of arrays that live elsewhere. Values, scales and strings are encoded as in model::Batch; rows are in order of
// arrival.
struct ResolvedBatch {
  DatabaseId database{};
  std::span<const ResolvedShape> shapes;
  std::span<const ResolvedRow> rows;
  std::span<const int64_t> values;
  std::span<const uint8_t> scales;
  std::span<const std::string_view> strings;
};

}  // namespace tidemark::model

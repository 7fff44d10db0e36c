// BatchMessage: native batches for tests, table by table, also ones that no client would make.
//
//   BatchMessage message;
//   message.Series("cpu", {{"host", "a"}});
//   message.Table({.series = {0}, .times = {1'000}, .columns = {Ints("user", {5})}});
//   decoder->Decode(message.Finish(), {}, &batch);
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <wire/batch_generated.h>
#include "storage/base/bytes.h"

namespace tidemark::native {

using Builder = flatbuffers::FlatBufferBuilder;

// Makes the values of a column: the member of the union and its table.
struct ColumnSpec {
  std::string name;
  std::function<std::pair<wire::Values, flatbuffers::Offset<void>>(Builder&)> values;
  std::vector<uint8_t> present = {};
};

inline ColumnSpec Ints(std::string name, std::vector<int64_t> values) {
  return {std::move(name), [values](Builder& b) {
            return std::pair(wire::Values::Int64Values, wire::CreateInt64ValuesDirect(b, &values).Union());
          }};
}
inline ColumnSpec SmallInts(std::string name, std::vector<int32_t> values) {
  return {std::move(name), [values](Builder& b) {
            return std::pair(wire::Values::Int32Values, wire::CreateInt32ValuesDirect(b, &values).Union());
          }};
}
inline ColumnSpec UInts(std::string name, std::vector<uint64_t> values) {
  return {std::move(name), [values](Builder& b) {
            return std::pair(wire::Values::UInt64Values, wire::CreateUInt64ValuesDirect(b, &values).Union());
          }};
}
inline ColumnSpec Floats(std::string name, std::vector<double> values) {
  return {std::move(name), [values](Builder& b) {
            return std::pair(wire::Values::Float64Values, wire::CreateFloat64ValuesDirect(b, &values).Union());
          }};
}
inline ColumnSpec Bools(std::string name, std::vector<uint8_t> values) {
  return {std::move(name), [values](Builder& b) {
            return std::pair(wire::Values::BoolValues, wire::CreateBoolValuesDirect(b, &values).Union());
          }};
}
inline ColumnSpec Decimals(std::string name, std::vector<int64_t> mantissas, uint8_t scale) {
  return {std::move(name), [mantissas, scale](Builder& b) {
            return std::pair(wire::Values::DecimalValues,
                             wire::CreateDecimalValuesDirect(b, &mantissas, scale).Union());
          }};
}
inline ColumnSpec SmallDecimals(std::string name, std::vector<int32_t> mantissas, uint8_t scale) {
  return {std::move(name), [mantissas, scale](Builder& b) {
            return std::pair(wire::Values::Decimal32Values,
                             wire::CreateDecimal32ValuesDirect(b, &mantissas, scale).Union());
          }};
}
inline ColumnSpec RawStrings(std::string name, std::vector<uint32_t> ends, std::string bytes) {
  return {std::move(name), [ends, bytes](Builder& b) {
            const std::vector<uint8_t> all(bytes.begin(), bytes.end());
            return std::pair(wire::Values::StringValues, wire::CreateStringValuesDirect(b, &ends, &all).Union());
          }};
}
inline ColumnSpec Strings(std::string name, const std::vector<std::string>& values) {
  std::string bytes;
  std::vector<uint32_t> ends;
  for (const std::string& value : values) {
    bytes += value;
    ends.push_back(static_cast<uint32_t>(bytes.size()));
  }
  return RawStrings(std::move(name), ends, bytes);
}

struct TableSpec {
  wire::Layout layout = wire::Layout::Rows;
  std::vector<uint32_t> series = {};
  std::optional<std::vector<int64_t>> times = std::nullopt;
  // In place of `times` when it is there.
  std::function<flatbuffers::Offset<wire::Times>(Builder&)> make_times = {};
  std::vector<ColumnSpec> columns = {};
};

class BatchMessage {
 public:
  using Tags = std::vector<std::pair<std::string, std::string>>;

  static std::string Key(std::string_view measurement, const Tags& tags) {
    std::string out;
    PutString(&out, measurement);
    for (const auto& [name, value] : tags) {
      PutString(&out, name);
      PutString(&out, value);
    }
    return out;
  }

  // Tags as they are given: in order or not.
  BatchMessage& Series(std::string_view measurement, const Tags& tags) { return RawSeries(Key(measurement, tags)); }
  BatchMessage& RawSeries(std::string_view key) {
    keys_ += key;
    ends_.push_back(static_cast<uint32_t>(keys_.size()));
    return *this;
  }
  BatchMessage& Client(std::string client, uint64_t generation, uint32_t first) {
    client_ = std::move(client);
    generation_ = generation;
    first_ = first;
    return *this;
  }
  BatchMessage& Table(const TableSpec& table) {
    std::vector<flatbuffers::Offset<wire::Column>> columns;
    for (const ColumnSpec& spec : table.columns) {
      const auto [kind, values] = spec.values(builder_);
      columns.push_back(wire::CreateColumnDirect(builder_, spec.name.c_str(), kind, values,
                                                 spec.present.empty() ? nullptr : &spec.present));
    }
    flatbuffers::Offset<wire::Times> times;
    if (table.make_times) {
      times = table.make_times(builder_);
    } else if (table.times) {
      times = wire::CreateTimesDirect(builder_, &*table.times);
    }
    tables_.push_back(wire::CreateDataTableDirect(builder_, table.layout, &table.series, times, &columns));
    return *this;
  }

  std::string Finish() {
    const std::vector<uint8_t> keys(keys_.begin(), keys_.end());
    const auto dictionary = wire::CreateDictionaryDirect(builder_, client_.empty() ? nullptr : client_.c_str(),
                                                         generation_, first_, &ends_, &keys);
    wire::FinishBatchBuffer(builder_, wire::CreateBatchDirect(builder_, dictionary, &tables_));
    return {reinterpret_cast<const char*>(builder_.GetBufferPointer()), builder_.GetSize()};
  }

 private:
  Builder builder_;
  std::string client_;
  uint64_t generation_ = 0;
  uint32_t first_ = 0;
  std::string keys_;
  std::vector<uint32_t> ends_;
  std::vector<flatbuffers::Offset<wire::DataTable>> tables_;
};

}  // namespace tidemark::native

#include "clients/cpp/native_encoder.h"

#include <algorithm>
#include <limits>
#include <unordered_map>
#include <utility>

#include <wire/batch_generated.h>
#include "clients/cpp/line_reader.h"

namespace tidemark::client {
namespace {

using flatbuffers::FlatBufferBuilder;
using flatbuffers::Offset;
using Type = LineField::Type;

constexpr int64_t kMantissaEnd = int64_t{1} << 53;

struct TextHash : std::hash<std::string_view> {
  using is_transparent = void;
  size_t operator()(std::string_view text) const { return std::hash<std::string_view>::operator()(text); }
};
using Numbers = std::unordered_map<std::string, uint32_t, TextHash, std::equal_to<>>;

// Whether all are within int32.
bool AreSmall(const std::vector<int64_t>& values) {
  return std::all_of(values.begin(), values.end(), [](int64_t value) {
    return value >= std::numeric_limits<int32_t>::min() && value <= std::numeric_limits<int32_t>::max();
  });
}

// A field of the rows of a table.
struct Column {
  std::string name;
  bool is_float = false;
  Type type = Type::kInt;
  std::vector<int64_t> numbers;
  // Of floats.
  std::vector<uint8_t> scales;
  std::vector<double> reals;
  bool decimal = true;  // all of them are
  std::string text;
  std::vector<uint32_t> ends;

  void Add(const LineField& field) {
    if (field.type == Type::kString) {
      text += field.text;
      ends.push_back(static_cast<uint32_t>(text.size()));
      return;
    }
    numbers.push_back(field.number);
    if (!is_float) return;
    scales.push_back(field.scale);
    reals.push_back(field.real);
    decimal = decimal && field.type == Type::kDecimal;
  }

  // Mantissas of one scale, where they have room for it.
  bool ToOneScale(uint8_t* scale) {
    if (!decimal) return false;
    *scale = *std::max_element(scales.begin(), scales.end());
    std::vector<int64_t> scaled = numbers;
    for (size_t i = 0; i < scaled.size(); ++i) {
      for (uint8_t s = scales[i]; s < *scale; ++s) {
        scaled[i] *= 10;
        if (scaled[i] >= kMantissaEnd || scaled[i] <= -kMantissaEnd) return false;
      }
    }
    numbers = std::move(scaled);
    return true;
  }

  std::pair<wire::Values, Offset<void>> Build(FlatBufferBuilder* builder) {
    const auto small = [&] {
      const std::vector<int32_t> values(numbers.begin(), numbers.end());
      return builder->CreateVector(values);
    };
    uint8_t scale = 0;
    if (is_float && ToOneScale(&scale)) {
      if (AreSmall(numbers)) {
        return {wire::Values::Decimal32Values, wire::CreateDecimal32Values(*builder, small(), scale).Union()};
      }
      return {wire::Values::DecimalValues,
              wire::CreateDecimalValues(*builder, builder->CreateVector(numbers), scale).Union()};
    }
    if (is_float) {
      return {wire::Values::Float64Values, wire::CreateFloat64Values(*builder, builder->CreateVector(reals)).Union()};
    }
    switch (type) {
      case Type::kUInt: {
        const std::vector<uint64_t> values(numbers.begin(), numbers.end());
        return {wire::Values::UInt64Values, wire::CreateUInt64Values(*builder, builder->CreateVector(values)).Union()};
      }
      case Type::kBool: {
        const std::vector<uint8_t> values(numbers.begin(), numbers.end());
        return {wire::Values::BoolValues, wire::CreateBoolValues(*builder, builder->CreateVector(values)).Union()};
      }
      case Type::kString: {
        const auto bytes = builder->CreateVector(reinterpret_cast<const uint8_t*>(text.data()), text.size());
        return {wire::Values::StringValues,
                wire::CreateStringValues(*builder, builder->CreateVector(ends), bytes).Union()};
      }
      default: break;
    }
    if (AreSmall(numbers)) return {wire::Values::Int32Values, wire::CreateInt32Values(*builder, small()).Union()};
    return {wire::Values::Int64Values, wire::CreateInt64Values(*builder, builder->CreateVector(numbers)).Union()};
  }
};

// Rows with the same fields.
struct Rows {
  std::vector<uint32_t> series;
  std::vector<int64_t> times;
  std::vector<uint32_t> lines;
  std::vector<Column> columns;
};

Offset<wire::Times> BuildTimes(const std::vector<int64_t>& times, FlatBufferBuilder* builder) {
  const bool all_one = std::all_of(times.begin(), times.end(), [&](int64_t time) { return time == times.front(); });
  if (all_one) return wire::CreateTimes(*builder, 0, times.front());
  return wire::CreateTimes(*builder, builder->CreateVector(times));
}

}  // namespace

class NativeEncoder::State {
 public:
  explicit State(std::string client) : client_(std::move(client)) {}

  bool Encode(std::string_view lines, bool whole, NativeBody* body) {
    rows_.clear();
    by_fields_.clear();
    own_.clear();
    keys_.clear();
    key_ends_.clear();
    added_.clear();
    if (known_.size() > kMaxSeries) Forget();
    whole_ = whole;
    if (!ReadAll(lines)) {
      Undo();
      return false;
    }
    Build(body);
    return true;
  }

  // A batch that was not taken is encoded again, and must name its series again.
  void Undo() {
    for (const std::string& series : added_) known_.erase(series);
    added_.clear();
  }

  void Acknowledge() { added_.clear(); }

  void Forget() {
    known_.clear();
    added_.clear();
    ++generation_;
  }

 private:
  bool ReadAll(std::string_view lines) {
    uint32_t number = 0;
    for (size_t at = 0; at < lines.size(); ++number) {
      const size_t end = std::min(lines.find('\n', at), lines.size());
      if (!reader_.Read(lines.substr(at, end - at), &line_) || !AddRow(number)) return false;
      at = end + 1;
    }
    return !rows_.empty();
  }

  bool AddRow(uint32_t number) {
    uint32_t series = 0;
    if (!NumberOf(line_.series, &series)) return false;
    // Names and types of the fields.
    signature_.clear();
    for (const LineField& field : line_.fields) {
      signature_ += field.name;
      const bool is_float = field.type == Type::kDecimal || field.type == Type::kDouble;
      signature_ += '\0';
      signature_ += static_cast<char>(is_float ? Type::kDouble : field.type);
    }
    auto at = by_fields_.find(signature_);
    if (at == by_fields_.end()) {
      if (!StartTable()) return false;
      at = by_fields_.emplace(signature_, static_cast<uint32_t>(rows_.size() - 1)).first;
    }
    Rows& rows = rows_[at->second];
    rows.series.push_back(series);
    rows.times.push_back(line_.time_ns);
    rows.lines.push_back(number);
    for (size_t f = 0; f < line_.fields.size(); ++f) rows.columns[f].Add(line_.fields[f]);
    return true;
  }

  // false for a field that is there twice, of which the server says something.
  bool StartTable() {
    Rows& rows = rows_.emplace_back();
    for (const LineField& field : line_.fields) {
      for (const Column& other : rows.columns) {
        if (other.name == field.name) return false;
      }
      Column& column = rows.columns.emplace_back();
      column.name = field.name;
      column.type = field.type;
      column.is_float = field.type == Type::kDecimal || field.type == Type::kDouble;
    }
    return true;
  }

  bool NumberOf(std::string_view series, uint32_t* number) {
    Numbers& numbers = whole_ ? own_ : known_;
    if (const auto at = numbers.find(series); at != numbers.end()) {
      *number = at->second;
      return true;
    }
    if (!LineReader::CanonicalKey(series, &key_)) return false;
    keys_ += key_;
    key_ends_.push_back(static_cast<uint32_t>(keys_.size()));
    *number = static_cast<uint32_t>(numbers.size());
    numbers.emplace(series, *number);
    if (!whole_) added_.emplace_back(series);
    return true;
  }

  void Build(NativeBody* body) {
    FlatBufferBuilder builder(keys_.size() + 4096);
    body->line_of_row.clear();
    std::vector<Offset<wire::DataTable>> tables;
    for (Rows& rows : rows_) {
      std::vector<Offset<wire::Column>> columns;
      for (Column& column : rows.columns) {
        const auto [kind, values] = column.Build(&builder);
        columns.push_back(wire::CreateColumn(builder, builder.CreateString(column.name), kind, values));
      }
      const auto all = builder.CreateVector(columns);
      const auto times = BuildTimes(rows.times, &builder);
      tables.push_back(
          wire::CreateDataTable(builder, wire::Layout::Rows, builder.CreateVector(rows.series), times, all));
      body->line_of_row.insert(body->line_of_row.end(), rows.lines.begin(), rows.lines.end());
    }
    const auto client = whole_ ? Offset<flatbuffers::String>() : builder.CreateString(client_);
    const uint32_t first = whole_ ? 0 : static_cast<uint32_t>(known_.size() - key_ends_.size());
    const auto ends = builder.CreateVector(key_ends_);
    const auto keys = builder.CreateVector(reinterpret_cast<const uint8_t*>(keys_.data()), keys_.size());
    const auto dictionary = wire::CreateDictionary(builder, client, generation_, first, ends, keys);
    wire::FinishBatchBuffer(builder, wire::CreateBatch(builder, dictionary, builder.CreateVector(tables)));
    body->bytes.assign(reinterpret_cast<const char*>(builder.GetBufferPointer()), builder.GetSize());
  }

  const std::string client_;
  uint64_t generation_ = 1;
  bool whole_ = false;
  Numbers known_;                   // of the dictionary, by the text of the series
  Numbers own_;                     // of one batch
  std::vector<std::string> added_;  // to known_, by the batch that was encoded last
  LineReader reader_;
  Line line_;
  std::vector<Rows> rows_;
  Numbers by_fields_;
  std::string signature_;
  std::string key_;
  std::string keys_;
  std::vector<uint32_t> key_ends_;
};

NativeEncoder::NativeEncoder(std::string client) : state_(std::make_unique<State>(std::move(client))) {}
NativeEncoder::~NativeEncoder() = default;

bool NativeEncoder::Encode(std::string_view lines, bool whole, NativeBody* body) {
  // What was encoded last and not acknowledged.
  state_->Undo();
  return state_->Encode(lines, whole, body);
}
void NativeEncoder::Acknowledge() { state_->Acknowledge(); }
void NativeEncoder::Forget() { state_->Forget(); }

}  // namespace tidemark::client

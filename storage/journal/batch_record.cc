#include "storage/journal/batch_record.h"

#include <algorithm>
#include <bit>

#include "storage/base/bit_pack.h"
#include "storage/base/bytes.h"
#include "storage/model/batch.h"

namespace tidemark::journal {
namespace {

// Rows of one shape are cut into blocks of this many, so that a block's columns stay in the L1 and L2 caches while
// they are gathered.
constexpr size_t kBlockRows = 1024;
constexpr int64_t kMaxMantissa = int64_t{1} << 53;
// A hostile count must not make the decoder allocate: no record holds more of anything than it has bits.
bool Plausible(const ByteReader& reader, uint64_t count) { return count <= reader.remaining() * 1024 + 1024; }

class Encoder {
 public:
  Encoder(const model::ResolvedBatch& batch, std::string* out) : batch_(batch), out_(out) {}

  void Run() {
    PutVarint(out_, Number(batch_.database));
    PutVarint(out_, batch_.shapes.size());
    for (const model::ResolvedShape& shape : batch_.shapes) {
      PutVarint(out_, Number(shape.measurement));
      PutVarint(out_, shape.fields.size());
      for (const model::ResolvedField& field : shape.fields) {
        PutVarint(out_, Number(field.id));
        out_->push_back(static_cast<char>(field.type));
      }
    }
    PutVarint(out_, batch_.rows.size());
    for (size_t begin = 0; begin < batch_.rows.size();) {
      size_t end = begin + 1;
      while (end < batch_.rows.size() && end - begin < kBlockRows &&
             batch_.rows[end].shape == batch_.rows[begin].shape) {
        ++end;
      }
      Block(batch_.rows.subspan(begin, end - begin));
      begin = end;
    }
  }

 private:
  void Block(std::span<const model::ResolvedRow> rows) {
    PutVarint(out_, rows.front().shape);
    PutVarint(out_, rows.size());
    column_.resize(rows.size());
    for (size_t i = 0; i < rows.size(); ++i) column_[i] = Number(rows[i].series);
    PutIntBlock(column_, &scratch_, out_);
    for (size_t i = 0; i < rows.size(); ++i) column_[i] = rows[i].time.ns;
    PutIntBlock(column_, &scratch_, out_);
    const model::ResolvedShape& shape = batch_.shapes[rows.front().shape];
    for (size_t f = 0; f < shape.fields.size(); ++f) {
      switch (shape.fields[f].type) {
        case model::FieldType::kFloat: Floats(rows, f); break;
        case model::FieldType::kString: Strings(rows, f); break;
        case model::FieldType::kInt:
        case model::FieldType::kUInt:
        case model::FieldType::kBool:
          for (size_t i = 0; i < rows.size(); ++i) column_[i] = batch_.values[rows[i].first_value + f];
          PutIntBlock(column_, &scratch_, out_);
          break;
      }
    }
  }

  // One scale byte, then mantissas at that scale, or bit patterns when the rows have no scale in common.
  void Floats(std::span<const model::ResolvedRow> rows, size_t field) {
    uint8_t scale = 0;
    uint8_t lowest = model::kBinaryScale;
    for (size_t i = 0; i < rows.size(); ++i) {
      const size_t at = rows[i].first_value + field;
      column_[i] = batch_.values[at];
      scale = std::max(scale, batch_.scales[at]);
      lowest = std::min(lowest, batch_.scales[at]);
    }
    if (lowest != scale && scale != model::kBinaryScale && !ToScale(rows, field, scale)) scale = model::kBinaryScale;
    if (lowest != scale && scale == model::kBinaryScale) {
      for (size_t i = 0; i < rows.size(); ++i) {
        const size_t at = rows[i].first_value + field;
        column_[i] = std::bit_cast<int64_t>(model::FloatOf(batch_.values[at], batch_.scales[at]));
      }
    }
    out_->push_back(static_cast<char>(scale));
    PutIntBlock(column_, &scratch_, out_);
  }

  bool ToScale(std::span<const model::ResolvedRow> rows, size_t field, uint8_t scale) {
    for (size_t i = 0; i < rows.size(); ++i) {
      for (uint8_t s = batch_.scales[rows[i].first_value + field]; s < scale; ++s) {
        column_[i] *= 10;
        if (column_[i] >= kMaxMantissa || column_[i] <= -kMaxMantissa) return false;
      }
    }
    return true;
  }

  void Strings(std::span<const model::ResolvedRow> rows, size_t field) {
    const auto text = [&](size_t i) {
      return batch_.strings[static_cast<size_t>(batch_.values[rows[i].first_value + field])];
    };
    for (size_t i = 0; i < rows.size(); ++i) column_[i] = static_cast<int64_t>(text(i).size());
    PutIntBlock(column_, &scratch_, out_);
    for (size_t i = 0; i < rows.size(); ++i) out_->append(text(i));
  }

  const model::ResolvedBatch& batch_;
  std::string* out_;
  std::vector<int64_t> column_;
  std::vector<uint64_t> scratch_;
};

class Decoder {
 public:
  Decoder(std::string_view bytes, DecodedBatch* out) : reader_(bytes), out_(*out) {}

  bool Run() {
    out_.database = model::DatabaseId{Id()};
    const uint64_t shapes = reader_.Varint();
    if (!Plausible(reader_, shapes)) return false;
    for (uint64_t s = 0; s < shapes && reader_.ok(); ++s) {
      if (!Shape()) return false;
    }
    const uint64_t rows = reader_.Varint();
    if (!reader_.ok()) return false;
    while (out_.rows.size() < rows) {
      if (!Block(rows - out_.rows.size())) return false;
    }
    return reader_.ok() && reader_.empty();
  }

 private:
  uint32_t Id() {
    const uint64_t id = reader_.Varint();
    if (id > 0xFFFFFFFF) reader_.Bytes(reader_.remaining() + 1);
    return static_cast<uint32_t>(id);
  }

  bool Shape() {
    model::ResolvedShape shape{model::MeasurementId{Id()}, {}};
    const uint64_t fields = reader_.Varint();
    if (!Plausible(reader_, fields)) return false;
    for (uint64_t f = 0; f < fields && reader_.ok(); ++f) {
      const model::FieldId id{Id()};
      const auto type = reader_.Little<uint8_t>();
      if (type < 1 || type > 5) return false;
      shape.fields.push_back({id, static_cast<model::FieldType>(type)});
    }
    out_.shapes.push_back(std::move(shape));
    return reader_.ok();
  }

  bool Block(uint64_t most) {
    const uint64_t shape_index = reader_.Varint();
    const uint64_t count = reader_.Varint();
    if (!reader_.ok() || shape_index >= out_.shapes.size() || count == 0 || count > kBlockRows || count > most) {
      return false;
    }
    const model::ResolvedShape& shape = out_.shapes[shape_index];
    const size_t width = shape.fields.size();
    const size_t first_row = out_.rows.size();
    const size_t first_value = out_.values.size();
    if (!Plausible(reader_, width * count / kBlockRows)) return false;
    out_.rows.resize(first_row + count);
    out_.values.resize(first_value + width * count);
    out_.scales.resize(first_value + width * count, 0);
    column_.resize(count);
    if (!Ints(count)) return false;
    for (size_t i = 0; i < count; ++i) {
      if (column_[i] < 0 || column_[i] > 0xFFFFFFFF) return false;
      out_.rows[first_row + i] = {model::SeriesId{static_cast<uint32_t>(column_[i])},
                                  static_cast<uint32_t>(shape_index),
                                  {},
                                  static_cast<uint32_t>(first_value + i * width),
                                  0};
    }
    if (!Ints(count)) return false;
    for (size_t i = 0; i < count; ++i) out_.rows[first_row + i].time = {column_[i]};
    for (size_t f = 0; f < width; ++f) {
      if (!Field(shape.fields[f].type, count, first_value + f, width)) return false;
    }
    return true;
  }

  bool Field(model::FieldType type, size_t count, size_t first, size_t stride) {
    const uint8_t scale = type == model::FieldType::kFloat ? reader_.Little<uint8_t>() : uint8_t{0};
    if (scale > model::kMaxScale && scale != model::kBinaryScale) return false;
    if (!Ints(count)) return false;
    for (size_t i = 0; i < count; ++i) {
      const size_t at = first + i * stride;
      out_.scales[at] = scale;
      if (type != model::FieldType::kString) {
        out_.values[at] = column_[i];
        continue;
      }
      if (column_[i] < 0 || static_cast<uint64_t>(column_[i]) > reader_.remaining()) return false;
      out_.values[at] = static_cast<int64_t>(out_.strings.size());
      out_.strings.push_back(reader_.Bytes(static_cast<size_t>(column_[i])));
    }
    return reader_.ok();
  }

  bool Ints(size_t count) { return GetIntBlock(&reader_, count, &scratch_, column_.data()); }

  ByteReader reader_;
  DecodedBatch& out_;
  std::vector<int64_t> column_;
  std::vector<uint64_t> scratch_;
};

}  // namespace

void EncodeBatch(const model::ResolvedBatch& batch, std::string* out) { Encoder(batch, out).Run(); }

Result<uint64_t> RowsOfBatch(std::string_view bytes) {
  ByteReader in(bytes);
  (void)in.Varint();  // database
  const uint64_t shapes = in.Varint();
  for (uint64_t shape = 0; shape < shapes && in.ok(); ++shape) {
    (void)in.Varint();  // measurement
    const uint64_t fields = in.Varint();
    for (uint64_t field = 0; field < fields && in.ok(); ++field) {
      (void)in.Varint();
      (void)in.Little<uint8_t>();
    }
  }
  const uint64_t rows = in.Varint();
  if (!in.ok()) return Corruption("a batch record of the journal does not decode");
  return rows;
}

Result<void> DecodeBatch(std::string_view bytes, DecodedBatch* out) {
  out->shapes.clear();
  out->rows.clear();
  out->values.clear();
  out->scales.clear();
  out->strings.clear();
  if (!Decoder(bytes, out).Run()) return Corruption("a batch record of the journal does not decode");
  return {};
}

}  // namespace tidemark::journal

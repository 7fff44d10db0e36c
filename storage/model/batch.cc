#include "storage/model/batch.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <random>
#include <string>

#include "storage/base/bytes.h"

namespace tidemark::model {
namespace {

constexpr double kPowersOfTen[] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,  1e8,  1e9,  1e10, 1e11,
                                   1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};
static_assert(std::size(kPowersOfTen) == kMaxScale + 1);

bool SameFields(const std::vector<ShapeField>& a, const std::vector<ShapeField>& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](const ShapeField& x, const ShapeField& y) { return x.type == y.type && x.name == y.name; });
}

}  // namespace

uint64_t SeriesHashSeed() {
  static const uint64_t seed = [] {
    std::random_device device;
    return (uint64_t{device()} << 32) | device();
  }();
  return seed;
}

Hash128 HashSeriesKey(KeyFormat format, std::string_view bytes) {
  return HashBytes(bytes, SeriesHashSeed() + static_cast<uint64_t>(format));
}

void Batch::Clear() {
  shapes.clear();
  rows.clear();
  values.clear();
  scales.clear();
  strings.clear();
  arena.Clear();
  names = nullptr;
  known = nullptr;
  source = {};
  sender = {};
}

double PowerOfTen(uint8_t scale) { return kPowersOfTen[scale]; }

double FloatOf(int64_t value, uint8_t scale) {
  if (scale == kBinaryScale) return std::bit_cast<double>(value);
  return static_cast<double>(value) / kPowersOfTen[scale];
}

FieldValue ValueOf(const Batch& batch, FieldType type, size_t index) {
  const int64_t value = batch.values[index];
  switch (type) {
    case FieldType::kFloat: return FloatOf(value, batch.scales[index]);
    case FieldType::kInt: return value;
    case FieldType::kUInt: return std::bit_cast<uint64_t>(value);
    case FieldType::kBool: return value != 0;
    case FieldType::kString: return std::string(batch.strings[static_cast<size_t>(value)]);
  }
  return value;
}

BatchBuilder& BatchBuilder::Row(std::string_view measurement, std::span<const LabelView> tags, Timestamp time) {
  FinishRow();
  std::vector<LabelView> sorted;
  sorted.reserve(tags.size());
  for (const LabelView& tag : tags) {
    if (!tag.value.empty()) sorted.push_back(tag);
  }
  std::sort(sorted.begin(), sorted.end());
  std::string key;
  PutString(&key, measurement);
  for (const LabelView& tag : sorted) {
    PutString(&key, tag.name);
    PutString(&key, tag.value);
  }
  key_.bytes = batch_.arena.Copy(key);
  key_.format = KeyFormat::kCanonical;
  key_.hash = HashSeriesKey(key_.format, key_.bytes);
  measurement_ = batch_.arena.Copy(measurement);
  time_ = time;
  open_ = true;
  return *this;
}

BatchBuilder& BatchBuilder::Add(std::string_view name, FieldType type, int64_t value, uint8_t scale) {
  fields_.push_back({batch_.arena.Copy(name), type});
  values_.push_back(value);
  scales_.push_back(scale);
  return *this;
}

BatchBuilder& BatchBuilder::Field(std::string_view name, double value) {
  // Whole numbers travel as mantissas, everything else as bits: the store searches for decimals itself.
  if (std::abs(value) < 9007199254740992.0 && value == std::trunc(value) && !(value == 0 && std::signbit(value))) {
    return Add(name, FieldType::kFloat, static_cast<int64_t>(value), 0);
  }
  return Add(name, FieldType::kFloat, std::bit_cast<int64_t>(value), kBinaryScale);
}

BatchBuilder& BatchBuilder::Field(std::string_view name, int64_t value) { return Add(name, FieldType::kInt, value, 0); }

BatchBuilder& BatchBuilder::Field(std::string_view name, uint64_t value) {
  return Add(name, FieldType::kUInt, std::bit_cast<int64_t>(value), 0);
}

BatchBuilder& BatchBuilder::Field(std::string_view name, bool value) {
  return Add(name, FieldType::kBool, value ? 1 : 0, 0);
}

BatchBuilder& BatchBuilder::Field(std::string_view name, std::string_view value) {
  batch_.strings.push_back(batch_.arena.Copy(value));
  return Add(name, FieldType::kString, static_cast<int64_t>(batch_.strings.size() - 1), 0);
}

void BatchBuilder::FinishRow() {
  if (open_ && !fields_.empty()) {
    const auto same = std::find_if(batch_.shapes.rbegin(), batch_.shapes.rend(), [&](const Shape& shape) {
      return shape.measurement == measurement_ && SameFields(shape.fields, fields_);
    });
    size_t shape = batch_.shapes.size();
    if (same == batch_.shapes.rend()) {
      batch_.shapes.push_back({measurement_, fields_});
    } else {
      shape = static_cast<size_t>(batch_.shapes.rend() - same) - 1;
    }
    batch_.rows.push_back({key_, time_, static_cast<uint32_t>(shape), static_cast<uint32_t>(batch_.values.size()),
                           static_cast<uint32_t>(batch_.rows.size() + 1)});
    batch_.values.insert(batch_.values.end(), values_.begin(), values_.end());
    batch_.scales.insert(batch_.scales.end(), scales_.begin(), scales_.end());
  }
  fields_.clear();
  values_.clear();
  scales_.clear();
  open_ = false;
}

Batch& BatchBuilder::batch() {
  FinishRow();
  return batch_;
}

void BatchBuilder::Clear() {
  open_ = false;
  FinishRow();
  batch_.Clear();
}

}  // namespace tidemark::model

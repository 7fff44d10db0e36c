#include "ingest/lineprotocol/line_shape_cache.h"

#include <algorithm>
#include <cstring>

#include "storage/base/hash.h"

namespace tidemark::lineprotocol {
namespace {

uint64_t HashOf(const Line& line) {
  uint64_t hash = Hash64(line.raw_measurement(), model::SeriesHashSeed());
  for (const LineField& field : line.fields)
    hash = Hash64(field.raw_name, hash + static_cast<uint64_t>(field.number.type));
  return hash;
}

bool Same(const CachedShape& shape, const Line& line) {
  if (shape.raw_measurement != line.raw_measurement() || shape.fields.size() != line.fields.size()) return false;
  for (size_t i = 0; i < line.fields.size(); ++i) {
    if (shape.fields[i].type != line.fields[i].number.type || shape.name(i) != line.fields[i].raw_name) return false;
  }
  return true;
}

CachedShape Make(const Line& line, uint32_t index) {
  CachedShape shape;
  shape.raw_measurement = line.raw_measurement();
  shape.instead = index;
  shape.after = index;
  for (const LineField& line_field : line.fields) {
    CachedField field{};
    field.literal = static_cast<uint32_t>(shape.literals.size());
    shape.literals += shape.fields.empty() ? ' ' : ',';
    shape.literals += line_field.raw_name;
    shape.literals += '=';
    field.size = static_cast<uint32_t>(shape.literals.size()) - field.literal;
    const size_t head = std::min<size_t>(field.size, sizeof(field.head));
    std::memcpy(field.head, shape.literals.data() + field.literal, head);
    field.head_mask = static_cast<uint32_t>((uint64_t{1} << head) - 1);
    field.type = line_field.number.type;
    shape.fields.push_back(field);
    shape.longest_name = std::max(shape.longest_name, line_field.raw_name.size());
  }
  return shape;
}

}  // namespace

size_t LineShapeCache::BytesOf(const Line& line) {
  size_t bytes = sizeof(CachedShape) + line.measurement_size;
  for (const LineField& field : line.fields) bytes += sizeof(CachedField) + field.raw_name.size() + 2;
  return bytes;
}

bool LineShapeCache::MakeRoom(const Line& line) {
  if (shapes_.size() < kMaxShapes && bytes_ + BytesOf(line) <= kMaxBytes) return false;
  shapes_.clear();
  by_hash_.clear();
  bytes_ = 0;
  return true;
}

uint32_t LineShapeCache::FindOrAdd(const Line& line) {
  const uint64_t hash = HashOf(line);
  const auto [begin, end] = by_hash_.equal_range(hash);
  for (auto at = begin; at != end; ++at) {
    if (Same(shapes_[at->second], line)) return at->second;
  }
  const auto index = static_cast<uint32_t>(shapes_.size());
  shapes_.push_back(Make(line, index));
  by_hash_.emplace(hash, index);
  bytes_ += BytesOf(line);
  return index;
}

}  // namespace tidemark::lineprotocol

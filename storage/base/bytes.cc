#include "storage/base/bytes.h"

namespace tidemark {

void PutVarint(std::string* out, uint64_t value) {
  char buffer[10];
  size_t count = 0;
  while (value >= 0x80) {
    buffer[count++] = static_cast<char>(value | 0x80);
    value >>= 7;
  }
  buffer[count++] = static_cast<char>(value);
  out->append(buffer, count);
}

void PutSignedVarint(std::string* out, int64_t value) { PutVarint(out, ZigZag(value)); }

void PutString(std::string* out, std::string_view bytes) {
  PutVarint(out, bytes.size());
  out->append(bytes);
}

uint64_t ByteReader::Varint() {
  uint64_t value = 0;
  for (unsigned shift = 0; shift < 64; shift += 7) {
    if (at_ == end_) return Fail<uint64_t>();
    const auto byte = static_cast<uint8_t>(*at_++);
    if (shift == 63 && byte > 1) return Fail<uint64_t>();
    value |= static_cast<uint64_t>(byte & 0x7F) << shift;
    if (byte < 0x80) return value;
  }
  return Fail<uint64_t>();
}

std::string_view ByteReader::Bytes(size_t count) {
  if (remaining() < count) return Fail<std::string_view>();
  const std::string_view bytes(at_, count);
  at_ += count;
  return bytes;
}

std::string_view ByteReader::String() {
  const uint64_t count = Varint();
  if (count > remaining()) return Fail<std::string_view>();
  return Bytes(static_cast<size_t>(count));
}

}  // namespace tidemark

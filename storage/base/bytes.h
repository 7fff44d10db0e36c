// Bytes: fixed-width integers in both byte orders, LEB128 varints and zigzag, appended to a std::string and read back
// with bounds checks. Little-endian inside values, big-endian inside keys (so that they sort as numbers do).
#pragma once

#include <bit>
#include <concepts>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

namespace tidemark {

static_assert(std::endian::native == std::endian::little, "the on-disk format is read in place on little-endian CPUs");

template <std::integral T>
void PutLittle(std::string* out, T value) {
  char buffer[sizeof(T)];
  std::memcpy(buffer, &value, sizeof(T));
  out->append(buffer, sizeof(T));
}

template <std::integral T>
void PutBig(std::string* out, T value) {
  PutLittle(out, std::byteswap(value));
}

template <std::integral T>
[[nodiscard]] T LoadLittle(const char* bytes) {
  T value;
  std::memcpy(&value, bytes, sizeof(T));
  return value;
}

template <std::integral T>
[[nodiscard]] T LoadBig(const char* bytes) {
  return std::byteswap(LoadLittle<T>(bytes));
}

constexpr uint64_t ZigZag(int64_t value) {
  return (static_cast<uint64_t>(value) << 1) ^ static_cast<uint64_t>(value >> 63);
}
constexpr int64_t UnZigZag(uint64_t value) {
  return static_cast<int64_t>(value >> 1) ^ -static_cast<int64_t>(value & 1);
}

// LEB128, 1 to 10 bytes.
void PutVarint(std::string* out, uint64_t value);
void PutSignedVarint(std::string* out, int64_t value);
// A varint length and the bytes.
void PutString(std::string* out, std::string_view bytes);

// ByteReader walks over bytes that it does not own. A read past the end (or a varint of more than 64 bits) makes it
// fail for good: values read from then on are zero or empty, and ok() is false. Check ok() once, at the end.
class ByteReader {
 public:
  explicit ByteReader(std::string_view bytes) : at_(bytes.data()), end_(bytes.data() + bytes.size()) {}

  [[nodiscard]] bool ok() const { return ok_; }
  [[nodiscard]] size_t remaining() const { return static_cast<size_t>(end_ - at_); }
  [[nodiscard]] bool empty() const { return at_ == end_; }

  template <std::integral T>
  T Little() {
    if (remaining() < sizeof(T)) return Fail<T>();
    const T value = LoadLittle<T>(at_);
    at_ += sizeof(T);
    return value;
  }
  template <std::integral T>
  T Big() {
    return std::byteswap(Little<T>());
  }
  uint64_t Varint();
  int64_t SignedVarint() { return UnZigZag(Varint()); }
  std::string_view Bytes(size_t count);
  std::string_view String();

 private:
  template <typename T>
  T Fail() {
    ok_ = false;
    at_ = end_;
    return T{};
  }

  const char* at_;
  const char* end_;
  bool ok_ = true;
};

}  // namespace tidemark

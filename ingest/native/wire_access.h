// How verified FlatBuffers are read: vectors of numbers wherever they lie, and absent ones as empty ones. (Neither the
// verifier of FlatBuffers 2.0 nor a sender's socket promises that their elements are aligned.)
#pragma once

#include <cstdint>
#include <string_view>

#include <wire/batch_generated.h>
#include "storage/base/bytes.h"

namespace tidemark::native {

// The elements of a vector of numbers.
template <typename T>
class Numbers {
 public:
  Numbers() = default;
  explicit Numbers(const flatbuffers::Vector<T>* vector)
      : bytes_(vector == nullptr ? nullptr : reinterpret_cast<const char*>(vector->Data())),
        size_(vector == nullptr ? 0 : vector->size()) {}

  [[nodiscard]] uint32_t size() const { return size_; }
  [[nodiscard]] bool empty() const { return size_ == 0; }
  [[nodiscard]] T operator[](size_t i) const {
    T value;
    std::memcpy(&value, bytes_ + i * sizeof(T), sizeof(T));
    return value;
  }

 private:
  const char* bytes_ = nullptr;
  uint32_t size_ = 0;
};

inline std::string_view TextOf(const flatbuffers::Vector<uint8_t>* bytes) {
  if (bytes == nullptr) return {};
  return {reinterpret_cast<const char*>(bytes->Data()), bytes->size()};
}

inline std::string_view TextOf(const flatbuffers::String* text) {
  if (text == nullptr) return {};
  return {text->c_str(), text->size()};
}

}  // namespace tidemark::native

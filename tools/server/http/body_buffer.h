// BodyBuffer: the bytes of a request body. Unlike std::string it does not fill memory with zeros before the bytes that
// replace them arrive, which would cost as much as receiving them.
#pragma once

#include <cstddef>
#include <cstdlib>
#include <memory>
#include <string_view>
#include <utility>

#include "storage/base/allocation_failure.h"

namespace tidemark::http {

// Move-only. Not thread-safe.
class BodyBuffer {
 public:
  BodyBuffer() = default;
  BodyBuffer(BodyBuffer&& other) noexcept
      : bytes_(std::move(other.bytes_)),
        size_(std::exchange(other.size_, 0)),
        capacity_(std::exchange(other.capacity_, 0)) {}
  BodyBuffer& operator=(BodyBuffer&& other) noexcept {
    bytes_ = std::move(other.bytes_);
    size_ = std::exchange(other.size_, 0);
    capacity_ = std::exchange(other.capacity_, 0);
    return *this;
  }

  [[nodiscard]] char* data() { return bytes_.get(); }
  [[nodiscard]] size_t size() const { return size_; }
  [[nodiscard]] size_t capacity() const { return capacity_; }
  [[nodiscard]] std::string_view view() const { return {bytes_.get(), size_}; }

  // Room for `capacity` bytes in all; keeps the bytes there are.
  void Reserve(size_t capacity) {
    if (capacity <= capacity_) return;
    void* const grown = std::realloc(bytes_.get(), capacity);
    if (grown == nullptr) AllocationFailed();
    static_cast<void>(bytes_.release());
    bytes_.reset(static_cast<char*>(grown));
    capacity_ = capacity;
  }
  // Says that the first `size` bytes, at most capacity(), have been filled.
  void SetSize(size_t size) { size_ = size; }

 private:
  struct Free {
    void operator()(char* bytes) const { std::free(bytes); }
  };
  std::unique_ptr<char, Free> bytes_;
  size_t size_ = 0;
  size_t capacity_ = 0;
};

}  // namespace tidemark::http

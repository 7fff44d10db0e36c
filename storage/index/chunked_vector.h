// ChunkedVector: an array that grows at its end and never moves an element, so that references stay valid and growth
// copies nothing. Not thread-safe.
#pragma once

#include <cstddef>
#include <memory>
#include <utility>
#include <vector>

namespace tidemark::index {

template <typename T, size_t kChunk = 1024>
class ChunkedVector {
 public:
  [[nodiscard]] size_t size() const { return size_; }
  [[nodiscard]] T& operator[](size_t i) { return chunks_[i / kChunk][i % kChunk]; }
  [[nodiscard]] const T& operator[](size_t i) const { return chunks_[i / kChunk][i % kChunk]; }

  T& Append(T value) {
    if (size_ == chunks_.size() * kChunk) chunks_.push_back(std::make_unique<T[]>(kChunk));
    T& slot = (*this)[size_++];
    slot = std::move(value);
    return slot;
  }

  [[nodiscard]] size_t memory_bytes() const { return chunks_.size() * kChunk * sizeof(T); }

 private:
  std::vector<std::unique_ptr<T[]>> chunks_;
  size_t size_ = 0;
};

}  // namespace tidemark::index

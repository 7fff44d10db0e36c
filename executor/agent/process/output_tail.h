// OutputTail: the last bytes of a task's output, in bounded memory, however much it writes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace tidemark::executor {

// Not thread-safe.
class OutputTail {
 public:
  // Keeps the last `capacity` bytes.
  explicit OutputTail(size_t capacity) : capacity_(capacity) {}

  void Append(std::string_view bytes);
  // The kept bytes in order. When something was lost, they begin after the first line break kept, if there is one.
  [[nodiscard]] std::string Text() const;
  [[nodiscard]] uint64_t total_bytes() const { return total_bytes_; }

 private:
  const size_t capacity_;
  std::string ring_;
  size_t start_ = 0;  // the oldest byte, once the ring is full
  uint64_t total_bytes_ = 0;
};

}  // namespace tidemark::executor

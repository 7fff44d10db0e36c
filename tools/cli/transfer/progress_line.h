// ProgressLine: how far long work has come, on standard error: one line that changes on a terminal, one every ten
// seconds elsewhere.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

namespace tidemark::cli {

// Not thread-safe.
class ProgressLine {
 public:
  // `verb`: "exported".
  explicit ProgressLine(std::string_view verb);
  // `done` of `all`, in any unit: for the time that is left; 0 of 0 where that is not known.
  void Show(uint64_t points, uint64_t done, uint64_t all);
  // Ends the line.
  void Finish();
  // "1,234,567 points in 3.2 s, 386 thousand/s"
  [[nodiscard]] std::string Summary(uint64_t points) const;

 private:
  const std::string verb_;
  const bool terminal_;
  const std::chrono::steady_clock::time_point begin_ = std::chrono::steady_clock::now();
  std::chrono::steady_clock::time_point shown_ = begin_;
  bool open_ = false;
};

// "1,234,567".
std::string Grouped(uint64_t number);
// "1.4 MiB", "312 B".
std::string ShownBytes(uint64_t bytes);

}  // namespace tidemark::cli

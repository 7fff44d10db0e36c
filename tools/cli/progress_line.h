// ProgressLine: how far long work has come, on standard error: one line that changes on a terminal, one every ten
// seconds elsewhere where that is wanted.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

namespace tidemark::cli {

// Not thread-safe.
class ProgressLine {
 public:
  // Where it is shown.
  enum class Where {
    kEverywhere,
    kTerminal,  // alone: nothing at all is printed elsewhere
  };

  // `verb`: "exported"; `noun`: of what.
  explicit ProgressLine(std::string_view verb, std::string_view noun = "points", Where where = Where::kEverywhere);
  // `done` of `all`, in any unit: for the time that is left; 0 of 0 where that is not known. Prints five times a second
  // at most on a terminal, the first time at once where it is for terminals alone: others leave short work without.
  void Show(uint64_t count, uint64_t done, uint64_t all);
  // Ends the line, which stays.
  void Finish();
  // Takes the line off the terminal.
  void Erase();
  // "1,234,567 points exported in 3.2 s, 386 thousand/s"
  [[nodiscard]] std::string Summary(uint64_t count) const;

 private:
  const std::string verb_;
  const std::string noun_;
  const bool terminal_;
  const bool on_;
  const std::chrono::steady_clock::time_point begin_ = std::chrono::steady_clock::now();
  std::chrono::steady_clock::time_point next_;
  bool open_ = false;
};

// "1,234,567".
std::string Grouped(uint64_t number);
// "1.4 MiB", "312 B".
std::string ShownBytes(uint64_t bytes);

}  // namespace tidemark::cli

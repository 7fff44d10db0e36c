// Refusals: lines that were refused, folded by their reason, so that a bad file of 300,000 lines is told in a few
// lines. The first line of each reason is told at once, with its place and its text; the others are counted.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>

namespace tidemark::cli {

struct Refusal {
  std::string_view file;  // "": none to name
  uint64_t line = 0;      // from 1; 0: not known
  uint64_t column = 0;    // from 1; 0: not known
  std::string_view reason;
  std::string_view text;  // of the line; "": not known
};

class Refusals {
 public:
  // Further reasons than these are counted together.
  static constexpr size_t kReasonsMax = 50;

  // What is to be told now: `FILE:2:5: invalid boolean` and the line below it; "" for a reason that was told already.
  std::string Add(const Refusal& refusal);
  // Counts lines that were refused for a reason that Add was given.
  void AddAlike(std::string_view reason, uint64_t lines);
  // Counts refused lines of which nothing but that is known.
  void AddUnknown(uint64_t lines) { unknown_ += lines; }
  // What is left to tell: how many more lines each reason has. "" when everything was told.
  [[nodiscard]] std::string Rest() const;
  [[nodiscard]] uint64_t count() const { return count_ + unknown_; }

 private:
  std::map<std::string, uint64_t, std::less<>> reasons_;  // lines of each
  uint64_t others_ = 0;                                   // lines of reasons beyond kReasonsMax
  uint64_t unknown_ = 0;
  uint64_t count_ = 0;
};

}  // namespace tidemark::cli

// HeavyCounts: the names that are counted most, of a stream of any number of names, in bounded memory.
// Source: Misra, Gries, "Finding repeated elements", Science of Computer Programming 2 (1982).
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

namespace tidemark::cardinality {

// Not thread-safe.
class HeavyCounts {
 public:
  // Holds `capacity` names at most, at least 2.
  explicit HeavyCounts(size_t capacity) : capacity_(capacity) {}

  void Add(std::string_view name);
  // Ways in which a count may be too small: 0 as long as there were no more than `capacity` names. Every name that came
  // more often than that is among the top.
  [[nodiscard]] uint64_t error() const { return error_; }
  // The names with the highest counts, the highest first, of equal ones by name.
  [[nodiscard]] std::vector<std::string> Top(size_t count) const;
  [[nodiscard]] uint64_t CountOf(std::string_view name) const;

 private:
  struct Hash {
    using is_transparent = void;
    size_t operator()(std::string_view text) const { return std::hash<std::string_view>()(text); }
  };

  const size_t capacity_;
  std::unordered_map<std::string, uint64_t, Hash, std::equal_to<>> counts_;
  uint64_t error_ = 0;
};

}  // namespace tidemark::cardinality

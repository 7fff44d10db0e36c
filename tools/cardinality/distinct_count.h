// DistinctCount: how many different texts there are: exactly up to 4,096, then in 4 KiB with a standard error of 1.6 %.
// Source: Flajolet, Fusy, Gandouet, Meunier, "HyperLogLog", AofA 2007, figure 3, with 64-bit hashes.
#pragma once

#include <cstdint>
#include <string_view>
#include <unordered_set>
#include <vector>

namespace tidemark::cardinality {

// Not thread-safe.
class DistinctCount {
 public:
  void Add(std::string_view text);
  [[nodiscard]] uint64_t count() const;
  [[nodiscard]] bool exact() const { return registers_.empty(); }

 private:
  void Note(uint64_t hash);

  std::unordered_set<uint64_t> hashes_;
  std::vector<uint8_t> registers_;
};

}  // namespace tidemark::cardinality

#include "tools/cardinality/heavy_counts.h"

#include <algorithm>

namespace tidemark::cardinality {

void HeavyCounts::Add(std::string_view name) {
  if (const auto at = counts_.find(name); at != counts_.end()) {
    ++at->second;
    return;
  }
  counts_.emplace(name, 1);
  if (counts_.size() <= capacity_) return;
  // Half of them go at once, so that a stream of names that never come again costs little for each.
  std::vector<uint64_t> all;
  all.reserve(counts_.size());
  for (const auto& [_, count] : counts_) all.push_back(count);
  const auto middle = all.begin() + static_cast<std::ptrdiff_t>(all.size() / 2);
  std::nth_element(all.begin(), middle, all.end());
  const uint64_t less = *middle;
  std::erase_if(counts_, [less](const auto& entry) { return entry.second <= less; });
  for (auto& [_, count] : counts_) count -= less;
  error_ += less;
}

std::vector<std::string> HeavyCounts::Top(size_t count) const {
  std::vector<const std::pair<const std::string, uint64_t>*> all;
  all.reserve(counts_.size());
  for (const auto& entry : counts_) all.push_back(&entry);
  const auto more = [](const auto* a, const auto* b) {
    return a->second != b->second ? a->second > b->second : a->first < b->first;
  };
  const size_t size = std::min(count, all.size());
  std::partial_sort(all.begin(), all.begin() + static_cast<std::ptrdiff_t>(size), all.end(), more);
  std::vector<std::string> out;
  for (size_t i = 0; i < size; ++i) out.push_back(all[i]->first);
  return out;
}

uint64_t HeavyCounts::CountOf(std::string_view name) const {
  const auto at = counts_.find(name);
  return at == counts_.end() ? 0 : at->second;
}

}  // namespace tidemark::cardinality

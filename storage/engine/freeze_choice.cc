#include "storage/engine/freeze_choice.h"

#include <algorithm>
#include <numeric>

namespace tidemark::storage {

std::vector<size_t> ChooseToFreeze(std::span<const uint64_t> bytes, uint64_t budget_bytes) {
  std::vector<size_t> places(bytes.size());
  std::iota(places.begin(), places.end(), size_t{0});
  // Of equals the first, so that the choice is the same each time.
  std::stable_sort(places.begin(), places.end(), [&](size_t a, size_t b) { return bytes[a] > bytes[b]; });
  uint64_t left = std::accumulate(bytes.begin(), bytes.end(), uint64_t{0});
  size_t chosen = 0;
  for (const size_t place : places) {
    if (bytes[place] == 0 || (bytes[place] < budget_bytes / 8 && left <= budget_bytes / 2)) break;
    left -= bytes[place];
    ++chosen;
  }
  places.resize(chosen);
  return places;
}

}  // namespace tidemark::storage

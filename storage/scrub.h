// Scrub: reading what lies on disk while the store is at work, a little at a time, so that damage is known before
// somebody asks for what it hit. Store::Scrub does a step; who calls it chooses the pace and keeps the place.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace tidemark::storage {

// A page by its epoch, or where a round stands: all pages before it have been read. Ascends. {}: the beginning.
struct ScrubPlace {
  uint32_t database = 0;
  uint64_t epoch = 0;
  uint64_t page = 0;
  friend bool operator==(const ScrubPlace&, const ScrubPlace&) = default;
  friend auto operator<=>(const ScrubPlace&, const ScrubPlace&) = default;
};

struct ScrubStep {
  ScrubPlace next;          // where the next step goes on; {} after the last page
  bool round_done = false;  // nothing lies behind what was read
  uint64_t pages = 0;       // that were read
  uint64_t bytes = 0;       // of them
  std::vector<ScrubPlace> damaged = {};
};

}  // namespace tidemark::storage

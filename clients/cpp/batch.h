// Batch: lines that travel together, in memory, on disk and over the wire.
#pragma once

#include <cstdint>
#include <string>

namespace tidemark::client {

struct Batch {
  // Place in the order of delivery, counted by the writer.
  uint64_t sequence = 0;
  // Unique; sent unchanged on every repeat.
  std::string write_id{};
  std::string database{};
  uint64_t points = 0;  // rows; each ends in a line feed and has its own time
  std::string lines{};
};

}  // namespace tidemark::client

// NamesWatch: what work on names that is no query of its own is held to: the memory, the time and the turns of queries.
#pragma once

#include <cstddef>
#include <cstdint>

#include "storage/base/result.h"

namespace tidemark::query::names {

// On one thread.
class NamesWatch {
 public:
  virtual ~NamesWatch() = default;
  // Asked every thousand names or so, with the bytes that are held now. May wait for the turn of a long query. Errors:
  // kTimeout, kCancelled; kLimitExceeded (query.max_memory), kResourceExhausted (query.total_memory, too many wait).
  [[nodiscard]] virtual Status Look(uint64_t held_bytes) = 0;
  // Series that one selection may have.
  [[nodiscard]] virtual size_t series_max() const = 0;
};

}  // namespace tidemark::query::names

#include "query/rules/grid.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

#include <string>

namespace tidemark::query::rules {

int64_t SpreadMs(const Group& group, int64_t interval_ms) {
  // The hash of a set of labels there: name and value of each, sorted by name, FF behind both.
  std::string bytes;
  for (const std::string_view part : {std::string_view("file"), std::string_view(group.file), std::string_view("name"),
                                      std::string_view(group.name)}) {
    bytes += part;
    bytes += '\xff';
  }
  constexpr uint64_t kMsNs = 1'000'000;
  const uint64_t hash = XXH64(bytes.data(), bytes.size(), 0);
  return static_cast<int64_t>(hash % (static_cast<uint64_t>(interval_ms) * kMsNs) / kMsNs);
}

}  // namespace tidemark::query::rules

// A selection that is looked at part by part: whoever needs ten series of four million looks at ten.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "storage/model/ids.h"

namespace tidemark::model {

// Which part of a selection is wanted.
struct PartWanted {
  // Field types that count.
  bool numeric = true;
  bool strings = true;
  // The first that may be in the part.
  SeriesRef from{};
  // So many at most; at least 1.
  size_t at_most = 1;
  // With so many the part may end before `at_most`, where further ones would cost more; at least 1.
  size_t enough = 1;
  // A series counts once, under the first of its fields; whoever asks only for labels may leave out the others. Where
  // that costs less, and not where rows in a range have to be found: then others may be in the part.
  bool once = false;
  // Not empty: only series that have this label, with a value that is none of `without`.
  std::string_view label = {};
  std::span<const std::string> without = {};
  // Whether SeriesPart::more is wanted.
  bool count = false;
};

// Sorted by (field, series), from PartWanted::from on without a gap.
struct SeriesPart {
  std::vector<SeriesRef> refs;
  // Where the next part begins; absent: there is none. `refs` may be empty where this is set.
  std::optional<SeriesRef> next;
  // Of the series that follow from `next` on, how many the index knows without a look at each; those that have no rows
  // any more are among them, and others may not be. 0 where that says nothing.
  uint64_t more = 0;
};

// The first that follows `ref`.
constexpr SeriesRef After(SeriesRef ref) {
  if (Number(ref.series) != std::numeric_limits<uint32_t>::max()) return {ref.field, SeriesId{Number(ref.series) + 1}};
  return {FieldId{Number(ref.field) + 1}, SeriesId{}};
}

// The part of `all` (sorted) that is wanted, whatever their labels are.
inline SeriesPart PartOf(std::vector<SeriesRef> all, const PartWanted& wanted) {
  SeriesPart part;
  all.erase(all.begin(), std::lower_bound(all.begin(), all.end(), wanted.from));
  if (all.size() > wanted.at_most) {
    part.next = all[wanted.at_most];
    part.more = all.size() - wanted.at_most;
    all.resize(wanted.at_most);
  }
  part.refs = std::move(all);
  return part;
}

}  // namespace tidemark::model

// How much masks hide, from the directories of pages: for dry runs, and for deciding whether a fold is worth its work.
#pragma once

#include <cstdint>
#include <vector>

#include "storage/partition/page_set.h"
#include "storage/retention/mask.h"

namespace tidemark::storage::partition {

struct MaskedRows {
  std::vector<model::SeriesRef> refs;  // with hidden rows, in any order, some more than once
  uint64_t rows = 0;
  uint64_t bytes = 0;
};

// Adds what `masks` hide of `pages`. The rows of an entry that is hidden in part are taken for evenly spread, and the
// bytes of a page for evenly spread over its rows. What cannot be read is left out.
void AddMaskedRows(const PageSet& pages, const retention::SourceMasks& masks, MaskedRows* out);

}  // namespace tidemark::storage::partition

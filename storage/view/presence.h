// Presence: which series have rows in a range of time, told without reading pages: from the lists of series that slabs
// and epochs carry, and from what heads know of their times. See View::Present.
#pragma once

#include <vector>

#include "storage/model/ids.h"
#include "storage/model/timestamp.h"
#include "storage/view/scan_cursor.h"

namespace tidemark::storage::view {

// `refs` sorted; so is what is left of them. The newest sources are asked first, and each only for what is still open,
// so that old partitions cost little where most series live on.
std::vector<model::SeriesRef> PresentIn(const Pinned& pinned, std::vector<model::SeriesRef> refs,
                                        model::TimeRange range);

// Whether anything that is pinned has rows in `range`: if not, no series is present.
bool AnySourceIn(const Pinned& pinned, model::TimeRange range);

}  // namespace tidemark::storage::view

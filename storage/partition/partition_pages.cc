#include "storage/partition/partition_pages.h"

#include <algorithm>
#include <tuple>
#include <utility>

namespace tidemark::storage::partition {

PageDirectory SortAndList(PartitionPages* pages) {
  const auto key = [](const PartitionPage& p) {
    return std::make_tuple(p.tier, p.measurement, p.page.field, p.page.first_series, p.page.part);
  };
  std::sort(pages->pages.begin(), pages->pages.end(),
            [&](const PartitionPage& a, const PartitionPage& b) { return key(a) < key(b); });
  std::vector<PageInfo> list;
  list.reserve(pages->pages.size());
  for (const PartitionPage& p : pages->pages) {
    list.push_back({p.tier, p.measurement, p.page.field, p.page.first_series, p.page.last_series, p.page.part,
                    static_cast<uint32_t>(p.page.bytes.size()), p.page.rows, p.page.range});
  }
  return PageDirectory(std::move(list), pages->tier_widths_ns);
}

}  // namespace tidemark::storage::partition

#include "storage/partition/partition_pages.h"

#include <algorithm>
#include <tuple>
#include <utility>

namespace tidemark::storage::partition {

Result<std::string_view> PartitionPages::BytesOf(const PartitionPage& page, std::string* buffer) const {
  if (page.spooled.bytes == 0) return std::string_view(page.page.bytes);
  TM_RETURN_IF_ERROR(spool->Read(page.spooled, buffer));
  return std::string_view(*buffer);
}

uint32_t PartitionPages::store_version() const {
  uint32_t version = 1;
  for (const PartitionPage& page : pages) version = std::max(version, page.page.store_version);
  return version;
}

PageDirectory SortAndList(PartitionPages* pages) {
  const auto key = [](const PartitionPage& p) {
    return std::make_tuple(p.tier, p.measurement, p.page.field, p.page.first_series, p.page.part);
  };
  std::sort(pages->pages.begin(), pages->pages.end(),
            [&](const PartitionPage& a, const PartitionPage& b) { return key(a) < key(b); });
  std::vector<PageInfo> list;
  list.reserve(pages->pages.size());
  for (const PartitionPage& p : pages->pages) {
    list.push_back({p.tier, p.measurement, p.page.field, p.page.first_series, p.page.last_series, p.page.part, p.size(),
                    p.page.rows, p.page.range});
  }
  return PageDirectory(std::move(list), pages->tier_widths_ns);
}

}  // namespace tidemark::storage::partition

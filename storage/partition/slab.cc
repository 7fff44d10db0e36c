#include "storage/partition/slab.h"

#include <fmt/core.h>

namespace tidemark::storage::partition {

Slab::Slab(uint64_t number, PartitionPages pages)
    : number_(number), pages_(std::move(pages)), directory_(SortAndList(&pages_)) {}

std::string Slab::Name(size_t index) const {
  const PageInfo& page = directory_.pages()[index];
  return fmt::format("slab {} partition {} page {}/{}/{}", number_, pages_.partition_start_ns,
                     model::Number(page.measurement), model::Number(page.field), model::Number(page.first_series));
}

}  // namespace tidemark::storage::partition

// Slab: the rows of one partition out of one frozen head set, as compressed pages in memory.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <utility>

#include "storage/partition/page_set.h"
#include "storage/partition/partition_pages.h"

namespace tidemark::storage::partition {

class Slab final : public PageSet {
 public:
  // `number`: slabs are read in the order of their numbers, later ones winning.
  Slab(uint64_t number, PartitionPages pages);

  [[nodiscard]] uint64_t number() const { return number_; }
  [[nodiscard]] int64_t partition_start_ns() const { return pages_.partition_start_ns; }
  [[nodiscard]] int64_t partition_ns() const { return pages_.partition_ns; }
  [[nodiscard]] const PartitionPages& pages() const { return pages_; }
  [[nodiscard]] uint64_t bytes() const { return directory_.bytes(); }

  [[nodiscard]] model::TimeRange range() const override { return directory_.range(); }
  [[nodiscard]] Result<const PageDirectory*> Directory() const override { return &directory_; }
  [[nodiscard]] Result<rocks::PageBytes> Read(size_t index) const override {
    return rocks::PageBytes{pages_.pages[index].page.bytes, nullptr};
  }
  [[nodiscard]] Result<std::shared_ptr<const SeriesList>> Series() const override { return pages_.series; }
  // Its pages have not left this process since they were made, and Fold verifies them before they go to disk.
  [[nodiscard]] page::Checksum checksum() const override { return page::Checksum::kTrusted; }
  [[nodiscard]] std::string Name(size_t index) const override;

 private:
  uint64_t number_;
  PartitionPages pages_;
  PageDirectory directory_;
};

}  // namespace tidemark::storage::partition

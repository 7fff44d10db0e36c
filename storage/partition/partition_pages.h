// PartitionPages: the pages of one partition on their way into a slab or an epoch.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "storage/page/encoded_page.h"
#include "storage/partition/page_directory.h"
#include "storage/partition/page_spool.h"
#include "storage/partition/series_list.h"

namespace tidemark::storage::partition {

// A page and the measurement that it belongs to (0 for timelines).
struct PartitionPage {
  model::MeasurementId measurement{};
  uint8_t tier = rocks::kRawTier;
  page::EncodedPage page;  // without bytes where a spool has them
  SpoolPlace spooled{};

  [[nodiscard]] uint32_t size() const {
    return spooled.bytes != 0 ? spooled.bytes : static_cast<uint32_t>(page.bytes.size());
  }
};

// In any order until SortAndList.
struct PartitionPages {
  int64_t partition_start_ns = 0;
  int64_t partition_ns = 0;
  std::vector<PartitionPage> pages;
  std::vector<int64_t> tier_widths_ns;
  // Null: not known, as in epochs of earlier programs.
  std::shared_ptr<const SeriesList> series;
  // Times of the rows that went in, also where no page holds them any more.
  model::TimeRange rows_range{model::Timestamp::Max(), model::Timestamp::Min()};
  // Of what a fold made; null: all pages have their bytes.
  std::shared_ptr<const PageSpool> spool = nullptr;

  // The version that a store with these pages must have.
  [[nodiscard]] uint32_t store_version() const;
  // Of one of `pages`; valid until the next call with the same buffer. Errors: kIo.
  Result<std::string_view> BytesOf(const PartitionPage& page, std::string* buffer) const;
};

// Puts the pages in key order and lists them.
PageDirectory SortAndList(PartitionPages* pages);

}  // namespace tidemark::storage::partition

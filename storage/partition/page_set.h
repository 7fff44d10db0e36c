// PageSet: pages that belong together, with their directory: a slab in memory or an epoch on disk. Readers see no
// difference.
#pragma once

#include <cstddef>
#include <memory>
#include <string>

#include "storage/base/result.h"
#include "storage/model/timestamp.h"
#include "storage/page/page_format.h"
#include "storage/partition/page_directory.h"
#include "storage/partition/series_list.h"
#include "storage/rocks/rocks_store.h"

namespace tidemark::storage::partition {

// Thread-safe and immutable.
class PageSet {
 public:
  virtual ~PageSet() = default;

  // Times of the rows inside; known without touching the disk.
  [[nodiscard]] virtual model::TimeRange range() const = 0;
  // Errors: kCorruption, kIo. Valid while the set lives.
  [[nodiscard]] virtual Result<const PageDirectory*> Directory() const = 0;
  // The bytes of page `index` of the directory. Errors: kCorruption for one that is gone, kIo.
  [[nodiscard]] virtual Result<rocks::PageBytes> Read(size_t index) const = 0;
  // Which series are inside; null where that was not written. Errors: kCorruption, kIo.
  [[nodiscard]] virtual Result<std::shared_ptr<const SeriesList>> Series() const = 0;
  // Whether whoever reads a page should verify it first.
  [[nodiscard]] virtual page::Checksum checksum() const = 0;
  // What may be missing of its rows though the directory can be read, as a clause; "": nothing. After Directory.
  [[nodiscard]] virtual std::string Loss() const { return {}; }
  // Names page `index`, for messages.
  [[nodiscard]] virtual std::string Name(size_t index) const = 0;
};

}  // namespace tidemark::storage::partition

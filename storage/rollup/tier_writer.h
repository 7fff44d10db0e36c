// TierWriter: the buckets of one width of many series of one measurement, as pages (page::PageKind::kTier). A page
// holds whole series, ascending; its columns (counts, sums, minima ...) run over all of its buckets.
//
// Not thread-safe.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "storage/page/encoded_page.h"
#include "storage/rollup/buckets.h"

namespace tidemark::rollup {

struct TierOptions {
  // Buckets per page at most, unless one series has more. A bucket takes 4 to 8 bytes for integers.
  uint32_t max_buckets = 4096;
};

class TierWriter {
 public:
  // All buckets added must have this width.
  explicit TierWriter(int64_t width_ns, const TierOptions& options = {});
  ~TierWriter();
  TierWriter(const TierWriter&) = delete;
  TierWriter& operator=(const TierWriter&) = delete;

  // Adds the buckets of one series of one field (buckets.ref). For each field, series strictly ascending; fields in
  // any order. Series without buckets are left out.
  void Add(const BucketArrays& buckets);

  // All pages, sorted by (field, first_series); part is always 0. The writer is empty afterwards.
  std::vector<page::EncodedPage> Finish();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace tidemark::rollup

// Whether a page of an epoch is as it was written, and what is lost with one that is not.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "storage/base/result.h"
#include "storage/index/index.h"
#include "storage/model/finding.h"
#include "storage/partition/epoch.h"
#include "storage/partition/page_set.h"
#include "storage/partition/partition_pages.h"

namespace tidemark::storage::rescue {

// That page `index` of `epoch`, whose directory can be read, is there and whole and is what its place in the directory
// says. Returns its bytes. Errors: kCorruption with what was expected and found, kIo.
Result<rocks::PageBytes> CheckPage(const partition::PageSet& epoch, size_t index);

// What is left of an epoch that is damaged.
struct ReadablePages {
  partition::PartitionPages pages;
  // Each field of which something is lost, by its name, with series and times; and what else is left out.
  std::vector<model::Finding> lost;
};

// Reads all pages of `epoch`. With a page of times go the pages of values that have their times there; with a page of a
// rollup tier all tiers, if the rows that they are made of are there: a tier with a hole would count rows as not there.
// `place`: of the findings; `index`: null without names. Errors: kCorruption when the list of pages cannot be read.
Result<ReadablePages> ReadWhatIsWhole(const partition::Epoch& epoch, const std::string& place,
                                      const index::Index* index);

}  // namespace tidemark::storage::rescue

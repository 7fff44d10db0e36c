// PageKinds: the kinds of pages that an epoch may have, one row each. Whoever treats kinds alike (copying tiers,
// checking a store, naming a page for a person) asks the row.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string_view>
#include <vector>

#include "storage/base/result.h"
#include "storage/model/ids.h"
#include "storage/page/page_format.h"
#include "storage/page/page_writer.h"
#include "storage/partition/page_directory.h"
#include "storage/retention/mask.h"

namespace tidemark::storage::partition {

// What is to be cut out of the tiers of one field, when its raw rows are gone.
struct TierCut {
  model::FieldId field{};
  std::span<const int64_t> widths_ns;  // of the tiers, ascending
  const retention::SourceMasks& masks;
  // Calls `take` with the bytes of each page of the field in tier `tier` (0 for the first) of the kind that is cut.
  std::function<Result<void>(size_t tier, const std::function<Result<void>(std::string_view)>& take)> read;
};

struct PageKindRow {
  page::PageKind kind;    // in the header of its pages
  std::string_view name;  // of what is in it, for people
  // The tier byte of its keys: `first_tier` to `last_tier`. Tier n of a kind that has tiers is under first_tier + n
  // - 1.
  uint8_t first_tier;
  uint8_t last_tier;
  // Whether it is of a tier, and stays where the tier outlives raw rows.
  bool of_tier;
  // That the bytes are whole and their directory decodes. Returns the field that they say they are of; `asked` where
  // they say none. Errors: kCorruption.
  Result<model::FieldId> (*check)(std::string_view bytes, model::FieldId asked);
  // Of a kind of tiers: the pages that are left of each tier, in the order of `widths_ns`. Deletions take every bucket
  // whole that they touch, in the narrowest tier; wider ones are made anew of that where its width divides theirs.
  Result<std::vector<std::vector<page::EncodedPage>>> (*cut)(const TierCut& cut);
};

// All rows, ascending by first_tier.
std::span<const PageKindRow> PageKinds();
// The row of a page that a directory lists. Every tier byte but that of the directory itself has one.
const PageKindRow& KindOf(const PageInfo& page);

}  // namespace tidemark::storage::partition

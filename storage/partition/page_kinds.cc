#include "storage/partition/page_kinds.h"

#include <array>
#include <map>
#include <utility>

#include "storage/base/check.h"
#include "storage/page/page_reader.h"
#include "storage/rocks/keys.h"
#include "storage/rollup/buckets.h"
#include "storage/rollup/sketch_page.h"
#include "storage/rollup/sketches.h"
#include "storage/rollup/tier_reader.h"
#include "storage/rollup/tier_writer.h"

namespace tidemark::storage::partition {
namespace {

Result<model::FieldId> CheckRows(std::string_view bytes, model::FieldId /*asked*/) {
  TM_TRY_ASSIGN(const page::PageReader reader, page::PageReader::Open(bytes, page::Checksum::kVerify));
  std::vector<page::Entry> entries;
  TM_RETURN_IF_ERROR(reader.ReadEntries({0, reader.entries()}, &entries));
  return reader.field();
}

Result<model::FieldId> CheckBuckets(std::string_view bytes, model::FieldId /*asked*/) {
  TM_TRY_ASSIGN(const rollup::TierReader reader, rollup::TierReader::Open(bytes, page::Checksum::kVerify));
  return reader.field();
}

Result<model::FieldId> CheckSketches(std::string_view bytes, model::FieldId asked) {
  TM_RETURN_IF_ERROR(rollup::SketchReader::Open(bytes, page::Checksum::kVerify));
  return asked;
}

// What is left of the buckets of series `ref` in tier `tier`.
template <typename Arrays>
void CutSeries(const TierCut& cut, model::SeriesRef ref, size_t tier,
               std::vector<std::map<model::SeriesId, Arrays>>* tiers) {
  Arrays& buckets = (*tiers)[tier][ref.series];
  bool masked = false;
  for (const retention::Mask* mask : cut.masks.masks()) masked |= mask->refs().Contains(ref);
  if (!masked) return;
  for (size_t narrow = 0; narrow < tier; ++narrow) {
    const auto found = (*tiers)[narrow].find(ref.series);
    if (cut.widths_ns[tier] % cut.widths_ns[narrow] != 0 || found == (*tiers)[narrow].end()) continue;
    buckets = rollup::Coarsen(found->second, cut.widths_ns[tier] / cut.widths_ns[narrow]);
    buckets.ref = ref;
    return;
  }
  for (const retention::Mask* mask : cut.masks.masks()) {
    if (mask->refs().Contains(ref)) rollup::EraseInside(mask->range(), &buckets);
  }
}

template <typename Reader, typename Writer, typename Arrays>
Result<std::vector<std::vector<page::EncodedPage>>> CutTiers(const TierCut& cut) {
  std::vector<std::map<model::SeriesId, Arrays>> tiers(cut.widths_ns.size());
  std::vector<std::vector<page::EncodedPage>> out;
  for (size_t tier = 0; tier < cut.widths_ns.size(); ++tier) {
    const auto take = [&buckets = tiers[tier]](std::string_view bytes) -> Result<void> {
      TM_TRY_ASSIGN(const Reader reader, Reader::Open(bytes, page::Checksum::kVerify));
      for (const model::SeriesId series : reader.series()) {
        TM_RETURN_IF_ERROR(reader.Read(series, {}, &buckets[series]));
      }
      return {};
    };
    TM_RETURN_IF_ERROR(cut.read(tier, take));
    Writer writer(cut.widths_ns[tier]);
    for (auto& [series, buckets] : tiers[tier]) {
      CutSeries(cut, {cut.field, series}, tier, &tiers);
      writer.Add(buckets);
    }
    out.push_back(writer.Finish());
  }
  return out;
}

constexpr std::array kRows = std::to_array<PageKindRow>({
    {page::PageKind::kValues, "rows", rocks::kRawTier, rocks::kRawTier, false, CheckRows, nullptr},
    {page::PageKind::kTier, "buckets", rocks::kRawTier + 1, rocks::kSketchTiers, true, CheckBuckets,
     CutTiers<rollup::TierReader, rollup::TierWriter, rollup::BucketArrays>},
    {page::PageKind::kSketch, "sketches", rocks::kSketchTiers + 1, rocks::kDirectoryTier - 1, true, CheckSketches,
     CutTiers<rollup::SketchReader, rollup::SketchWriter, rollup::SketchArrays>},
});

// Every tier byte below the directory's is of exactly one row.
constexpr bool CoversEveryTier() {
  unsigned next = rocks::kRawTier;
  for (const PageKindRow& row : kRows) {
    if (row.first_tier != next || row.last_tier < row.first_tier) return false;
    next = row.last_tier + 1U;
  }
  return next == rocks::kDirectoryTier;
}
static_assert(CoversEveryTier());

}  // namespace

std::span<const PageKindRow> PageKinds() { return kRows; }

const PageKindRow& KindOf(const PageInfo& page) {
  for (const PageKindRow& row : kRows) {
    if (page.tier <= row.last_tier) return row;
  }
  TM_CHECK(false);
  return kRows.back();
}

}  // namespace tidemark::storage::partition

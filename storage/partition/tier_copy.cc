#include "storage/partition/tier_copy.h"

#include <algorithm>
#include <map>
#include <memory>
#include <set>
#include <utility>

#include "storage/rollup/buckets.h"
#include "storage/rollup/sketch_page.h"
#include "storage/rollup/sketches.h"
#include "storage/rollup/tier_reader.h"
#include "storage/rollup/tier_writer.h"

namespace tidemark::storage::partition {
namespace {

class TierCopier {
 public:
  TierCopier(const Epoch& epoch, const PageDirectory& directory, const retention::SourceMasks& masks)
      : epoch_(epoch), directory_(directory), masks_(masks) {}

  Result<PartitionPages> Run(const std::vector<RollupTier>& tiers) {
    out_.partition_start_ns = epoch_.record().partition_start_ns;
    out_.partition_ns = epoch_.record().partition_ns;
    out_.rows_range = epoch_.record().range;
    for (const int64_t width_ns : directory_.tier_widths_ns()) {
      const auto named = [&](const RollupTier& tier) { return tier.width_ns == width_ns; };
      if (std::any_of(tiers.begin(), tiers.end(), named)) out_.tier_widths_ns.push_back(width_ns);
    }
    std::set<std::pair<model::MeasurementId, model::FieldId>> touched;
    for (size_t index = 0; index < directory_.pages().size(); ++index) {
      const PageInfo& page = directory_.pages()[index];
      if (NumberOf(rocks::TierOfPage(page.tier)) == 0) continue;
      if (IsMasked(page)) {
        touched.emplace(page.measurement, page.field);
      } else {
        TM_RETURN_IF_ERROR(CopyPage(index));
      }
    }
    for (const auto& [measurement, field] : touched) TM_RETURN_IF_ERROR(CopyField(measurement, field));
    TM_TRY_ASSIGN(out_.series, epoch_.Series());
    if (out_.series != nullptr && !masks_.empty()) {
      out_.series = std::make_shared<const SeriesList>(
          out_.series->Without([this](model::SeriesRef ref) { return IsMaskedWhole(ref); }));
    }
    return std::move(out_);
  }

 private:
  // The number that a tier of the epoch has in the copy; 0 when it is left out.
  [[nodiscard]] uint8_t NumberOf(uint8_t tier) const {
    const auto& widths = out_.tier_widths_ns;
    const auto at = std::find(widths.begin(), widths.end(), directory_.tier_widths_ns()[tier - 1U]);
    return at == widths.end() ? uint8_t{0} : static_cast<uint8_t>(at - widths.begin() + 1);
  }

  [[nodiscard]] bool IsMasked(const PageInfo& page) const {
    const auto masks = masks_.masks();
    return std::any_of(masks.begin(), masks.end(),
                       [&](const retention::Mask* mask) { return mask->refs().HasField(page.field); });
  }

  [[nodiscard]] bool IsMaskedWhole(model::SeriesRef ref) const {
    const model::TimeRange rows = epoch_.record().range;
    const auto masks = masks_.masks();
    return std::any_of(masks.begin(), masks.end(), [&](const retention::Mask* mask) {
      return mask->range().first <= rows.first && rows.last <= mask->range().last && mask->refs().Contains(ref);
    });
  }

  Result<void> CopyPage(size_t index) {
    auto bytes = epoch_.Read(index);
    if (!bytes.ok()) return std::move(bytes).error().Within(epoch_.Name(index));
    // Damage is not handed on under a new name.
    const PageInfo& info = directory_.pages()[index];
    const bool sketch = info.tier >= rocks::kSketchTiers;
    Result<void> sound;
    if (sketch) {
      if (auto reader = rollup::SketchReader::Open(bytes->bytes, page::Checksum::kVerify); !reader.ok()) {
        sound = std::move(reader).error();
      }
    } else if (auto reader = rollup::TierReader::Open(bytes->bytes, page::Checksum::kVerify); !reader.ok()) {
      sound = std::move(reader).error();
    }
    if (!sound.ok()) return std::move(sound).error().Within(epoch_.Name(index));
    page::EncodedPage page;
    page.kind = sketch ? page::PageKind::kSketch : page::PageKind::kTier;
    page.field = info.field;
    page.first_series = info.first_series;
    page.last_series = info.last_series;
    page.part = info.part;
    page.range = info.range;
    page.rows = info.rows;
    page.bytes = std::string(bytes->bytes);
    const auto number =
        static_cast<uint8_t>(NumberOf(rocks::TierOfPage(info.tier)) + (sketch ? rocks::kSketchTiers : 0));
    out_.pages.push_back({info.measurement, number, std::move(page)});
    return {};
  }

  // A field of which some series are deleted, in all tiers.
  Result<void> CopyField(model::MeasurementId measurement, model::FieldId field) {
    TM_RETURN_IF_ERROR((Rewrite<rollup::TierReader, rollup::TierWriter, rollup::BucketArrays>(measurement, field, 0)));
    return Rewrite<rollup::SketchReader, rollup::SketchWriter, rollup::SketchArrays>(measurement, field,
                                                                                     rocks::kSketchTiers);
  }

  // Tier n is under n + first_tier.
  template <typename Reader, typename Writer, typename Arrays>
  Result<void> Rewrite(model::MeasurementId measurement, model::FieldId field, uint8_t first_tier) {
    const std::vector<int64_t>& widths = directory_.tier_widths_ns();
    std::vector<std::map<model::SeriesId, Arrays>> tiers(widths.size());
    for (size_t t = 0; t < widths.size(); ++t) {
      const auto tier = static_cast<uint8_t>(t + 1);
      const PageRange pages = directory_.OfField(tier + first_tier, measurement, field);
      for (size_t index = pages.begin; index < pages.end; ++index) {
        auto bytes = epoch_.Read(index);
        if (!bytes.ok()) return std::move(bytes).error().Within(epoch_.Name(index));
        auto reader = Reader::Open(bytes->bytes, page::Checksum::kVerify);
        if (!reader.ok()) return std::move(reader).error().Within(epoch_.Name(index));
        for (const model::SeriesId series : reader->series()) {
          TM_RETURN_IF_ERROR(reader->Read(series, {}, &tiers[t][series]));
        }
      }
      Writer writer(widths[t]);
      for (auto& [series, buckets] : tiers[t]) {
        Cut({field, series}, widths, t, &tiers);
        writer.Add(buckets);
      }
      const uint8_t number = NumberOf(tier);
      if (number == 0) continue;
      for (page::EncodedPage& page : writer.Finish()) {
        out_.pages.push_back({measurement, static_cast<uint8_t>(number + first_tier), std::move(page)});
      }
    }
    return {};
  }

  template <typename Arrays>
  void Cut(model::SeriesRef ref, const std::vector<int64_t>& widths, size_t tier,
           std::vector<std::map<model::SeriesId, Arrays>>* tiers) {
    Arrays& buckets = (*tiers)[tier][ref.series];
    bool masked = false;
    for (const retention::Mask* mask : masks_.masks()) masked |= mask->refs().Contains(ref);
    if (!masked) return;
    for (size_t narrow = 0; narrow < tier; ++narrow) {
      const auto found = (*tiers)[narrow].find(ref.series);
      if (widths[tier] % widths[narrow] != 0 || found == (*tiers)[narrow].end()) continue;
      buckets = rollup::Coarsen(found->second, widths[tier] / widths[narrow]);
      buckets.ref = ref;
      return;
    }
    for (const retention::Mask* mask : masks_.masks()) {
      if (mask->refs().Contains(ref)) rollup::EraseInside(mask->range(), &buckets);
    }
  }

  const Epoch& epoch_;
  const PageDirectory& directory_;
  const retention::SourceMasks& masks_;
  PartitionPages out_;
};

}  // namespace

Result<PartitionPages> CopyTiers(const Epoch& epoch, const retention::SourceMasks& masks,
                                 const std::vector<RollupTier>& tiers) {
  TM_TRY_ASSIGN(const PageDirectory* directory, epoch.Directory());
  return TierCopier(epoch, *directory, masks).Run(tiers);
}

}  // namespace tidemark::storage::partition

#include "storage/partition/tier_copy.h"

#include <algorithm>
#include <functional>
#include <memory>
#include <set>
#include <utility>

#include "storage/partition/page_kinds.h"

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
    const PageKindRow& kind = KindOf(info);
    if (auto sound = kind.check(bytes->bytes, info.field); !sound.ok()) {
      return std::move(sound).error().Within(epoch_.Name(index));
    }
    page::EncodedPage page;
    page.kind = kind.kind;
    page.field = info.field;
    page.first_series = info.first_series;
    page.last_series = info.last_series;
    page.part = info.part;
    page.range = info.range;
    page.rows = info.rows;
    page.bytes = std::string(bytes->bytes);
    const uint8_t number = NumberOf(rocks::TierOfPage(info.tier));
    out_.pages.push_back({info.measurement, TierByte(kind, number), std::move(page)});
    return {};
  }

  // A field of which some series are deleted, in all tiers.
  Result<void> CopyField(model::MeasurementId measurement, model::FieldId field) {
    for (const PageKindRow& kind : PageKinds()) {
      if (kind.of_tier) TM_RETURN_IF_ERROR(CutField(kind, measurement, field));
    }
    return {};
  }

  Result<void> CutField(const PageKindRow& kind, model::MeasurementId measurement, model::FieldId field) {
    const auto read = [&](size_t tier, const std::function<Result<void>(std::string_view)>& take) -> Result<void> {
      const PageRange pages = directory_.OfField(TierByte(kind, static_cast<uint8_t>(tier + 1)), measurement, field);
      for (size_t index = pages.begin; index < pages.end; ++index) {
        auto bytes = epoch_.Read(index);
        if (!bytes.ok()) return std::move(bytes).error().Within(epoch_.Name(index));
        if (auto taken = take(bytes->bytes); !taken.ok()) return std::move(taken).error().Within(epoch_.Name(index));
      }
      return {};
    };
    TM_TRY_ASSIGN(auto left, kind.cut({field, directory_.tier_widths_ns(), masks_, read}));
    for (size_t tier = 0; tier < left.size(); ++tier) {
      const uint8_t number = NumberOf(static_cast<uint8_t>(tier + 1));
      if (number == 0) continue;
      for (page::EncodedPage& page : left[tier]) {
        out_.pages.push_back({measurement, TierByte(kind, number), std::move(page)});
      }
    }
    return {};
  }

  // Of tier `number` (1 for the first) in keys of `kind`.
  static uint8_t TierByte(const PageKindRow& kind, uint8_t number) {
    return static_cast<uint8_t>(kind.first_tier + number - 1);
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

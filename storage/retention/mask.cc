#include "storage/retention/mask.h"

#include <algorithm>
#include <utility>

namespace tidemark::storage::retention {

Result<RefSet> RefSet::Select(const meta::MaskSpec& spec, const index::Index& index, bool open_end) {
  std::vector<model::SeriesRef> all;
  for (const auto& matchers : spec.selectors) {
    TM_TRY_ASSIGN(const std::vector<model::SeriesRef> some,
                  index.Select(matchers, /*numeric=*/true, /*strings=*/true, /*max_series=*/0));
    all.insert(all.end(), some.begin(), some.end());
  }
  if (spec.selectors.size() > 1) {
    std::sort(all.begin(), all.end());
    all.erase(std::unique(all.begin(), all.end()), all.end());
  }
  RefSet out;
  for (size_t begin = 0; begin < all.size();) {
    const model::FieldId field = all[begin].field;
    size_t end = begin;
    while (end < all.size() && all[end].field == field) ++end;
    const bool named = spec.fields.empty() ||
                       std::find(spec.fields.begin(), spec.fields.end(), index.Field(field).name) != spec.fields.end();
    if (named) {
      Group& group = out.groups_.emplace_back();
      group.field = field;
      group.whole = !open_end && end - begin == index.SeriesCountOf(field);
      if (!group.whole) {
        group.series.reserve(end - begin);
        for (size_t i = begin; i < end; ++i) group.series.push_back(all[i].series);
      }
      out.size_ += end - begin;
    }
    begin = end;
  }
  return out;
}

const RefSet::Group* RefSet::Find(model::FieldId field) const {
  const auto at = std::lower_bound(groups_.begin(), groups_.end(), field,
                                   [](const Group& group, model::FieldId id) { return group.field < id; });
  return at != groups_.end() && at->field == field ? &*at : nullptr;
}

bool RefSet::Contains(model::SeriesRef ref) const {
  const Group* group = Find(ref.field);
  if (group == nullptr) return false;
  return group->whole || std::binary_search(group->series.begin(), group->series.end(), ref.series);
}

void RefSet::AppendTo(std::vector<model::SeriesRef>* refs) const {
  for (const Group& group : groups_) {
    for (const model::SeriesId series : group.series) refs->push_back({group.field, series});
  }
}

Result<std::shared_ptr<const Mask>> Mask::Make(uint64_t number, uint64_t before_set, const meta::MaskSpec& spec,
                                               const index::Index& index) {
  TM_TRY_ASSIGN(RefSet refs, RefSet::Select(spec, index, /*open_end=*/false));
  auto mask = std::make_shared<Mask>(number, before_set, spec.range, std::make_shared<const RefSet>(std::move(refs)));
  mask->spec_ = meta::EncodeMaskSpec(spec);
  return std::shared_ptr<const Mask>(std::move(mask));
}

SourceMasks SourceMasks::OfEpoch(const MaskList& masks, const meta::EpochRecord& epoch) {
  SourceMasks out;
  for (const auto& mask : masks) {
    if (mask->AppliesTo(epoch)) out.masks_.push_back(mask.get());
  }
  return out;
}

SourceMasks SourceMasks::OfSet(const MaskList& masks, uint64_t set_number) {
  SourceMasks out;
  for (const auto& mask : masks) {
    if (mask->AppliesToSet(set_number)) out.masks_.push_back(mask.get());
  }
  return out;
}

void SourceMasks::Cut(model::SeriesRef ref, size_t from, std::vector<model::Column>* pieces) const {
  for (const Mask* mask : masks_) {
    if (pieces->size() == from) return;
    if (!mask->refs().Contains(ref)) continue;
    const model::TimeRange range = mask->range();
    for (size_t i = from; i < pieces->size();) {
      const model::Column piece = (*pieces)[i];
      const size_t begin = piece.times.LowerBound(range.first.ns);
      const size_t end = piece.times.UpperBound(range.last.ns);
      if (begin >= end) {
        ++i;
      } else if (begin == 0 && end == piece.size()) {
        pieces->erase(pieces->begin() + static_cast<std::ptrdiff_t>(i));
      } else if (begin == 0) {
        (*pieces)[i++] = piece.Slice(end, piece.size());
      } else {
        (*pieces)[i++] = piece.Slice(0, begin);
        if (end == piece.size()) continue;
        pieces->insert(pieces->begin() + static_cast<std::ptrdiff_t>(i), piece.Slice(end, piece.size()));
        ++i;
      }
    }
  }
}

uint64_t HighestNumber(const MaskList& masks) {
  uint64_t highest = 0;
  for (const auto& mask : masks) {
    if (mask->number() != Mask::kRetention) highest = std::max(highest, mask->number());
  }
  return highest;
}

}  // namespace tidemark::storage::retention

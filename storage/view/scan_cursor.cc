#include "storage/view/scan_cursor.h"

#include <utility>

namespace tidemark::storage::view {

SeriesReader::SeriesReader(const Pinned* pinned, model::TimeRange range, std::span<const model::SeriesRef> refs)
    : pinned_(pinned), range_(range), warnings_(pinned->corrupt_pages) {
  const auto add = [&](const partition::PageSet* set, retention::SourceMasks masks) {
    Pages& pages = pages_.emplace_back();
    pages.source = std::make_unique<partition::PageSource>(set, refs, &warnings_);
    pages.masks = std::move(masks);
  };
  for (const auto& epoch : pinned->state->epochs) {
    if (!epoch->record().tiers_only && epoch->range().Overlaps(range))
      add(epoch.get(), retention::SourceMasks::OfEpoch(pinned->masks, epoch->record()));
  }
  for (const auto& slab : pinned->state->slabs) {
    if (slab->range().Overlaps(range)) add(slab.get(), retention::SourceMasks::OfSet(pinned->masks, slab->number()));
  }
  for (const MarkedSet& marked : pinned->heads) {
    heads_.push_back({&marked, retention::SourceMasks::OfSet(pinned->masks, marked.set->number())});
  }
}

Result<model::Column> SeriesReader::Read(model::SeriesRef ref) {
  if (ref.field != field_) {
    const index::FieldInfo info = pinned_->database->index().Field(ref.field);
    field_ = ref.field;
    measurement_ = info.measurement;
    type_ = info.type;
  }
  buffers_.TakeBack();
  pieces_.clear();
  for (const Pages& pages : pages_) {
    const size_t before = pieces_.size();
    TM_RETURN_IF_ERROR(pages.source->Read(measurement_, ref, range_, &buffers_, &pieces_));
    if (!pages.masks.empty()) pages.masks.Cut(ref, before, &pieces_);
  }
  for (const auto& [marked, masks] : heads_) {
    const head::HeadSet& heads = marked->set->heads();
    if (!heads.Touches(ref.series, marked->mark, range_)) continue;
    const model::Column column = heads.Read(ref, marked->mark, range_, buffers_.Next());
    if (column.empty()) continue;
    pieces_.push_back(column);
    if (!masks.empty()) masks.Cut(ref, pieces_.size() - 1, &pieces_);
  }
  model::Column column = merger_.Merge(pieces_);
  column.ref = ref;
  if (pieces_.empty()) column.type = type_;
  return column;
}

}  // namespace tidemark::storage::view

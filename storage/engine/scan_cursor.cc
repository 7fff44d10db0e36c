#include "storage/engine/scan_cursor.h"

namespace tidemark::storage {
namespace {

// With this many series to read, most of a page's directory is wanted.
constexpr size_t kDenseRefs = 16;

}  // namespace

SeriesReader::SeriesReader(const Pinned* pinned, model::TimeRange range, size_t refs)
    : pinned_(pinned), range_(range), warnings_(pinned->corrupt_pages) {
  const bool dense = refs >= kDenseRefs;
  const auto add = [&](const PageSet* set) {
    if (set->range().Overlaps(range)) pages_.push_back(std::make_unique<PageSource>(set, dense, &warnings_));
  };
  for (const auto& epoch : pinned->state->epochs) add(epoch.get());
  for (const auto& slab : pinned->state->slabs) add(slab.get());
  for (const MarkedSet& marked : pinned->heads) heads_.push_back(&marked);
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
  for (const auto& pages : pages_) {
    TM_RETURN_IF_ERROR(pages->Read(measurement_, ref, range_, &buffers_, &pieces_));
  }
  for (const MarkedSet* marked : heads_) {
    const head::HeadSet& heads = marked->set->heads();
    if (!heads.Touches(ref.series, marked->mark, range_)) continue;
    const model::Column column = heads.Read(ref, marked->mark, range_, buffers_.Next());
    if (!column.empty()) pieces_.push_back(column);
  }
  model::Column column = merger_.Merge(pieces_);
  column.ref = ref;
  if (pieces_.empty()) column.type = type_;
  return column;
}

}  // namespace tidemark::storage

#include "storage/engine/field_types.h"

#include <algorithm>
#include <memory>
#include <span>
#include <utility>
#include <vector>

#include "storage/base/log.h"
#include "storage/index/index.h"
#include "storage/view/view.h"

namespace tidemark::storage {
namespace {

// Series that are looked at together: most fields that live have rows of the first of them.
constexpr size_t kFirstSeries = 64;

// Whether a reader of `picture` sees any row of `refs`.
bool AnyRow(const View& picture, std::vector<model::SeriesRef> refs) {
  refs = picture.Present(std::move(refs), {});
  if (refs.empty()) return false;
  // Tiers of rows that are gone tell of them still.
  if (const auto gone = picture.RawGoneIn({}); gone && !picture.Present(refs, gone->range).empty()) return true;
  const std::unique_ptr<ColumnCursor> rows = picture.Scan(refs, {});
  model::Column column;
  for (;;) {
    const Result<bool> more = rows->Next(&column);
    if (!more.ok() || !rows->warnings().empty() || (*more && !column.empty())) return true;
    if (!*more) return false;
  }
}

bool AnyRowOf(const View& picture, const std::vector<model::SeriesRef>& all) {
  size_t together = kFirstSeries;
  for (size_t begin = 0; begin < all.size(); together *= 2) {
    const size_t end = std::min(begin + together, all.size());
    const std::span<const model::SeriesRef> some(all.data() + begin, end - begin);
    if (AnyRow(picture, {some.begin(), some.end()})) return true;
    begin = end;
  }
  return false;
}

}  // namespace

bool FieldTypes::Ended(model::FieldId field) {
  const std::shared_ptr<const database::DatabaseState> state = database_->state();
  if (database_->living_fields().Has(field, state)) return false;
  const view::ViewImpl view(database_, parts_.retention_clock.NowNs(), parts_.corrupt_pages);
  // Rows of the fields that had the name before are rows of the name: the youngest may be the first that has none.
  const index::Index& names = database_->index();
  const std::vector<model::FieldId> older = names.Field(field).older;
  const bool any =
      AnyRowOf(view, names.SeriesOf(field)) ||
      std::any_of(older.begin(), older.end(), [&](model::FieldId id) { return AnyRowOf(view, names.SeriesOf(id)); });
  if (any) database_->living_fields().Note(field, state);
  return !any;
}

Result<void> FieldTypes::Prepare() {
  if (parts_.meta->format_version() >= meta::kFieldChainVersion) return {};
  meta::MetaChange change;
  change.format_version = meta::kFieldChainVersion;
  TM_RETURN_IF_ERROR(parts_.CommitAct(std::move(change)));
  TM_LOG(kInfo,
         "a field gets another type for the first time: the store has format version {} now, which earlier versions of "
         "this program do not read",
         meta::kFieldChainVersion);
  return {};
}

}  // namespace tidemark::storage

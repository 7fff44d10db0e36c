#include "storage/engine/field_types.h"

#include <algorithm>
#include <iterator>
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

FieldTypes::~FieldTypes() {
  if (watched_ != nullptr) parts_.line.Hold([this] { database_->watch().Remove(watched_); });
}

void FieldTypes::Watch(model::FieldId field) {
  const bool first = watched_ == nullptr;
  if (first) watched_ = std::make_shared<database::WatchedFields>();
  parts_.line.Hold([this, first, field] {
    if (first) database_->watch().Add(watched_);
    watched_->fields.insert(field);
    watched_->touched.erase(field);
  });
}

bool FieldTypes::Lives(model::FieldId field) {
  const std::shared_ptr<const database::DatabaseState> state = database_->state();
  if (database_->living_fields().Has(field, state)) return true;
  const view::ViewImpl view(database_, parts_.retention_clock.NowNs(), parts_.corrupt_pages);
  // Rows of the fields that had the name before are rows of the name: the youngest may be the first that has none.
  const index::Index& names = database_->index();
  const std::vector<model::FieldId> older = names.Field(field).older;
  const bool any =
      AnyRowOf(view, names.SeriesOf(field)) ||
      std::any_of(older.begin(), older.end(), [&](model::FieldId id) { return AnyRowOf(view, names.SeriesOf(id)); });
  if (any) database_->living_fields().Note(field, state);
  return any;
}

bool FieldTypes::Ended(model::FieldId field) {
  ended_.erase(field);
  if (Lives(field)) return false;
  ended_.insert(field);
  return true;
}

Result<model::ResolvedShape> FieldTypes::Change(std::span<const model::FieldId> fields,
                                                const std::function<Result<model::ResolvedShape>()>& resolve) {
  std::vector<model::FieldId> ended;
  std::copy_if(fields.begin(), fields.end(), std::back_inserter(ended),
               [this](model::FieldId field) { return ended_.contains(field); });
  // What is only widened may have rows, and get more of them until the next field is there.
  if (ended.empty()) return resolve();
  const Error again = MakeError(ErrorCode::kConflict, "rows of the older type have come meanwhile");
  for (const model::FieldId field : ended) Watch(field);
  // Rows that got their places before the watch began are seen when they are in.
  parts_.line.Freeze(database_.get());
  for (const auto& set : database_->state()->frozen) set->WaitComplete();
  if (std::any_of(ended.begin(), ended.end(), [this](model::FieldId field) { return Lives(field); })) return again;
  Result<model::ResolvedShape> resolved = again;
  parts_.line.Hold([&] {
    if (std::any_of(ended.begin(), ended.end(), [this](auto field) { return watched_->touched.contains(field); }))
      return;
    resolved = resolve();
  });
  return resolved;
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

#include "storage/partition/unit_folder.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "storage/page/page_reader.h"
#include "storage/rollup/buckets.h"

namespace tidemark::storage::partition {
namespace {

// Buffers that have grown larger than this for one series are not kept for the next.
constexpr size_t kKeptBuffers = size_t{2} << 20;

// Rows of a series that are read at once, about: half a MiB of times and values, and several more while rows of two
// sources that lie between each other are merged.
constexpr uint64_t kPieceRows = uint64_t{32} << 10;
// A frame of strings has about as many bytes as so many numbers have.
constexpr uint32_t kRowsOfStrings = 2048;

uint64_t WeightOf(const PageSource::RowSpan& span) {
  return span.type == model::FieldType::kString ? std::max(span.rows, kRowsOfStrings) : span.rows;
}

void AddTo(std::vector<SeriesRun>* runs, model::SeriesId series) {
  const uint32_t id = model::Number(series);
  if (!runs->empty() && runs->back().last + 1 == id) {
    runs->back().last = id;
  } else {
    runs->push_back({id, id});
  }
}

}  // namespace

Result<void> CheckGoesOn(const FoldOptions& options) {
  if (options.stop != nullptr && options.stop->load(std::memory_order_relaxed)) {
    return MakeError(ErrorCode::kUnavailable, "the store is closing");
  }
  if (options.deadline != nullptr && options.deadline->passed()) {
    return MakeError(ErrorCode::kCancelled, "the time for making pages is over");
  }
  if (options.cancel.stop_requested()) return MakeError(ErrorCode::kCancelled, "somebody has ended it");
  return {};
}

UnitFolder::UnitFolder(const FoldShared* shared)
    : shared_(*shared), warnings_(shared->corrupt_pages), memory_(shared->options.memory), tiers_(&shared->build) {}

UnitFolder::FieldReader UnitFolder::Open(const FoldUnit& unit, model::FieldId field) {
  FieldReader reader{.field = field};
  for (size_t s = 0; s < shared_.sources.size(); ++s) {
    if (PagesOf(*shared_.directories[s], unit, field).empty()) continue;
    reader.sources.push_back(
        {s, std::make_unique<PageSource>(shared_.sources[s].get(), std::span<const model::SeriesRef>(), &warnings_)});
  }
  return reader;
}

Result<std::vector<model::SeriesId>> UnitFolder::SeriesOf(const FoldUnit& unit) const {
  std::vector<model::SeriesId> all;
  std::vector<model::SeriesId> of_source;
  std::vector<model::SeriesId> some;
  std::vector<model::SeriesId> merged;
  for (size_t s = 0; s < shared_.sources.size(); ++s) {
    const PageSet& source = *shared_.sources[s];
    of_source.clear();
    const PageRange pages = PagesOf(*shared_.directories[s], unit, unit.field);
    for (size_t index = pages.begin; index < pages.end; ++index) {
      TM_RETURN_IF_ERROR(CheckGoesOn(shared_.options));
      auto bytes = source.Read(index);
      if (!bytes.ok()) return std::move(bytes).error().Within(source.Name(index));
      auto reader = page::PageReader::Open(bytes->bytes, page::Checksum::kVerify);
      if (!reader.ok()) return std::move(reader).error().Within(source.Name(index));
      TM_RETURN_IF_ERROR(reader->ReadSeries(&some));
      const auto first = std::lower_bound(some.begin(), some.end(), unit.first);
      of_source.insert(of_source.end(), first, std::upper_bound(first, some.end(), unit.last));
    }
    // Pages stand in the order of their series, and a long series goes on in the next page. Epochs of one load have the
    // same series, mostly: then there is nothing to merge.
    of_source.erase(std::unique(of_source.begin(), of_source.end()), of_source.end());
    if (of_source == all) continue;
    merged.clear();
    std::set_union(all.begin(), all.end(), of_source.begin(), of_source.end(), std::back_inserter(merged));
    all.swap(merged);
  }
  return all;
}

Result<void> UnitFolder::Read(const FoldUnit& unit, model::SeriesId series, model::TimeRange range,
                              FieldReader* reader) {
  const model::SeriesRef ref{reader->field, series};
  pieces_.clear();
  range = {std::max(range.first, shared_.options.range.first), std::min(range.last, shared_.options.range.last)};
  for (FieldReader::OfSource& source : reader->sources) {
    TM_RETURN_IF_ERROR(CheckGoesOn(shared_.options));
    if (range.empty()) break;
    const size_t before = pieces_.size();
    TM_RETURN_IF_ERROR(source.pages->Read(unit.measurement, ref, range, &buffers_, &pieces_));
    if (!shared_.masks.empty()) shared_.masks[source.index].Cut(ref, before, &pieces_);
  }
  if (!warnings_.texts().empty()) return Corruption(warnings_.texts().front());
  reader->column = reader->merger.Merge(pieces_);
  reader->column.ref = ref;
  return {};
}

model::Column UnitFolder::LeftBeside(const FieldReader& own) {
  model::Column left = own.column;
  // Strings are never read as one series with numbers.
  if (left.type == model::FieldType::kString) return left;
  for (const FieldReader& younger : younger_) {
    if (younger.column.empty() || younger.column.type == model::FieldType::kString) continue;
    model::ColumnBuffer buffer;
    left = WithoutTimes(left, younger.column.times, &buffer);
    // What has come of the columns before is not needed any more, but for being read until now.
    if (!buffer.times.empty()) std::swap(left_, buffer);
  }
  return left;
}

void UnitFolder::CountMemory(const FieldReader& own) {
  // With the page that each source has open.
  size_t bytes = buffers_.bytes() + own.merger.bytes() + HeldBy(left_) +
                 (own.sources.size() + 1) * page::WriterOptions{}.target_bytes;
  for (const FieldReader& younger : younger_) bytes += younger.merger.bytes();
  memory_.Set(bytes);
}

Result<model::Column> UnitFolder::Merge(const FoldUnit& unit, model::SeriesId series, model::TimeRange range,
                                        FieldReader* own) {
  buffers_.TakeBack();
  TM_RETURN_IF_ERROR(Read(unit, series, range, own));
  if (own->column.empty()) return model::Column{};
  for (FieldReader& younger : younger_) TM_RETURN_IF_ERROR(Read(unit, series, range, &younger));
  const model::Column column = LeftBeside(*own);
  CountMemory(*own);
  return column;
}

void UnitFolder::NoteRows(const model::Column& column) {
  rows_.first.ns = std::min(rows_.first.ns, column.times.front());
  rows_.last.ns = std::max(rows_.last.ns, column.times.back());
}

Result<std::vector<int64_t>> UnitFolder::CutsOf(const FoldUnit& unit, model::SeriesId series, FieldReader* own) {
  std::vector<int64_t> cuts;
  // Sketches are made of whole columns.
  if (!shared_.build.raw) return cuts;
  spans_.clear();
  for (FieldReader::OfSource& source : own->sources) {
    TM_RETURN_IF_ERROR(source.pages->Outline(unit.measurement, {own->field, series}, &spans_));
  }
  uint64_t weight = 0;
  uint64_t rows = 0;
  model::TimeRange range{model::Timestamp::Max(), model::Timestamp::Min()};
  for (const PageSource::RowSpan& span : spans_) {
    weight += WeightOf(span);
    rows += span.rows;
    range = {std::min(range.first, span.range.first), std::max(range.last, span.range.last)};
  }
  if (weight <= kPieceRows + kPieceRows / 2) return cuts;
  tiers_.Begin({own->field, series}, spans_.front().type, rows, range);
  const int64_t width_ns = tiers_.piece_width_ns();
  if (width_ns == TierBuilder::kWhole) return cuts;
  std::sort(spans_.begin(), spans_.end(), [](const auto& a, const auto& b) { return a.range.last < b.range.last; });
  weight = 0;
  for (const PageSource::RowSpan& span : spans_) {
    weight += WeightOf(span);
    if (weight < kPieceRows) continue;
    const int64_t last_ns = span.range.last.ns;
    const int64_t cut_ns = width_ns == 0 ? last_ns : rollup::BucketEnd(rollup::BucketOf(last_ns, width_ns), width_ns);
    if (cut_ns >= range.last.ns) break;
    if (!cuts.empty() && cut_ns <= cuts.back()) continue;
    cuts.push_back(cut_ns);
    weight = 0;
  }
  return cuts;
}

Result<void> UnitFolder::FoldPieces(const FoldUnit& unit, model::SeriesId series, const std::vector<int64_t>& cuts,
                                    FieldReader* own, page::MeasurementWriter* writer, std::vector<SeriesRun>* runs) {
  bool any = false;
  model::TimeRange range;
  for (size_t i = 0; i <= cuts.size(); ++i) {
    range.last = i < cuts.size() ? model::Timestamp{cuts[i]} : model::Timestamp::Max();
    TM_TRY_ASSIGN(const model::Column piece, Merge(unit, series, range, own));
    range.first.ns = range.last.ns + (i < cuts.size() ? 1 : 0);
    if (piece.empty()) continue;
    writer->AddPiece(series, piece, !any);
    tiers_.AddPiece(piece);
    any = true;
    NoteRows(piece);
    TM_RETURN_IF_ERROR(shared_.out->Take(unit.measurement, writer->TakeFull()));
  }
  if (!any) return {};
  tiers_.End();
  AddTo(runs, series);
  return {};
}

Result<void> UnitFolder::FoldSeries(const FoldUnit& unit, model::SeriesId series, FieldReader* own,
                                    page::MeasurementWriter* writer, std::vector<SeriesRun>* runs) {
  TM_TRY_ASSIGN(const std::vector<int64_t> cuts, CutsOf(unit, series, own));
  if (!cuts.empty()) return FoldPieces(unit, series, cuts, own, writer, runs);
  TM_TRY_ASSIGN(const model::Column column, Merge(unit, series, {}, own));
  if (column.empty()) return {};
  if (shared_.build.raw) writer->Add(series, {&column, 1});
  if (tiers_.Keeps(column)) AddTo(runs, series);
  NoteRows(column);
  tiers_.Add(series, column);
  return shared_.out->Take(unit.measurement, writer->TakeFull());
}

Result<void> UnitFolder::Run(const FoldUnit& unit, std::vector<SeriesRun>* series) {
  TM_TRY_ASSIGN(const std::vector<model::SeriesId> ids, SeriesOf(unit));
  FieldReader own = Open(unit, unit.field);
  younger_.clear();
  for (const model::FieldId field : unit.younger) younger_.push_back(Open(unit, field));
  page::MeasurementWriter writer(shared_.timelines, {.effort = shared_.build.effort});
  rows_ = {model::Timestamp::Max(), model::Timestamp::Min()};
  for (const model::SeriesId id : ids) {
    TM_RETURN_IF_ERROR(FoldSeries(unit, id, &own, &writer, series));
    if (buffers_.bytes() + own.merger.bytes() <= kKeptBuffers) continue;
    buffers_ = {};
    own.merger = {};
    left_ = {};
  }
  TM_RETURN_IF_ERROR(shared_.out->Take(unit.measurement, writer.Finish()));
  TM_RETURN_IF_ERROR(shared_.out->Take(unit.measurement, tiers_.Finish()));
  TM_RETURN_IF_ERROR(shared_.out->Take(model::MeasurementId{}, shared_.timelines->TakeFull()));
  if (!rows_.empty()) shared_.out->Note(rows_);
  return {};
}

}  // namespace tidemark::storage::partition

#include "storage/partition/fold.h"

#include <algorithm>
#include <iterator>
#include <map>
#include <unordered_map>
#include <utility>

#include "storage/partition/column_merge.h"
#include "storage/partition/page_source.h"
#include "storage/partition/partition_builder.h"

namespace tidemark::storage::partition {
namespace {

// Everything that is read of one field: one open page per source.
struct FieldReader {
  model::FieldId field{};
  std::vector<std::unique_ptr<PageSource>> sources;
  ColumnMerger merger;
  // Readers of younger fields of the same name, whose rows take the place of these at the same times; by index.
  std::vector<size_t> younger = {};
  model::ColumnBuffer left;  // what these leave of a column, where they take anything
  bool has_rows = false;     // of the series at hand
  model::Column column = {};
};

class Folder {
 public:
  Folder(const std::vector<std::shared_ptr<const PageSet>>& sources, PartitionBuilder* builder,
         std::atomic<uint64_t>* corrupt_pages, const std::vector<retention::SourceMasks>& masks,
         const FoldOptions& options)
      : sources_(sources),
        masks_(masks),
        builder_(builder),
        newest_of_(options.newest_of),
        progress_(options.progress),
        stop_(options.stop),
        deadline_(options.deadline),
        warnings_(corrupt_pages) {}

  Result<void> Run() {
    std::map<model::MeasurementId, std::vector<model::FieldId>> fields;
    for (const auto& source : sources_) {
      TM_TRY_ASSIGN(const PageDirectory* directory, source->Directory());
      directories_.push_back(directory);
      for (const PageInfo& page : directory->pages()) {
        if (page.tier == rocks::kRawTier && page.field != page::kTimelineField)
          fields[page.measurement].push_back(page.field);
      }
    }
    for (auto& [measurement, ids] : fields) {
      std::sort(ids.begin(), ids.end());
      ids.erase(std::unique(ids.begin(), ids.end()), ids.end());
      TM_RETURN_IF_ERROR(FoldMeasurement(measurement, ids));
    }
    return {};
  }

 private:
  // Asked for each page: a series may have a million fields.
  [[nodiscard]] Result<void> CheckGoesOn() const {
    if (stop_ != nullptr && stop_->load(std::memory_order_relaxed)) {
      return MakeError(ErrorCode::kUnavailable, "the store is closing");
    }
    if (deadline_ != nullptr && deadline_->passed()) {
      return MakeError(ErrorCode::kCancelled, "the time for making pages is over");
    }
    return {};
  }

  Result<void> FoldMeasurement(model::MeasurementId measurement, const std::vector<model::FieldId>& ids) {
    TM_TRY_ASSIGN(const std::vector<model::SeriesId> series, SeriesOf(measurement, ids));
    if (progress_ != nullptr) progress_->series_total.fetch_add(series.size());
    std::vector<FieldReader> readers(ids.size());
    for (size_t i = 0; i < ids.size(); ++i) {
      readers[i].field = ids[i];
      for (const auto& source : sources_) {
        readers[i].sources.push_back(
            std::make_unique<PageSource>(source.get(), std::span<const model::SeriesRef>(), &warnings_));
      }
    }
    LinkChains(&readers);
    for (const model::SeriesId id : series) {
      buffers_.TakeBack();
      columns_.clear();
      for (FieldReader& reader : readers) {
        reader.has_rows = false;
        TM_RETURN_IF_ERROR(CheckGoesOn());
        pieces_.clear();
        for (size_t s = 0; s < reader.sources.size(); ++s) {
          const size_t before = pieces_.size();
          TM_RETURN_IF_ERROR(reader.sources[s]->Read(measurement, {reader.field, id}, {}, &buffers_, &pieces_));
          if (!masks_.empty()) masks_[s].Cut({reader.field, id}, before, &pieces_);
        }
        if (pieces_.empty()) continue;
        reader.has_rows = true;
        reader.column = reader.merger.Merge(pieces_);
        reader.column.ref = {reader.field, id};
      }
      for (FieldReader& reader : readers) {
        if (!reader.has_rows) continue;
        const model::Column column = LeftBeside(readers, &reader);
        if (!column.empty()) columns_.push_back(column);
      }
      if (!warnings_.texts().empty()) return Corruption(warnings_.texts().front());
      if (!columns_.empty()) builder_->Add(measurement, id, columns_);
      if (progress_ != nullptr) progress_->series_done.fetch_add(1, std::memory_order_relaxed);
    }
    return {};
  }

  // Fields ascend, and one that gets the name of another is made after it.
  void LinkChains(std::vector<FieldReader>* readers) const {
    if (!newest_of_ || readers->size() < 2) return;
    std::unordered_map<model::FieldId, std::vector<size_t>> younger_of;  // by the newest of the name
    for (size_t i = readers->size(); i-- > 0;) {
      std::vector<size_t>& younger = younger_of[newest_of_((*readers)[i].field)];
      (*readers)[i].younger = younger;
      younger.push_back(i);
    }
  }

  // The rows of a column that none of a younger field of its name takes the place of. Strings are never read as one
  // series with numbers.
  static model::Column LeftBeside(const std::vector<FieldReader>& readers, FieldReader* reader) {
    model::Column left = reader->column;
    if (reader->younger.empty() || left.type == model::FieldType::kString) return left;
    for (const size_t index : reader->younger) {
      const FieldReader& younger = readers[index];
      if (!younger.has_rows || younger.column.type == model::FieldType::kString) continue;
      model::ColumnBuffer buffer;
      left = WithoutTimes(left, younger.column.times, &buffer);
      // What has come of the columns before is not needed any more, but for being read until now.
      if (!buffer.times.empty()) std::swap(reader->left, buffer);
    }
    return left;
  }

  // All series with rows in the measurement, ascending.
  Result<std::vector<model::SeriesId>> SeriesOf(model::MeasurementId measurement,
                                                const std::vector<model::FieldId>& ids) {
    std::vector<model::SeriesId> all;
    std::vector<model::SeriesId> of_field;
    std::vector<model::SeriesId> some;
    std::vector<model::SeriesId> merged;
    for (size_t s = 0; s < sources_.size(); ++s) {
      for (const model::FieldId field : ids) {
        TM_RETURN_IF_ERROR(CheckGoesOn());
        of_field.clear();
        const PageRange pages = directories_[s]->OfField(rocks::kRawTier, measurement, field);
        for (size_t index = pages.begin; index < pages.end; ++index) {
          auto bytes = sources_[s]->Read(index);
          if (!bytes.ok()) return std::move(bytes).error().Within(sources_[s]->Name(index));
          auto reader = page::PageReader::Open(bytes->bytes, page::Checksum::kVerify);
          if (!reader.ok()) return std::move(reader).error().Within(sources_[s]->Name(index));
          TM_RETURN_IF_ERROR(reader->ReadSeries(&some));
          of_field.insert(of_field.end(), some.begin(), some.end());
        }
        // Pages stand in the order of their series, and a long series goes on in the next page. Fields of one row and
        // epochs of one load have the same series, mostly: then there is nothing to merge.
        of_field.erase(std::unique(of_field.begin(), of_field.end()), of_field.end());
        if (of_field == all) continue;
        merged.clear();
        std::set_union(all.begin(), all.end(), of_field.begin(), of_field.end(), std::back_inserter(merged));
        all.swap(merged);
      }
    }
    return all;
  }

  const std::vector<std::shared_ptr<const PageSet>>& sources_;
  const std::vector<retention::SourceMasks>& masks_;
  PartitionBuilder* const builder_;
  const std::function<model::FieldId(model::FieldId)>& newest_of_;  // may be null
  FoldProgress* const progress_;                                    // may be null
  const std::atomic<bool>* const stop_;                             // may be null
  const Deadline* const deadline_;                                  // may be null
  ScanWarnings warnings_;
  std::vector<const PageDirectory*> directories_;
  BufferPool buffers_;
  std::vector<model::Column> pieces_;
  std::vector<model::Column> columns_;
};

}  // namespace

Result<PartitionPages> Fold(const std::vector<std::shared_ptr<const PageSet>>& sources, int64_t partition_start_ns,
                            int64_t partition_ns, std::atomic<uint64_t>* corrupt_pages,
                            const std::vector<retention::SourceMasks>& masks, const FoldOptions& options) {
  PartitionBuilder builder({partition_start_ns, partition_start_ns + (partition_ns - 1)},
                           {.tiers = true, .named = options.tiers, .effort = options.effort, .raw = options.raw});
  Folder folder(sources, &builder, corrupt_pages, masks, options);
  Result<void> folded = folder.Run();
  if (options.progress != nullptr) {
    options.progress->series_total.store(0);
    options.progress->series_done.store(0);
  }
  TM_RETURN_IF_ERROR(std::move(folded));
  return builder.Finish();
}

}  // namespace tidemark::storage::partition

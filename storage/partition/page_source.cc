#include "storage/partition/page_source.h"

#include <fmt/core.h>

#include <algorithm>
#include <utility>

#include "storage/base/log.h"

namespace tidemark::storage::partition {
namespace {

// Finding one series in the directory of a page takes as long as decoding so many of its entries.
constexpr size_t kEntriesOfFind = 20;

}  // namespace

void ScanWarnings::Add(std::string text) {
  TM_LOG(kError, "{}", text);
  corrupt_pages_->fetch_add(1, std::memory_order_relaxed);
  if (texts_.size() < kMax) texts_.push_back(std::move(text));
}

PageSource::PageSource(const PageSet* pages, std::span<const model::SeriesRef> wanted, ScanWarnings* warnings)
    : pages_(pages),
      wanted_(wanted),
      warnings_(warnings),
      timelines_([this](uint32_t timeline) { return OpenTimeline(timeline); }) {}

Result<void> PageSource::Read(model::MeasurementId measurement, model::SeriesRef ref, model::TimeRange range,
                              BufferPool* buffers, std::vector<model::Column>* pieces) {
  left_.clear();
  TM_TRY_ASSIGN(const bool readable, OpenField(measurement, ref.field));
  if (!readable) return {};
  const PageRange found = directory_->OfSeries(field_pages_, ref.series);
  for (size_t index = found.begin; index < found.end; ++index) {
    if (!directory_->pages()[index].range.Overlaps(range)) continue;
    TM_TRY_ASSIGN(const bool usable, Open(index, &page_));
    if (!usable) continue;
    const size_t before = pieces->size();
    if (auto read = ReadPage(ref, range, buffers, pieces); !read.ok()) {
      pieces->resize(before);
      TM_RETURN_IF_ERROR(Skip(index, std::move(read).error(), &page_));
    }
  }
  return {};
}

Result<void> PageSource::Outline(model::MeasurementId measurement, model::SeriesRef ref, std::vector<RowSpan>* spans) {
  TM_TRY_ASSIGN(const bool readable, OpenField(measurement, ref.field));
  if (!readable) return {};
  const PageRange found = directory_->OfSeries(field_pages_, ref.series);
  for (size_t index = found.begin; index < found.end; ++index) {
    TM_TRY_ASSIGN(const bool usable, Open(index, &page_));
    if (!usable) continue;
    auto entries = FindEntries(ref.series);
    if (!entries.ok()) {
      TM_RETURN_IF_ERROR(Skip(index, std::move(entries).error(), &page_));
      continue;
    }
    for (size_t i = entries->begin; i < entries->end; ++i) {
      spans->push_back({entries_[i].range, entries_[i].rows, page_.reader->type()});
    }
  }
  return {};
}

Result<bool> PageSource::OpenField(model::MeasurementId measurement, model::FieldId field) {
  if (unreadable_) return false;
  if (directory_ == nullptr) {
    auto directory = pages_->Directory();
    if (!directory.ok()) {
      if (directory.error().code != ErrorCode::kCorruption) return std::move(directory).error();
      unreadable_ = true;
      warnings_->Add(fmt::format("rows left out: {}", directory.error().message));
      return false;
    }
    directory_ = *directory;
    if (const std::string loss = pages_->Loss(); !loss.empty()) warnings_->Add("rows may be left out: " + loss);
  }
  if (field_ != field) {
    field_ = field;
    field_pages_ = directory_->OfField(rocks::kRawTier, measurement, field);
  }
  return true;
}

Result<void> PageSource::ReadWanted(const PageInfo& page) {
  entries_.clear();
  entry_at_ = 0;
  decoded_ = {};
  page::EntryRange range{0, page_.reader->entries()};
  SeriesSpan decoded{page.first_series, page.last_series};
  if (!wanted_.empty()) {
    const auto first =
        std::lower_bound(wanted_.begin(), wanted_.end(), model::SeriesRef{page.field, page.first_series});
    const auto end = std::upper_bound(first, wanted_.end(), model::SeriesRef{page.field, page.last_series});
    const auto count = static_cast<size_t>(end - first);
    if (count < 2) return {};
    decoded = {first->series, end[-1].series};
    TM_TRY_ASSIGN(range, page_.reader->Find(decoded.first, decoded.last));
    // They lie far apart.
    if (range.end - range.begin > kEntriesOfFind * count) return {};
  }
  TM_RETURN_IF_ERROR(page_.reader->ReadEntries(range, &entries_, page::Zones::kLeave));
  decoded_ = decoded;
  return {};
}

Result<bool> PageSource::Open(size_t index, OpenPage* open) {
  if (open->index == index) return !open->damaged;
  if (open->reader.has_value()) left_.push_back(std::move(open->bytes));
  open->index = index;
  open->damaged = false;
  open->reader.reset();
  auto bytes = pages_->Read(index);
  if (!bytes.ok()) {
    TM_RETURN_IF_ERROR(Skip(index, std::move(bytes).error(), open));
    return false;
  }
  open->bytes = std::move(bytes).value();
  auto reader = page::PageReader::Open(open->bytes.bytes, pages_->checksum());
  if (!reader.ok()) {
    TM_RETURN_IF_ERROR(Skip(index, std::move(reader).error(), open));
    return false;
  }
  open->reader.emplace(std::move(reader).value());
  if (open != &page_) return true;
  if (auto read = ReadWanted(directory_->pages()[index]); !read.ok()) {
    TM_RETURN_IF_ERROR(Skip(index, std::move(read).error(), open));
    return false;
  }
  return true;
}

Result<void> PageSource::Skip(size_t index, Error error, OpenPage* open) {
  if (error.code != ErrorCode::kCorruption) return std::move(error).Within(pages_->Name(index));
  if (!open->damaged) warnings_->Add(fmt::format("rows left out: {}: {}", pages_->Name(index), error.message));
  open->damaged = true;
  return {};
}

Result<page::EntryRange> PageSource::FindEntries(model::SeriesId series) {
  if (!decoded_ || series < decoded_->first || series > decoded_->last) {
    decoded_ = {};
    TM_TRY_ASSIGN(const page::EntryRange range, page_.reader->Find(series));
    entries_.clear();
    TM_RETURN_IF_ERROR(page_.reader->ReadEntries(range, &entries_, page::Zones::kLeave));
    return page::EntryRange{0, entries_.size()};
  }
  // Mostly the next entry; a search only where the caller skips series or goes back.
  if (entry_at_ >= entries_.size() || entries_[entry_at_].series != series) {
    const auto less = [](const page::Entry& entry, model::SeriesId s) { return entry.series < s; };
    entry_at_ =
        static_cast<size_t>(std::lower_bound(entries_.begin(), entries_.end(), series, less) - entries_.begin());
  }
  const size_t begin = entry_at_;
  while (entry_at_ < entries_.size() && entries_[entry_at_].series == series) ++entry_at_;
  return page::EntryRange{begin, entry_at_};
}

Result<void> PageSource::ReadPage(model::SeriesRef ref, model::TimeRange range, BufferPool* buffers,
                                  std::vector<model::Column>* pieces) {
  TM_TRY_ASSIGN(const page::EntryRange found, FindEntries(ref.series));
  for (size_t i = found.begin; i < found.end; ++i) {
    if (!entries_[i].range.Overlaps(range)) continue;
    TM_TRY_ASSIGN(model::Column column, page_.reader->Read(entries_[i], range, timelines_, buffers->Next()));
    if (column.empty()) continue;
    column.ref = ref;
    pieces->push_back(column);
  }
  return {};
}

Result<const page::PageReader*> PageSource::OpenTimeline(uint32_t timeline) {
  if (!timeline_pages_.has_value()) {
    timeline_pages_ = directory_->OfField(rocks::kRawTier, model::MeasurementId{}, page::kTimelineField);
  }
  const PageRange found = directory_->OfSeries(*timeline_pages_, model::SeriesId{timeline});
  if (found.empty()) return Corruption(fmt::format("timeline {} is in no page", timeline));
  TM_TRY_ASSIGN(const bool usable, Open(found.begin, &timeline_page_));
  if (!usable) return Corruption(fmt::format("{}, which has its times, is damaged", pages_->Name(found.begin)));
  return &*timeline_page_.reader;
}

}  // namespace tidemark::storage::partition

// PageSource: reads series out of one PageSet, keeping the page that it is in open, because callers ask for series in
// key order.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "storage/base/result.h"
#include "storage/model/column.h"
#include "storage/page/page_reader.h"
#include "storage/partition/page_set.h"
#include "storage/partition/working_memory.h"

namespace tidemark::storage::partition {

// Column buffers that are handed out one after the other and taken back all at once. Their memory stays.
class BufferPool {
 public:
  model::ColumnBuffer* Next() {
    if (used_ == buffers_.size()) buffers_.push_back(std::make_unique<model::ColumnBuffer>());
    return buffers_[used_++].get();
  }
  void TakeBack() { used_ = 0; }
  // Of all that there are, handed out or not.
  [[nodiscard]] size_t bytes() const {
    size_t bytes = 0;
    for (const auto& buffer : buffers_) bytes += HeldBy(*buffer);
    return bytes;
  }

 private:
  std::vector<std::unique_ptr<model::ColumnBuffer>> buffers_;
  size_t used_ = 0;
};

// What a scan had to leave out, for the reply. Not thread-safe.
class ScanWarnings {
 public:
  // `corrupt_pages` counts them over all scans.
  explicit ScanWarnings(std::atomic<uint64_t>* corrupt_pages) : corrupt_pages_(corrupt_pages) {}
  void Add(std::string text);
  [[nodiscard]] const std::vector<std::string>& texts() const { return texts_; }

 private:
  // More would not tell anybody more.
  static constexpr size_t kMax = 100;
  std::vector<std::string> texts_;
  std::atomic<uint64_t>* corrupt_pages_;
};

// Not thread-safe. Where the series come ascending by (measurement, field, series) a page is opened once.
class PageSource {
 public:
  // `wanted`: the series that will be asked for, ascending; empty: all. Only speed depends on it: what is wanted of a
  // page's directory is decoded at once where it lies close together, otherwise series by series. All must outlive
  // this.
  PageSource(const PageSet* pages, std::span<const model::SeriesRef> wanted, ScanWarnings* warnings);
  PageSource(const PageSource&) = delete;
  PageSource& operator=(const PageSource&) = delete;

  // Appends the rows of `ref` inside `range` to `pieces`: columns ascending and disjoint in time, none empty. They are
  // valid until the next call and while `buffers` is not taken back. A damaged page is skipped with a warning.
  // Errors: kIo and whatever else is no damage.
  Result<void> Read(model::MeasurementId measurement, model::SeriesRef ref, model::TimeRange range, BufferPool* buffers,
                    std::vector<model::Column>* pieces);

  // Some rows of a series that follow each other: one frame.
  struct RowSpan {
    model::TimeRange range;
    uint32_t rows = 0;
    model::FieldType type = model::FieldType::kFloat;
  };
  // Appends where the rows of `ref` lie, without reading them. Otherwise as Read.
  Result<void> Outline(model::MeasurementId measurement, model::SeriesRef ref, std::vector<RowSpan>* spans);

 private:
  static constexpr size_t kNone = ~size_t{0};
  struct OpenPage {
    size_t index = kNone;
    bool damaged = false;
    rocks::PageBytes bytes;
    std::optional<page::PageReader> reader;
  };

  struct SeriesSpan {
    model::SeriesId first{};
    model::SeriesId last{};  // included
  };

  // Decodes the entries of page_, which is `page`, from the first series that is wanted of it to the last one, unless
  // those are so few or so far apart that each is found sooner by itself.
  Result<void> ReadWanted(const PageInfo& page);
  // Finds the pages of a field. false: the directory is damaged (a warning was given, once). Errors as Read.
  Result<bool> OpenField(model::MeasurementId measurement, model::FieldId field);
  // Puts page `index` into `open`. false: it is damaged (a warning was given, once). Errors as Read.
  Result<bool> Open(size_t index, OpenPage* open);
  // {} when `error` is damage, after the warning; otherwise `error`.
  Result<void> Skip(size_t index, Error error, OpenPage* open);
  Result<void> ReadPage(model::SeriesRef ref, model::TimeRange range, BufferPool* buffers,
                        std::vector<model::Column>* pieces);
  // Points entries_ [begin, end) at the entries of `series` in the open page.
  Result<page::EntryRange> FindEntries(model::SeriesId series);
  Result<const page::PageReader*> OpenTimeline(uint32_t timeline);

  const PageSet* const pages_;
  const std::span<const model::SeriesRef> wanted_;
  ScanWarnings* const warnings_;
  const PageDirectory* directory_ = nullptr;
  bool unreadable_ = false;  // the directory is damaged

  model::FieldId field_{};
  PageRange field_pages_;
  std::optional<PageRange> timeline_pages_;
  OpenPage page_;
  OpenPage timeline_page_;
  page::TimelineSource timelines_;
  // The series of page_ of which entries_ has all; none: it has those of the series asked for last.
  std::optional<SeriesSpan> decoded_;
  std::vector<page::Entry> entries_;
  size_t entry_at_ = 0;
  std::vector<rocks::PageBytes> left_;  // pages that strings of the last call may point into
};

}  // namespace tidemark::storage::partition

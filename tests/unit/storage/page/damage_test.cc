// Damaged pages: what the checksum sees is refused and named; what it is not asked to see does no harm.
#include <gtest/gtest.h>

#include <algorithm>
#include <optional>
#include <random>

#include "storage/page/page_reader.h"
#include "storage/page/page_writer.h"
#include "tests/unit/storage/page/page_data.h"

namespace tidemark::page {
namespace {

using model::SeriesId;

Pages RandomPages(std::mt19937_64& random) {
  TimelineWriter timelines;
  MeasurementWriter writer(&timelines);
  for (uint32_t series = 1; series <= 6; ++series) {
    const std::vector<SourceColumn> columns = RandomRow(random);
    std::vector<model::Column> views;
    for (const SourceColumn& column : columns) views.push_back(column.view());
    writer.Add(SeriesId{series}, views);
  }
  Pages pages;
  pages.values = writer.Finish();
  pages.timelines = timelines.Finish();
  return pages;
}

// In an allocation of exactly its size, so that the address sanitizer sees reads past the end.
struct ExactBytes {
  explicit ExactBytes(std::string_view bytes) : data(bytes.begin(), bytes.end()) {}
  [[nodiscard]] std::string_view view() const { return {data.data(), data.size()}; }
  std::vector<char> data;
};

std::string Damage(std::string bytes, std::mt19937_64& random) {
  if (random() % 4 == 0) bytes.resize(random() % bytes.size());
  for (uint64_t flips = 1 + random() % 3; flips > 0 && !bytes.empty(); --flips) {
    // Most of the damage where the structure is: in front.
    const size_t at = random() % (random() % 2 == 0 ? std::min<size_t>(bytes.size(), 120) : bytes.size());
    bytes[at] = static_cast<char>(random() % 3 == 0 ? 0xFF : random());
  }
  return bytes;
}

// Reads all that a page offers; the sum of it, so that nothing is optimised away.
uint64_t ReadWhole(const PageReader& reader, const TimelineSource& timelines) {
  uint64_t sum = 0;
  std::vector<SeriesId> series;
  if (reader.ReadSeries(&series).ok()) sum += series.size();
  (void)reader.Find(SeriesId{3}).ok();
  std::vector<Entry> entries;
  if (!reader.ReadEntries({0, reader.entries()}, &entries).ok()) return sum;
  if (reader.kind() == PageKind::kTimelines) {
    std::vector<int64_t> times;
    for (const Entry& entry : entries) {
      const auto rows =
          reader.ReadTimeline(model::Number(entry.series), {{entry.range.first}, {entry.range.last}}, &times);
      for (size_t i = 0; rows.ok() && i < rows->rows; ++i) sum += static_cast<uint64_t>(times[rows->at + i]);
    }
    return sum;
  }
  model::ColumnBuffer buffer;
  for (const Entry& entry : entries) {
    const auto column = reader.Read(entry, {}, timelines, &buffer);
    if (!column.ok()) continue;
    for (size_t row = 0; row < column->size(); ++row) {
      sum += static_cast<uint64_t>(column->times[row]) + WordOf(*column, row).size();
    }
  }
  return sum;
}

TEST(DamagedPage, EveryFlippedBitIsSeen) {
  std::mt19937_64 random(11);
  const Pages pages = RandomPages(random);
  ASSERT_FALSE(pages.values.empty());
  std::string bytes = pages.values[0].bytes;
  ASSERT_TRUE(PageReader::Open(bytes, Checksum::kVerify).ok());
  for (size_t at = 0; at < bytes.size(); at += at < 64 ? 1 : 37) {
    for (const int bit : {0, 3, 7}) {
      bytes[at] = static_cast<char>(bytes[at] ^ (1 << bit));
      const auto reader = PageReader::Open(bytes, Checksum::kVerify);
      ASSERT_FALSE(reader.ok()) << "byte " << at;
      EXPECT_EQ(reader.error().code, at == 3 ? ErrorCode::kUnsupported : ErrorCode::kCorruption);
      EXPECT_FALSE(reader.error().message.empty());
      bytes[at] = static_cast<char>(bytes[at] ^ (1 << bit));
    }
  }
}

TEST(DamagedPage, EveryLengthButTheRightOneIsRefused) {
  std::mt19937_64 random(12);
  const std::string bytes = RandomPages(random).values.at(0).bytes;
  for (size_t size = 0; size < bytes.size(); size += size < 100 ? 1 : 61) {
    EXPECT_FALSE(PageReader::Open(ExactBytes(bytes.substr(0, size)).view(), Checksum::kVerify).ok());
    EXPECT_FALSE(PageReader::Open(ExactBytes(bytes.substr(0, size)).view(), Checksum::kTrusted).ok());
  }
  EXPECT_FALSE(PageReader::Open(bytes + "x", Checksum::kTrusted).ok());
}

TEST(DamagedPage, MessagesNameWhatWasExpectedAndFound) {
  std::mt19937_64 random(13);
  std::string bytes = RandomPages(random).values.at(0).bytes;
  std::string flipped = bytes;
  flipped.back() = static_cast<char>(flipped.back() ^ 1);
  EXPECT_TRUE(PageReader::Open(flipped, Checksum::kVerify).error().message.starts_with("page: checksum expected "));
  bytes[3] = 9;
  EXPECT_EQ(PageReader::Open(bytes, Checksum::kVerify).error().message, "page: format version 9, this program reads 1");
}

TEST(DamagedPage, PagesOfRollupsAreNotTakenForValues) {
  std::mt19937_64 random(13);
  std::string bytes = RandomPages(random).values.at(0).bytes;
  constexpr size_t kKindAt = 4;
  ASSERT_EQ(PageKind{static_cast<uint8_t>(bytes[kKindAt])}, PageKind::kValues);
  for (const PageKind kind : {PageKind::kTier, PageKind::kSketch}) {
    bytes[kKindAt] = static_cast<char>(kind);
    const auto reader = PageReader::Open(bytes, Checksum::kTrusted);
    ASSERT_FALSE(reader.ok());
    EXPECT_EQ(reader.error().code, ErrorCode::kCorruption);
  }
}

TEST(DamagedPage, WithoutTheChecksumItIsAnErrorOrRowsAndNeverACrash) {
  const uint64_t seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937_64 random(seed);
  size_t opened = 0;
  uint64_t sum = 0;
  for (int round = 0; round < 60; ++round) {
    const Pages pages = RandomPages(random);
    for (const std::vector<EncodedPage>* list : {&pages.values, &pages.timelines}) {
      for (const EncodedPage& page : *list) {
        for (int variant = 0; variant < 12; ++variant) {
          const ExactBytes damaged(Damage(page.bytes, random));
          const auto reader = PageReader::Open(damaged.view(), Checksum::kTrusted);
          if (!reader.ok()) continue;
          ++opened;
          std::optional<ExactBytes> timeline_bytes;
          std::optional<PageReader> timeline_page;
          const TimelineSource timelines = [&](uint32_t) -> Result<const PageReader*> {
            if (pages.timelines.empty()) return NotFound("no timelines");
            timeline_bytes.emplace(random() % 2 == 0 ? pages.timelines[0].bytes
                                                     : Damage(pages.timelines[0].bytes, random));
            TM_TRY_ASSIGN(timeline_page, PageReader::Open(timeline_bytes->view(), Checksum::kTrusted));
            return &*timeline_page;
          };
          sum += ReadWhole(*reader, timelines);
        }
      }
    }
  }
  EXPECT_GT(opened, 0u);
  EXPECT_GT(sum, 0u);
}

}  // namespace
}  // namespace tidemark::page

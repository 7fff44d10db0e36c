// Pages as a whole: what the writer is given is what the reader gives back, for every type and kind of timeline.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>
#include <random>

#include "storage/model/batch.h"
#include "storage/page/page_reader.h"
#include "storage/page/page_writer.h"
#include "tests/unit/storage/page/page_data.h"

namespace tidemark::page {
namespace {

using model::FieldId;
using model::FieldType;
using model::SeriesId;
using model::TimeRange;
using testing::ElementsAre;

constexpr int64_t kSecond = 1'000'000'000;
constexpr int64_t kStart = 1'700'000'000 * kSecond;

// Writes series with the given columns and reads them back through Pages.
Pages Write(const std::vector<std::vector<SourceColumn>>& series, const WriterOptions& options = {}) {
  TimelineWriter timelines(options);
  MeasurementWriter writer(&timelines, options);
  uint32_t number = 1;
  for (const auto& columns : series) {
    std::vector<model::Column> views;
    for (const SourceColumn& column : columns) views.push_back(column.view());
    writer.Add(SeriesId{number++}, views);
  }
  Pages pages;
  pages.values = writer.Finish();
  pages.timelines = timelines.Finish();
  return pages;
}

void ExpectRange(const Pages& pages, SeriesId series, const SourceColumn& source, TimeRange range) {
  const auto rows = ReadAll(pages, FieldId{source.field}, series, range);
  ASSERT_TRUE(rows.ok()) << rows.error().message;
  std::vector<std::pair<int64_t, std::string>> expected;
  const model::Column column = source.view();
  for (size_t row = 0; row < column.size(); ++row) {
    if (range.Contains({column.times[row]})) expected.emplace_back(column.times[row], WordOf(column, row));
  }
  EXPECT_EQ(*rows, expected);
}

constexpr TimeRange kEverything{};

TEST(Page, RegularIntegersStayRegular) {
  SourceColumn cpu{.field = 7, .type = FieldType::kInt, .times = RegularTimes(kStart, 10 * kSecond, 2000)};
  for (size_t i = 0; i < 2000; ++i) cpu.ints.push_back(static_cast<int64_t>(i * i % 101));
  const Pages pages = Write({{cpu}});
  ASSERT_EQ(pages.values.size(), 1u);
  EXPECT_TRUE(pages.timelines.empty());
  EXPECT_EQ(pages.values[0].field, FieldId{7});
  EXPECT_EQ(pages.values[0].range, (TimeRange{{kStart}, {kStart + 1999 * 10 * kSecond}}));
  const auto reader = PageReader::Open(pages.values[0].bytes, Checksum::kVerify);
  ASSERT_TRUE(reader.ok()) << reader.error().message;
  std::vector<Entry> entries;
  ASSERT_TRUE(reader->ReadEntries({0, reader->entries()}, &entries).ok());
  ASSERT_EQ(entries.size(), 1u);
  EXPECT_TRUE(entries[0].zone.known);
  EXPECT_EQ(entries[0].zone.min, 0);
  EXPECT_EQ(entries[0].zone.max, *std::max_element(cpu.ints.begin(), cpu.ints.end()));
  model::ColumnBuffer buffer;
  const auto column = reader->Read(entries[0], {{kStart + 1}, {kStart + 100 * kSecond}}, nullptr, &buffer);
  ASSERT_TRUE(column.ok());
  EXPECT_TRUE(column->times.regular());
  EXPECT_EQ(column->size(), 10u);
  EXPECT_EQ(column->times.front(), kStart + 10 * kSecond);
  EXPECT_EQ(column->ref, (model::SeriesRef{FieldId{7}, SeriesId{1}}));
  ExpectRange(pages, SeriesId{1}, cpu, kEverything);
}

TEST(Page, RangesGiveTheirRowsWithBothEnds) {
  SourceColumn column{.field = 1, .type = FieldType::kInt, .times = RegularTimes(kStart, kSecond, 700)};
  for (int64_t i = 0; i < 700; ++i) column.ints.push_back(i);
  const Pages pages = Write({{column}});
  const auto range = [](int64_t first, int64_t last) { return TimeRange{{first}, {last}}; };
  for (const TimeRange& r :
       {range(kStart, kStart), range(kStart - 5, kStart - 1), range(kStart + 699 * kSecond, kStart + 800 * kSecond),
        range(kStart + 700 * kSecond, kStart + 800 * kSecond), range(kStart + 128 * kSecond, kStart + 255 * kSecond),
        range(kStart + 256 * kSecond, kStart + 256 * kSecond), range(kStart + 3, kStart + 2),
        range(std::numeric_limits<int64_t>::min(), std::numeric_limits<int64_t>::max())}) {
    ExpectRange(pages, SeriesId{1}, column, r);
  }
}

TEST(Page, EveryTypeComesBackBitForBit) {
  const std::vector<int64_t> times = RegularTimes(kStart, kSecond, 9);
  SourceColumn floats{.field = 1, .type = FieldType::kFloat, .times = times};
  floats.scale = model::kBinaryScale;
  floats.floats = {0.0,
                   -0.0,
                   1e308,
                   -1e-320,
                   std::numeric_limits<double>::infinity(),
                   -std::numeric_limits<double>::infinity(),
                   std::bit_cast<double>(0x7ff0000000000002),
                   std::bit_cast<double>(0xfff8dead00000001),
                   1.0 / 3};
  SourceColumn decimals{.field = 2, .type = FieldType::kFloat, .times = times};
  decimals.scale = 2;
  decimals.ints = {1, 2, 3, -4, (int64_t{1} << 53) - 1, -((int64_t{1} << 53) - 1), 0, 0, 9};
  SourceColumn ints{.field = 3, .type = FieldType::kInt, .times = times};
  ints.ints = {std::numeric_limits<int64_t>::min(), std::numeric_limits<int64_t>::max(), 0, -1, 1, 5, 5, 5, 5};
  SourceColumn uints{.field = 4, .type = FieldType::kUInt, .times = times};
  uints.ints = ints.ints;
  SourceColumn bools{.field = 5, .type = FieldType::kBool, .times = times};
  bools.ints = {0, 1, 1, 1, 0, 0, 1, 0, 1};
  SourceColumn strings{.field = 6, .type = FieldType::kString, .times = times};
  strings.strings = {"", "a", std::string("\0b", 2), "", "a", "long " + std::string(500, 'x'), "a", "a", "z"};
  const Pages pages = Write({{floats, decimals, ints, uints, bools, strings}});
  EXPECT_EQ(pages.values.size(), 6u);
  for (const SourceColumn* column : {&floats, &decimals, &ints, &uints, &bools, &strings}) {
    ExpectRange(pages, SeriesId{1}, *column, kEverything);
    ExpectRange(pages, SeriesId{1}, *column, {{times[2]}, {times[5]}});
  }
}

TEST(Page, TextDecimalsStayDecimals) {
  SourceColumn column{.field = 1, .type = FieldType::kFloat, .times = RegularTimes(kStart, kSecond, 300)};
  column.scale = 2;
  for (int64_t i = 0; i < 300; ++i) column.ints.push_back(1000 + i * 7 % 64);
  const Pages pages = Write({{column}});
  const auto reader = PageReader::Open(pages.values[0].bytes, Checksum::kVerify);
  ASSERT_TRUE(reader.ok());
  std::vector<Entry> entries;
  ASSERT_TRUE(reader->ReadEntries({0, 1}, &entries).ok());
  model::ColumnBuffer buffer;
  const auto read = reader->Read(entries[0], kEverything, nullptr, &buffer);
  ASSERT_TRUE(read.ok());
  EXPECT_TRUE(read->scaled());
  EXPECT_EQ(read->scale, 2);
  EXPECT_EQ(entries[0].scale, 2);
  EXPECT_EQ(entries[0].zone.min, 1000);
  EXPECT_EQ(entries[0].zone.max, 1063);
}

TEST(Page, EntriesAreTheSameWithoutTheirZones) {
  SourceColumn column{.field = 1, .type = FieldType::kInt, .times = RegularTimes(kStart, kSecond, 300)};
  for (int64_t i = 0; i < 300; ++i) column.ints.push_back(i * 7 % 64);
  const Pages pages = Write({{column}, {column}, {column}});
  const auto reader = PageReader::Open(pages.values[0].bytes, Checksum::kVerify);
  ASSERT_TRUE(reader.ok());
  ASSERT_EQ(reader->entries(), 3U);
  std::vector<Entry> with;
  std::vector<Entry> without;
  ASSERT_TRUE(reader->ReadEntries({0, 3}, &with).ok());
  ASSERT_TRUE(reader->ReadEntries({0, 1}, &without, Zones::kLeave).ok());
  ASSERT_TRUE(reader->ReadEntries({1, 3}, &without, Zones::kLeave).ok());
  ASSERT_EQ(without.size(), 3U);
  for (size_t i = 0; i < 3; ++i) {
    EXPECT_TRUE(with[i].zone.known);
    EXPECT_FALSE(without[i].zone.known);
    EXPECT_EQ(without[i].series, with[i].series);
    EXPECT_EQ(without[i].range, with[i].range);
    model::ColumnBuffer buffer;
    const auto read = reader->Read(without[i], kEverything, nullptr, &buffer);
    ASSERT_TRUE(read.ok());
    EXPECT_EQ(std::vector<int64_t>(read->ints, read->ints + read->size()), column.ints);
  }
}

TEST(Page, ColumnsWithTheSameTimesShareATimelineAcrossSeriesAndMeasurements) {
  std::vector<int64_t> times;
  for (int64_t i = 0; i < 100; ++i) times.push_back(kStart + i * kSecond + i % 7);
  SourceColumn first{.field = 1, .type = FieldType::kInt, .times = times, .ints = std::vector<int64_t>(100, 4)};
  SourceColumn second{.field = 2, .type = FieldType::kBool, .times = times, .ints = std::vector<int64_t>(100, 1)};
  TimelineWriter timelines;
  std::vector<EncodedPage> all;
  for (int measurement = 0; measurement < 2; ++measurement) {
    MeasurementWriter writer(&timelines);
    for (uint32_t series = 1; series <= 5; ++series) {
      model::Column columns[] = {first.view(), second.view()};
      if (series % 2 == 0) columns[1].times = columns[0].times;
      writer.Add(SeriesId{series}, columns);
    }
    for (EncodedPage& page : writer.Finish()) {
      if (measurement == 1) all.push_back(std::move(page));
    }
  }
  Pages pages{.values = std::move(all), .timelines = timelines.Finish()};
  ASSERT_EQ(pages.timelines.size(), 1u);
  EXPECT_EQ(pages.timelines[0].kind, PageKind::kTimelines);
  EXPECT_EQ(pages.timelines[0].field, kTimelineField);
  EXPECT_EQ(pages.timelines[0].first_series, pages.timelines[0].last_series);
  ExpectRange(pages, SeriesId{3}, first, kEverything);
  ExpectRange(pages, SeriesId{5}, second, {{times[10]}, {times[90] - 1}});
}

TEST(Page, IrregularTimesThatAreRegularAfterAllTakeNoTimeline) {
  SourceColumn column{.field = 1, .type = FieldType::kInt, .times = RegularTimes(-5, 3, 50)};
  column.ints.assign(50, 1);
  EXPECT_TRUE(Write({{column}}).timelines.empty());
}

TEST(Page, TimesAtTheEndsOfTheRange) {
  SourceColumn column{
      .field = 1, .type = FieldType::kInt, .times = {model::kMinTime.ns, 0, model::kMaxTime.ns}, .ints = {1, 2, 3}};
  SourceColumn two{
      .field = 2, .type = FieldType::kInt, .times = {model::kMinTime.ns, model::kMaxTime.ns}, .ints = {1, 2}};
  SourceColumn one{.field = 3, .type = FieldType::kInt, .times = {model::kMaxTime.ns}, .ints = {8}};
  const Pages pages = Write({{column, two, one}});
  for (const SourceColumn* source : {&column, &two, &one}) {
    ExpectRange(pages, SeriesId{1}, *source, kEverything);
    ExpectRange(pages, SeriesId{1}, *source, {{0}, model::kMaxTime});
    ExpectRange(pages, SeriesId{1}, *source, {model::kMinTime, {-1}});
  }
}

TEST(Page, SeriesAreAscendingAndFoundInTheirPage) {
  std::vector<std::vector<SourceColumn>> series;
  for (uint32_t i = 0; i < 3000; ++i) {
    SourceColumn column{.field = 1 + i % 2, .type = FieldType::kInt, .times = RegularTimes(kStart, kSecond, 12)};
    for (int64_t row = 0; row < 12; ++row) column.ints.push_back(row * 5 % 13 + i);
    series.push_back({column});
  }
  const Pages pages = Write(series, {.target_bytes = 4096});
  EXPECT_GT(pages.values.size(), 4u);
  for (size_t i = 1; i < pages.values.size(); ++i) {
    const EncodedPage& before = pages.values[i - 1];
    const EncodedPage& page = pages.values[i];
    EXPECT_TRUE(before.field < page.field || (before.field == page.field && before.last_series < page.first_series));
    EXPECT_LE(page.bytes.size(), 8192u);
  }
  for (uint32_t i = 0; i < 3000; i += 17) ExpectRange(pages, SeriesId{i + 1}, series[i][0], kEverything);
  const auto reader = PageReader::Open(pages.values[0].bytes, Checksum::kVerify);
  ASSERT_TRUE(reader.ok());
  const auto missing = reader->Find(SeriesId{2});
  ASSERT_TRUE(missing.ok());
  EXPECT_TRUE(missing->empty());
  std::vector<SeriesId> numbers;
  ASSERT_TRUE(reader->ReadSeries(&numbers).ok());
  EXPECT_EQ(numbers.size(), reader->entries());
  EXPECT_EQ(numbers[1], SeriesId{3});
}

TEST(Page, ALongSeriesGoesOnInPartsOfItsOwn) {
  std::mt19937_64 random(7);
  const auto noise = [&](size_t rows) {
    SourceColumn column{.field = 1, .type = FieldType::kInt, .times = RegularTimes(kStart, kSecond, rows)};
    for (size_t i = 0; i < rows; ++i) column.ints.push_back(static_cast<int64_t>(random()));
    return column;
  };
  const SourceColumn small = noise(100);
  const SourceColumn large = noise(30'000);
  const SourceColumn last = noise(100);
  const Pages pages = Write({{small}, {large}, {last}});
  std::vector<std::pair<uint32_t, uint32_t>> keys;
  for (const EncodedPage& page : pages.values) keys.emplace_back(model::Number(page.first_series), page.part);
  EXPECT_THAT(keys, ElementsAre(std::pair(1u, 0u), std::pair(2u, 0u), std::pair(2u, 1u), std::pair(2u, 2u),
                                std::pair(2u, 3u), std::pair(3u, 0u)));
  ExpectRange(pages, SeriesId{1}, small, kEverything);
  ExpectRange(pages, SeriesId{2}, large, kEverything);
  ExpectRange(pages, SeriesId{2}, large, {{kStart + 7000 * kSecond}, {kStart + 8000 * kSecond}});
  ExpectRange(pages, SeriesId{3}, last, kEverything);
}

TEST(Page, LongStringsEndAFrameByTheirBytes) {
  std::mt19937_64 random(3);
  SourceColumn column{.field = 1, .type = FieldType::kString};
  for (int64_t i = 0; i < 64; ++i) {
    column.times.push_back(kStart + i * i * kSecond);
    column.strings.emplace_back();
    for (int byte = 0; byte < 9000; ++byte) column.strings.back().push_back(static_cast<char>(random()));
  }
  const Pages pages = Write({{column}});
  EXPECT_GT(pages.values.size(), 8u);
  for (const EncodedPage& page : pages.values) EXPECT_LT(page.bytes.size(), 64u * 1024);
  ExpectRange(pages, SeriesId{1}, column, kEverything);
  ExpectRange(pages, SeriesId{1}, column, {{column.times[20]}, {column.times[41]}});
}

TEST(Page, StaleMarkersInDecimalsLeaveTheOtherRowsDecimals) {
  SourceColumn column{.field = 1, .type = FieldType::kFloat, .times = RegularTimes(kStart, kSecond, 1000)};
  column.scale = model::kBinaryScale;
  for (int i = 0; i < 1000; ++i) column.floats.push_back(i % 100 / 4.0);
  column.floats[500] = std::bit_cast<double>(0x7ff0000000000002);
  const Pages pages = Write({{column}});
  EXPECT_LT(pages.values[0].bytes.size(), 2000u);
  const auto reader = PageReader::Open(pages.values[0].bytes, Checksum::kVerify);
  ASSERT_TRUE(reader.ok());
  std::vector<Entry> entries;
  ASSERT_TRUE(reader->ReadEntries({0, 1}, &entries).ok());
  EXPECT_TRUE(entries[0].zone.known);
  model::ColumnBuffer buffer;
  const auto clean = reader->Read(entries[0], {{kStart}, {kStart + 499 * kSecond}}, nullptr, &buffer);
  ASSERT_TRUE(clean.ok());
  EXPECT_TRUE(clean->scaled());
  ExpectRange(pages, SeriesId{1}, column, kEverything);
  ExpectRange(pages, SeriesId{1}, column, {{kStart + 500 * kSecond}, {kStart + 500 * kSecond}});
}

TEST(Page, RandomColumnsAndRangesComeBack) {
  const uint64_t seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937_64 random(seed);
  for (int round = 0; round < 40; ++round) {
    std::vector<std::vector<SourceColumn>> series(1 + random() % 20);
    for (auto& columns : series) columns = RandomRow(random);
    WriterOptions options;
    options.target_bytes = 500 + static_cast<uint32_t>(random() % 40'000);
    options.max_frame_rows = 1 + static_cast<uint32_t>(random() % 3000);
    const Pages pages = Write(series, options);
    for (uint32_t i = 0; i < series.size(); ++i) {
      for (const SourceColumn& column : series[i]) {
        if (column.times.empty()) continue;
        ExpectRange(pages, SeriesId{i + 1}, column, kEverything);
        const auto some_time = [&] {
          return column.times[random() % column.times.size()] + static_cast<int64_t>(random() % 3) - 1;
        };
        const int64_t a = some_time();
        const int64_t b = some_time();
        ExpectRange(pages, SeriesId{i + 1}, column, {{std::min(a, b)}, {std::max(a, b)}});
      }
    }
    if (HasFailure()) return;
  }
}

}  // namespace
}  // namespace tidemark::page

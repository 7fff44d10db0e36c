// Fold against a map, on one thread and on several, in memory and through a spool; what it holds, and how soon it ends.
#include "storage/partition/fold.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <filesystem>
#include <map>
#include <memory>
#include <random>
#include <set>
#include <thread>
#include <vector>

#include "storage/partition/fold_plan.h"
#include "storage/partition/page_source.h"
#include "storage/partition/partition_builder.h"
#include "storage/partition/slab.h"
#include "storage/rollup/tier_reader.h"
#include "tests/temp_directory.h"
#include "tests/test_seed.h"

namespace tidemark::storage::partition {
namespace {

constexpr int64_t kSpanNs = 1'000'000'000'000;

using FoldedColumn = std::pair<uint32_t, model::SeriesRef>;  // with its measurement
using FoldedRows = std::map<FoldedColumn, std::map<int64_t, int64_t>>;

// Threads of its own, as many as are asked for.
class FoldThreads final : public Scheduler {
 public:
  explicit FoldThreads(size_t threads) : threads_(threads) {}
  void Submit(TaskKind, Task task) override { task(); }
  void ParallelFor(TaskKind, size_t count, const std::function<void(size_t)>& body) override {
    std::atomic<size_t> next = 0;
    std::vector<std::jthread> threads;
    for (size_t t = 0; t < threads_; ++t) {
      threads.emplace_back([&] {
        for (size_t i = next++; i < count; i = next++) body(i);
      });
    }
  }
  [[nodiscard]] size_t concurrency() const override { return threads_; }

 private:
  const size_t threads_;
};

// Counts what is read of another page set, and may do something at the read of some number.
class CountedPages final : public PageSet {
 public:
  explicit CountedPages(std::shared_ptr<const PageSet> pages) : pages_(std::move(pages)) {}
  [[nodiscard]] model::TimeRange range() const override { return pages_->range(); }
  [[nodiscard]] Result<const PageDirectory*> Directory() const override { return pages_->Directory(); }
  [[nodiscard]] Result<rocks::PageBytes> Read(size_t index) const override {
    if (++reads == stop_at) on_stop();
    return pages_->Read(index);
  }
  [[nodiscard]] Result<std::shared_ptr<const SeriesList>> Series() const override { return pages_->Series(); }
  [[nodiscard]] page::Checksum checksum() const override { return pages_->checksum(); }
  [[nodiscard]] std::string Name(size_t index) const override { return pages_->Name(index); }

  mutable std::atomic<uint64_t> reads = 0;
  uint64_t stop_at = 0;
  std::function<void()> on_stop;

 private:
  const std::shared_ptr<const PageSet> pages_;
};

std::shared_ptr<const PageSet> MakeSlab(const FoldedRows& rows) {
  PartitionBuilder builder({0, kSpanNs - 1});
  std::map<std::pair<uint32_t, model::SeriesId>, std::vector<model::FieldId>> by_series;
  for (const auto& [column, _] : rows) by_series[{column.first, column.second.series}].push_back(column.second.field);
  for (const auto& [place, fields] : by_series) {
    std::vector<std::vector<int64_t>> times(fields.size());
    std::vector<std::vector<int64_t>> values(fields.size());
    std::vector<model::Column> columns;
    for (size_t f = 0; f < fields.size(); ++f) {
      for (const auto& [time, value] : rows.at({place.first, {fields[f], place.second}})) {
        times[f].push_back(time);
        values[f].push_back(value);
      }
      model::Column column{.ref = {fields[f], place.second}, .type = model::FieldType::kInt};
      column.times = {.size = times[f].size(), .first_ns = 0, .step_ns = 0, .explicit_ns = times[f].data()};
      column.ints = values[f].data();
      columns.push_back(column);
    }
    builder.Add(model::MeasurementId{place.first}, place.second, columns);
  }
  return std::make_shared<const Slab>(1, builder.Finish());
}

// Pages as a reader gets them.
FoldedRows RowsOf(PartitionPages pages) {
  for (PartitionPage& page : pages.pages) {
    if (page.spooled.bytes == 0) continue;
    EXPECT_TRUE(pages.spool->Read(page.spooled, &page.page.bytes).ok());
    page.spooled = {};
  }
  std::set<std::pair<uint32_t, model::FieldId>> fields;
  for (const PartitionPage& page : pages.pages) {
    if (page.tier == rocks::kRawTier && page.page.field != page::kTimelineField)
      fields.emplace(model::Number(page.measurement), page.page.field);
  }
  const std::shared_ptr<const SeriesList> series = pages.series;
  const Slab slab(1, std::move(pages));
  std::atomic<uint64_t> corrupt = 0;
  ScanWarnings warnings(&corrupt);
  FoldedRows rows;
  for (const auto& [measurement, field] : fields) {
    PageSource source(&slab, {}, &warnings);
    for (const SeriesRun& run : series->RunsOf(field)) {
      for (uint32_t id = run.first; id <= run.last; ++id) {
        BufferPool buffers;
        std::vector<model::Column> pieces;
        EXPECT_TRUE(
            source.Read(model::MeasurementId{measurement}, {field, model::SeriesId{id}}, {}, &buffers, &pieces).ok());
        auto& of_column = rows[{measurement, {field, model::SeriesId{id}}}];
        for (const model::Column& piece : pieces) {
          for (size_t i = 0; i < piece.size(); ++i) of_column[piece.times[i]] = piece.ints[i];
        }
      }
    }
  }
  EXPECT_TRUE(warnings.texts().empty());
  return rows;
}

class FoldTest : public ::testing::Test {
 protected:
  uint64_t Below(uint64_t limit) { return random_() % limit; }

  // Series of three measurements with some fields each; some times are shared, most are not regular.
  FoldedRows SomeRows(uint32_t series, uint64_t most_rows) {
    FoldedRows rows;
    for (uint32_t id = 1; id <= series; ++id) {
      const auto measurement = static_cast<uint32_t>(1 + id % 3);
      if (Below(4) == 0) continue;
      const uint64_t count = 1 + Below(most_rows);
      std::set<int64_t> times;
      for (uint64_t i = 0; i < count; ++i) times.insert(static_cast<int64_t>(Below(kSpanNs / 1'000'000)) * 1'000'000);
      for (uint32_t field = measurement * 10; field < measurement * 10 + 3; ++field) {
        auto& column = rows[{measurement, {model::FieldId{field}, model::SeriesId{id}}}];
        for (const int64_t time : times) {
          if (column.empty() || Below(8) != 0) column[time] = static_cast<int64_t>(random_() >> (8 * Below(7)));
        }
      }
    }
    return rows;
  }

  std::mt19937_64 random_{TestSeed()};
  std::atomic<uint64_t> corrupt_ = 0;
  TempDirectory directory_;
};

TEST_F(FoldTest, GivesEveryRowOnceTheLastWriteWinning) {
  for (int round = 0; round < 12; ++round) {
    SCOPED_TRACE(round);
    FoldedRows model;
    std::vector<std::shared_ptr<const PageSet>> sources;
    const uint64_t most_rows = 1 + Below(400);
    for (size_t s = 0; s < 1 + Below(5); ++s) {
      const FoldedRows some = SomeRows(60, most_rows);
      if (some.empty()) continue;
      sources.push_back(MakeSlab(some));
      for (const auto& [column, rows] : some) {
        for (const auto& [time, value] : rows) model[column][time] = value;
      }
    }
    FoldThreads threads(3);
    FoldOptions options{.effort = round % 2 == 0 ? codec::Effort::kFast : codec::Effort::kSmallest};
    if (round % 3 != 0) options.scheduler = &threads;
    auto folded = Fold(sources, {0, kSpanNs - 1}, &corrupt_, {}, options);
    ASSERT_TRUE(folded.ok()) << folded.error().message;
    EXPECT_EQ(folded->partition_ns, kSpanNs);
    ASSERT_EQ(RowsOf(std::move(folded).value()), model);
  }
}

TEST_F(FoldTest, TheSameSourcesGiveTheSameBytesOnOneThread) {
  const std::vector<std::shared_ptr<const PageSet>> sources{MakeSlab(SomeRows(50, 200)), MakeSlab(SomeRows(50, 200))};
  auto first = Fold(sources, {0, kSpanNs - 1}, &corrupt_);
  auto second = Fold(sources, {0, kSpanNs - 1}, &corrupt_);
  ASSERT_TRUE(first.ok() && second.ok());
  EXPECT_EQ(SortAndList(&*first).Encode(), SortAndList(&*second).Encode());
  ASSERT_EQ(first->pages.size(), second->pages.size());
  for (size_t i = 0; i < first->pages.size(); ++i) EXPECT_EQ(first->pages[i].page.bytes, second->pages[i].page.bytes);
}

// Columns of values that cannot be made smaller, so that pages have the size of the rows.
FoldedRows LargeRows(std::mt19937_64* random, uint32_t series, int64_t rows) {
  FoldedRows out;
  for (uint32_t id = 1; id <= series; ++id) {
    auto& column = out[{1, {model::FieldId{1 + id % 2}, model::SeriesId{id}}}];
    for (int64_t row = 0; row < rows; ++row) column.emplace_hint(column.end(), row * 1'000'000, (*random)());
  }
  return out;
}

TEST_F(FoldTest, HoldsWhatItMayHowMuchItFolds) {
  for (const uint32_t series : {400U, 1600U}) {
    SCOPED_TRACE(series);
    const std::vector<std::shared_ptr<const PageSet>> sources{MakeSlab(LargeRows(&random_, series, 1000))};
    WorkingMemory memory;
    FoldThreads threads(4);
    auto folded = Fold(sources, {0, kSpanNs - 1}, &corrupt_, {},
                       {.scheduler = &threads,
                        .memory_bytes = kLeastFoldMemory,
                        .spool_directory = directory_.path(),
                        .memory = &memory});
    ASSERT_TRUE(folded.ok()) << folded.error().message;
    uint64_t bytes = 0;
    for (const PartitionPage& page : folded->pages) bytes += page.size();
    ASSERT_GT(bytes, series * 8000U);
    EXPECT_LE(memory.peak(), kLeastFoldMemory);
    EXPECT_GE(folded->spool->file_bytes() + kLeastFoldMemory / 4, bytes);
    std::cout << bytes << " bytes of pages, at most " << memory.peak() << " held\n";
    // The file has no name that could be left behind.
    EXPECT_TRUE(std::filesystem::is_empty(directory_.path()));
    folded = Corruption("gone");
    EXPECT_EQ(memory.now(), 0U);
  }
}

TEST_F(FoldTest, ASeriesThatIsTooLongToBeHeldIsFoldedPieceByPiece) {
  // A short series, the long one out of two sources that overlap, and a short one again.
  constexpr int64_t kLong = 700'000;
  constexpr int64_t kStep = 1'000'000;
  FoldedRows early;
  FoldedRows late;
  const FoldedColumn before{1, {model::FieldId{1}, model::SeriesId{1}}};
  const FoldedColumn column{1, {model::FieldId{1}, model::SeriesId{2}}};
  const FoldedColumn behind{1, {model::FieldId{1}, model::SeriesId{3}}};
  early[before] = {{5, 6}};
  late[behind] = {{7, 8}, {9, 10}};
  for (int64_t i = 0; i < kLong; ++i) {
    // Rows that are not regular in the first quarter, and constant in the last one.
    const int64_t time = i * kStep + (i < kLong / 4 ? static_cast<int64_t>(Below(1000)) : 0);
    const int64_t value = i < kLong * 3 / 4 ? static_cast<int64_t>(Below(1000)) : 7;
    if (i < kLong / 2 || i % 3 == 0) early[column].emplace_hint(early[column].end(), time, value);
    if (i > kLong / 3) late[column].emplace_hint(late[column].end(), time, value + 1);
  }
  FoldedRows model = early;
  for (const auto& [name, rows] : late) {
    for (const auto& [time, value] : rows) model[name][time] = value;
  }
  WorkingMemory memory;
  auto folded = Fold({MakeSlab(early), MakeSlab(late)}, {0, kSpanNs - 1}, &corrupt_, {},
                     {.effort = codec::Effort::kSmallest,
                      .tiers = {{.width_ns = 60'000'000'000}},
                      .memory_bytes = kLeastFoldMemory,
                      .spool_directory = directory_.path(),
                      .memory = &memory});
  ASSERT_TRUE(folded.ok()) << folded.error().message;
  EXPECT_LE(memory.peak(), kLeastFoldMemory);
  // Every row is in one bucket of the tier.
  ASSERT_FALSE(folded->tier_widths_ns.empty());
  int64_t counted = 0;
  for (const PartitionPage& page : folded->pages) {
    std::string buffer;
    if (page.tier != rocks::kRawTier + 1) continue;
    auto reader = rollup::TierReader::Open(folded->BytesOf(page, &buffer).value(), page::Checksum::kVerify);
    ASSERT_TRUE(reader.ok());
    if (!std::binary_search(reader->series().begin(), reader->series().end(), column.second.series)) continue;
    rollup::BucketArrays buckets;
    ASSERT_TRUE(reader->Read(column.second.series, {}, &buckets).ok());
    for (const int64_t count : buckets.count) counted += count;
  }
  EXPECT_EQ(counted, static_cast<int64_t>(model[column].size()));
  const FoldedRows rows = RowsOf(std::move(folded).value());
  for (const auto& [name, of_column] : model) {
    ASSERT_TRUE(rows.contains(name));
    ASSERT_TRUE(rows.at(name) == of_column) << model::Number(name.second.series);
  }
}

TEST_F(FoldTest, EndsWithinAFewReadsOfWhateverEndsIt) {
  const std::shared_ptr<const PageSet> slab = MakeSlab(LargeRows(&random_, 1200, 1000));
  const uint64_t pages = (*slab->Directory())->pages().size();
  constexpr size_t kThreads = 3;
  FoldThreads threads(kThreads);
  std::atomic<bool> closing = false;
  std::stop_source cancel;
  for (const bool closes : {true, false}) {
    SCOPED_TRACE(closes);
    auto counted = std::make_shared<CountedPages>(slab);
    counted->stop_at = pages / 2;
    counted->on_stop = [&] { closes ? closing.store(true) : static_cast<void>(cancel.request_stop()); };
    FoldOptions options{.scheduler = &threads};
    if (closes) options.stop = &closing;
    if (!closes) options.cancel = cancel.get_token();
    auto folded = Fold({counted}, {0, kSpanNs - 1}, &corrupt_, {}, options);
    ASSERT_FALSE(folded.ok());
    EXPECT_EQ(folded.error().code, closes ? ErrorCode::kUnavailable : ErrorCode::kCancelled);
    // Each thread may be amid the one page that it reads.
    EXPECT_LE(counted->reads.load(), counted->stop_at + kThreads);
  }
}

TEST_F(FoldTest, AFullDiskIsAnErrorThatSaysSo) {
  const std::vector<std::shared_ptr<const PageSet>> sources{MakeSlab(LargeRows(&random_, 600, 1000))};
  auto folded = Fold(sources, {0, kSpanNs - 1}, &corrupt_, {},
                     {.memory_bytes = kLeastFoldMemory, .spool_directory = directory_.path() + "/is-not-there"});
  ASSERT_FALSE(folded.ok());
  EXPECT_EQ(folded.error().code, ErrorCode::kIo);
  EXPECT_NE(folded.error().message.find("is-not-there"), std::string::npos) << folded.error().message;
}

TEST_F(FoldTest, APlanHasEachColumnOnceInUnitsOfAboutTheSizeThatIsAskedFor) {
  const std::shared_ptr<const PageSet> slab = MakeSlab(LargeRows(&random_, 300, 1000));
  const PageDirectory* const directory = *slab->Directory();
  const std::vector<const PageDirectory*> directories{directory};
  constexpr uint64_t kUnit = 256 << 10;
  const FoldPlan plan = PlanFold(directories, {}, kUnit);
  ASSERT_GT(plan.units.size(), 4U);
  EXPECT_EQ(plan.task_ends.back(), plan.units.size());
  std::map<model::FieldId, uint32_t> next;  // the first series that no unit has had yet
  for (const FoldUnit& unit : plan.units) {
    EXPECT_EQ(model::Number(unit.first), next[unit.field]) << model::Number(unit.field);
    next[unit.field] = model::Number(unit.last) + 1;
    EXPECT_LE(unit.bytes, 2 * kUnit);
  }
  for (const auto& [field, end] : next) EXPECT_EQ(end, 0U) << "field " << model::Number(field) << " ends early";
}

TEST_F(FoldTest, YoungerFieldsOfANameTakeThePlaceOfOlderOnes) {
  FoldedRows rows;
  const model::SeriesId series{7};
  rows[{1, {model::FieldId{1}, series}}] = {{10, 1}, {20, 2}, {30, 3}};
  rows[{1, {model::FieldId{4}, series}}] = {{20, 200}, {40, 400}};
  rows[{1, {model::FieldId{2}, series}}] = {{20, 5}};  // of another name
  auto folded =
      Fold({MakeSlab(rows)}, {0, kSpanNs - 1}, &corrupt_, {},
           {.newest_of = [](model::FieldId field) { return field == model::FieldId{1} ? model::FieldId{4} : field; }});
  ASSERT_TRUE(folded.ok()) << folded.error().message;
  rows[{1, {model::FieldId{1}, series}}].erase(20);
  EXPECT_EQ(RowsOf(std::move(folded).value()), rows);
}

}  // namespace
}  // namespace tidemark::storage::partition

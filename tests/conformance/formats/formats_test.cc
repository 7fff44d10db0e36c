// A data directory of format 1, as the first release wrote it: every later build opens it and reads what was written.
// It has everything that a store keeps: sealed and late epochs, tiers, a second database, an index, rows that are in
// the journal only.
//
// To write one: TIDEMARK_WRITE_GOLDEN=DIRECTORY conformance_formats
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <map>
#include <memory>
#include <string>

#include "storage/base/clock.h"
#include "storage/model/batch.h"
#include "storage/storage.h"
#include "tests/column_value.h"
#include "tests/temp_directory.h"

namespace tidemark::storage {
namespace {

constexpr int64_t kSecond = 1'000'000'000;
constexpr int64_t kStart = 1'699'920'000 * kSecond;  // a day begins

StoreOptions Options(const std::string& directory, ManualClock* clock) {
  StoreOptions options;
  options.directory = directory;
  options.clock = clock;
  options.background = false;
  options.journal_segment_bytes = 16 * 1024;
  return options;
}

struct Row {
  std::string host;
  int64_t time_ns = 0;
  model::FieldValue value;
  const char* field;
};

using Content = std::map<std::tuple<std::string, std::string, int64_t>, model::FieldValue>;

// The rows of step `step`: a day of 10 s rows, then late ones over some of them, then some for the journal only.
std::vector<Row> RowsOf(int step) {
  std::vector<Row> rows;
  const int64_t shift = step == 0 ? 0 : step == 1 ? 5 : 20;
  const int64_t count = step == 0 ? 1000 : 20;
  for (const char* host : {"a", "b"}) {
    int64_t walk = 50;
    for (int64_t i = 0; i < count; ++i) {
      const int64_t time = kStart + (i * 10 + shift) * kSecond + (host[0] == 'b' ? i * i % 7 * 1'000'000 : 0);
      walk += (i * i + step) % 3 - 1;
      rows.push_back({host, time, walk, "int"});
      rows.push_back({host, time, static_cast<double>(walk * 37) / 100, "decimal"});
      if (i % 10 != 0) continue;
      rows.push_back({host, time, static_cast<double>(walk) / 3, "free"});
      rows.push_back({host, time, static_cast<uint64_t>(walk) << 50, "unsigned"});
      rows.push_back({host, time, i % 20 == 0, "flag"});
      rows.push_back({host, time, "text " + std::to_string(walk), "text"});
    }
  }
  return rows;
}

void Add(const std::vector<Row>& rows, model::BatchBuilder* builder, Content* content) {
  for (const Row& row : rows) {
    builder->Row("m", {{"host", row.host}}, {row.time_ns});
    std::visit(
        [&](const auto& value) {
          if constexpr (std::is_same_v<std::decay_t<decltype(value)>, std::string>) {
            builder->Field(row.field, std::string_view(value));
          } else {
            builder->Field(row.field, value);
          }
        },
        row.value);
    (*content)[{row.host, row.field, row.time_ns}] = row.value;
  }
}

Content WriteEverything(Store* store) {
  Content content;
  for (int step = 0; step < 3; ++step) {
    model::BatchBuilder builder;
    Add(RowsOf(step), &builder, &content);
    if (store == nullptr) continue;
    EXPECT_TRUE(store->Write("golden", builder.batch()).ok());
    if (step == 0) {
      EXPECT_TRUE(store->Compact("golden", {}, nullptr).ok());
    } else if (step == 1) {
      EXPECT_TRUE(store->Checkpoint().ok());
    }
  }
  return content;
}

TEST(Formats, Version1IsReadWhole) {
  ManualClock clock(kStart + 10 * kNsPerDay);
  if (const char* target = std::getenv("TIDEMARK_WRITE_GOLDEN"); target != nullptr) {
    auto store = Store::Open(Options(target, &clock));
    ASSERT_TRUE(store.ok()) << store.error().message;
    DatabaseOptions short_lived;
    short_lived.partition_ns = kNsPerHour;
    short_lived.retention_ns = kNsPerDay;
    ASSERT_TRUE((*store)->CreateDatabase("empty", short_lived).ok());
    WriteEverything(store->get());
    GTEST_SKIP() << "written to " << target;
  }
  // A copy: opening writes.
  const TempDirectory directory;
  std::filesystem::copy(TM_GOLDEN "/v1", directory.Below("data"), std::filesystem::copy_options::recursive);
  {
    auto store = Store::Open(Options(directory.Below("data"), &clock));
    ASSERT_TRUE(store.ok()) << store.error().message;
    EXPECT_TRUE((*store)->HasDatabase("empty"));
    EXPECT_EQ((*store)->Stats().sealed_epochs, 1U);
    EXPECT_EQ((*store)->Stats().epochs, 2U);
    EXPECT_GT((*store)->Stats().recovered_points, 0U);
    Content expected = WriteEverything(nullptr);
    auto view = (*store)->OpenView("golden");
    ASSERT_TRUE(view.ok()) << view.error().message;
    EXPECT_FALSE((*view)->Tiers().empty());
    auto refs = (*view)->Select({}, {}, {.numeric = true, .strings = true, .max_series = 0});
    ASSERT_TRUE(refs.ok());
    auto cursor = (*view)->Scan(*refs, {});
    model::Column column;
    model::LabelViews labels;
    for (const model::SeriesRef ref : *refs) {
      ASSERT_TRUE(*cursor->Next(&column));
      (*view)->LabelsOf(ref, &labels);
      std::string host;
      std::string field;
      for (const model::LabelView& label : labels) {
        if (label.name == "host") host = label.value;
        if (label.name == "__name__") field = std::string(label.value.substr(2));
      }
      for (size_t row = 0; row < column.size(); ++row) {
        const auto found = expected.find({host, field, column.times[row]});
        ASSERT_NE(found, expected.end()) << field << " " << host << " at " << column.times[row];
        EXPECT_EQ(ValueOf(column, row), found->second) << field << " " << host << " at " << column.times[row];
        expected.erase(found);
      }
    }
    EXPECT_TRUE(expected.empty()) << expected.size() << " values are missing";
    EXPECT_TRUE(cursor->warnings().empty());
  }
}

// Rows of which tiers of 10 m and 1 h are left, with sketches.
//
// To write one: TIDEMARK_WRITE_GOLDEN_REDUCED=DIRECTORY conformance_formats
TEST(Formats, Version1ReducedToTiersIsReadWhole) {
  constexpr int64_t kWidth = 600 * kSecond;
  ManualClock clock(kStart + 10 * kNsPerDay);
  Content content;
  model::BatchBuilder builder;
  Add(RowsOf(0), &builder, &content);
  if (const char* target = std::getenv("TIDEMARK_WRITE_GOLDEN_REDUCED"); target != nullptr) {
    auto store = Store::Open(Options(target, &clock));
    ASSERT_TRUE(store.ok()) << store.error().message;
    DatabaseOptions options;
    options.tiers = {{kWidth, 0}, {kNsPerHour, 0}};
    ASSERT_TRUE((*store)->CreateDatabase("golden", options).ok());
    ASSERT_TRUE((*store)->Write("golden", builder.batch()).ok());
    ASSERT_TRUE((*store)->Checkpoint().ok());
    options.retention_ns = kNsPerDay;
    ASSERT_TRUE((*store)->SetDatabaseOptions("golden", options).ok());
    auto reduced = (*store)->ApplyRetention();
    ASSERT_TRUE(reduced.ok());
    ASSERT_EQ(*reduced, 1U);
    GTEST_SKIP() << "written to " << target;
  }
  const TempDirectory directory;
  std::filesystem::copy(TM_GOLDEN "/v1-reduced", directory.Below("data"), std::filesystem::copy_options::recursive);
  {
    auto store = Store::Open(Options(directory.Below("data"), &clock));
    ASSERT_TRUE(store.ok()) << store.error().message;
    auto view = (*store)->OpenView("golden");
    ASSERT_TRUE(view.ok());
    const auto gone = (*view)->RawGoneIn({});
    ASSERT_TRUE(gone.has_value());
    EXPECT_EQ(gone->widths_ns, (std::vector<int64_t>{kWidth, kNsPerHour}));
    const std::vector<model::Matcher> matchers = {{model::MatchOp::kEqual, "__name__", "m_int"}};
    auto refs = (*view)->Select(matchers, {});
    ASSERT_TRUE(refs.ok());
    ASSERT_EQ(refs->size(), 2U);
    const model::TimeRange range{{kStart - kNsPerDay}, {kStart + kNsPerDay}};
    auto tiers = (*view)->ScanTier(*refs, range, kWidth);
    auto sketches = (*view)->ScanSketches(*refs, range, kWidth);
    model::LabelViews labels;
    size_t filled = 0;
    for (const model::SeriesRef ref : *refs) {
      (*view)->LabelsOf(ref, &labels);
      std::string host;
      for (const model::LabelView& label : labels) {
        if (label.name == "host") host = label.value;
      }
      std::map<int64_t, std::pair<uint64_t, int64_t>> expected;  // rows and sum by the end of the bucket
      for (const auto& [key, value] : content) {
        if (std::get<0>(key) != host || std::get<1>(key) != "int") continue;
        auto& bucket = expected[(std::get<2>(key) + kWidth - 1) / kWidth * kWidth];
        ++bucket.first;
        bucket.second += std::get<int64_t>(value);
      }
      TierColumn tier;
      SketchColumn sketch;
      ASSERT_TRUE(*tiers->Next(&tier));
      ASSERT_TRUE(*sketches->Next(&sketch));
      for (size_t b = 0; b < tier.buckets; ++b) {
        const int64_t end = tier.first_start_ns + static_cast<int64_t>(b + 1) * kWidth;
        ASSERT_EQ(tier.trusted[b], 1);
        ASSERT_EQ(tier.count[b], expected[end].first) << host << " " << end;
        ASSERT_EQ(tier.sum[b], static_cast<double>(expected[end].second));
        filled += tier.count[b] > 0 ? 1 : 0;
      }
      for (size_t b = 0; b < sketch.buckets; ++b) {
        const int64_t end = sketch.first_start_ns + static_cast<int64_t>(b + 1) * kWidth;
        uint64_t rows = 0;
        for (uint32_t i = b == 0 ? 0 : sketch.ends[b - 1]; i < sketch.ends[b]; ++i) rows += sketch.bins[i].count;
        ASSERT_EQ(rows, expected[end].first) << host << " " << end;
      }
    }
    EXPECT_GT(filled, 30U);
    auto report = (*store)->Write("golden", builder.batch());
    ASSERT_TRUE(report.ok());
    EXPECT_EQ(report->rows_written, 0U);
  }
}

// A store of version 2: a name with integers and floats, where integers, a checkpoint and floats came before another
// one and floats are in the journal only; and a database that refuses such names.
//
// To write one: TIDEMARK_WRITE_GOLDEN_TYPES=DIRECTORY conformance_formats
TEST(Formats, Version2HasNamesOfSeveralTypes) {
  constexpr int64_t kExact = (int64_t{1} << 53) + 1;
  const auto write = [](Store* store, const char* database, int64_t second, auto value) {
    model::BatchBuilder builder;
    builder.Row("m", {{"host", "a"}}, {kStart + second * kSecond}).Field("v", value);
    const auto report = store->Write(database, builder.batch());
    EXPECT_TRUE(report.ok());
    return report.ok() && report->rows_written == 1;
  };
  ManualClock clock(kStart + 10 * kNsPerDay);
  if (const char* target = std::getenv("TIDEMARK_WRITE_GOLDEN_TYPES"); target != nullptr) {
    auto store = Store::Open(Options(target, &clock));
    ASSERT_TRUE(store.ok()) << store.error().message;
    DatabaseOptions strict;
    strict.type_conflicts = model::TypeConflicts::kRefuse;
    ASSERT_TRUE((*store)->CreateDatabase("strict", strict).ok());
    ASSERT_TRUE(write(store->get(), "strict", 0, int64_t{1}));
    ASSERT_TRUE(write(store->get(), "golden", 0, kExact));
    ASSERT_TRUE((*store)->Checkpoint().ok());
    ASSERT_TRUE(write(store->get(), "golden", 10, 1.5));
    ASSERT_TRUE((*store)->Checkpoint().ok());
    ASSERT_TRUE(write(store->get(), "golden", 20, int64_t{7}));
    GTEST_SKIP() << "written to " << target;
  }
  const TempDirectory directory;
  std::filesystem::copy(TM_GOLDEN "/v2-types", directory.Below("data"), std::filesystem::copy_options::recursive);
  auto store = Store::Open(Options(directory.Below("data"), &clock));
  ASSERT_TRUE(store.ok()) << store.error().message;
  {
    const auto view = (*store)->OpenView("golden");
    ASSERT_TRUE(view.ok());
    const auto refs = (*view)->Select({}, {});
    ASSERT_TRUE(refs.ok());
    std::map<int64_t, model::FieldValue> rows;
    const auto cursor = (*view)->Scan(*refs, {});
    for (model::Column column; *cursor->Next(&column);) {
      EXPECT_EQ((*view)->NewestOf(column.ref.field), refs->back().field);
      for (size_t row = 0; row < column.size(); ++row) {
        rows[(column.times[row] - kStart) / kSecond] = ValueOf(column, row);
      }
    }
    EXPECT_EQ(rows, (std::map<int64_t, model::FieldValue>{{0, kExact}, {10, 1.5}, {20, 7.0}}));
  }
  EXPECT_TRUE(write(store->get(), "golden", 30, int64_t{8}));
  EXPECT_FALSE(write(store->get(), "golden", 30, kExact));
  EXPECT_FALSE(write(store->get(), "strict", 10, 1.5));
}

// A store of version 3: sealed pages of doubles that were divided, summed up, narrowed, that come back or are noise,
// and of integers that do.
//
// To write one: TIDEMARK_WRITE_GOLDEN_FRAMES=DIRECTORY conformance_formats
TEST(Formats, Version3HasFramesOfRealDoubles) {
  using Rows = std::map<std::pair<std::string, int64_t>, model::FieldValue>;
  Rows expected;
  model::BatchBuilder builder;
  uint64_t noise = 1;
  for (int64_t i = 0; i < 300; ++i) {
    noise = noise * 6364136223846793005 + 1442695040888963407;
    const auto draw = static_cast<int64_t>(noise >> 40);
    const std::pair<const char*, model::FieldValue> fields[] = {
        {"sum", static_cast<double>(draw % 997) / 10 + 0.1 + 0.2},
        {"third", static_cast<double>(draw % 997) / 3},
        {"ratio", static_cast<double>(draw % 500) / static_cast<double>(500 + draw % 37)},
        {"left", 100 - static_cast<double>(draw % 9973) / 100},
        {"single", static_cast<double>(static_cast<float>(draw % 1000) / 7)},
        {"level", static_cast<double>(draw % 19 * (draw % 19)) / 23.7},
        {"sign", draw % 2 == 0 ? static_cast<double>(noise) / 1e19 : -static_cast<double>(noise) / 1e25},
        {"code", draw % 5 * 1'000'003 * (draw % 5)}};
    const int64_t time = kStart + i * 10 * kSecond;
    builder.Row("m", {{"host", "a"}}, {time});
    for (const auto& [name, value] : fields) {
      std::visit([&, field = name](const auto& typed) { builder.Field(field, typed); }, value);
      expected[{name, time}] = value;
    }
  }
  ManualClock clock(kStart + 10 * kNsPerDay);
  if (const char* target = std::getenv("TIDEMARK_WRITE_GOLDEN_FRAMES"); target != nullptr) {
    auto store = Store::Open(Options(target, &clock));
    ASSERT_TRUE(store.ok()) << store.error().message;
    ASSERT_TRUE((*store)->Write("golden", builder.batch()).ok());
    ASSERT_TRUE((*store)->Compact("golden", {}, nullptr).ok());
    GTEST_SKIP() << "written to " << target;
  }
  const TempDirectory directory;
  std::filesystem::copy(TM_GOLDEN "/v3-frames", directory.Below("data"), std::filesystem::copy_options::recursive);
  auto store = Store::Open(Options(directory.Below("data"), &clock));
  ASSERT_TRUE(store.ok()) << store.error().message;
  const auto view = (*store)->OpenView("golden");
  ASSERT_TRUE(view.ok());
  const auto refs = (*view)->Select({}, {});
  ASSERT_TRUE(refs.ok());
  Rows rows;
  const auto cursor = (*view)->Scan(*refs, {});
  for (model::Column column; *cursor->Next(&column);) {
    model::LabelViews labels;
    (*view)->LabelsOf(column.ref, &labels);
    std::string name;
    for (const model::LabelView& label : labels) {
      if (label.name == "__name__") name = std::string(label.value.substr(2));  // without m_
    }
    for (size_t row = 0; row < column.size(); ++row) rows[{name, column.times[row]}] = ValueOf(column, row);
  }
  EXPECT_EQ(rows, expected);
}

}  // namespace
}  // namespace tidemark::storage

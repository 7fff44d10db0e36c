#include "storage/head/head_set.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>
#include <map>
#include <random>
#include <string>
#include <thread>

#include "storage/model/batch.h"

namespace tidemark::head {
namespace {

using model::Column;
using model::ColumnBuffer;
using model::FieldId;
using model::FieldType;
using model::MeasurementId;
using model::SeriesId;
using model::TimeRange;

// Builds resolved batches of shape (field 1 float, field 2 int, field 3 string).
struct Rows {
  std::vector<model::ResolvedShape> shapes{
      {MeasurementId{7},
       {{FieldId{1}, FieldType::kFloat}, {FieldId{2}, FieldType::kInt}, {FieldId{3}, FieldType::kString}}}};
  std::vector<model::ResolvedRow> rows;
  std::vector<int64_t> values;
  std::vector<uint8_t> scales;
  std::vector<std::string> texts = std::vector<std::string>(1000);
  std::vector<std::string_view> strings;

  void Add(uint32_t series, int64_t time, int64_t mantissa, uint8_t scale, int64_t number, const std::string& text) {
    rows.push_back({SeriesId{series}, 0, {time}, static_cast<uint32_t>(values.size()), 0});
    texts[strings.size()] = text;
    values.insert(values.end(), {mantissa, number, static_cast<int64_t>(strings.size())});
    scales.insert(scales.end(), {scale, 0, 0});
    strings.push_back(texts[strings.size()]);
  }
  [[nodiscard]] model::ResolvedBatch View() const {
    return {model::DatabaseId{1}, shapes, rows, values, scales, strings};
  }
};

std::unique_ptr<HeadSet> MakeSet(uint32_t shards = 2) {
  return HeadSet::Create(shards, [](auto, auto) {});
}

TEST(HeadSet, ReadsBackWhatWasAppended) {
  auto set = MakeSet();
  Rows rows;
  for (int i = 0; i < 300; ++i) rows.Add(5, 1000 + i * 10, 100 + i, 2, i, "t" + std::to_string(i));
  set->Append(rows.View(), 0);
  ColumnBuffer buffer;
  const Column floats = set->Read({FieldId{1}, SeriesId{5}}, set->Mark(), {}, &buffer);
  ASSERT_EQ(floats.size(), 300U);
  EXPECT_TRUE(floats.times.regular());
  EXPECT_EQ(floats.times.step_ns, 10);
  EXPECT_EQ(floats.scale, 2);
  EXPECT_EQ(floats.ints[299], 399);
  const Column strings = set->Read({FieldId{3}, SeriesId{5}}, set->Mark(), {{1000}, {1010}}, &buffer);
  ASSERT_EQ(strings.size(), 2U);
  EXPECT_EQ(strings.strings[1], "t1");
  EXPECT_TRUE(set->Read({FieldId{9}, SeriesId{5}}, set->Mark(), {}, &buffer).empty());
  EXPECT_TRUE(set->Read({FieldId{1}, SeriesId{6}}, set->Mark(), {}, &buffer).empty());
}

TEST(HeadSet, LastWriteWinsWhateverTheOrder) {
  auto set = MakeSet();
  Rows rows;
  rows.Add(1, 30, 3, 0, 3, "c");
  rows.Add(1, 10, 1, 0, 1, "a");
  rows.Add(1, 30, 4, 0, 4, "d");
  rows.Add(1, 20, 2, 0, 2, "b");
  set->Append(rows.View(), 0);
  ColumnBuffer buffer;
  const Column ints = set->Read({FieldId{2}, SeriesId{1}}, set->Mark(), {}, &buffer);
  ASSERT_EQ(ints.size(), 3U);
  EXPECT_EQ(ints.times[2], 30);
  EXPECT_EQ(ints.ints[2], 4);
  EXPECT_EQ(ints.ints[0], 1);
}

TEST(HeadSet, RowsAtTheEndsOfTime) {
  auto set = MakeSet();
  Rows rows;
  rows.Add(1, model::kMinTime.ns, 1, 0, 1, "");
  rows.Add(1, model::kMaxTime.ns, 1, 0, 2, "");
  set->Append(rows.View(), 0);
  const std::vector<int64_t> starts = set->Partitions(86'400'000'000'000);
  ASSERT_EQ(starts.size(), 2U);
  EXPECT_EQ(starts[0], std::numeric_limits<int64_t>::min());
  size_t visited = 0;
  ASSERT_TRUE(set->Visit({{starts[0]}, {starts[0] + 10}},
                         [&](MeasurementId, SeriesId, std::span<const Column> columns) {
                           visited += columns[0].size();
                           return Result<void>();
                         })
                  .ok());
  EXPECT_EQ(visited, 1U);
}

TEST(HeadSet, OrderComesBackFromNearAndFar) {
  std::mt19937 random(11);
  for (const size_t distance : {size_t{2}, size_t{20}, size_t{5000}}) {
    std::vector<int64_t> times(5000);
    for (size_t i = 0; i < times.size(); ++i) times[i] = static_cast<int64_t>(i);
    for (size_t i = 0; i < times.size(); i += distance) {
      std::shuffle(times.begin() + static_cast<std::ptrdiff_t>(i),
                   times.begin() + static_cast<std::ptrdiff_t>(std::min(times.size(), i + distance)), random);
    }
    auto set = MakeSet();
    for (size_t begin = 0; begin < times.size(); begin += 500) {
      Rows rows;
      for (size_t i = begin; i < begin + 500; ++i) rows.Add(1, times[i], 1, 0, times[i] * 3, "");
      set->Append(rows.View(), begin / 500);
    }
    ColumnBuffer buffer;
    const Column column = set->Read({FieldId{2}, SeriesId{1}}, set->Mark(), {}, &buffer);
    ASSERT_EQ(column.size(), times.size());
    EXPECT_TRUE(column.times.regular());
    for (size_t i = 0; i < column.size(); ++i) ASSERT_EQ(column.ints[i], static_cast<int64_t>(i) * 3);
  }
}

TEST(HeadSet, MarkHidesLaterBatches) {
  auto set = MakeSet();
  Rows first;
  first.Add(1, 10, 1, 0, 1, "a");
  set->Append(first.View(), 0);
  const HeadMark mark = set->Mark();
  Rows second;
  second.Add(1, 20, 2, 0, 2, "b");
  second.Add(1, 10, 9, 0, 9, "z");
  set->Append(second.View(), 1);
  ColumnBuffer buffer;
  const Column before = set->Read({FieldId{2}, SeriesId{1}}, mark, {}, &buffer);
  ASSERT_EQ(before.size(), 1U);
  EXPECT_EQ(before.ints[0], 1);
  const Column after = set->Read({FieldId{2}, SeriesId{1}}, set->Mark(), {}, &buffer);
  ASSERT_EQ(after.size(), 2U);
  EXPECT_EQ(after.ints[0], 9);
}

TEST(HeadSet, MixedScalesKeepEveryBit) {
  auto set = MakeSet();
  Rows rows;
  const double hard = 0.1 + 0.2;
  rows.Add(1, 1, 5813, 2, 0, "");
  rows.Add(1, 2, 58, 0, 0, "");
  rows.Add(1, 3, 1234567, 5, 0, "");
  rows.Add(1, 4, (int64_t{1} << 53) - 1, 0, 0, "");
  rows.Add(1, 5, std::bit_cast<int64_t>(hard), model::kBinaryScale, 0, "");
  rows.Add(1, 6, std::bit_cast<int64_t>(-0.0), model::kBinaryScale, 0, "");
  rows.Add(1, 7, 7, 1, 0, "");
  set->Append(rows.View(), 0);
  ColumnBuffer buffer;
  const Column column = set->Read({FieldId{1}, SeriesId{1}}, set->Mark(), {}, &buffer);
  const double expected[] = {58.13, 58, 12.34567, 9007199254740991.0, hard, -0.0, 0.7};
  ASSERT_EQ(column.size(), std::size(expected));
  for (size_t i = 0; i < std::size(expected); ++i) {
    EXPECT_EQ(std::bit_cast<uint64_t>(DoubleAt(column, i)), std::bit_cast<uint64_t>(expected[i])) << i;
  }
  const Column scaled = set->Read({FieldId{1}, SeriesId{1}}, set->Mark(), {{1}, {3}}, &buffer);
  EXPECT_EQ(DoubleAt(scaled, 0), 58.13);
  EXPECT_EQ(DoubleAt(scaled, 1), 58.0);
}

TEST(HeadSet, RandomRowsMatchAMap) {
  const unsigned seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937 random(seed);
  auto set = MakeSet(4);
  std::map<uint32_t, std::map<int64_t, int64_t>> model;
  for (uint64_t ticket = 0; ticket < 50; ++ticket) {
    Rows rows;
    for (int i = 0; i < 40; ++i) {
      const uint32_t series = 1 + static_cast<uint32_t>(random() % 9);
      const int64_t time = static_cast<int64_t>(random() % 200) - 100;
      const auto value = static_cast<int64_t>(random());
      rows.Add(series, time, 1, 0, value, "x");
      model[series][time] = value;
    }
    set->Append(rows.View(), ticket);
  }
  ColumnBuffer buffer;
  for (const auto& [series, points] : model) {
    const Column column = set->Read({FieldId{2}, SeriesId{series}}, set->Mark(), {}, &buffer);
    ASSERT_EQ(column.size(), points.size());
    size_t i = 0;
    for (const auto& [time, value] : points) {
      EXPECT_EQ(column.times[i], time);
      EXPECT_EQ(column.ints[i], value);
      ++i;
    }
  }
  EXPECT_EQ(set->Partitions(100), (std::vector<int64_t>{-100, 0}));
  std::vector<uint32_t> visited;
  ASSERT_TRUE(set->Visit({{0}, {99}},
                         [&](MeasurementId, SeriesId series, std::span<const Column> columns) {
                           visited.push_back(Number(series));
                           EXPECT_EQ(columns.size(), 3U);
                           EXPECT_TRUE(columns[0].times.regular() ||
                                       columns[0].times.explicit_ns == columns[2].times.explicit_ns);
                           return Result<void>();
                         })
                  .ok());
  EXPECT_TRUE(std::is_sorted(visited.begin(), visited.end()));
  EXPECT_EQ(visited.size(), model.size());
}

TEST(HeadSet, BatchesApplyInTicketOrderFromManyThreads) {
  auto set = MakeSet(2);
  constexpr uint64_t kTickets = 200;
  std::vector<std::jthread> threads;
  for (uint64_t t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      for (uint64_t ticket = t; ticket < kTickets; ticket += 4) {
        Rows rows;
        for (uint32_t series = 1; series <= 8; ++series) rows.Add(series, 1, 0, 0, static_cast<int64_t>(ticket), "");
        if (ticket % 5 == 4) {
          set->SkipTicket(ticket);
        } else {
          set->Append(rows.View(), ticket);
        }
      }
    });
  }
  threads.clear();
  EXPECT_EQ(set->Mark().tickets, kTickets);
  ColumnBuffer buffer;
  for (uint32_t series = 1; series <= 8; ++series) {
    const Column column = set->Read({FieldId{2}, SeriesId{series}}, set->Mark(), {}, &buffer);
    ASSERT_EQ(column.size(), 1U);
    EXPECT_EQ(column.ints[0], 198);
  }
}

// Visit reads all columns of a head at once, Read one by one: both must say the same.
TEST(HeadSet, VisitAgreesWithRead) {
  const unsigned seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937 random(seed);
  auto set = MakeSet(2);
  for (uint64_t ticket = 0; ticket < 20; ++ticket) {
    Rows rows;
    for (int i = 0; i < 30; ++i) {
      const bool binary = random() % 20 == 0;
      rows.Add(1 + static_cast<uint32_t>(random() % 6), static_cast<int64_t>(random() % 300),
               binary ? std::bit_cast<int64_t>(1.0 / 3) : static_cast<int64_t>(random() % 1000),
               binary ? model::kBinaryScale : static_cast<uint8_t>(random() % 3), static_cast<int64_t>(random()), "s");
    }
    set->Append(rows.View(), ticket);
  }
  const TimeRange range{{50}, {250}};
  ColumnBuffer buffer;
  ASSERT_TRUE(set->Visit(range,
                         [&](MeasurementId, SeriesId series, std::span<const Column> columns) {
                           EXPECT_EQ(columns.size(), 3U);
                           for (const Column& column : columns) {
                             const Column single = set->Read({column.ref.field, series}, set->Mark(), range, &buffer);
                             EXPECT_EQ(column.size(), single.size());
                             for (size_t i = 0; i < column.size() && i < single.size(); ++i) {
                               EXPECT_EQ(column.times[i], single.times[i]);
                               if (column.strings != nullptr) {
                                 EXPECT_EQ(column.strings[i], single.strings[i]);
                               } else {
                                 EXPECT_EQ(DoubleAt(column, i), DoubleAt(single, i));
                               }
                             }
                           }
                           return Result<void>();
                         })
                  .ok());
}

// Rows of one series whose fields differ from row to row.
TEST(HeadSet, VisitAgreesWithReadWhateverFieldsRowsHave) {
  std::mt19937_64 random(7);
  auto set = MakeSet();
  constexpr uint32_t kFields = 60;
  std::vector<model::ResolvedShape> shapes;
  std::vector<model::ResolvedRow> rows;
  std::vector<int64_t> values;
  for (uint32_t row = 0; row < 500; ++row) {
    if (row % 3 == 0) {
      model::ResolvedShape shape{MeasurementId{7}, {}};
      for (uint32_t field = kFields; field >= 1; --field) {
        if (random() % 2 == 0) shape.fields.push_back({FieldId{field}, FieldType::kInt});
      }
      if (shape.fields.empty()) shape.fields.push_back({FieldId{1}, FieldType::kInt});
      shapes.push_back(std::move(shape));
    }
    const auto shape = static_cast<uint32_t>(shapes.size() - 1);
    rows.push_back(
        {SeriesId{5}, shape, {static_cast<int64_t>(random() % 400)}, static_cast<uint32_t>(values.size()), 0});
    for (size_t i = 0; i < shapes[shape].fields.size(); ++i) values.push_back(static_cast<int64_t>(values.size()));
  }
  const std::vector<uint8_t> scales(values.size(), 0);
  set->Append({model::DatabaseId{1}, shapes, rows, values, scales, {}}, 0);
  for (const TimeRange range : {TimeRange{}, TimeRange{{100}, {250}}}) {
    size_t columns_seen = 0;
    ASSERT_TRUE(set->Visit(range,
                           [&](MeasurementId, SeriesId series, std::span<const Column> columns) -> Result<void> {
                             columns_seen += columns.size();
                             for (size_t c = 0; c < columns.size(); ++c) {
                               EXPECT_TRUE(c == 0 || columns[c - 1].ref.field < columns[c].ref.field);
                               ColumnBuffer buffer;
                               const Column want =
                                   set->Read({columns[c].ref.field, series}, set->Mark(), range, &buffer);
                               EXPECT_EQ(want.size(), columns[c].size());
                               for (size_t i = 0; i < std::min(want.size(), columns[c].size()); ++i) {
                                 EXPECT_EQ(want.times[i], columns[c].times[i]);
                                 EXPECT_EQ(want.ints[i], columns[c].ints[i]);
                               }
                             }
                             return {};
                           })
                    .ok());
    EXPECT_EQ(columns_seen, kFields);
  }
}

// As many shapes as rows, and a field of its own in each: what grows with the square of that would not end.
TEST(HeadSet, ManyFieldsCostAsManySteps) {
  auto set = MakeSet();
  constexpr uint32_t kRows = 50'000;
  std::vector<model::ResolvedShape> shapes;
  std::vector<model::ResolvedRow> rows;
  const std::vector<int64_t> values(kRows, 1);
  const std::vector<uint8_t> scales(kRows, 0);
  for (uint32_t row = 0; row < kRows; ++row) {
    shapes.push_back({MeasurementId{7}, {{FieldId{row + 1}, FieldType::kInt}}});
    rows.push_back({SeriesId{5}, row, {row}, row, 0});
  }
  set->Append({model::DatabaseId{1}, shapes, rows, values, scales, {}}, 0);
  size_t columns_seen = 0;
  ASSERT_TRUE(set->Visit({},
                         [&](MeasurementId, SeriesId, std::span<const Column> columns) -> Result<void> {
                           columns_seen += columns.size();
                           return {};
                         })
                  .ok());
  EXPECT_EQ(columns_seen, kRows);
}

TEST(HeadSet, NotesFieldsOncePerShape) {
  size_t noted = 0;
  auto set = HeadSet::Create(1, [&](std::span<const SeriesId> series, std::span<const model::ResolvedField> fields) {
    noted += series.size() * fields.size();
  });
  for (uint64_t ticket = 0; ticket < 3; ++ticket) {
    Rows rows;
    rows.Add(1, static_cast<int64_t>(ticket), 1, 0, 1, "");
    rows.Add(2, static_cast<int64_t>(ticket), 1, 0, 1, "");
    set->Append(rows.View(), ticket);
  }
  EXPECT_EQ(noted, 6U);
  EXPECT_EQ(set->Stats().rows, 6U);
  EXPECT_EQ(set->Stats().points, 18U);
}

TEST(HeadSet, AHighIdCostsNothing) {
  auto set = MakeSet();
  Rows rows;
  rows.Add(3, 0, 1, 0, 1, "");
  rows.Add(400'000'000, 0, 1, 0, 1, "");
  set->Append(rows.View(), 0);
  EXPECT_LT(set->Stats().bytes, 200'000U);
  ColumnBuffer buffer;
  EXPECT_EQ(set->Read({FieldId{1}, SeriesId{400'000'000}}, set->Mark(), {}, &buffer).size(), 1U);
}

// A view finds new series and fields by what is noted: one that sees the batch before would see a part of it.
TEST(HeadSet, ABatchIsSeenOnlyWhenItsFieldsAreNoted) {
  for (const uint32_t shards : {1U, 4U}) {
    HeadSet* noted_in = nullptr;
    std::vector<uint64_t> seen;
    auto set = HeadSet::Create(shards, [&](std::span<const SeriesId>, std::span<const model::ResolvedField>) {
      seen.push_back(noted_in->Mark().tickets);
    });
    noted_in = set.get();
    for (uint64_t ticket = 0; ticket < 3; ++ticket) {
      Rows rows;
      rows.Add(static_cast<uint32_t>(ticket + 1), 1, 1, 0, 1, "");
      set->Append(rows.View(), ticket);
      EXPECT_EQ(set->Mark().tickets, ticket + 1);
    }
    EXPECT_EQ(seen, (std::vector<uint64_t>{0, 1, 2}));
  }
}

}  // namespace
}  // namespace tidemark::head

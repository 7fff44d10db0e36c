#include "storage/partition/series_list.h"

#include <gmock/gmock.h>

#include <map>
#include <random>
#include <set>

namespace tidemark::storage {
namespace {

using model::FieldId;
using model::SeriesId;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

std::vector<partition::SeriesRun> RunsOf(const partition::SeriesList& list, uint32_t field) {
  const auto runs = list.RunsOf(FieldId{field});
  return {runs.begin(), runs.end()};
}

TEST(SeriesListTest, IdsInARowAreOneRun) {
  partition::SeriesListBuilder builder;
  for (const uint32_t id : {3U, 4U, 5U, 9U, 9U, 10U}) builder.Add(FieldId{7}, SeriesId{id}, 0);
  const partition::SeriesList list = builder.Finish();
  EXPECT_THAT(RunsOf(list, 7), ElementsAre(partition::SeriesRun{3, 5}, partition::SeriesRun{9, 10}));
  EXPECT_THAT(RunsOf(list, 6), IsEmpty());
  EXPECT_TRUE(list.Contains({FieldId{7}, SeriesId{5}}));
  EXPECT_FALSE(list.Contains({FieldId{7}, SeriesId{6}}));
  EXPECT_FALSE(list.Contains({FieldId{8}, SeriesId{5}}));
}

TEST(SeriesListTest, FieldsWithTheSameSeriesShareThem) {
  partition::SeriesListBuilder builder;
  for (uint32_t id = 1; id <= 2000; id += 2) {
    for (uint32_t field = 1; field <= 100; ++field) builder.Add(FieldId{field}, SeriesId{id}, field - 1);
  }
  partition::SeriesListBuilder one;
  for (uint32_t id = 1; id <= 2000; id += 2) one.Add(FieldId{1}, SeriesId{id}, 0);
  const size_t alone = one.Finish().Encode().size();
  EXPECT_LT(builder.Finish().Encode().size(), alone + 100 * 2 + 10);
}

TEST(SeriesListTest, TheEndsOfTheIds) {
  partition::SeriesListBuilder builder;
  builder.Add(FieldId{UINT32_MAX}, SeriesId{0}, 0);
  builder.Add(FieldId{UINT32_MAX}, SeriesId{UINT32_MAX - 1}, 0);
  builder.Add(FieldId{UINT32_MAX}, SeriesId{UINT32_MAX}, 0);
  const auto list = partition::SeriesList::Decode(builder.Finish().Encode());
  ASSERT_TRUE(list.ok()) << list.error().message;
  EXPECT_THAT(RunsOf(*list, UINT32_MAX),
              ElementsAre(partition::SeriesRun{0, 0}, partition::SeriesRun{UINT32_MAX - 1, UINT32_MAX}));
  EXPECT_TRUE(partition::SeriesList::Decode(partition::SeriesList().Encode())->empty());
}

TEST(SeriesListTest, WhatFormatMdShows) {
  partition::SeriesListBuilder builder;
  for (const uint32_t id : {1U, 2U, 3U, 8U}) {
    builder.Add(FieldId{5}, SeriesId{id}, 0);
    builder.Add(FieldId{6}, SeriesId{id}, 1);
  }
  const std::string bytes = builder.Finish().Encode();
  EXPECT_EQ(bytes.substr(0, bytes.size() - 8), std::string("\x01\x01\x02\x01\x02\x04\x00\x02\x05\x00\x01\x00", 12));
}

// Any fields in any order within a series; what comes out is what went in, also through bytes and without some.
TEST(SeriesListTest, RandomListsComeBack) {
  for (uint32_t seed = 1; seed <= 50; ++seed) {
    SCOPED_TRACE(seed);
    std::mt19937 random(seed);
    const auto below = [&random](uint32_t end) { return static_cast<uint32_t>(random() % end); };
    std::map<uint32_t, std::set<uint32_t>> wanted;
    partition::SeriesListBuilder builder;
    uint32_t field_base = 1;
    for (uint32_t measurement = 0; measurement < 4; ++measurement) {
      const uint32_t fields = 1 + below(20);
      uint32_t id = below(100);
      for (uint32_t i = 0; i < 100; ++i, id += 1 + (below(4) == 0 ? below(1000) : 0)) {
        size_t place = 0;
        for (uint32_t field = 0; field < fields; ++field) {
          if (below(3) == 0) continue;
          builder.Add(FieldId{field_base + field}, SeriesId{id}, place++);
          wanted[field_base + field].insert(id);
        }
      }
      builder.FinishMeasurement();
      field_base += fields;
    }
    const partition::SeriesList list = builder.Finish();
    const auto decoded = partition::SeriesList::Decode(list.Encode());
    ASSERT_TRUE(decoded.ok()) << decoded.error().message;
    const partition::SeriesList odd =
        decoded->Without([](model::SeriesRef ref) { return model::Number(ref.series) % 2 == 0; });
    for (uint32_t field = 0; field <= field_base; ++field) {
      EXPECT_EQ(RunsOf(*decoded, field), RunsOf(list, field));
      std::set<uint32_t> found;
      for (const partition::SeriesRun& run : list.RunsOf(FieldId{field})) {
        for (uint32_t id = run.first; id <= run.last; ++id) found.insert(id);
      }
      EXPECT_EQ(found, wanted[field]);
      for (const uint32_t id : found) EXPECT_EQ(odd.Contains({FieldId{field}, SeriesId{id}}), id % 2 == 1);
    }
  }
}

TEST(SeriesListTest, DamageIsFound) {
  partition::SeriesListBuilder builder;
  for (uint32_t id = 1; id < 100; id += 3) builder.Add(FieldId{1}, SeriesId{id}, 0);
  const std::string bytes = builder.Finish().Encode();
  for (size_t at = 0; at < bytes.size(); ++at) {
    std::string damaged = bytes;
    damaged[at] = static_cast<char>(damaged[at] ^ 0x10);
    EXPECT_FALSE(partition::SeriesList::Decode(damaged).ok()) << at;
    EXPECT_FALSE(partition::SeriesList::Decode(bytes.substr(0, at)).ok()) << at;
  }
}

}  // namespace
}  // namespace tidemark::storage

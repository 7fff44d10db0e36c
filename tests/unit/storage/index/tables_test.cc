// The hash tables and what lies under them, up to sizes at which their memory is mapped.
#include <gtest/gtest.h>

#include <map>
#include <random>
#include <string>
#include <vector>

#include "storage/index/dictionary.h"
#include "storage/index/id_table.h"
#include "storage/index/raw_key_table.h"
#include "storage/index/series_table.h"

namespace tidemark::index {
namespace {

TEST(RawKeyTableTest, FindsEveryKeyAtEverySize) {
  RawKeyTable table;
  std::mt19937_64 random(1);
  std::vector<Hash128> keys;
  EXPECT_EQ(table.Find({1, 2}), model::SeriesId{});
  // Past 2 MiB for each of the 16 segments.
  for (uint32_t id = 1; id <= 1'200'000; ++id) {
    keys.push_back({random(), random()});
    table.Insert(keys.back(), model::SeriesId{id});
    if ((id & (id - 1)) != 0) continue;
    for (uint32_t known = 1; known <= id; ++known) ASSERT_EQ(table.Find(keys[known - 1]), model::SeriesId{known});
    ASSERT_EQ(table.Find({random(), random()}), model::SeriesId{});
  }
  EXPECT_EQ(table.size(), keys.size());
  for (uint32_t id = 1; id <= keys.size(); ++id) ASSERT_EQ(table.Find(keys[id - 1]), model::SeriesId{id});
  EXPECT_LT(table.memory_bytes(), keys.size() * 41);
}

TEST(RawKeyTableTest, AKnownKeyKeepsItsId) {
  RawKeyTable table;
  table.Insert({5, 6}, model::SeriesId{1});
  table.Insert({5, 6}, model::SeriesId{2});
  EXPECT_EQ(table.Find({5, 6}), model::SeriesId{1});
  EXPECT_EQ(table.size(), 1U);
}

TEST(RawKeyTableTest, KeysThatBeginAtTheSameSlotAreAllFound) {
  RawKeyTable table;
  // The same low half and the same segment; among them the last slot, so that probing wraps around.
  for (const uint64_t low : {uint64_t{0}, UINT64_MAX}) {
    for (uint64_t i = 1; i <= 200; ++i) table.Insert({low, i * 16}, model::SeriesId{static_cast<uint32_t>(i)});
  }
  EXPECT_EQ(table.size(), 400U);
  for (const uint64_t low : {uint64_t{0}, UINT64_MAX}) {
    for (uint64_t i = 1; i <= 200; ++i) ASSERT_EQ(table.Find({low, i * 16}), model::SeriesId{static_cast<uint32_t>(i)});
    EXPECT_EQ(table.Find({low, 16 * 201}), model::SeriesId{});
  }
}

TEST(IdTableTest, FindsByHashAndKey) {
  IdTable table;
  EXPECT_EQ(table.Find(7, [](uint32_t) { return true; }), 0U);
  table.Reserve(10);
  // Four ids share each hash.
  constexpr uint32_t kIds = 400'000;
  const auto hash = [](uint32_t id) { return (id / 4) * 2'654'435'761U; };
  for (uint32_t id = 1; id <= kIds; ++id) table.Insert(hash(id), id);
  EXPECT_EQ(table.size(), kIds);
  for (uint32_t id = 1; id <= kIds; ++id) {
    ASSERT_EQ(table.Find(hash(id), [&](uint32_t found) { return found == id; }), id);
  }
  EXPECT_EQ(table.Find(hash(9), [](uint32_t) { return false; }), 0U);
}

TEST(DictionaryTest, TextsAreUniqueWithinTheirScope) {
  Dictionary dictionary(3);
  EXPECT_EQ(dictionary.Find(1, "a"), 0U);
  EXPECT_EQ(dictionary.Intern(1, "a"), std::pair(1U, true));
  EXPECT_EQ(dictionary.Intern(2, "a"), std::pair(2U, true));
  EXPECT_EQ(dictionary.Intern(1, ""), std::pair(3U, true));
  EXPECT_EQ(dictionary.Intern(1, "a"), std::pair(1U, false));
  EXPECT_EQ(dictionary.Find(2, "a"), 2U);
  EXPECT_EQ(dictionary.Scope(2), 2U);
  EXPECT_EQ(dictionary.Text(3), "");
}

TEST(DictionaryTest, ViewsStayWhereTheyAre) {
  Dictionary dictionary(3);
  std::vector<std::string> texts;
  std::vector<std::string_view> views;
  for (uint32_t i = 0; i < 20'000; ++i) {
    // Some longer than a block of texts.
    texts.push_back(std::to_string(i) + std::string(i % 5'000 == 0 ? 100'000 : i % 50, 'x'));
    views.push_back(dictionary.Text(dictionary.Intern(0, texts.back()).first));
  }
  for (uint32_t i = 0; i < texts.size(); ++i) {
    ASSERT_EQ(views[i], texts[i]);
    ASSERT_EQ(dictionary.Text(i + 1).data(), views[i].data());
  }
}

TEST(SeriesTableTest, SeriesOfEverySize) {
  SeriesTable table(5);
  std::vector<std::vector<uint32_t>> series;
  // Long ones make blocks end early.
  for (const size_t tags : {0UL, 1UL, 10UL, SeriesTable::kMaxTags, 3UL, SeriesTable::kMaxTags, 2UL}) {
    std::vector<uint32_t> pairs;
    for (uint32_t i = 0; i < tags; ++i) pairs.push_back(static_cast<uint32_t>(series.size()) * 100'000 + i);
    EXPECT_EQ(table.Find(7, pairs), 0U);
    series.push_back(pairs);
    EXPECT_EQ(table.Add(7, pairs), series.size());
  }
  for (uint32_t id = 1; id <= series.size(); ++id) {
    EXPECT_EQ(table.Find(7, series[id - 1]), id);
    EXPECT_EQ(table.Find(8, series[id - 1]), 0U);
    EXPECT_EQ(table.measurement(id), 7U);
    const std::span<const uint32_t> pairs = table.pairs(id);
    EXPECT_EQ(std::vector<uint32_t>(pairs.begin(), pairs.end()), series[id - 1]);
  }
}

}  // namespace
}  // namespace tidemark::index

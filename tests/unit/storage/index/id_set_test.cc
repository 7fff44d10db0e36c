#include "storage/index/id_set.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <set>

namespace tidemark::index {
namespace {

std::vector<uint32_t> All(const IdSet& set) {
  std::vector<uint32_t> out;
  set.AppendTo(&out);
  return out;
}

// Every size around the changes of representation, ids in any order, with duplicates.
TEST(IdSetTest, IsASetInEveryRepresentation) {
  std::mt19937_64 random(1);
  for (const uint32_t size : {0U, 1U, 3U, 4U, 5U, 8U, 9U, 63U, 64U, 65U, 66U, 1'000U, 10'000U}) {
    IdSet set;
    std::set<uint32_t> expected;
    while (expected.size() < size) {
      const uint32_t id = 1 + static_cast<uint32_t>(random() % 200'000);
      EXPECT_EQ(set.Add(id), expected.insert(id).second);
      EXPECT_FALSE(set.Add(id));
    }
    EXPECT_EQ(set.size(), size);
    EXPECT_EQ(set.bitmap() != nullptr, size > 64);
    EXPECT_EQ(All(set), std::vector<uint32_t>(expected.begin(), expected.end()));
    for (int i = 0; i < 1'000; ++i) {
      const auto id = static_cast<uint32_t>(random() % 200'000);
      ASSERT_EQ(set.Contains(id), expected.contains(id));
    }
    std::vector<uint32_t> range;
    set.AppendRange(65'536, 131'072, &range);
    EXPECT_EQ(range, std::vector<uint32_t>(expected.lower_bound(65'536), expected.lower_bound(131'072)));
    const Bitmap bitmap = EmptyBitmap();
    set.OrInto(bitmap.get());
    EXPECT_EQ(roaring_bitmap_get_cardinality(bitmap.get()), size);

    IdSet moved = std::move(set);
    EXPECT_EQ(moved.size(), size);
    EXPECT_EQ(set.size(), 0U);  // NOLINT(bugprone-use-after-move): that is what is tested
    set.Add(9);
    set = std::move(moved);
    EXPECT_EQ(set.size(), size);
  }
}

TEST(IdSetTest, AddMany) {
  std::mt19937_64 random(2);
  IdSet set;
  std::set<uint32_t> expected;
  for (int round = 0; round < 50; ++round) {
    std::vector<uint32_t> ids;
    for (uint64_t n = random() % 40; n > 0; --n) ids.push_back(static_cast<uint32_t>(random() % 5'000));
    set.AddMany(ids);
    expected.insert(ids.begin(), ids.end());
    ASSERT_EQ(All(set), std::vector<uint32_t>(expected.begin(), expected.end()));
    ASSERT_EQ(set.size(), expected.size());
  }
}

}  // namespace
}  // namespace tidemark::index

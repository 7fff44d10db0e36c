#include "query/frame/key_numbers.h"

#include <gtest/gtest.h>

#include <map>
#include <random>
#include <string>
#include <vector>

#include "query/frame/frame_order.h"
#include "query/run/query_state.h"

namespace tidemark::query::frame {
namespace {

using run::QueryContext;
using run::QueryState;

TEST(KeyNumbersTest, NumbersKeysInTheOrderInWhichTheyCome) {
  for (uint32_t seed = 1; seed <= 20; ++seed) {
    SCOPED_TRACE(seed);
    std::mt19937 random(seed);
    // Hashes that collide, in whole and in their low bits, and tables that grow.
    const uint64_t hashes = 1 + random() % 50;
    KeyNumbers numbers(random() % 10);
    std::map<std::string, uint32_t> wanted;
    std::vector<std::string> keys;
    for (int i = 0; i < 2000; ++i) {
      const std::string key = std::to_string(random() % 700);
      const auto [at, is_new] = wanted.emplace(key, static_cast<uint32_t>(wanted.size()));
      const auto [number, added] =
          numbers.NumberOf(std::stoull(key) % hashes << 40U, [&](uint32_t other) { return keys[other] == key; });
      EXPECT_EQ(number, at->second);
      EXPECT_EQ(added, is_new);
      if (added) keys.push_back(key);
    }
    EXPECT_EQ(numbers.size(), wanted.size());
  }
}

TEST(StableSortTest, IsThatOfTheLibrary) {
  std::mt19937 random(3);
  for (const size_t size : {size_t{0}, size_t{1}, size_t{4096}, size_t{4097}, size_t{8193}, size_t{50'000}}) {
    std::vector<uint64_t> values(size);
    for (uint64_t& value : values) value = random() % 1000;
    std::vector<uint32_t> order(size);
    for (uint32_t i = 0; i < size; ++i) order[i] = i;
    std::vector<uint32_t> wanted = order;
    const auto less = [&](uint32_t a, uint32_t b) { return values[a] < values[b]; };
    std::stable_sort(wanted.begin(), wanted.end(), less);
    ASSERT_TRUE(StableSort(&order, less, nullptr).ok());
    EXPECT_EQ(order, wanted) << size;
  }
}

// Asked to stop in the middle, loops over many rows end soon after.
TEST(StableSortTest, EndsWhenTheQueryIsCancelled) {
  std::stop_source stop;
  QueryContext context;
  context.stop = stop.get_token();
  const QueryState state(context);
  std::vector<uint32_t> order(200'000);
  for (uint32_t i = 0; i < order.size(); ++i) order[i] = i;
  size_t compared = 0;
  const auto less = [&](uint32_t a, uint32_t b) {
    if (++compared == 1'000'000) stop.request_stop();
    return a > b;
  };
  const Status sorted = StableSort(&order, less, &state);
  ASSERT_FALSE(sorted.ok());
  EXPECT_EQ(sorted.error().code, ErrorCode::kCancelled);
  EXPECT_LT(compared, 1'100'000U);
}

TEST(MergeEqualLabelsTest, EndsWhenTheQueryIsCancelled) {
  std::stop_source stop;
  QueryContext context;
  context.stop = stop.get_token();
  const QueryState state(context);
  Frame frame(1);
  frame.Resize(5000);
  frame.present.assign(5000, 0);
  stop.request_stop();
  const Status merged = MergeEqualLabels(&frame, &state);
  ASSERT_FALSE(merged.ok());
  EXPECT_EQ(merged.error().code, ErrorCode::kCancelled);
}

}  // namespace
}  // namespace tidemark::query::frame

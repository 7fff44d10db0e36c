#include "storage/head/block_pool.h"

#include <gtest/gtest.h>

#include <vector>

namespace tidemark::head {
namespace {

std::vector<Bytes> TakeBlocks(BlockPool* pool, size_t count) {
  std::vector<Bytes> blocks;
  for (size_t i = 0; i < count; ++i) blocks.push_back(pool->Take());
  return blocks;
}

void GiveBlocks(BlockPool* pool, std::vector<Bytes> blocks) {
  for (Bytes& block : blocks) pool->Give(std::move(block));
}

TEST(BlockPoolTest, ReleasesWhatNobodyNeededSinceTheLastCall) {
  BlockPool pool(8 * kBlockBytes);
  GiveBlocks(&pool, TakeBlocks(&pool, 4));
  EXPECT_EQ(pool.ReleaseUnused(), 0) << "all four were in use since the start";
  GiveBlocks(&pool, TakeBlocks(&pool, 3));
  EXPECT_EQ(pool.ReleaseUnused(), kBlockBytes) << "three of four are taken again and again";
  GiveBlocks(&pool, TakeBlocks(&pool, 3));
  EXPECT_EQ(pool.ReleaseUnused(), 0);
  EXPECT_EQ(pool.ReleaseUnused(), 3 * kBlockBytes) << "idle";
  EXPECT_EQ(pool.ReleaseUnused(), 0);
  GiveBlocks(&pool, TakeBlocks(&pool, 1));
}

TEST(BlockPoolTest, KeepsNoMoreThanItsLimit) {
  BlockPool pool(2 * kBlockBytes);
  GiveBlocks(&pool, TakeBlocks(&pool, 5));
  EXPECT_EQ(pool.ReleaseUnused(), 0);
  EXPECT_EQ(pool.ReleaseUnused(), 2 * kBlockBytes);
}

}  // namespace
}  // namespace tidemark::head

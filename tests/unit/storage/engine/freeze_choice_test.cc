#include "storage/engine/freeze_choice.h"

#include <gmock/gmock.h>

#include <cstdint>
#include <vector>

namespace tidemark::storage {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

std::vector<size_t> Choose(const std::vector<uint64_t>& bytes) { return ChooseToFreeze(bytes, 80); }

TEST(FreezeChoiceTest, AnEighthOfTheBudgetIsWorthASlab) { EXPECT_THAT(Choose({10, 9, 12}), ElementsAre(2, 0)); }

TEST(FreezeChoiceTest, OfManySmallOnesTheLargestGoUntilHalfIsLeft) {
  EXPECT_THAT(Choose({9, 8, 9, 8, 9, 8, 9, 8, 9, 8}), ElementsAre(0, 2, 4, 6, 8));
  EXPECT_EQ(Choose(std::vector<uint64_t>(1'000, 1)).size(), 960U);
}

TEST(FreezeChoiceTest, SmallOnesStayWhereThereIsRoom) {
  EXPECT_THAT(Choose({9, 9, 9, 9}), IsEmpty());
  EXPECT_THAT(Choose({}), IsEmpty());
}

TEST(FreezeChoiceTest, EmptyOnesStayEvenWithoutABudget) {
  EXPECT_THAT(ChooseToFreeze(std::vector<uint64_t>{0, 3, 0}, 1), ElementsAre(1));
}

}  // namespace
}  // namespace tidemark::storage

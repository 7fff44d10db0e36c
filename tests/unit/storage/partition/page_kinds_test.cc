#include "storage/partition/page_kinds.h"

#include <gtest/gtest.h>

#include "storage/rocks/keys.h"

namespace tidemark::storage::partition {
namespace {

TEST(PageKindsTest, EveryTierByteHasTheRowThatItLiesIn) {
  for (unsigned tier = 0; tier < rocks::kDirectoryTier; ++tier) {
    PageInfo page;
    page.tier = static_cast<uint8_t>(tier);
    const PageKindRow& row = KindOf(page);
    EXPECT_LE(row.first_tier, tier);
    EXPECT_GE(row.last_tier, tier);
    EXPECT_EQ(row.of_tier, tier != rocks::kRawTier);
  }
}

TEST(PageKindsTest, AKindOfTiersCanBeCutAndEveryKindChecked) {
  for (const PageKindRow& row : PageKinds()) {
    EXPECT_EQ(row.of_tier, row.cut != nullptr) << row.name;
    const auto checked = row.check("no page", model::FieldId{1});
    ASSERT_FALSE(checked.ok()) << row.name;
    EXPECT_EQ(checked.error().code, ErrorCode::kCorruption) << checked.error().message;
  }
}

}  // namespace
}  // namespace tidemark::storage::partition

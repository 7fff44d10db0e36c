#include "storage/base/usable_cpus.h"

#include <gtest/gtest.h>
#include <sched.h>

namespace tidemark {
namespace {

TEST(UsableCpusTest, QuotasOfControlGroups) {
  EXPECT_EQ(CpusOfQuota("200000 100000\n"), 2U);
  EXPECT_EQ(CpusOfQuota("150000 100000\n"), 2U);
  EXPECT_EQ(CpusOfQuota("10000 100000\n"), 1U);
  EXPECT_EQ(CpusOfQuota("max 100000\n"), std::nullopt);
  for (const char* const text : {"", "0 100000", "100000", "100000 ", "100000 0", "x 1", "99999999999999999999 1"}) {
    EXPECT_EQ(CpusOfQuota(text), std::nullopt) << text;
  }
}

TEST(UsableCpusTest, AtMostThoseOfTheAffinityMask) {
  cpu_set_t all;
  CPU_ZERO(&all);
  ASSERT_EQ(sched_getaffinity(0, sizeof(all), &all), 0);
  EXPECT_GE(UsableCpus(), 1U);
  EXPECT_LE(UsableCpus(), static_cast<size_t>(CPU_COUNT(&all)));
}

}  // namespace
}  // namespace tidemark

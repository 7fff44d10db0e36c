#include "storage/disk/reserve.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <string>

#include "tests/temp_directory.h"

namespace tidemark::storage::disk {
namespace {

namespace fs = std::filesystem;
constexpr uint64_t kMiB = uint64_t{1} << 20;

TEST(ReserveTest, ItsSizeFollowsTheChangesAndTheDisk) {
  const DiskRoom large{.known = true, .bytes = 0, .capacity = 100'000 * kMiB, .names = 0};
  EXPECT_EQ(ReserveBytes(32 * kMiB, 0, large), 32 * kMiB);
  EXPECT_EQ(ReserveBytes(32 * kMiB, 16 * kMiB, large), 32 * kMiB);
  EXPECT_EQ(ReserveBytes(32 * kMiB, 40 * kMiB, large), 80 * kMiB);
  const DiskRoom tiny{.known = true, .bytes = 0, .capacity = 64 * kMiB, .names = 0};
  EXPECT_EQ(ReserveBytes(32 * kMiB, 40 * kMiB, tiny), 4 * kMiB);
  EXPECT_EQ(ReserveBytes(0, 40 * kMiB, large), 0U);
  EXPECT_EQ(ReserveBytes(32 * kMiB, 40 * kMiB, {}), 80 * kMiB) << "nothing is known of the disk";
}

TEST(ReserveTest, ItIsThereUntilItIsLetGo) {
  const TempDirectory directory;
  Reserve reserve(directory.path(), kMiB);
  EXPECT_EQ(reserve.bytes(), 0U);
  EXPECT_EQ(reserve.wanted_bytes(), kMiB);
  ASSERT_TRUE(reserve.Keep(0).ok());
  const std::string space = directory.path() + "/reserve/space";
  struct stat file{};
  ASSERT_EQ(::stat(space.c_str(), &file), 0);
  EXPECT_GE(static_cast<uint64_t>(file.st_blocks) * 512, kMiB) << "allocated, not only as long";
  EXPECT_EQ(file.st_mode & 0777, 0600U);
  EXPECT_EQ(std::distance(fs::directory_iterator(directory.path() + "/reserve"), fs::directory_iterator()),
            static_cast<std::ptrdiff_t>(Reserve::kNames) + 1);
  {
    // As the next start finds it; it grows with what has to be written.
    Reserve again(directory.path(), kMiB);
    EXPECT_EQ(again.bytes(), kMiB);
    ASSERT_TRUE(again.Keep(3 * kMiB).ok());
    EXPECT_EQ(again.bytes(), 6 * kMiB);
    again.Release();
    EXPECT_TRUE(again.in_use());
    EXPECT_EQ(again.bytes(), 0U);
    EXPECT_FALSE(fs::exists(directory.path() + "/reserve"));
    ASSERT_TRUE(again.Keep(0).ok());
    EXPECT_FALSE(again.in_use());
    EXPECT_EQ(again.bytes(), 6 * kMiB) << "what was needed once may be needed again";
  }
  fs::remove_all(directory.path() + "/reserve");
  ASSERT_TRUE(reserve.Keep(0).ok());
  EXPECT_EQ(Reserve(directory.path(), kMiB).bytes(), kMiB) << "whoever deletes it does not take it away for good";
  Reserve none(directory.path(), 0);
  ASSERT_TRUE(none.Keep(0).ok());
  EXPECT_FALSE(fs::exists(directory.path() + "/reserve")) << "nobody wants one any more";
}

TEST(ReserveTest, ACopyWithHolesIsNoReserve) {
  const TempDirectory directory;
  fs::create_directory(directory.path() + "/reserve");
  {
    std::ofstream(directory.path() + "/reserve/space");
  }
  fs::resize_file(directory.path() + "/reserve/space", kMiB);
  Reserve reserve(directory.path(), kMiB);
  EXPECT_EQ(reserve.bytes(), 0U);
  ASSERT_TRUE(reserve.Keep(0).ok());
  EXPECT_EQ(Reserve(directory.path(), kMiB).bytes(), kMiB);
}

}  // namespace
}  // namespace tidemark::storage::disk

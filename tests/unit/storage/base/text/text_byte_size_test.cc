#include <gtest/gtest.h>

#include <utility>

#include <limits>

#include "storage/base/text/byte_size.h"

namespace tidemark::text {
namespace {

TEST(TextByteSize, Read) {
  EXPECT_EQ(ParseByteSize("0"), 0U);
  EXPECT_EQ(ParseByteSize("4096"), 4096U);
  EXPECT_EQ(ParseByteSize("7B"), 7U);
  EXPECT_EQ(ParseByteSize("3KiB"), 3072U);
  EXPECT_EQ(ParseByteSize("3KB"), 3000U);
  EXPECT_EQ(ParseByteSize("64MiB"), uint64_t{64} << 20);
  EXPECT_EQ(ParseByteSize("25MB"), 25'000'000U);
  EXPECT_EQ(ParseByteSize("2GiB"), uint64_t{2} << 30);
  EXPECT_EQ(ParseByteSize("2GB"), 2'000'000'000U);
  for (const char* const bad : {"", "B", "MiB", "-1", "+1", "1.5MB", "1 MB", " 1", "1TB", "1mb", "1K", "1BB", "0x10"}) {
    EXPECT_FALSE(ParseByteSize(bad)) << bad;
  }
}

TEST(TextByteSize, TheLastThatFitsAndTheFirstThatDoesNot) {
  EXPECT_EQ(ParseByteSize("18446744073709551615"), std::numeric_limits<uint64_t>::max());
  EXPECT_FALSE(ParseByteSize("18446744073709551616"));
  EXPECT_EQ(ParseByteSize("17179869183GiB"), uint64_t{17'179'869'183} << 30);
  EXPECT_FALSE(ParseByteSize("17179869184GiB"));
  EXPECT_FALSE(ParseByteSize("18446744074GB"));
}

TEST(TextByteSize, Printed) {
  EXPECT_EQ(PrintByteSize(0), "0");
  EXPECT_EQ(PrintByteSize(4095), "4095");
  EXPECT_EQ(PrintByteSize(1000), "1000");
  EXPECT_EQ(PrintByteSize(4096), "4KiB");
  EXPECT_EQ(PrintByteSize(uint64_t{64} << 20), "64MiB");
  EXPECT_EQ(PrintByteSize(25'000'000), "25MB");
  EXPECT_EQ(PrintByteSize(uint64_t{5} << 30), "5GiB");
  EXPECT_EQ(PrintByteSize(3'000'000'000), "3GB");
  EXPECT_EQ(PrintMebibytes((uint64_t{64} << 20) + 1), "64 MiB");
  EXPECT_EQ(PrintMebibytes(1), "0 MiB");
}

TEST(ByteSize, RoughOnesHaveThreeDigits) {
  for (const auto& [bytes, text] : {std::pair<double, const char*>{0, "0 B"},
                                    {999, "999 B"},
                                    {999.6, "1.00 kB"},
                                    {1'000, "1.00 kB"},
                                    {12'345'678, "12.3 MB"},
                                    {9'996'000, "10.0 MB"},
                                    {5.5e9, "5.50 GB"},
                                    {999.4e9, "999 GB"},
                                    {1e21, "1000 EB"},
                                    {-5, "0 B"}}) {
    EXPECT_EQ(PrintRoughBytes(bytes), text) << bytes;
  }
}

TEST(TextByteSize, WhatIsPrintedIsRead) {
  for (uint64_t bytes = 1; bytes < uint64_t{1} << 62; bytes = bytes * 3 + 1) {
    for (const uint64_t unit : {uint64_t{1}, uint64_t{1000}, uint64_t{1} << 20, uint64_t{1'000'000'000}}) {
      const uint64_t whole = bytes / unit * unit;
      EXPECT_EQ(ParseByteSize(PrintByteSize(whole)), whole);
    }
  }
  EXPECT_EQ(ParseByteSize(PrintByteSize(std::numeric_limits<uint64_t>::max())), std::numeric_limits<uint64_t>::max());
}

}  // namespace
}  // namespace tidemark::text

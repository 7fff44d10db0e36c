#include "storage/base/bytes.h"

#include <gtest/gtest.h>

#include <limits>

namespace tidemark {
namespace {

TEST(Bytes, BothOrders) {
  std::string out;
  PutLittle<uint32_t>(&out, 0x01020304);
  PutBig<uint32_t>(&out, 0x01020304);
  EXPECT_EQ(out, std::string("\x04\x03\x02\x01\x01\x02\x03\x04"));
  ByteReader reader(out);
  EXPECT_EQ(reader.Little<uint32_t>(), 0x01020304U);
  EXPECT_EQ(reader.Big<uint32_t>(), 0x01020304U);
  EXPECT_TRUE(reader.ok() && reader.empty());
}

TEST(Bytes, VarintsAtTheirLimits) {
  for (const uint64_t value :
       {uint64_t{0}, uint64_t{127}, uint64_t{128}, uint64_t{1} << 35, std::numeric_limits<uint64_t>::max()}) {
    std::string out;
    PutVarint(&out, value);
    ByteReader reader(out);
    EXPECT_EQ(reader.Varint(), value);
    EXPECT_TRUE(reader.ok() && reader.empty());
  }
  for (const int64_t value :
       {int64_t{0}, int64_t{-1}, std::numeric_limits<int64_t>::min(), std::numeric_limits<int64_t>::max()}) {
    std::string out;
    PutSignedVarint(&out, value);
    ByteReader reader(out);
    EXPECT_EQ(reader.SignedVarint(), value);
  }
}

TEST(Bytes, ReadsPastTheEndFailForGood) {
  ByteReader reader(
      "\x05"
      "ab");
  EXPECT_EQ(reader.String(), "");
  EXPECT_FALSE(reader.ok());
  EXPECT_EQ(reader.Little<uint64_t>(), 0U);
  EXPECT_FALSE(reader.ok());
}

TEST(Bytes, OverlongVarintIsRefused) {
  ByteReader eleven("\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01");
  (void)eleven.Varint();
  EXPECT_FALSE(eleven.ok());
  ByteReader sixty_five_bits("\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02");
  (void)sixty_five_bits.Varint();
  EXPECT_FALSE(sixty_five_bits.ok());
}

}  // namespace
}  // namespace tidemark

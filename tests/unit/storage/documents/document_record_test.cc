// Records of documents: what they say comes back, the example of FORMAT.md holds, and damage is found.
#include "storage/documents/document_record.h"

#include <fmt/core.h>
#include <gtest/gtest.h>

#include <string>

#include "storage/base/hash.h"
#include "storage/documents/document_check.h"
#include "storage/meta/meta_records.h"

namespace tidemark::storage::documents {
namespace {

std::string Hex(std::string_view bytes) {
  std::string out;
  for (const char c : bytes) out += fmt::format("{:02x}", static_cast<unsigned char>(c));
  return out;
}

DocumentRecord Example() {
  return {.kind = "rule",
          .name = "up",
          .version = 2,
          .change = 5,
          .time_ns = 1'700'000'000'000'000'000,
          .author = "ada",
          .bytes = 3,
          .hash = Hash64("a>1", 0)};
}

TEST(DocumentRecordTest, TheExampleOfTheFormatHolds) {
  const DocumentRecord record = Example();
  EXPECT_EQ(Hex(DocumentKey("rule", "up", 2)), Hex("document/rule/up") + "0000000000000002");
  EXPECT_EQ(Hex(Encode(record)),
            "01"
            "0472756c65"
            "027570"
            "02"
            "05"
            "8080d0e2c6bfce972f"
            "03616461"
            "00"
            "03"
            "bbf8eed54a00d299"
            "d745f5739c256bea");
  EXPECT_EQ(Hex(EncodeDocumentBytes("a>1")),
            "01"
            "613e31"
            "107dc9265e6e9d33");
  EXPECT_EQ(Hex(Encode(KindRecord{"rule", 7})),
            "01"
            "0472756c65"
            "07"
            "6422c0259a63cd15");
}

TEST(DocumentRecordTest, WhatIsWrittenIsRead) {
  DocumentRecord record = Example();
  record.deleted = true;
  record.time_ns = -1;
  auto decoded = DecodeDocumentRecord(DocumentKey("rule", "up", 2), Encode(record));
  ASSERT_TRUE(decoded.ok()) << decoded.error().message;
  EXPECT_EQ(*decoded, record);
  const KindRecord kind{"rule", 1ULL << 40};
  EXPECT_EQ(*DecodeKindRecord(DocumentKindKey("rule"), Encode(kind)), kind);
  EXPECT_EQ(*DecodeDocumentBytes(Example(), EncodeDocumentBytes("a>1")), "a>1");
}

TEST(DocumentRecordTest, EveryFlippedBitIsFound) {
  const std::string header = Encode(Example());
  for (size_t bit = 0; bit < header.size() * 8; ++bit) {
    std::string damaged = header;
    damaged[bit / 8] = static_cast<char>(damaged[bit / 8] ^ (1 << (bit % 8)));
    const auto decoded = DecodeDocumentRecord(DocumentKey("rule", "up", 2), damaged);
    ASSERT_FALSE(decoded.ok());
    EXPECT_EQ(decoded.error().code, ErrorCode::kCorruption);
  }
  const std::string bytes = EncodeDocumentBytes("a>1");
  for (size_t bit = 0; bit < bytes.size() * 8; ++bit) {
    std::string damaged = bytes;
    damaged[bit / 8] = static_cast<char>(damaged[bit / 8] ^ (1 << (bit % 8)));
    EXPECT_EQ(DecodeDocumentBytes(Example(), damaged).error().code, ErrorCode::kCorruption);
  }
}

TEST(DocumentRecordTest, ARecordInThePlaceOfAnotherIsDamage) {
  const auto header = DecodeDocumentRecord(DocumentKey("rule", "up", 3), Encode(Example()));
  ASSERT_FALSE(header.ok());
  EXPECT_EQ(header.error().code, ErrorCode::kCorruption);
  const auto bytes = DecodeDocumentBytes(Example(), EncodeDocumentBytes("a>2"));
  ASSERT_FALSE(bytes.ok());
  EXPECT_NE(bytes.error().message.find("rule \"up\", version 2"), std::string::npos) << bytes.error().message;
}

TEST(DocumentRecordTest, ALaterLayoutIsRefused) {
  std::string later = Encode(Example());
  later.resize(later.size() - 8);
  later[0] = 2;
  meta::Seal(&later);
  EXPECT_EQ(DecodeDocumentRecord(DocumentKey("rule", "up", 2), later).error().code, ErrorCode::kUnsupported);
  std::string bytes(
      "\x02"
      "a>1");
  meta::Seal(&bytes);
  EXPECT_EQ(DecodeDocumentBytes(Example(), bytes).error().code, ErrorCode::kUnsupported);
  std::string kind("\x02");
  meta::Seal(&kind);
  EXPECT_EQ(DecodeKindRecord(DocumentKindKey("rule"), kind).error().code, ErrorCode::kUnsupported);
}

TEST(DocumentCheckTest, HeadersAndBytesBelongTogether) {
  DocumentRecord deletion = Example();
  deletion.name = "gone";
  deletion.deleted = true;
  DocumentRecord lonely = Example();
  lonely.name = "zero";
  DocumentCheck check;
  EXPECT_TRUE(check.See("database/x", "not a document").ok());
  EXPECT_TRUE(check.See(DocumentKey("rule", "gone", 2), Encode(deletion)).ok());
  EXPECT_TRUE(check.See(DocumentKey("rule", "up", 2), Encode(Example())).ok());
  EXPECT_TRUE(check.See(DocumentKey("rule", "zero", 2), Encode(lonely)).ok());
  EXPECT_TRUE(check.See(DocumentBytesKey("rule", "up", 2), EncodeDocumentBytes("a>1")).ok());
  EXPECT_EQ(check.See(DocumentBytesKey("rule", "other", 2), EncodeDocumentBytes("a>1")).error().code,
            ErrorCode::kCorruption);
  const std::vector<std::string> missing = check.Missing();
  ASSERT_EQ(missing.size(), 1U);
  EXPECT_EQ(missing[0], "rule \"zero\", version 2: its bytes are gone");
}

}  // namespace
}  // namespace tidemark::storage::documents

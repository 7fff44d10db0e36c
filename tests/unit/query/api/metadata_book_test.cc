#include "query/api/metadata_book.h"

#include <gtest/gtest.h>

#include <string>

namespace tidemark::query::api {
namespace {

TEST(MetadataBookTest, KeepsWithinItsBytes) {
  MetadataBook book;
  const std::string help(1 << 20, 'h');
  for (int i = 0; i < 100; ++i) {
    book.Put("db" + std::to_string(i), "family", {"counter", help, ""});
    EXPECT_LE(book.bytes(), MetadataBook::kMaxBytes);
  }
  EXPECT_EQ(book.Find("db0", "family_total")->metadata.help, help);
  EXPECT_FALSE(book.Find("db99", "family").has_value());
  // A shorter text for one that is known makes room again; a longer one does not fit.
  const size_t before = book.bytes();
  book.Put("db0", "family", {"gauge", "short", ""});
  EXPECT_LT(book.bytes(), before - (1 << 19));
  EXPECT_EQ(book.Find("db0", "family")->metadata.type, "gauge");
  book.Put("db0", "family", {"counter", std::string(MetadataBook::kMaxBytes, 'h'), ""});
  EXPECT_EQ(book.Find("db0", "family")->metadata.type, "gauge");
}

}  // namespace
}  // namespace tidemark::query::api

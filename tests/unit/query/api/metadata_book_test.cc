#include "query/api/metadata_book.h"

#include <gtest/gtest.h>

#include <string>

namespace tidemark::query::api {
namespace {

TEST(MetadataBookTest, KeepsWithinItsBytes) {
  MetadataBook book;
  const std::string help(1 << 20, 'h');
  for (int i = 0; i < 100; ++i) {
    book.Put("db" + std::to_string(i), "", "family", {"counter", help, ""});
    EXPECT_LE(book.bytes(), MetadataBook::kMaxBytes);
  }
  EXPECT_EQ(book.Find("db0", "", "family_total")->metadata.help, help);
  EXPECT_FALSE(book.Find("db99", "", "family").has_value());
  // A shorter text for one that is known makes room again; a longer one does not fit.
  const size_t before = book.bytes();
  book.Put("db0", "", "family", {"gauge", "short", ""});
  EXPECT_LT(book.bytes(), before - (1 << 19));
  EXPECT_EQ(book.Find("db0", "", "family")->metadata.type, "gauge");
  book.Put("db0", "", "family", {"counter", std::string(MetadataBook::kMaxBytes, 'h'), ""});
  EXPECT_EQ(book.Find("db0", "", "family")->metadata.type, "gauge");
}

std::string TypeOf(const MetadataBook& book, std::string_view filter, std::string_view metric) {
  const auto found = book.Find("db", filter, metric);
  return found ? found->metadata.type : "";
}

TEST(MetadataBookTest, WhoSeesAPartChangesNothingForOthers) {
  MetadataBook book;
  book.Put("db", "", "shared", {"counter", "of all", ""});
  book.Put("db", R"({team="a"})", "shared", {"gauge", "of a", ""});
  book.Put("db", R"({team="a"})", "only_a", {"histogram", "of a", ""});
  EXPECT_EQ(TypeOf(book, "", "shared"), "counter");
  EXPECT_EQ(TypeOf(book, R"({team="a"})", "shared"), "gauge");
  EXPECT_EQ(TypeOf(book, R"({team="b"})", "shared"), "counter");
  EXPECT_EQ(TypeOf(book, "", "only_a_bucket"), "histogram");
  EXPECT_EQ(TypeOf(book, R"({team="a"})", "only_a_bucket"), "histogram");
  EXPECT_EQ(TypeOf(book, R"({team="b"})", "only_a_bucket"), "");
  // The other way round: what was said for a part first does not stand in the way of what is said for all.
  book.Put("db", "", "only_a", {"summary", "of all", ""});
  EXPECT_EQ(TypeOf(book, "", "only_a"), "summary");
}

TEST(MetadataBookTest, WhoSeesAPartLeavesRoomForTheOthers) {
  MetadataBook book;
  const std::string help(1 << 20, 'h');
  for (int i = 0; i < 100; ++i) {
    book.Put("db", R"({team="a"})", "family" + std::to_string(i), {"counter", help, ""});
    EXPECT_LE(book.bytes(), MetadataBook::kMaxFilteredBytes);
  }
  book.Put("db", "", "family", {"counter", help, ""});
  EXPECT_TRUE(book.Find("db", "", "family").has_value());
}

}  // namespace
}  // namespace tidemark::query::api

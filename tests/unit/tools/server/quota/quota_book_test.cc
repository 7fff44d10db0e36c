// Quotas of databases, and where their documents fail.
#include "tools/server/quota/quota_book.h"

#include <gtest/gtest.h>

#include "storage/base/clock.h"
#include "tests/unit/tools/server/access/memory_documents.h"

namespace tidemark::server::quota {
namespace {

uint64_t SeriesOf(const QuotaBook& book, std::string_view database) {
  const Account* const account = book.Find(database);
  return account == nullptr ? 0 : account->limits().series;
}

TEST(QuotaBook, TheyGoWithTheirDatabaseToAnotherName) {
  access::MemoryDocuments documents;
  QuotaBook book(&documents, &SystemClock::Get());
  ASSERT_TRUE(book.Set("old", {.series = 7}, "ada").ok());
  ASSERT_TRUE(book.Set("new", {.series = 9}, "ada").ok());
  const auto refuse = [](const auto&) -> Status { return IoError("the disk fails"); };
  EXPECT_FALSE(book.RenameDatabase("old", "new", "ada", refuse).ok());
  EXPECT_EQ(SeriesOf(book, "old"), 7);
  EXPECT_EQ(SeriesOf(book, "new"), 9);
  const auto commit = [&](const std::vector<storage::DocumentChange>& changes) -> Status {
    TM_RETURN_IF_ERROR(documents.Apply(changes));
    return {};
  };
  ASSERT_TRUE(book.RenameDatabase("old", "new", "ada", commit).ok());
  // And one without any, to a name that has got some beforehand.
  ASSERT_TRUE(book.Set("later", {.series = 3}, "ada").ok());
  ASSERT_TRUE(book.RenameDatabase("plain", "later", "ada", commit).ok());
  QuotaBook again(&documents, &SystemClock::Get());
  ASSERT_TRUE(again.Load().ok());
  for (const QuotaBook* each : {&book, &again}) {
    EXPECT_EQ(SeriesOf(*each, "old"), 0);
    EXPECT_EQ(SeriesOf(*each, "new"), 7);
    EXPECT_EQ(SeriesOf(*each, "later"), 3);
  }
}

}  // namespace
}  // namespace tidemark::server::quota

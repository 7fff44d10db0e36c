// What policies are called, where the documents that hold it fail.
#include "tools/server/influx/policy_book.h"

#include <gtest/gtest.h>

#include "tests/unit/query/api/memory_store.h"
#include "tests/unit/tools/server/access/memory_documents.h"
#include "tools/server/influx/drop_database.h"

namespace tidemark::server {
namespace {

TEST(PolicyBook, OneThatCannotBeReadIsLeftOut) {
  access::MemoryDocuments documents;
  PolicyBook book(&documents);
  ASSERT_TRUE(book.Rename("a", "short", "ada").ok());
  ASSERT_TRUE(book.Rename("b", "long", "ada").ok());
  documents.unreadable = "a";
  PolicyBook again(&documents);
  again.Load();
  EXPECT_EQ(again.NameOf("a"), "autogen");
  EXPECT_EQ(again.NameOf("b"), "long");
}

TEST(PolicyBook, ANameThatCouldNotBeForgottenIsKnownAndCanBeForgottenLater) {
  access::MemoryDocuments documents;
  PolicyBook book(&documents);
  ASSERT_TRUE(book.Rename("a", "short", "ada").ok());
  documents.fail_with = IoError("the disk fails");
  EXPECT_FALSE(book.Forget("a", "ada").ok());
  EXPECT_EQ(book.NameOf("a"), "short");
  documents.fail_with.reset();
  EXPECT_TRUE(book.Forget("a", "ada").ok());
  EXPECT_EQ(book.NameOf("a"), "autogen");
  PolicyBook again(&documents);
  again.Load();
  EXPECT_EQ(again.NameOf("a"), "autogen");
}

TEST(PolicyBook, ItGoesWithItsDatabaseToAnotherName) {
  access::MemoryDocuments documents;
  PolicyBook book(&documents);
  ASSERT_TRUE(book.Rename("old", "short", "ada").ok());
  ASSERT_TRUE(book.Rename("new", "left_behind", "ada").ok());
  const auto refuse = [](const auto&) -> Status { return IoError("the disk fails"); };
  EXPECT_FALSE(book.RenameDatabase("old", "new", "ada", refuse).ok());
  EXPECT_EQ(book.NameOf("old"), "short");
  EXPECT_EQ(book.NameOf("new"), "left_behind");
  const auto commit = [&](const std::vector<storage::DocumentChange>& changes) -> Status {
    TM_RETURN_IF_ERROR(documents.Apply(changes));
    return {};
  };
  ASSERT_TRUE(book.RenameDatabase("old", "new", "ada", commit).ok());
  // And one whose database had the first policy only: what was left behind is not its.
  ASSERT_TRUE(book.RenameDatabase("plain", "old", "ada", commit).ok());
  PolicyBook again(&documents);
  again.Load();
  for (const PolicyBook* each : {&book, &again}) {
    EXPECT_EQ(each->NameOf("old"), "autogen");
    EXPECT_EQ(each->NameOf("new"), "short");
  }
}

TEST(DropDatabase, IsDoneThoughTheNameOfThePolicyStays) {
  access::MemoryDocuments documents;
  PolicyBook book(&documents);
  MemoryStore store;
  ASSERT_TRUE(store.CreateDatabase("a", {}).ok());
  ASSERT_TRUE(book.Rename("a", "short", "ada").ok());
  documents.fail_with = IoError("the disk fails");
  EXPECT_TRUE(DropDatabase(&store, &book, "a", "ada").ok());
  EXPECT_FALSE(store.HasDatabase("a"));
  documents.fail_with.reset();
  const Status again = DropDatabase(&store, &book, "a", "ada");
  ASSERT_FALSE(again.ok());
  EXPECT_EQ(again.error().code, ErrorCode::kNotFound);
  EXPECT_EQ(book.NameOf("a"), "autogen");
}

}  // namespace
}  // namespace tidemark::server

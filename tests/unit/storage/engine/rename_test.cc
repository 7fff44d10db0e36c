// Another name for a database.
#include <gtest/gtest.h>

#include "tests/unit/storage/engine/store_fixture.h"

namespace tidemark::storage {
namespace {

class RenameTest : public StoreFixture {};

TEST_F(RenameTest, RowsAreThereUnderTheNewNameAlsoAfterARestart) {
  Open();
  WriteDouble("a", clock_.NowNs(), 1, "old");
  auto view = store_->OpenView("old");
  ASSERT_TRUE(view.ok());
  ASSERT_TRUE(store_->RenameDatabase("old", "new").ok());
  EXPECT_EQ(Read(**view, {Equal("host", "a")}).size(), 1U) << "a view keeps its picture";
  EXPECT_EQ(store_->OpenView("old").error().code, ErrorCode::kNotFound);
  EXPECT_EQ(Read({Equal("host", "a")}, {}, "new").size(), 1U);
  // The journal has rows of before and after.
  WriteDouble("a", clock_.NowNs() + 1, 2, "new");
  CloseAndOpen();
  EXPECT_EQ(Read({Equal("host", "a")}, {}, "new").size(), 2U);
  EXPECT_FALSE(store_->HasDatabase("old"));
  // The name is free.
  WriteDouble("b", clock_.NowNs(), 3, "old");
  EXPECT_EQ(Read({Equal("host", "b")}, {}, "old").size(), 1U);
}

TEST_F(RenameTest, DocumentsThatBelongToItAreOfTheSameAct) {
  Open();
  WriteDouble("a", clock_.NowNs(), 1, "old");
  ASSERT_TRUE(store_->Documents()->Put("policy", "old", "two_weeks", "ada").ok());
  std::vector<DocumentChange> with{
      {.kind = "policy", .name = "old", .bytes = {}, .author = "ada", .expected = 7},
      {.kind = "policy", .name = "new", .bytes = "two_weeks", .author = "ada", .expected = {}}};
  // What the documents refuse renames nothing, now and after a restart.
  EXPECT_FALSE(store_->RenameDatabase("old", "new", with).ok());
  EXPECT_TRUE(store_->HasDatabase("old"));
  CloseAndOpen();
  EXPECT_TRUE(store_->HasDatabase("old"));
  EXPECT_FALSE(store_->HasDatabase("new"));
  with[0].expected.reset();
  ASSERT_TRUE(store_->RenameDatabase("old", "new", with).ok());
  for (int round = 0; round < 2; ++round) {
    EXPECT_TRUE(store_->HasDatabase("new"));
    EXPECT_FALSE(store_->Documents()->Get("policy", "old").ok());
    const auto document = store_->Documents()->Get("policy", "new");
    ASSERT_TRUE(document.ok());
    EXPECT_EQ(document->bytes, "two_weeks");
    CloseAndOpen();
  }
  // A database that is not renamed leaves its documents as they are.
  EXPECT_FALSE(
      store_
          ->RenameDatabase("none", "else",
                           std::vector<DocumentChange>{
                               {.kind = "policy", .name = "new", .bytes = {}, .author = "ada", .expected = {}}})
          .ok());
  EXPECT_TRUE(store_->Documents()->Get("policy", "new").ok());
}

TEST_F(RenameTest, SaysWhyNot) {
  Open();
  WriteDouble("a", clock_.NowNs(), 1, "old");
  WriteDouble("a", clock_.NowNs(), 1, "other");
  EXPECT_EQ(store_->RenameDatabase("none", "new").error().code, ErrorCode::kNotFound);
  EXPECT_EQ(store_->RenameDatabase("old", "other").error().code, ErrorCode::kAlreadyExists);
  EXPECT_EQ(store_->RenameDatabase("old", "a/b").error().code, ErrorCode::kInvalidArgument);
  EXPECT_EQ(store_->RenameDatabase("old", "").error().code, ErrorCode::kInvalidArgument);
  EXPECT_TRUE(store_->RenameDatabase("old", "old").ok()) << "it has that name";
}

}  // namespace
}  // namespace tidemark::storage

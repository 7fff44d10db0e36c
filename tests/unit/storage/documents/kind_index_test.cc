// What of a kind is kept and what is spent.
#include "storage/documents/kind_index.h"

#include <gtest/gtest.h>

#include <map>
#include <random>
#include <set>
#include <string>
#include <utility>

#include "tests/test_seed.h"

namespace tidemark::storage::documents {
namespace {

// Makes changes in the index and keeps the records that a disk would have.
class KindIndexTest : public ::testing::Test {
 protected:
  void Start(DocumentKind kind) { index_ = std::make_unique<KindIndex>(kind); }

  void Put(const std::string& name, uint64_t bytes = 10) { Change(name, false, bytes); }
  void Delete(const std::string& name) { Change(name, true, 0); }

  void Change(const std::string& name, bool deleted, uint64_t bytes) {
    const DocumentRecord record{.kind = "k",
                                .name = name,
                                .version = index_->NextVersion(name),
                                .change = ++change_,
                                .deleted = deleted,
                                .bytes = bytes};
    ASSERT_TRUE(given_.emplace(name, record.version).second) << name << " got version " << record.version << " twice";
    auto added = index_->Add(record);
    ASSERT_TRUE(added.ok()) << added.error().message;
    disk_.emplace(std::pair(name, record.version), record);
    for (const SpentVersion& spent : index_->TakeSpent(name)) {
      ASSERT_EQ(disk_.erase({spent.name, spent.version}), 1U);
    }
  }

  [[nodiscard]] std::vector<uint64_t> VersionsOf(const std::string& name) const {
    std::vector<uint64_t> out;
    if (const auto* versions = index_->Find(name)) {
      for (const auto& version : *versions) out.push_back(version.version);
    }
    return out;
  }

  std::unique_ptr<KindIndex> index_;
  uint64_t change_ = 0;
  std::set<std::pair<std::string, uint64_t>> given_;
  std::map<std::pair<std::string, uint64_t>, DocumentRecord> disk_;
};

TEST_F(KindIndexTest, TheNewestVersionsAreKept) {
  Start({.word = "k", .history = 3});
  for (int i = 0; i < 5; ++i) Put("a");
  EXPECT_EQ(VersionsOf("a"), (std::vector<uint64_t>{3, 4, 5}));
  EXPECT_EQ(disk_.size(), 3U);
  EXPECT_EQ(index_->kept_bytes(), 30U);
  EXPECT_EQ(index_->bytes(), 10U);
}

TEST_F(KindIndexTest, ADeletedDocumentIsRememberedUntilAsManyCameAfterIt) {
  Start({.word = "k", .history = 5, .deleted = 2});
  for (const char* name : {"a", "b", "c"}) Put(name);
  Put("a");
  Delete("a");
  Delete("b");
  EXPECT_EQ(VersionsOf("a"), (std::vector<uint64_t>{1, 2, 3}));
  EXPECT_EQ(index_->documents(), 1U);
  Delete("c");
  EXPECT_EQ(VersionsOf("a"), std::vector<uint64_t>{});
  EXPECT_EQ(VersionsOf("b"), (std::vector<uint64_t>{1, 2}));
  // No version is given twice for a name, also when nothing is known of it any more.
  EXPECT_EQ(index_->forgotten_through(), 3U);
  Put("a");
  EXPECT_EQ(VersionsOf("a"), std::vector<uint64_t>{4});
  // What comes back is remembered no more as deleted, and keeps its history.
  Put("b");
  EXPECT_EQ(VersionsOf("b"), (std::vector<uint64_t>{1, 2, 3}));
  EXPECT_EQ(index_->documents(), 2U);
}

TEST_F(KindIndexTest, ThePastMakesRoomForThePresent) {
  Start({.word = "k", .history = 10, .max_bytes = 160});
  for (int i = 0; i < 5; ++i) {
    Put("a", 10);
    Put("b", 20);
  }
  EXPECT_EQ(index_->kept_bytes(), 150U);
  Put("c", 20);
  // Down to 150: the earliest changes go first, never the newest version of a document.
  EXPECT_EQ(VersionsOf("a"), (std::vector<uint64_t>{2, 3, 4, 5}));
  EXPECT_EQ(VersionsOf("b"), (std::vector<uint64_t>{2, 3, 4, 5}));
  EXPECT_EQ(index_->kept_bytes(), 140U);
  Put("c", 130);
  EXPECT_EQ(VersionsOf("a"), std::vector<uint64_t>{5});
  EXPECT_EQ(VersionsOf("b"), std::vector<uint64_t>{5});
  EXPECT_EQ(VersionsOf("c"), std::vector<uint64_t>{2});
  EXPECT_EQ(index_->kept_bytes(), index_->bytes());
}

TEST_F(KindIndexTest, AVersionThatIsNotNewerIsDamage) {
  Start({.word = "k"});
  Put("a");
  EXPECT_EQ(index_->Add({.kind = "k", .name = "a", .version = 1, .change = 9}).error().code, ErrorCode::kCorruption);
}

// What is spent follows from what is there: an index that is loaded from the disk is the one that was left.
TEST_F(KindIndexTest, WhatIsLoadedIsWhatWasThere) {
  std::mt19937_64 random(TestSeed());
  for (int round = 0; round < 50; ++round) {
    const DocumentKind kind{.word = "k",
                            .history = static_cast<uint32_t>(1 + random() % 4),
                            .deleted = static_cast<uint32_t>(1 + random() % 3),
                            .max_bytes = 200 + random() % 2000};
    Start(kind);
    disk_.clear();
    given_.clear();
    change_ = 0;
    for (int i = 0; i < 200; ++i) {
      const std::string name(1, static_cast<char>('a' + random() % 8));
      if (random() % 4 == 0) {
        if (index_->Current(name) != nullptr) Delete(name);
      } else {
        Put(name, random() % 100);
      }
    }
    KindIndex loaded(kind);
    loaded.RaiseForgotten(index_->forgotten_through());
    for (const auto& [key, record] : disk_) ASSERT_TRUE(loaded.Add(record).ok());
    EXPECT_TRUE(loaded.TakeSpent({}).empty());
    EXPECT_EQ(loaded.bytes(), index_->bytes());
    EXPECT_EQ(loaded.kept_bytes(), index_->kept_bytes());
    EXPECT_EQ(loaded.documents(), index_->documents());
    EXPECT_EQ(loaded.last_change(), index_->last_change());
    uint64_t versions = 0;
    for (const auto& [name, list] : index_->names()) versions += list.size();
    EXPECT_EQ(versions, disk_.size());
  }
}

}  // namespace
}  // namespace tidemark::storage::documents

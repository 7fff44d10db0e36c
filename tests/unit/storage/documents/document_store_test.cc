// The documents of a store: compare-and-set, history, limits, restart, damage.
#include <fmt/core.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <string>
#include <thread>
#include <vector>

#include "storage/documents/document_record.h"
#include "storage/rocks/rocks_store.h"
#include "storage/verify.h"
#include "tests/unit/storage/engine/store_fixture.h"

namespace tidemark::storage {
namespace {

using ::testing::HasSubstr;

class DocumentStoreTest : public StoreFixture {
 protected:
  DocumentStoreTest() {
    options_ = Options();
    options_.document_kinds = {{.word = "small", .history = 2, .deleted = 1, .max_documents = 3, .max_bytes = 100}};
    Open(options_);
  }
  DocumentStore& documents() { return *store_->Documents(); }
  void Reopen() { Open(options_); }

  uint64_t Put(std::string_view name, std::string bytes, std::optional<uint64_t> expected = std::nullopt) {
    auto put = documents().Put("rule", name, std::move(bytes), "ada", expected);
    EXPECT_TRUE(put.ok()) << put.error().message;
    return put.value_or(0);
  }
  std::string BytesOf(std::string_view name) {
    auto got = documents().Get("rule", name);
    return got.ok() ? got->bytes : "error: " + got.error().message;
  }
  std::vector<std::string> NamesOf(const DocumentListOptions& options) {
    std::vector<std::string> names;
    for (const DocumentInfo& info : documents().List("rule", options)) names.push_back(info.name);
    return names;
  }
  // Writes into `meta` of the store that is not open.
  void Meddle(const std::string& key, std::optional<std::string> value) {
    store_.reset();
    auto rocks = rocks::RocksStore::Open(
        {.directory = options_.directory + "/rocksdb", .file_system = nullptr, .cache_bytes = 1 << 20, .on_error = {}});
    ASSERT_TRUE(rocks.ok()) << rocks.error().message;
    rocks::RecordBatch batch;
    if (value.has_value()) {
      batch.Put(rocks::Family::kMeta, key, *value);
    } else {
      batch.Delete(rocks::Family::kMeta, key);
    }
    ASSERT_TRUE((*rocks)->Write(batch).ok());
  }
  std::vector<std::string> Damages() {
    store_.reset();
    std::vector<std::string> found;
    auto report =
        Verify({.directory = options_.directory,
                .on_damage = [&](const Damage& damage) { found.push_back(damage.place + ": " + damage.what); },
                .on_progress = {}});
    EXPECT_TRUE(report.ok()) << report.error().message;
    return found;
  }

  StoreOptions options_;
};

TEST_F(DocumentStoreTest, WhatIsPutIsThereAlsoAfterARestart) {
  EXPECT_EQ(documents().Get("rule", "up").error().code, ErrorCode::kNotFound);
  EXPECT_EQ(documents().LastChange(""), 0U);
  EXPECT_EQ(Put("up", "one"), 1U);
  clock_.Advance(5);
  EXPECT_EQ(Put("up", std::string(kMaxDocumentBytes, 'x')), 2U);
  EXPECT_EQ(Put("down", ""), 1U);
  const auto check = [&] {
    auto got = documents().Get("rule", "up");
    ASSERT_TRUE(got.ok()) << got.error().message;
    EXPECT_EQ(got->bytes, std::string(kMaxDocumentBytes, 'x'));
    EXPECT_EQ(got->info, (DocumentInfo{"up", 2, 2, clock_.NowNs(), "ada", false, kMaxDocumentBytes}));
    EXPECT_EQ(BytesOf("down"), "");
    EXPECT_EQ(documents().GetVersion("rule", "up", 1)->bytes, "one");
    EXPECT_EQ(documents().LastChange("rule"), 3U);
    EXPECT_EQ(documents().LastChange("other"), 0U);
    // The store keeps its clock in one when it is closed.
    std::vector<DocumentKindUsage> kinds = documents().Kinds();
    std::erase_if(kinds, [](const DocumentKindUsage& kind) { return kind.word == "clock"; });
    ASSERT_EQ(kinds.size(), 1U);
    EXPECT_EQ(kinds[0].documents, 2U);
    EXPECT_EQ(kinds[0].bytes, kMaxDocumentBytes);
    EXPECT_EQ(kinds[0].kept_bytes, kMaxDocumentBytes + 3);
  };
  EXPECT_EQ(documents().LastChange(""), 3U);
  check();
  Reopen();
  EXPECT_EQ(documents().LastChange(""), 3U);
  check();
  ASSERT_TRUE(store_->Close().ok());
  EXPECT_EQ(documents().Get("rule", "up").error().code, ErrorCode::kUnavailable);
  EXPECT_EQ(documents().Put("rule", "up", "", "ada").error().code, ErrorCode::kUnavailable);
  Reopen();
  check();
}

TEST_F(DocumentStoreTest, AConflictNamesTheVersionThatIsThere) {
  const auto error = [&](std::optional<uint64_t> expected, bool remove) {
    auto done = remove ? documents().Delete("rule", "up", "ada", expected)
                       : documents().Put("rule", "up", "new", "ada", expected);
    EXPECT_FALSE(done.ok());
    return done.ok() ? Error{} : done.error();
  };
  EXPECT_EQ(error(3, false), MakeError(ErrorCode::kConflict, "rule \"up\" does not exist, version 3 was expected"));
  EXPECT_EQ(error({}, true), NotFound("rule \"up\" does not exist"));
  Put("up", "one", 0);
  Put("up", "two", 1);
  EXPECT_EQ(error(0, false), MakeError(ErrorCode::kConflict, "rule \"up\" exists already, at version 2"));
  EXPECT_EQ(error(1, true), MakeError(ErrorCode::kConflict, "rule \"up\" is at version 2, version 1 was expected"));
  EXPECT_EQ(BytesOf("up"), "two");
  auto removed = documents().Delete("rule", "up", "bob", 2);
  ASSERT_TRUE(removed.ok());
  EXPECT_EQ(*removed, 3U);
  EXPECT_EQ(BytesOf("up"), "error: rule \"up\" was deleted in version 3");
  EXPECT_EQ(documents().GetVersion("rule", "up", 3).error(), NotFound("rule \"up\", version 3 is a deletion"));
  EXPECT_EQ(documents().GetVersion("rule", "up", 9).error(), NotFound("rule \"up\", version 9 is not kept"));
  EXPECT_EQ(documents().GetVersion("rule", "up", 0).error().code, ErrorCode::kNotFound);
  EXPECT_EQ(documents().GetVersion("rule", "up", 2)->bytes, "two");
  // No version is given twice.
  EXPECT_EQ(Put("up", "again", 0), 4U);
}

TEST_F(DocumentStoreTest, OfManyWhoChangeTheSameOneEachSeesWhatItChanges) {
  constexpr int kThreads = 8;
  constexpr int kRounds = 50;
  Put("counter", "0");
  std::atomic<int> conflicts = 0;
  {
    std::vector<std::jthread> threads;
    for (int i = 0; i < kThreads; ++i) {
      threads.emplace_back([&] {
        for (int done = 0; done < kRounds;) {
          auto got = documents().Get("rule", "counter");
          if (!got.ok()) return;
          auto put = documents().Put("rule", "counter", fmt::format("{}", std::stoi(got->bytes) + 1), "ada",
                                     got->info.version);
          if (put.ok()) ++done;
          if (!put.ok() && put.error().code != ErrorCode::kConflict) return;
          conflicts += put.ok() ? 0 : 1;
        }
      });
    }
  }
  EXPECT_EQ(BytesOf("counter"), std::to_string(kThreads * kRounds));
  EXPECT_EQ(documents().Get("rule", "counter")->info.version, 1U + kThreads * kRounds);
  Reopen();
  EXPECT_EQ(BytesOf("counter"), std::to_string(kThreads * kRounds));
}

TEST_F(DocumentStoreTest, TheHistoryIsBounded) {
  for (int i = 1; i <= 30; ++i) {
    Put("up", std::to_string(i));
    if (i % 10 == 0) Reopen();
  }
  auto history = documents().History("rule", "up", 100);
  ASSERT_TRUE(history.ok());
  ASSERT_EQ(history->size(), 20U);
  EXPECT_EQ(history->front().version, 30U);
  EXPECT_EQ(history->back().version, 11U);
  EXPECT_EQ(documents().History("rule", "up", 2)->size(), 2U);
  EXPECT_EQ(documents().GetVersion("rule", "up", 11)->bytes, "11");
  EXPECT_EQ(documents().GetVersion("rule", "up", 10).error().code, ErrorCode::kNotFound);
  EXPECT_EQ(documents().History("rule", "down", 2).error().code, ErrorCode::kNotFound);
  // What is spent goes from the disk with the next commit.
  EXPECT_THAT(Damages(), ::testing::IsEmpty());
  auto rocks = rocks::RocksStore::Open({.directory = options_.directory + "/rocksdb",
                                        .file_system = nullptr,
                                        .cache_bytes = 1 << 20,
                                        .read_only = true,
                                        .on_error = {}});
  ASSERT_TRUE(rocks.ok());
  size_t records = 0;
  ASSERT_TRUE((*rocks)
                  ->ForEach(rocks::Family::kMeta, rocks::kDocumentBytesPrefix,
                            [&](std::string_view, std::string_view) -> Result<void> {
                              ++records;
                              return {};
                            })
                  .ok());
  EXPECT_LE(records, 21U);
}

TEST_F(DocumentStoreTest, LimitsAreSaidInWords) {
  const auto put = [&](std::string_view name, size_t bytes) {
    return documents().Put("small", name, std::string(bytes, 'x'), "ada");
  };
  EXPECT_EQ(put("a", 101).error(),
            LimitExceeded("the documents of kind \"small\" would take 101 bytes, the limit is 100: delete some first"));
  ASSERT_TRUE(put("a", 60).ok());
  ASSERT_TRUE(put("a", 60).ok());  // the old version makes room
  EXPECT_EQ(documents().History("small", "a", 9)->size(), 1U);
  EXPECT_EQ(put("b", 41).error().code, ErrorCode::kLimitExceeded);
  ASSERT_TRUE(put("b", 40).ok());
  ASSERT_TRUE(put("c", 0).ok());
  EXPECT_EQ(put("d", 0).error(),
            LimitExceeded("there would be 4 documents of kind \"small\", the limit is 3: delete some first"));
  ASSERT_TRUE(documents().Delete("small", "b", "ada").ok());
  ASSERT_TRUE(put("d", 40).ok());
  EXPECT_EQ(documents().Put("rule", "big", std::string(kMaxDocumentBytes + 1, 'x'), "ada").error().code,
            ErrorCode::kLimitExceeded);
  for (const std::string_view kind : {"", "Rule", "9", "a/b", "abcdefghijklmnopqrstuvwxyzabcdefg"}) {
    EXPECT_EQ(documents().Put(kind, "a", "", "ada").error().code, ErrorCode::kInvalidArgument) << kind;
  }
  for (const std::string& name : {std::string(), std::string(257, 'x'), std::string("\xff"), std::string("a\nb")}) {
    EXPECT_EQ(documents().Put("rule", name, "", "ada").error().code, ErrorCode::kInvalidArgument) << name;
  }
  EXPECT_EQ(documents().Put("rule", "a", "", std::string(257, 'x')).error().code, ErrorCode::kInvalidArgument);
  ASSERT_TRUE(documents().Put("rule", std::string(256, 'x'), "", std::string(256, 'x')).ok());
  // A limit that has been lowered lets what is there become less, and not more.
  options_.document_kinds[0].max_documents = 1;
  Reopen();
  EXPECT_EQ(put("e", 1).error().code, ErrorCode::kLimitExceeded);
  EXPECT_TRUE(documents().Delete("small", "c", "ada").ok());
  EXPECT_TRUE(put("a", 1).ok());
}

TEST_F(DocumentStoreTest, KindsAreBoundedToo) {
  for (int i = 0; i < 64; ++i) ASSERT_TRUE(documents().Put(fmt::format("k{}", i), "a", "", "ada").ok());
  EXPECT_THAT(documents().Put("k64", "a", "", "ada").error().message, HasSubstr("65 kinds of documents"));
  EXPECT_EQ(documents().Delete("k64", "a", "ada").error().code, ErrorCode::kNotFound);
  EXPECT_TRUE(documents().Put("k1", "b", "", "ada").ok());
  EXPECT_EQ(documents().Kinds().size(), 64U);
}

TEST_F(DocumentStoreTest, ABatchIsMadeWholeOrNotAtAll) {
  Put("a", "1");
  Put("b", "1");
  const uint64_t before = documents().LastChange("");
  const std::vector<DocumentChange> wrong = {{"rule", "a", "2", "ada", 1}, {"rule", "b", "2", "ada", 9}};
  EXPECT_EQ(documents().Apply(wrong).error().code, ErrorCode::kConflict);
  const std::vector<DocumentChange> twice = {{"rule", "a", "2", "ada", {}}, {"rule", "a", "3", "ada", {}}};
  EXPECT_EQ(documents().Apply(twice).error().code, ErrorCode::kInvalidArgument);
  EXPECT_EQ(documents().Apply(std::vector<DocumentChange>(kMaxDocumentChanges + 1)).error().code,
            ErrorCode::kInvalidArgument);
  // What is deleted makes room for what comes.
  const std::vector<DocumentChange> first = {{"small", "x", std::string(90, 'x'), "", {}}, {"small", "y", "", "", {}}};
  ASSERT_TRUE(documents().Apply(first).ok());
  const std::vector<DocumentChange> over(4, {"small", "", "", "", {}});
  EXPECT_FALSE(documents().Apply(over).ok());
  EXPECT_EQ(BytesOf("a"), "1");
  EXPECT_EQ(documents().LastChange("rule"), before);
  const std::vector<DocumentChange> right = {{"small", "z", std::string(80, 'z'), "", 0},
                                             {"small", "x", std::nullopt, "", 1},
                                             {"rule", "a", "2", "ada", 1},
                                             {"rule", "b", std::nullopt, "ada", 1}};
  auto versions = documents().Apply(right);
  ASSERT_TRUE(versions.ok()) << versions.error().message;
  EXPECT_EQ(*versions, (std::vector<uint64_t>{1, 2, 2, 2}));
  EXPECT_EQ(documents().Apply({})->size(), 0U);
  Reopen();
  EXPECT_EQ(BytesOf("a"), "2");
  EXPECT_EQ(NamesOf({}), (std::vector<std::string>{"a"}));
}

TEST_F(DocumentStoreTest, AListIsReadInPages) {
  for (const char* name : {"a/1", "a/2", "a/3", "b/1", "a", "c"}) Put(name, "");
  ASSERT_TRUE(documents().Delete("rule", "a/2", "ada").ok());
  using Names = std::vector<std::string>;
  EXPECT_EQ(NamesOf({}), (Names{"a", "a/1", "a/3", "b/1", "c"}));
  EXPECT_EQ(NamesOf({.prefix = "a/"}), (Names{"a/1", "a/3"}));
  EXPECT_EQ(NamesOf({.prefix = "a/", .deleted = true}), (Names{"a/1", "a/2", "a/3"}));
  EXPECT_EQ(NamesOf({.limit = 2}), (Names{"a", "a/1"}));
  EXPECT_EQ(NamesOf({.after = "a/1", .limit = 2}), (Names{"a/3", "b/1"}));
  EXPECT_EQ(NamesOf({.prefix = "a/", .after = "a/1"}), (Names{"a/3"}));
  EXPECT_EQ(NamesOf({.prefix = "b", .after = "a"}), (Names{"b/1"}));
  EXPECT_EQ(NamesOf({.after = "c"}), Names{});
  EXPECT_TRUE(documents().List("other", {}).empty());
}

TEST_F(DocumentStoreTest, AReaderCanWaitForAChange) {
  using std::chrono::milliseconds;
  Put("a", "1");
  EXPECT_EQ(documents().WaitForChange("rule", 0, milliseconds(0), {}), 1U);
  EXPECT_EQ(documents().WaitForChange("rule", 1, milliseconds(1), {}), 1U);
  std::jthread writer([&] {
    (void)documents().Put("other", "a", "", "ada").ok();
    (void)documents().Put("rule", "a", "2", "ada").ok();
  });
  EXPECT_EQ(documents().WaitForChange("rule", 1, std::chrono::minutes(1), {}), 3U);
  std::stop_source stop;
  std::jthread stopper([&] { stop.request_stop(); });
  EXPECT_EQ(documents().WaitForChange("rule", 3, std::chrono::minutes(1), stop.get_token()), 3U);
}

TEST_F(DocumentStoreTest, DamagedBytesCostOneVersionAndAreNamed) {
  Put("a", "one");
  Put("a", "two");
  Put("b", "three");
  Meddle(documents::DocumentBytesKey("rule", "a", 2), documents::EncodeDocumentBytes("owt"));
  EXPECT_THAT(Damages(), ::testing::ElementsAre(HasSubstr("rule \"a\", version 2: the header expects the checksum")));
  Reopen();
  EXPECT_THAT(BytesOf("a"), HasSubstr("rule \"a\", version 2: the header expects the checksum"));
  EXPECT_EQ(documents().GetVersion("rule", "a", 1)->bytes, "one");
  EXPECT_EQ(BytesOf("b"), "three");
  Meddle(documents::DocumentBytesKey("rule", "a", 2), std::nullopt);
  EXPECT_THAT(Damages(), ::testing::ElementsAre("meta, document: rule \"a\", version 2: its bytes are gone"));
  Reopen();
  EXPECT_EQ(documents().Get("rule", "a").error().code, ErrorCode::kCorruption);
  // It can be written anew.
  EXPECT_EQ(Put("a", "four", 2), 3U);
  EXPECT_EQ(BytesOf("a"), "four");
}

TEST_F(DocumentStoreTest, ADamagedHeaderStopsWritesUntilItIsRepaired) {
  Put("a", "one");
  Put("b", "two");
  Meddle(documents::DocumentKey("rule", "a", 1), "damaged, and long enough");
  EXPECT_THAT(Damages(), ::testing::Contains(HasSubstr("a document: checksum expected")));
  {
    auto opened = Store::Open(options_);
    ASSERT_TRUE(opened.ok()) << opened.error().message;
    EXPECT_TRUE((*opened)->Stats().read_only);
    EXPECT_THAT((*opened)->Stats().read_only_reason, HasSubstr("a document: checksum expected"));
  }
  const auto repaired =
      Repair({.directory = options_.directory, .aside = options_.directory + "/set-aside/one", .on_step = {}});
  ASSERT_TRUE(repaired.ok()) << repaired.error().message;
  EXPECT_TRUE(repaired->lost);
  Open(options_);
  EXPECT_FALSE(store_->Stats().read_only);
  EXPECT_EQ(BytesOf("b"), "two");
}

TEST_F(DocumentStoreTest, RetentionAndDroppedDatabasesLeaveDocumentsAlone) {
  Put("a", "one");
  WriteDouble("h", clock_.NowNs(), 1);
  ASSERT_TRUE(store_->Checkpoint().ok());
  clock_.Advance(400 * kNsPerDay);
  ASSERT_TRUE(store_->SetDatabaseOptions("default", {.retention_ns = kNsPerDay}).ok());
  ASSERT_TRUE(store_->ApplyRetention().ok());
  ASSERT_TRUE(store_->DropDatabase("default").ok());
  ASSERT_TRUE(store_->RunMaintenance().ok());
  Reopen();
  EXPECT_EQ(BytesOf("a"), "one");
}

}  // namespace
}  // namespace tidemark::storage

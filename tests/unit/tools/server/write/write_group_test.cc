// Writes that wait together: who leads, who is in which group, and that nobody is left without an answer.
#include "tools/server/write/write_group.h"

#include <gtest/gtest.h>

#include <atomic>
#include <new>
#include <string>
#include <thread>
#include <vector>

namespace tidemark::server {
namespace {

class WriteGroupTest : public testing::Test {
 protected:
  // True: the test has to call Run.
  bool Add(std::string_view database, const std::string& name) {
    WriteGroup::Place place = group_.TakePlace(database);
    if (!place) {
      answers_ += name + ":no ";
      return false;
    }
    return place.Add(&batch_, [this, name](Result<model::WriteReport> report) {
      answers_ += name + (report.ok() ? " " : ":" + report.error().message + " ");
    });
  }

  model::Batch batch_;
  std::string answers_;
  std::string calls_;
  std::function<void()> during_;
  WriteGroup group_{[this](std::string_view database, std::span<const model::Batch* const> batches) {
    calls_ += std::string(database) + std::to_string(batches.size()) + " ";
    if (during_) std::exchange(during_, nullptr)();
    return std::vector<Result<model::WriteReport>>(batches.size(), model::WriteReport());
  }};
};

TEST_F(WriteGroupTest, TheFirstLeadsAndTheOthersAreInItsGroup) {
  EXPECT_TRUE(Add("db", "a"));
  EXPECT_FALSE(Add("db", "b"));
  EXPECT_FALSE(Add("db", "c"));
  EXPECT_EQ(answers_, "");
  group_.Run(true);
  EXPECT_EQ(calls_, "db3 ");
  EXPECT_EQ(answers_, "a b c ");
  // Nobody leads any more.
  EXPECT_TRUE(Add("other", "d"));
  group_.Run(true);
  EXPECT_EQ(calls_, "db3 other1 ");
}

TEST_F(WriteGroupTest, WhoComesMeanwhileIsInTheNextGroup) {
  ASSERT_TRUE(Add("db", "a"));
  during_ = [this] {
    EXPECT_FALSE(Add("second", "b"));
    EXPECT_FALSE(Add("second", "c"));
    // Of a third database: it has to go another way.
    EXPECT_FALSE(Add("db", "d"));
  };
  group_.Run(true);
  EXPECT_EQ(calls_, "db1 second2 ");
  EXPECT_EQ(answers_, "d:no a b c ");
}

TEST_F(WriteGroupTest, PlacesAreBoundedAndComeBack) {
  ASSERT_TRUE(Add("db", "a"));
  for (size_t i = 1; i < WriteGroup::kMaxPlaces; ++i) Add("db", "b");
  answers_.clear();
  Add("db", "c");
  EXPECT_EQ(answers_, "c:no ");
  group_.Run(true);
  answers_.clear();
  EXPECT_TRUE(Add("db", "d"));
  group_.Run(true);
  EXPECT_EQ(answers_, "d ");
  {
    // One that is not used.
    const WriteGroup::Place unused = group_.TakePlace("db");
    EXPECT_TRUE(static_cast<bool>(unused));
    EXPECT_FALSE(static_cast<bool>(group_.TakePlace("other")));
  }
  EXPECT_TRUE(static_cast<bool>(group_.TakePlace("other")));
}

TEST_F(WriteGroupTest, NobodyKeepsAThreadForEver) {
  ASSERT_TRUE(Add("db", "a"));
  size_t groups = 0;
  size_t refused = 0;
  // As a load without an end: whenever a group is written another has come.
  std::function<void()> next = [&] {
    if (++groups > 10 * WriteGroup::kGroupsInARow) return;
    answers_.clear();
    EXPECT_FALSE(Add("db", "b"));
    if (answers_ == "b:no ") ++refused;
    during_ = next;
  };
  during_ = next;
  group_.Run(true);
  EXPECT_EQ(groups, WriteGroup::kGroupsInARow + 1);
  EXPECT_EQ(refused, 1U);
  // The next one leads, as the first did.
  EXPECT_TRUE(Add("db", "c"));
  for (size_t i = 1; i < WriteGroup::kMaxPlaces; ++i) EXPECT_FALSE(Add("db", "d"));
  answers_.clear();
  Add("db", "e");
  EXPECT_EQ(answers_, "e:no ");
  during_ = nullptr;
  group_.Run(true);
}

TEST_F(WriteGroupTest, WithoutAThreadAllAreRefused) {
  ASSERT_TRUE(Add("db", "a"));
  Add("db", "b");
  group_.Run(false);
  EXPECT_EQ(calls_, "");
  EXPECT_EQ(answers_, "a:too many requests wait for a thread b:too many requests wait for a thread ");
  EXPECT_TRUE(Add("db", "c"));
  group_.Run(true);
  EXPECT_EQ(calls_, "db1 ");
}

TEST_F(WriteGroupTest, OutOfMemoryIsAnAnswerToo) {
  ASSERT_TRUE(Add("db", "a"));
  during_ = [] { throw std::bad_alloc(); };
  group_.Run(true);
  EXPECT_EQ(answers_, "a:out of memory; try again ");
  EXPECT_TRUE(Add("db", "b"));
}

TEST(WriteGroupThreadsTest, EachIsAnsweredOnce) {
  std::atomic<int> written{0};
  WriteGroup group([&](std::string_view, std::span<const model::Batch* const> batches) {
    written += static_cast<int>(batches.size());
    return std::vector<Result<model::WriteReport>>(batches.size(), model::WriteReport());
  });
  constexpr int kThreads = 8;
  constexpr int kWrites = 2'000;
  model::Batch batch;
  std::atomic<int> answered{0};
  std::atomic<int> refused{0};
  {
    std::vector<std::jthread> threads;
    for (int t = 0; t < kThreads; ++t) {
      threads.emplace_back([&, t] {
        for (int i = 0; i < kWrites; ++i) {
          WriteGroup::Place place = group.TakePlace(t % 2 == 0 ? "a" : "b");
          if (!place) {
            ++refused;
            continue;
          }
          if (place.Add(&batch, [&](Result<model::WriteReport>) { ++answered; })) group.Run(true);
        }
      });
    }
  }
  EXPECT_EQ(answered + refused, kThreads * kWrites);
  EXPECT_EQ(written, answered);
}

}  // namespace
}  // namespace tidemark::server

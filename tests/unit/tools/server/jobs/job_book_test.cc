// Jobs: one of a kind at a time; paused, resumed, cancelled; what goes on after a restart.
#include "tools/server/jobs/job_book.h"

#include <gtest/gtest.h>

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <string>

#include "tests/unit/tools/server/access/memory_documents.h"

namespace tidemark::server::jobs {
namespace {

class JobBookTest : public ::testing::Test {
 protected:
  // Does half of its work, and waits there until it may go on or is asked to stop. Called again it goes on.
  Result<JobProgress> Work(const Job& job, const std::stop_token& stop, const JobKind::Told& told) {
    std::unique_lock lock(mutex_);
    began_ += job.database + (job.progress.done > 0 ? "+;" : ";");
    changed_.notify_all();
    lock.unlock();
    told({.done = 5, .total = 10, .details = R"("bytesRead":7)"});
    lock.lock();
    while (!may_go_on_ && !stop.stop_requested()) changed_.wait_for(lock, std::chrono::milliseconds(10));
    if (stop.stop_requested()) return MakeError(ErrorCode::kCancelled, "stopped");
    if (job.database == "bad") return MakeError(ErrorCode::kIo, "the disk is gone");
    return JobProgress{.done = 10, .total = 10, .details = R"("bytesRead":14)"};
  }
  std::unique_ptr<JobBook> Make(const std::string& store = {}) {
    const auto run = [this](const auto& job, const auto& stop, const auto& told) { return Work(job, stop, told); };
    return std::make_unique<JobBook>(
        &documents_, &clock_, std::vector<JobKind>{{.name = "work", .run = run}, {.name = "other", .run = run}}, store);
  }
  void AwaitBegan(const std::string& began) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return began_ == began; });
  }
  void GoOn() {
    const std::lock_guard lock(mutex_);
    may_go_on_ = true;
    changed_.notify_all();
  }
  static Job Await(const JobBook& book, const std::string& id, JobState state) {
    for (;;) {
      Job job = *book.Find(id);
      if (job.state == state) return job;
      std::this_thread::yield();
    }
  }
  static std::string Begin(JobBook* book, const std::string& database, const std::string& kind = "work") {
    return book->Begin({.kind = kind, .database = database, .author = "ada"}).value();
  }

  access::MemoryDocuments documents_;
  ManualClock clock_{1'700'000'000'000'000'000};
  std::mutex mutex_;
  std::condition_variable changed_;
  std::string began_;
  bool may_go_on_ = false;
};

TEST_F(JobBookTest, OneOfAKindAtATimeAndKindsBesideEachOther) {
  const auto book = Make();
  book->Start();
  const std::string first = Begin(book.get(), "a");
  AwaitBegan("a;");
  const std::string second = Begin(book.get(), "b");
  EXPECT_EQ(Begin(book.get(), "b"), second) << "it is not begun twice";
  EXPECT_EQ(book->Find(second)->state, JobState::kWaiting);
  Begin(book.get(), "c", "other");
  AwaitBegan("a;c;");
  GoOn();
  const Job done = Await(*book, first, JobState::kDone);
  EXPECT_EQ(done.progress.done, 10U);
  EXPECT_EQ(done.progress.details, R"("bytesRead":14)");
  EXPECT_EQ(done.author, "ada");
  EXPECT_NE(done.ended_ns, 0);
  Await(*book, second, JobState::kDone);
  EXPECT_EQ(book->List().size(), 3U);
  EXPECT_EQ(book->Begin({.kind = "nothing", .database = {}, .author = {}}).error().code, ErrorCode::kInvalidArgument);
}

TEST_F(JobBookTest, WhatIsPausedWaitsAlsoOverARestart) {
  std::string id;
  {
    const auto book = Make();
    book->Start();
    id = Begin(book.get(), "a");
    AwaitBegan("a;");
    ASSERT_TRUE(book->Pause(id).ok());
    Await(*book, id, JobState::kPaused);
    EXPECT_EQ(book->Pause(id).error().code, ErrorCode::kConflict);
  }
  const auto book = Make();
  book->Start();
  EXPECT_EQ(book->Find(id)->state, JobState::kPaused);
  EXPECT_EQ(book->Find(id)->progress.done, 5U) << "how far it had come is known";
  ASSERT_TRUE(book->Resume(id).ok());
  AwaitBegan("a;a+;");
  GoOn();
  Await(*book, id, JobState::kDone);
  EXPECT_EQ(book->Resume(id).error().code, ErrorCode::kConflict);
}

TEST_F(JobBookTest, WhatRanGoesOnAfterARestart) {
  std::string running;
  std::string waiting;
  {
    const auto book = Make();
    book->Start();
    running = Begin(book.get(), "a");
    AwaitBegan("a;");
    waiting = Begin(book.get(), "b");
  }
  GoOn();
  const auto book = Make();
  book->Start();
  Await(*book, running, JobState::kDone);
  Await(*book, waiting, JobState::kDone);
  EXPECT_EQ(began_, "a;a+;b;");
}

// A backup holds the job that made it.
TEST_F(JobBookTest, WhatRanInAnotherStoreDoesNotGoOnInWhatWasRestored) {
  std::string running;
  std::string waiting;
  std::string paused;
  {
    const auto book = Make("1111");
    book->Start();
    running = Begin(book.get(), "a");
    AwaitBegan("a;");
    waiting = Begin(book.get(), "b");
    paused = Begin(book.get(), "c");
    ASSERT_TRUE(book->Pause(paused).ok());
  }
  GoOn();
  {
    const auto restored = Make("2222");
    restored->Start();
    for (const std::string& id : {running, waiting, paused}) {
      const Job job = *restored->Find(id);
      EXPECT_EQ(job.state, JobState::kCancelled);
      EXPECT_EQ(job.error, "it was begun in another store, of whose backup this one was made");
      EXPECT_NE(job.ended_ns, 0);
    }
    const std::string own = Begin(restored.get(), "d");
    Await(*restored, own, JobState::kDone);
    EXPECT_EQ(began_, "a;d;");
  }
  const auto again = Make("2222");
  EXPECT_EQ(again->Find(running)->state, JobState::kCancelled);
}

TEST_F(JobBookTest, WhatRanInTheSameStoreGoesOn) {
  std::string running;
  {
    const auto book = Make("1111");
    book->Start();
    running = Begin(book.get(), "a");
    AwaitBegan("a;");
  }
  GoOn();
  const auto book = Make("1111");
  book->Start();
  Await(*book, running, JobState::kDone);
  EXPECT_EQ(began_, "a;a+;");
}

TEST_F(JobBookTest, IsCancelledWhetherItRunsOrWaits) {
  const auto book = Make();
  book->Start();
  const std::string first = Begin(book.get(), "a");
  AwaitBegan("a;");
  const std::string second = Begin(book.get(), "b");
  ASSERT_TRUE(book->Cancel(second).ok());
  EXPECT_EQ(book->Find(second)->state, JobState::kCancelled);
  ASSERT_TRUE(book->Cancel(first).ok());
  Await(*book, first, JobState::kCancelled);
  EXPECT_EQ(book->Cancel(first).error().code, ErrorCode::kConflict);
  EXPECT_EQ(book->Cancel("99").error().code, ErrorCode::kNotFound);
  EXPECT_EQ(book->Cancel("1x").error().code, ErrorCode::kNotFound);
}

TEST_F(JobBookTest, SaysWhyItHasFailedAndCanBeTriedAgain) {
  const auto book = Make();
  book->Start();
  GoOn();
  const std::string id = Begin(book.get(), "bad");
  EXPECT_EQ(Await(*book, id, JobState::kFailed).error, "the disk is gone");
  ASSERT_TRUE(book->Resume(id).ok());
  EXPECT_EQ(Await(*book, id, JobState::kFailed).error, "the disk is gone");
}

TEST_F(JobBookTest, IsFollowedToItsEnd) {
  const auto book = Make();
  book->Start();
  const std::string id = Begin(book.get(), "a");
  bool seen = false;
  const auto last = book->Follow(id, [&](const Job& job) {
    seen |= job.progress.done == 5;
    if (seen) GoOn();
    return true;
  });
  EXPECT_TRUE(seen);
  EXPECT_EQ(last->state, JobState::kDone);
  EXPECT_EQ(book->Follow("7", [](const Job&) { return true; }).error().code, ErrorCode::kNotFound);
}

TEST(Job, IsReadAsItWasPrinted) {
  const Job job{.id = "12",
                .kind = "compact",
                .database = "a \"b\"",
                .author = "ada",
                .state = JobState::kPaused,
                .progress = {.done = 3, .total = 9, .details = R"("bytesRead":7,"damage":["x, y"])"},
                .error = "why",
                .begun_ns = 1'700'000'000'123'456'789,
                .ended_ns = 0};
  const auto read = ReadJob("{" + PrintJob(job) + "}");
  ASSERT_TRUE(read.ok()) << read.error().message;
  EXPECT_EQ(PrintJob(*read), PrintJob(job));
  EXPECT_EQ(read->begun_ns, job.begun_ns);
  EXPECT_EQ(ReadJob("{}").error().code, ErrorCode::kCorruption);
  EXPECT_EQ(ReadJob("no").error().code, ErrorCode::kCorruption);
}

TEST_F(JobBookTest, JobsGoByTheNewNameOfTheirDatabase) {
  std::string running;
  std::string waiting;
  {
    const auto book = Make();
    book->Start();
    running = Begin(book.get(), "old");
    AwaitBegan("old;");
    waiting = Begin(book.get(), "x");
    const std::string paused = Begin(book.get(), "old", "other");
    ASSERT_TRUE(book->Pause(paused).ok());
    // What is not committed has not happened.
    EXPECT_FALSE(
        book->RenameDatabase("old", "new", [](const auto&) -> Status { return MakeError(ErrorCode::kIo, "x"); }).ok());
    EXPECT_EQ(book->Find(running)->database, "old");
    size_t changed = 0;
    ASSERT_TRUE(book->RenameDatabase("old", "new",
                                     [&](const std::vector<storage::DocumentChange>& changes) -> Status {
                                       changed = changes.size();
                                       TM_RETURN_IF_ERROR(documents_.Apply(changes));
                                       return {};
                                     })
                    .ok());
    EXPECT_EQ(changed, 2U);
    EXPECT_EQ(book->Find(running)->database, "new");
    EXPECT_EQ(book->Find(paused)->database, "new");
    EXPECT_EQ(book->Find(waiting)->database, "x");
    // One that is asked for under the new name is the one that runs.
    EXPECT_EQ(Begin(book.get(), "new"), running);
  }
  // Also after a restart.
  began_.clear();
  const auto book = Make();
  EXPECT_EQ(book->Find(running)->database, "new");
  book->Start();
  AwaitBegan("new+;");
}

}  // namespace
}  // namespace tidemark::server::jobs

// Back-fills: one after the other, with progress, cancelled, and known after a restart.
#include "tools/server/rules/backfill_jobs.h"

#include <gtest/gtest.h>

#include <condition_variable>
#include <mutex>
#include <string>

#include "tests/unit/tools/server/access/memory_documents.h"
#include "tools/server/rules/backfill_api.h"

namespace tidemark::server {
namespace {

using query::rules::BackfillProgress;

class BackfillJobsTest : public ::testing::Test {
 protected:
  // Comes to the fifth of ten times, and waits there until it may go on or is stopped.
  Result<BackfillProgress> Work(const BackfillRequest& request, const std::stop_token& stop,
                                const BackfillJobs::Progress& told) {
    BackfillProgress progress{.times_done = 5, .times_total = 10, .rows_written = 7, .first_failure = {}};
    told(progress);
    std::unique_lock lock(mutex_);
    order_ += request.group + ";";
    changed_.notify_all();
    const std::stop_callback wake(stop, [&] { changed_.notify_all(); });
    while (!may_go_on_ && !stop.stop_requested()) changed_.wait_for(lock, std::chrono::milliseconds(50));
    if (stop.stop_requested()) return MakeError(ErrorCode::kCancelled, "it was cancelled");
    if (request.group == "bad") return MakeError(ErrorCode::kConflict, "rows are refused");
    progress.times_done = 10;
    return progress;
  }
  std::unique_ptr<BackfillJobs> Make() {
    return std::make_unique<BackfillJobs>(
        &documents_, &clock_,
        [this](const auto& request, const auto& stop, const auto& told) { return Work(request, stop, told); });
  }
  static BackfillRequest Of(const std::string& group) {
    return {.file = "f \"q\".yml",
            .group = group,
            .range = {.from_ms = 1000, .to_ms = 2000, .rules = {"a", "b:c"}},
            .author = "ada"};
  }
  void AwaitOrder(const std::string& order) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return order_ == order; });
  }
  void GoOn() {
    const std::lock_guard lock(mutex_);
    may_go_on_ = true;
    changed_.notify_all();
  }
  static BackfillState AwaitEnd(const BackfillJobs& jobs, const std::string& id) {
    for (;;) {
      const BackfillState state = jobs.Find(id)->state;
      if (state != BackfillState::kWaiting && state != BackfillState::kRunning) return state;
      std::this_thread::yield();
    }
  }

  access::MemoryDocuments documents_;
  ManualClock clock_{1'700'000'000'000'000'000};
  std::mutex mutex_;
  std::condition_variable changed_;
  bool may_go_on_ = false;
  std::string order_;
};

TEST_F(BackfillJobsTest, RunOneAfterTheOtherWithProgress) {
  const auto jobs = Make();
  const std::string first = *jobs->Begin(Of("g"));
  const std::string second = *jobs->Begin(Of("bad"));
  jobs->Start();
  AwaitOrder("g;");
  EXPECT_EQ(jobs->Find(first)->state, BackfillState::kRunning);
  EXPECT_EQ(jobs->Find(first)->progress.times_done, 5U);
  EXPECT_EQ(jobs->Find(second)->state, BackfillState::kWaiting);
  GoOn();
  EXPECT_EQ(AwaitEnd(*jobs, first), BackfillState::kDone);
  EXPECT_EQ(AwaitEnd(*jobs, second), BackfillState::kFailed);
  EXPECT_EQ(jobs->Find(first)->progress.times_done, 10U);
  EXPECT_EQ(jobs->Find(second)->error, "rows are refused");
  EXPECT_EQ(order_, "g;bad;");
  ASSERT_EQ(jobs->List().size(), 2U);
  EXPECT_EQ(jobs->List()[0].id, second) << "the last begun first";
}

TEST_F(BackfillJobsTest, AreCancelledWhetherTheyRunOrWait) {
  const auto jobs = Make();
  const std::string first = *jobs->Begin(Of("g"));
  const std::string second = *jobs->Begin(Of("h"));
  jobs->Start();
  AwaitOrder("g;");
  EXPECT_TRUE(jobs->Cancel(second).ok());
  EXPECT_EQ(jobs->Find(second)->state, BackfillState::kCancelled);
  EXPECT_TRUE(jobs->Cancel(first).ok());
  EXPECT_EQ(AwaitEnd(*jobs, first), BackfillState::kCancelled);
  EXPECT_EQ(jobs->Cancel(first).error().message, "the back-fill 00000001 has ended: it is cancelled");
  EXPECT_EQ(jobs->Cancel("none").error().code, ErrorCode::kNotFound);
  EXPECT_EQ(order_, "g;") << "the second never began";
}

TEST_F(BackfillJobsTest, SayAfterARestartThatTheyAreToBeBegunAgain) {
  std::string ran;
  std::string waited;
  {
    const auto jobs = Make();
    ran = *jobs->Begin(Of("g"));
    waited = *jobs->Begin(Of("h"));
    jobs->Start();
    AwaitOrder("g;");
    jobs->Stop();
    EXPECT_EQ(jobs->Find(ran)->state, BackfillState::kInterrupted);
  }
  const auto jobs = Make();
  for (const std::string& id : {ran, waited}) {
    ASSERT_TRUE(jobs->Find(id).ok()) << id;
    EXPECT_EQ(jobs->Find(id)->state, BackfillState::kInterrupted);
    EXPECT_NE(jobs->Find(id)->error.find("begin it again"), std::string::npos);
  }
  EXPECT_EQ(jobs->Find(ran)->request.file, "f \"q\".yml");
  EXPECT_EQ(jobs->Find(ran)->request.range.rules, (std::set<std::string>{"a", "b:c"}));
  EXPECT_EQ(*jobs->Begin(Of("g")), "00000003") << "an id is not given twice";
}

TEST_F(BackfillJobsTest, AreBounded) {
  const auto jobs = Make();
  for (size_t i = 0; i < kBackfillsWaitingMax; ++i) ASSERT_TRUE(jobs->Begin(Of("g")).ok());
  EXPECT_EQ(jobs->Begin(Of("g")).error().code, ErrorCode::kLimitExceeded);
  for (size_t i = 0; i < 2 * kBackfillsKept; ++i) {
    ASSERT_TRUE(jobs->Cancel(jobs->List().front().id).ok());
    ASSERT_TRUE(jobs->Begin(Of("g")).ok());
  }
  EXPECT_EQ(jobs->List().size(), kBackfillsKept);
  EXPECT_EQ(Make()->List().size(), kBackfillsKept) << "and no more are stored";
}

TEST_F(BackfillJobsTest, AreAskedForThroughTheApi) {
  const auto jobs = Make();
  const BackfillApi api(jobs.get(), &clock_, [](const BackfillRequest& request) -> Status {
    if (request.group == "none") return NotFound("there is no such group");
    return {};
  });
  const auto post = [&](const std::string& form) {
    http::Request request;
    EXPECT_TRUE(text::ParseForm(form, &request.params).ok());
    return api.Begin(request);
  };
  EXPECT_EQ(post("group=g&start=5").status, 400);
  EXPECT_NE(post("group=g&start=5").body.find("file=NAME is missing"), std::string::npos);
  EXPECT_EQ(post("group=g&file=f").status, 400) << "no start";
  EXPECT_EQ(post("group=g&file=f&start=soon").status, 400);
  EXPECT_EQ(post("group=none&file=f&start=5").status, 404);
  const auto begun = post("group=g&file=f&start=5&end=99999999999&rule[]=x");
  ASSERT_EQ(begun.status, 202) << begun.body;
  EXPECT_NE(begun.body.find("\"endMs\":1700000000000"), std::string::npos) << "not into the future";
  EXPECT_NE(begun.body.find("\"rules\":[\"x\"]"), std::string::npos);
  http::Request request;
  EXPECT_NE(api.List(request).body.find("\"id\":\"00000001\""), std::string::npos);
  request.captures = {"00000001"};
  EXPECT_EQ(api.Cancel(request).status, 202);
  EXPECT_EQ(api.Cancel(request).status, 409);
  request.captures = {"7"};
  EXPECT_EQ(api.Cancel(request).status, 404);
}

}  // namespace
}  // namespace tidemark::server

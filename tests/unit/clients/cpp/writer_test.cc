#include "clients/cpp/writer.h"

#include <gtest/gtest.h>

#include <atomic>
#include <deque>
#include <map>
#include <thread>

#include "tests/temp_directory.h"

namespace tidemark::client {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;

constexpr int64_t kStartNs = 1'700'000'000'000'000'000;

// Moves only when told. Waiting looks at it again after a moment, whoever moved it.
class ManualClock final : public Clock {
 public:
  [[nodiscard]] int64_t NowNs() const override { return now_ns_; }
  [[nodiscard]] int64_t SteadyNs() const override { return now_ns_; }
  void Wait(std::condition_variable& changed, std::unique_lock<std::mutex>& lock, int64_t) override {
    changed.wait_for(lock, milliseconds(1));
  }
  void Advance(milliseconds by) { now_ns_ += by.count() * 1'000'000; }

 private:
  std::atomic<int64_t> now_ns_{kStartNs};
};

// A server: replies from a script, then with 204; keeps what it stored by line, as last-write-wins does.
class FakeServer {
 public:
  struct Seen {
    std::string target, write_id, body;
    int64_t at_ns;
  };

  class Line final : public Transport {
   public:
    explicit Line(FakeServer* server) : server_(server) {}
    Result<Reply> Post(const Request& request) override { return server_->Handle(request); }
    void Cancel() override { server_->Cancel(); }

   private:
    FakeServer* server_;
  };

  explicit FakeServer(const Clock* clock) : clock_(clock) {}

  void Then(Reply reply) {
    const std::lock_guard<std::mutex> lock(mutex_);
    script_.push_back(std::move(reply));
  }
  // From now on each request fails, until SetUp.
  void SetDown() { down_ = true; }
  void SetUp() { down_ = false; }
  // Requests do not come back until SetUp or Cancel.
  void SetHanging() { hanging_ = true; }
  void StopHanging() { hanging_ = false; }

  std::vector<Seen> seen() const {
    const std::lock_guard<std::mutex> lock(mutex_);
    return seen_;
  }
  std::map<std::string, int> stored() const {
    const std::lock_guard<std::mutex> lock(mutex_);
    return stored_;
  }

 private:
  Result<Reply> Handle(const Request& request) {
    std::string id;
    for (const auto& [name, value] : request.headers) {
      if (name == "X-Write-Id") id = value;
    }
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      seen_.push_back({request.target, id, std::string(request.body), clock_->SteadyNs()});
    }
    while (hanging_ && !cancelled_) std::this_thread::yield();
    if (cancelled_) return Error{ErrorCode::kUnavailable, "cancelled"};
    if (down_) return Error{ErrorCode::kUnavailable, "connection refused"};
    const std::lock_guard<std::mutex> lock(mutex_);
    Reply reply{.status = 204};
    if (!script_.empty()) {
      reply = script_.front();
      script_.pop_front();
    }
    if (reply.status == 204) {
      std::string_view rest = request.body;
      for (size_t end; (end = rest.find('\n')) != std::string_view::npos; rest.remove_prefix(end + 1)) {
        ++stored_[std::string(rest.substr(0, end))];
      }
    }
    return reply;
  }
  void Cancel() { cancelled_ = true; }

  const Clock* const clock_;
  mutable std::mutex mutex_;
  std::deque<Reply> script_;
  std::vector<Seen> seen_;
  std::map<std::string, int> stored_;
  std::atomic<bool> down_{false};
  std::atomic<bool> hanging_{false};
  std::atomic<bool> cancelled_{false};
};

class WriterTest : public testing::Test {
 protected:
  std::unique_ptr<Writer> OpenIt(const WriterOptions& options, FakeServer* server) {
    Writer::Parts parts;
    parts.transport = std::make_unique<FakeServer::Line>(server);
    parts.clock = &clock_;
    parts.seed = 1 + opened_++;
    auto writer = Writer::Open(options, std::move(parts));
    EXPECT_TRUE(writer.ok()) << writer.error().message;
    return std::move(*writer);
  }
  std::unique_ptr<Writer> OpenIt(const WriterOptions& options) { return OpenIt(options, &server_); }
  WriterOptions Spooling() const {
    WriterOptions options;
    options.spool_directory = folder_.Below("spool");
    options.batch_points = 1;
    return options;
  }
  static void Put(Writer* writer, int value) {
    Point point("m");
    point.Field("v", value).Time(value);
    const Status written = writer->Write(point);
    EXPECT_TRUE(written.ok()) << written.error().message;
  }
  // Lets other threads work until `condition` holds; a test that hangs here has failed.
  template <typename Condition>
  static void Until(Condition condition) {
    while (!condition()) std::this_thread::yield();
  }
  // The same while time goes by.
  template <typename Condition>
  void UntilLater(Condition condition) {
    while (!condition()) {
      clock_.Advance(milliseconds(50));
      std::this_thread::sleep_for(milliseconds(1));
    }
  }

  TempDirectory folder_;
  ManualClock clock_;
  FakeServer server_{&clock_};
  uint64_t opened_ = 0;
};

TEST_F(WriterTest, ABatchGoesWhenItIsFull) {
  WriterOptions options;
  options.batch_points = 3;
  options.database = "a b";
  const auto writer = OpenIt(options);
  for (int i = 1; i <= 3; ++i) Put(writer.get(), i);
  Until([&] { return writer->stats().delivered == 3; });
  ASSERT_EQ(server_.seen().size(), 1);
  EXPECT_EQ(server_.seen()[0].target, "/write?precision=ns&db=a%20b");
  EXPECT_EQ(server_.seen()[0].body, "m v=1i 1\nm v=2i 2\nm v=3i 3\n");
  EXPECT_FALSE(server_.seen()[0].write_id.empty());
}

TEST_F(WriterTest, ABatchGoesBeforeItGetsTooLarge) {
  WriterOptions options;
  options.batch_bytes = 20;
  const auto writer = OpenIt(options);
  for (int i = 1; i <= 3; ++i) Put(writer.get(), i);  // 9 bytes each
  Until([&] { return writer->stats().delivered == 2; });
  EXPECT_EQ(server_.seen()[0].body, "m v=1i 1\nm v=2i 2\n");
}

TEST_F(WriterTest, ABatchGoesWhenItIsOld) {
  const auto writer = OpenIt({});
  Put(writer.get(), 1);
  clock_.Advance(milliseconds(999));
  std::this_thread::sleep_for(milliseconds(5));
  EXPECT_TRUE(server_.seen().empty());
  clock_.Advance(milliseconds(1));
  Until([&] { return writer->stats().delivered == 1; });
}

TEST_F(WriterTest, DatabasesTravelApart) {
  const auto writer = OpenIt({});
  Point point("m");
  point.Field("v", 1).Time(1);
  ASSERT_TRUE(writer->Write(point, "one").ok());
  ASSERT_TRUE(writer->Write(point, "two").ok());
  ASSERT_TRUE(writer->WriteLines("m v=1i 2\nm v=1i 3", 2, "one").ok());
  ASSERT_TRUE(writer->Flush(hours(1)).ok());
  const auto seen = server_.seen();
  ASSERT_EQ(seen.size(), 2);
  EXPECT_EQ(seen[0].target, "/write?precision=ns&db=one");
  EXPECT_EQ(seen[0].body, "m v=1i 1\nm v=1i 2\nm v=1i 3\n");
  EXPECT_EQ(seen[1].target, "/write?precision=ns&db=two");
  EXPECT_EQ(writer->stats().delivered, 4);
}

TEST_F(WriterTest, PointsWithoutATimeGetOneEach) {
  const auto writer = OpenIt({});
  for (int i = 0; i < 2; ++i) ASSERT_TRUE(writer->Write(Point("m").Field("v", i)).ok());
  ASSERT_TRUE(writer->Flush(hours(1)).ok());
  EXPECT_EQ(server_.seen()[0].body, "m v=0i 1700000000000000000\nm v=1i 1700000000000000001\n");
}

TEST_F(WriterTest, ARepeatIsTheSameRequest) {
  server_.Then({.status = 503});
  server_.Then({.status = 429});
  server_.Then({.status = 500});
  WriterOptions options;
  options.batch_points = 1;
  const auto writer = OpenIt(options);
  Put(writer.get(), 1);
  UntilLater([&] { return writer->stats().delivered == 1; });
  const auto seen = server_.seen();
  ASSERT_EQ(seen.size(), 4);
  for (const auto& request : seen) {
    EXPECT_EQ(request.write_id, seen[0].write_id);
    EXPECT_EQ(request.body, seen[0].body);
  }
  EXPECT_EQ(writer->stats().repeats, 3);
  EXPECT_EQ(writer->stats().failures, 0);
  Put(writer.get(), 2);
  Until([&] { return writer->stats().delivered == 2; });
  EXPECT_NE(server_.seen()[4].write_id, seen[0].write_id);
}

TEST_F(WriterTest, RetryAfterIsHonoured) {
  server_.Then({.status = 503, .retry_after = "7"});
  WriterOptions options;
  options.batch_points = 1;
  const auto writer = OpenIt(options);
  Put(writer.get(), 1);
  UntilLater([&] { return writer->stats().delivered == 1; });
  EXPECT_GE(server_.seen()[1].at_ns - server_.seen()[0].at_ns, 7'000'000'000);
}

TEST_F(WriterTest, ARefusalIsFinalAndTold) {
  server_.Then({.status = 400,
                .body = R"({"error":"partial write: bad dropped=1","data":[{"line_number":2,"error_message":"bad",)"
                        R"("original_line":"m v=2i 2"}]})"});
  server_.Then({.status = 404, .body = "no such database"});
  std::mutex mutex;
  std::vector<Rejection> told;
  WriterOptions options;
  options.batch_points = 3;
  options.on_rejected = [&](const Rejection& rejection) {
    const std::lock_guard<std::mutex> lock(mutex);
    told.push_back(rejection);
  };
  const auto writer = OpenIt(options);
  for (int i = 1; i <= 6; ++i) Put(writer.get(), i);
  ASSERT_TRUE(writer->Flush(hours(1)).ok());
  EXPECT_EQ(writer->stats().delivered, 2);
  EXPECT_EQ(writer->stats().rejected, 4);
  EXPECT_EQ(server_.seen().size(), 2);
  const std::lock_guard<std::mutex> lock(mutex);
  ASSERT_EQ(told.size(), 2);
  EXPECT_EQ(told[0].points, 1);
  ASSERT_EQ(told[0].refusal.lines.size(), 1);
  EXPECT_EQ(told[0].refusal.lines[0].line, "m v=2i 2");
  EXPECT_EQ(told[0].write_id, server_.seen()[0].write_id);
  EXPECT_EQ(told[1].points, 3);
  EXPECT_EQ(told[1].http_status, 404);
  EXPECT_EQ(told[1].refusal.text, "no such database");
}

TEST_F(WriterTest, BadPointsAreRefusedAtOnce) {
  const auto writer = OpenIt({});
  const Status bad = writer->Write(Point("m"));
  ASSERT_FALSE(bad.ok());
  EXPECT_EQ(bad.error().code, ErrorCode::kInvalidArgument);
  EXPECT_EQ(writer->stats().invalid, 1);
  EXPECT_TRUE(writer->WriteLines("", 0, "db").ok());
}

TEST_F(WriterTest, MemoryIsBounded) {
  server_.SetDown();
  WriterOptions options;
  options.batch_bytes = 100;
  options.memory_bytes = 1000;
  const auto writer = OpenIt(options);
  Point point("m");
  uint64_t taken = 0;
  Status written;
  while ((written = writer->Write(point.Reset("m").Field("v", taken).Time(1))).ok()) {
    ASSERT_LT(++taken, 1000);
    EXPECT_LE(writer->stats().memory_bytes, 1000);
  }
  EXPECT_EQ(written.error().code, ErrorCode::kQueueFull);
  EXPECT_EQ(writer->stats().no_room, 1);
  server_.SetUp();
  UntilLater([&] { return writer->stats().delivered == taken; });
  EXPECT_TRUE(writer->Write(point).ok());
  EXPECT_EQ(writer->Write(Point("m").Field("s", std::string(2000, 'x'))).error().code, ErrorCode::kInvalidArgument);
}

TEST_F(WriterTest, WriteWaitsForRoomWhenAskedTo) {
  server_.SetHanging();
  WriterOptions options;
  options.batch_points = 1;
  options.batch_bytes = 10;
  options.memory_bytes = 20;
  options.full_wait = hours(1);
  const auto writer = OpenIt(options);
  std::thread producer([&] {
    for (int i = 1; i <= 9; ++i) Put(writer.get(), i);
  });
  Until([&] { return server_.seen().size() == 1; });
  EXPECT_LE(writer->stats().accepted, 2);
  server_.StopHanging();
  producer.join();
  ASSERT_TRUE(writer->Flush(hours(1)).ok());
  EXPECT_EQ(writer->stats().delivered, 9);
}

TEST_F(WriterTest, TheSpoolKeepsTheOrderWhileTheServerIsAway) {
  server_.SetDown();
  WriterOptions options = Spooling();
  options.memory_bytes = options.batch_bytes = 200;
  const auto writer = OpenIt(options);
  // Each waits until it is on disk: many times what memory holds.
  for (int i = 1; i <= 100; ++i) {
    Put(writer.get(), i);
    ASSERT_TRUE(writer->Persist(hours(1)).ok());
  }
  EXPECT_EQ(writer->stats().spool_points, 100);
  EXPECT_EQ(writer->Flush(milliseconds(0)).error().code, ErrorCode::kTimeout);
  server_.SetUp();
  UntilLater([&] { return writer->stats().delivered == 100; });
  int next = 0;
  for (const auto& seen : server_.seen()) {
    const int value = std::stoi(seen.body.substr(4));
    EXPECT_LE(value, next + 1) << "out of order";
    next = std::max(next, value);
  }
  EXPECT_EQ(writer->stats().spool_bytes, 0);
}

TEST_F(WriterTest, WhatWasNotDeliveredIsThereForTheNextWriter) {
  server_.SetDown();
  std::vector<std::string> ids;
  {
    const auto writer = OpenIt(Spooling());
    for (int i = 1; i <= 5; ++i) Put(writer.get(), i);
    const Status closed = writer->Close(milliseconds(0));
    ASSERT_FALSE(closed.ok());
    EXPECT_NE(closed.error().message.find("5 are in the spool"), std::string::npos) << closed.error().message;
    EXPECT_EQ(writer->Write(Point("m").Field("v", 1)).error().code, ErrorCode::kClosed);
  }
  const auto before = server_.seen();
  FakeServer back(&clock_);
  const auto writer = OpenIt(Spooling(), &back);
  EXPECT_EQ(writer->stats().recovered, 5);
  Put(writer.get(), 6);
  ASSERT_TRUE(writer->Flush(hours(1)).ok());
  EXPECT_EQ(back.stored().size(), 6);
  for (const auto& [line, times] : back.stored()) EXPECT_EQ(times, 1) << line;
  // The batch that an earlier process had tried kept its id.
  if (!before.empty()) {
    EXPECT_EQ(back.seen()[0].write_id, before[0].write_id);
  }
  EXPECT_EQ(back.seen()[5].body, "m v=6i 6\n");
}

TEST_F(WriterTest, WithoutASpoolWhatIsLeftIsLostAndCounted) {
  server_.SetDown();
  uint64_t lost = 0;
  WriterOptions options;
  options.on_lost = [&](const Loss& loss) { lost += loss.points; };
  const auto writer = OpenIt(options);
  for (int i = 1; i <= 5; ++i) Put(writer.get(), i);
  const Status closed = writer->Close(milliseconds(0));
  ASSERT_FALSE(closed.ok());
  EXPECT_NE(closed.error().message.find("5 are lost"), std::string::npos) << closed.error().message;
  EXPECT_EQ(writer->stats().lost, 5);
  EXPECT_EQ(lost, 5);
  EXPECT_EQ(writer->Close(milliseconds(0)).error().message, closed.error().message) << "idempotent";
}

TEST_F(WriterTest, AFullSpoolDropsItsOldest) {
  server_.SetDown();
  WriterOptions options = Spooling();
  options.spool_bytes = 2000;
  std::atomic<uint64_t> lost{0};
  options.on_lost = [&](const Loss& loss) { lost += loss.points; };
  const auto writer = OpenIt(options);
  Put(writer.get(), 1);
  // From here the sender waits for a moment that this clock does not reach: nothing travels while it is dropped.
  Until([&] { return writer->stats().failures > 0; });
  for (int i = 2; i <= 200; ++i) Put(writer.get(), i);
  ASSERT_TRUE(writer->Persist(hours(1)).ok());
  const WriterStats stats = writer->stats();
  EXPECT_LE(stats.spool_bytes, 2000);
  EXPECT_GT(stats.lost, 0);
  EXPECT_EQ(stats.lost + stats.spool_points, 200);
  server_.SetUp();
  UntilLater([&] { return writer->stats().spool_points == 0; });
  ASSERT_TRUE(writer->Close(hours(1)).ok());
  EXPECT_EQ(lost, writer->stats().lost);
  EXPECT_TRUE(server_.stored().contains("m v=200i 200"));
  EXPECT_EQ(server_.stored().size() + stats.lost, 200);
}

TEST_F(WriterTest, ABatchThatTravelsMayMoveToTheSpool) {
  server_.SetHanging();
  const auto writer = OpenIt(Spooling());
  Put(writer.get(), 1);
  Until([&] { return server_.seen().size() == 1; });
  Put(writer.get(), 2);
  ASSERT_TRUE(writer->Persist(hours(1)).ok());
  EXPECT_EQ(writer->stats().spool_points, 2);
  server_.StopHanging();
  ASSERT_TRUE(writer->Flush(hours(1)).ok());
  EXPECT_EQ(writer->stats().delivered, 2);
  EXPECT_EQ(server_.stored().at("m v=1i 1"), 1);
}

TEST_F(WriterTest, CloseDoesNotWaitForAServerThatHangs) {
  server_.SetHanging();
  const auto writer = OpenIt(Spooling());
  Put(writer.get(), 1);
  Until([&] { return server_.seen().size() == 1; });
  EXPECT_FALSE(writer->Close(milliseconds(0)).ok());
  EXPECT_EQ(writer->stats().spool_points, 1);
}

TEST_F(WriterTest, ThroughTheSpoolAlways) {
  WriterOptions options = Spooling();
  options.spool_always = true;
  options.spool_sync = true;
  const auto writer = OpenIt(options);
  for (int i = 1; i <= 20; ++i) Put(writer.get(), i);
  ASSERT_TRUE(writer->Flush(hours(1)).ok());
  EXPECT_EQ(server_.stored().size(), 20);
  ASSERT_TRUE(writer->Close(hours(1)).ok());
}

TEST_F(WriterTest, ManyThreads) {
  WriterOptions options = Spooling();
  options.batch_points = 50;
  options.memory_bytes = options.batch_bytes = 4000;
  options.full_wait = hours(1);
  const auto writer = OpenIt(options);
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      Point point("m");
      for (int i = 0; i < 500; ++i) {
        point.Reset("m").Tag("t", std::to_string(t)).Field("v", i).Time(i);
        EXPECT_TRUE(writer->Write(point).ok());
        if (i == 250 && t == 0) {
          EXPECT_TRUE(writer->Flush(hours(1)).ok());
        }
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  ASSERT_TRUE(writer->Close(hours(1)).ok());
  EXPECT_EQ(server_.stored().size(), 2000);
  EXPECT_EQ(writer->stats().delivered, 2000);
  EXPECT_EQ(writer->stats().memory_bytes, 0);
}

TEST_F(WriterTest, OptionsThatMakeNoSense) {
  const auto code = [&](auto change) {
    WriterOptions options;
    change(&options);
    const auto writer = Writer::Open(options);
    return writer.ok() ? "" : writer.error().message;
  };
  EXPECT_NE(code([](WriterOptions* o) { o->url = "localhost"; }), "");
  EXPECT_NE(code([](WriterOptions* o) { o->batch_points = 0; }), "");
  EXPECT_NE(code([](WriterOptions* o) { o->memory_bytes = 1; }), "");
  EXPECT_NE(code([](WriterOptions* o) { o->batch_age = milliseconds(0); }), "");
  EXPECT_NE(code([](WriterOptions* o) { o->backoff.first = milliseconds(0); }), "");
  EXPECT_NE(code([](WriterOptions* o) { o->spool_always = true; }), "");
  EXPECT_NE(code([](WriterOptions* o) { o->headers = {{"A", "b\r\nC: d"}}; }), "");
}

}  // namespace
}  // namespace tidemark::client

// Batches: what they take and refuse, the order of their answers, and questions that are answered once.
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "tests/unit/tools/server/routes/routes_fixture.h"
#include "tools/server/batch/batch_request.h"
#include "tools/server/batch/batch_run.h"
#include "tools/server/batch/flights.h"

namespace tidemark::server {
namespace {

using query::api::ErrorReply;
using query::api::ErrorType;
using query::api::Reply;

class BatchTest : public RoutesTest {
 protected:
  // The lines of the answer to `body`, in the order of their ids.
  std::vector<std::string> Ask(const std::string& body, std::string_view path = "/api/v1/query_batch") {
    Response response = Post(path, body);
    EXPECT_EQ(response.status, 200) << response.body;
    EXPECT_EQ(response.content_type, "application/x-ndjson");
    std::string text = response.body;
    if (response.produce) {
      const auto stream = std::make_shared<KeptStream>();
      response.produce(stream);
      EXPECT_TRUE(stream->finished);
      text += stream->text;
    }
    std::vector<std::string> lines;
    for (size_t at = 0, end = 0; (end = text.find('\n', at)) != std::string::npos; at = end + 1) {
      lines.push_back(text.substr(at, end - at));
    }
    std::ranges::sort(lines);
    return lines;
  }
};

TEST_F(BatchTest, EachQuestionIsAnsweredAsItsEndpointWould) {
  Post("/write?db=d&precision=s", "cpu,host=a v=1.5 1700000000\nlog,host=a text=\"up\" 1700000000\n");
  const std::vector<std::string> lines = Ask(R"({"queries":[
    {"id":"a","endpoint":"query","params":{"db":"d","query":"cpu_v","time":1700000000}},
    {"id":"b","endpoint":"query_range","params":{"db":"d","query":"cpu_v","start":1700000000,"end":1700000010.5,"step":10}},
    {"id":"c","endpoint":"events","params":{"db":"d","match[]":["log_text"],"limit":5}},
    {"id":"d","endpoint":"label_values","params":{"db":"d","label":"host"}},
    {"id":"e","endpoint":"query","params":{"query":"sum("}},
    {"id":"f \"x\"","endpoint":"query","params":{"query":"1","time":4}}]})");
  ASSERT_EQ(lines.size(), 6U);
  const auto line = [](std::string_view id, int status, const std::string& body) {
    return R"({"id":")" + std::string(id) + R"(","status":)" + std::to_string(status) + R"(,"reply":)" + body + "}";
  };
  EXPECT_EQ(lines[0], line("a", 200, Get("/api/v1/query?db=d&query=cpu_v&time=1700000000").body));
  EXPECT_EQ(lines[1],
            line("b", 200, Get("/api/v1/query_range?db=d&query=cpu_v&start=1700000000&end=1700000010.5&step=10").body));
  EXPECT_EQ(lines[2], line("c", 200, Get("/api/v1/events?db=d&match[]=log_text&limit=5").body));
  EXPECT_EQ(lines[3], line("d", 200, Get("/api/v1/label/host/values?db=d").body));
  EXPECT_EQ(lines[4], line("e", 400, Get("/api/v1/query?query=sum(").body));
  EXPECT_EQ(lines[5], line(R"(f \"x\")", 200, Get("/api/v1/query?query=1&time=4").body));
  EXPECT_EQ(Ask(R"({"queries":[{"id":"a","endpoint":"query","params":{"query":"cpu_v","db":"other"}}]})",
                "/db/d/api/v1/query_batch")[0],
            line("a", 200, Get("/api/v1/query?db=d&query=cpu_v").body))
      << "the base path goes before db";
  EXPECT_TRUE(Ask(R"({"queries":[]})").empty());
}

TEST_F(BatchTest, RefusalsSayWhichQuestionAndWhatToDo) {
  const auto refused = [this](const std::string& body, int status, std::string_view why) {
    const Response response = Post("/api/v1/query_batch", body);
    EXPECT_EQ(response.status, status) << body;
    EXPECT_NE(response.body.find(why), std::string::npos) << response.body;
  };
  refused("", 400, "the body is no JSON");
  refused("query=up", 400, "the body is no JSON");
  refused("[]", 400, R"(\"queries\" must be a list)");
  refused(R"({"queries":{}})", 400, R"(\"queries\" must be a list)");
  refused(R"({"queries":[{"id":"a","endpoint":"query"},{"endpoint":"query"}]})", 400, R"(queries[1]: \"id\" must be)");
  refused(R"({"queries":[{"id":"a"}]})", 400, R"(queries[0]: \"endpoint\" must be)");
  refused(R"({"queries":[{"id":"a","endpoint":"write"}]})", 400, R"(\"write\" is none of query, query_range,)");
  refused(R"({"queries":[{"id":"a","endpoint":"query","params":[]}]})", 400, R"(\"params\" must be an object)");
  refused(R"({"queries":[{"id":"a","endpoint":"query","params":{"query":{}}}]})", 400,
          R"(parameter \"query\" must be)");
  std::string many = R"({"queries":[)";
  for (size_t i = 0; i <= kBatchQuestionsMax; ++i) many += R"({"id":"a","endpoint":"query"},)";
  many.back() = ']';
  refused(many + "}", 413, "257 queries are more than the 256");
}

TEST_F(BatchTest, AResultThatGoesOnInPiecesIsRefusedAndSaysWhere) {
  query::api::ApiOptions options;
  options.streamed_bytes_min = 1000;
  const query::api::QueryApi small({.store = &store_, .clock = &clock_, .execute = &query::engine::Execute}, options);
  BatchService service(&small, {});
  Request request;
  const std::string body =
      R"({"queries":[{"id":"a","endpoint":"query_range","params":{"query":"1","start":0,"end":900,"step":1}}]})";
  request.body.Reserve(body.size());
  std::ranges::copy(body, request.body.data());
  request.body.SetSize(body.size());
  const Response response = service.Answer(request);
  EXPECT_TRUE(response.body.starts_with(R"({"id":"a","status":413,"reply":{"status":"error",)")) << response.body;
  EXPECT_NE(response.body.find("/api/v1/query_range"), std::string::npos);
}

TEST_F(BatchTest, AListThatIsTooLongIsRefusedAndSaysWhere) {
  const std::string long_value(30'000, 'x');
  model::BatchBuilder rows;
  for (int i = 0; i < 150; ++i) {
    rows.Row("wide", {{"name", std::to_string(i) + long_value}}, {kNow}).Field("value", 1.0);
  }
  ASSERT_TRUE(store_.Write("default", rows.batch()).ok());
  const std::vector<std::string> lines = Ask(R"({"queries":[
    {"id":"a","endpoint":"series","params":{"match[]":"wide"}},
    {"id":"b","endpoint":"series","params":{"match[]":"wide","limit":"3"}},
    {"id":"c","endpoint":"label_values","params":{"label":"name"}}]})");
  ASSERT_EQ(lines.size(), 3U);
  EXPECT_TRUE(lines[0].starts_with(R"({"id":"a","status":413,"reply":{"status":"error",)")) << lines[0].substr(0, 200);
  EXPECT_NE(lines[0].find("/api/v1/series"), std::string::npos) << lines[0].substr(0, 200);
  EXPECT_TRUE(lines[1].starts_with(R"({"id":"b","status":200,)")) << lines[1].substr(0, 200);
  EXPECT_NE(lines[2].find("/api/v1/label/name/values"), std::string::npos) << lines[2].substr(0, 200);
}

std::vector<BatchQuestion> Questions(size_t count) {
  std::string body = R"({"queries":[)";
  for (size_t i = 0; i < count; ++i) body += R"({"id":")" + std::to_string(i) + R"(","endpoint":"query"},)";
  body.back() = ']';
  return *ParseBatch(body + "}", "");
}

Flights::Answer Answered(std::string body) {
  Reply reply;
  reply.body = std::move(body);
  return std::make_shared<const Reply>(std::move(reply));
}

TEST(BatchRunTest, AnAnswerThatIsReadyDoesNotWaitForOneThatIsNot) {
  std::atomic<bool> let_go{false};
  BatchRun run(Questions(2), [&let_go](const BatchQuestion& question, const std::stop_token&) {
    if (question.id == "0") let_go.wait(false);
    return Answered(question.id);
  });
  std::string lines;
  while (lines.empty()) EXPECT_EQ(run.Take(&lines, std::chrono::seconds(60)), BatchRun::State::kMore);
  EXPECT_EQ(lines, "{\"id\":\"1\",\"status\":200,\"reply\":1}\n");
  lines.clear();
  EXPECT_EQ(run.Take(&lines, std::chrono::milliseconds(0)), BatchRun::State::kMore);
  let_go = true;
  let_go.notify_all();
  EXPECT_EQ(run.Take(&lines, std::chrono::seconds(60)), BatchRun::State::kDone);
  EXPECT_EQ(lines, "{\"id\":\"0\",\"status\":200,\"reply\":0}\n");
}

TEST(BatchRunTest, WhatNobodyWantsIsGivenUp) {
  std::atomic<size_t> stopped{0};
  {
    BatchRun run(Questions(100), [&stopped](const BatchQuestion&, const std::stop_token& stop) {
      std::atomic<bool> asked{false};
      const std::stop_callback wake(stop, [&asked] {
        asked = true;
        asked.notify_all();
      });
      asked.wait(false);
      ++stopped;
      return Answered("0");
    });
  }
  EXPECT_LE(stopped.load(), BatchRun::kThreads) << "no further question was begun";
}

TEST(BatchRunTest, AnswersThatNobodyTakesHoldUpTheRest) {
  std::atomic<size_t> begun{0};
  BatchRun run(Questions(100), [&begun](const BatchQuestion&, const std::stop_token&) {
    ++begun;
    return Answered(std::string(BatchRun::kWaitingBytesMax / 2, '1'));
  });
  while (begun < 3) std::this_thread::yield();
  // All threads but those that had begun by then see that there is no room.
  EXPECT_LE(begun.load(), 3 + BatchRun::kThreads);
  std::string lines;
  size_t taken = 0;
  for (bool more = true; more; lines.clear()) {
    more = run.Take(&lines, std::chrono::seconds(60)) == BatchRun::State::kMore;
    EXPECT_LE(lines.size(), BatchRun::kWaitingBytesMax * 4);
    taken += static_cast<size_t>(std::ranges::count(lines, '\n'));
  }
  EXPECT_EQ(taken, 100U);
}

TEST(FlightsTest, EqualQuestionsUnderWayAreAskedOnce) {
  Flights flights;
  std::atomic<int> asked{0};
  std::atomic<bool> let_go{false};
  const auto ask = [&] {
    ++asked;
    let_go.wait(false);
    Reply reply;
    reply.body = "once";
    return reply;
  };
  std::vector<Flights::Answer> answers(3);
  std::vector<std::jthread> threads;
  threads.emplace_back([&] { answers[0] = flights.Ask("k", {}, ask); });
  while (asked == 0) std::this_thread::yield();
  for (size_t i = 1; i < 3; ++i) threads.emplace_back([&, i] { answers[i] = flights.Ask("k", {}, ask); });
  EXPECT_EQ(flights.Ask("other", {}, [] { return Reply{}; })->body, "");
  // Whoever comes before the answer is there waits for it, and whoever comes later asks anew: the others must be
  // waiting before it is let go.
  while (flights.waiting() < 2) std::this_thread::yield();
  let_go = true;
  let_go.notify_all();
  threads.clear();
  EXPECT_EQ(asked, 1);
  for (const Flights::Answer& answer : answers) EXPECT_EQ(answer->body, "once");
  EXPECT_EQ(flights.shared(), 2U);
  EXPECT_EQ(flights.Ask("k", {}, ask)->body, "once");
  EXPECT_EQ(asked, 2) << "nothing is kept";
}

TEST(FlightsTest, WhoWaitsForOneThatWasGivenUpAsksItself) {
  Flights flights;
  std::atomic<bool> begun{false};
  std::atomic<bool> let_go{false};
  std::jthread first([&] {
    flights.Ask("k", {}, [&] {
      begun = true;
      let_go.wait(false);
      return ErrorReply(ErrorType::kCanceled, "the client went away");
    });
  });
  while (!begun) std::this_thread::yield();
  Flights::Answer answer;
  std::jthread second([&] {
    answer = flights.Ask("k", {}, [] {
      Reply reply;
      reply.body = "mine";
      return reply;
    });
  });
  while (flights.waiting() < 1) std::this_thread::yield();
  let_go = true;
  let_go.notify_all();
  second.join();
  EXPECT_EQ(answer->body, "mine");
}

TEST(FlightsTest, WhoIsStoppedWaitsNoLonger) {
  Flights flights;
  std::atomic<bool> begun{false};
  std::atomic<bool> let_go{false};
  std::jthread first([&] {
    flights.Ask("k", {}, [&] {
      begun = true;
      let_go.wait(false);
      return Reply{};
    });
  });
  while (!begun) std::this_thread::yield();
  std::stop_source stop;
  stop.request_stop();
  EXPECT_EQ(flights.Ask("k", stop.get_token(), [] { return Reply{}; })->status, 499);
  let_go = true;
  let_go.notify_all();
}

TEST(BatchRequestTest, KeysTellQuestionsApartAndIdsDoNot) {
  const auto key = [](const std::string& rest) { return KeyOf((*ParseBatch(R"({"queries":[)" + rest + "]}", ""))[0]); };
  const std::string plain = key(R"({"id":"a","endpoint":"query","params":{"query":"up"}})");
  EXPECT_EQ(plain, key(R"({"id":"b","endpoint":"query","params":{"query":"up"}})"));
  EXPECT_NE(plain, key(R"({"id":"a","endpoint":"series","params":{"query":"up"}})"));
  EXPECT_NE(plain, key(R"({"id":"a","endpoint":"query","params":{"query":"up","db":"d"}})"));
  EXPECT_NE(key(R"({"id":"a","endpoint":"query","params":{"a":"b 1 c 1 d"}})"),
            key(R"({"id":"a","endpoint":"query","params":{"a":"b","c":"d"}})"));
}

}  // namespace
}  // namespace tidemark::server

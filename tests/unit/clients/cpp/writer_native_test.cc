// The writer with native batches: what a server that forgets, or has never heard of them, gets instead.
#include <gtest/gtest.h>

#include <chrono>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "clients/cpp/writer.h"

namespace tidemark::client {
namespace {

using std::chrono::seconds;

struct Posted {
  std::string target;
  std::string content_type;
  std::string write_id;
  std::string body;
};

// Answers by a function; keeps what it was sent.
class ScriptedTransport final : public Transport {
 public:
  using Answer = std::function<Reply(const Posted&)>;
  ScriptedTransport(Answer answer, std::vector<Posted>* posted) : answer_(std::move(answer)), posted_(posted) {}

  Result<Reply> Post(const Request& request) override {
    Posted posted{request.target, std::string(request.content_type), {}, std::string(request.body)};
    for (const auto& [name, value] : request.headers) {
      if (name == "X-Write-Id") posted.write_id = value;
    }
    posted_->push_back(posted);
    return answer_(posted);
  }
  void Cancel() override {}

 private:
  Answer answer_;
  std::vector<Posted>* posted_;
};

class NativeWriterTest : public testing::Test {
 protected:
  void Open(ScriptedTransport::Answer answer) {
    WriterOptions options;
    options.encoding = Encoding::kNative;
    options.database = "a b";
    options.on_rejected = [this](const Rejection& rejection) { rejections_.push_back(rejection); };
    Writer::Parts parts;
    parts.transport = std::make_unique<ScriptedTransport>(std::move(answer), &posted_);
    parts.clock = &SystemClock();
    auto opened = Writer::Open(options, std::move(parts));
    ASSERT_TRUE(opened.ok()) << opened.error().message;
    writer_ = std::move(*opened);
  }
  void WriteOne(int64_t time) {
    ASSERT_TRUE(writer_->Write(Point("cpu").Tag("host", "a").Field("n", 1).Time(time)).ok());
    ASSERT_TRUE(writer_->Flush(seconds(30)).ok());
  }
  static bool IsNative(const Posted& posted) { return posted.target.starts_with("/api/v1/native"); }

  std::vector<Posted> posted_;  // read when nothing travels
  std::vector<Rejection> rejections_;
  std::unique_ptr<Writer> writer_;
};

TEST_F(NativeWriterTest, SeriesTravelOnce) {
  Open([](const Posted&) { return Reply{.status = 204}; });
  WriteOne(1);
  WriteOne(2);
  ASSERT_EQ(posted_.size(), 2U);
  EXPECT_EQ(posted_[0].target, "/api/v1/native?db=a%20b");
  EXPECT_EQ(posted_[0].content_type, "application/vnd.tidemark.batch");
  EXPECT_EQ(posted_[0].body.substr(4, 4), "TMNB");
  EXPECT_NE(posted_[0].write_id, posted_[1].write_id);
  EXPECT_NE(posted_[0].body.find("host"), std::string::npos);
  EXPECT_EQ(posted_[1].body.find("host"), std::string::npos);
  EXPECT_EQ(writer_->stats().delivered, 2U);
}

TEST_F(NativeWriterTest, AServerThatForgotIsToldAgainAtOnce) {
  int answers = 0;
  Open([&](const Posted&) { return Reply{.status = ++answers == 2 ? 409 : 204}; });
  WriteOne(1);
  WriteOne(2);
  ASSERT_EQ(posted_.size(), 3U);
  EXPECT_EQ(posted_[1].write_id, posted_[2].write_id);
  EXPECT_NE(posted_[2].body.find("host"), std::string::npos);
  EXPECT_EQ(writer_->stats().delivered, 2U);
  EXPECT_EQ(writer_->stats().failures, 0U);
}

TEST_F(NativeWriterTest, AServerThatAlwaysForgetsGetsBatchesThatStandForThemselves) {
  Open([](const Posted& posted) {
    // A client's name is 32 digits.
    return Reply{.status = posted.body.find(posted.write_id.substr(0, 32)) != std::string::npos ? 409 : 204};
  });
  WriteOne(1);
  WriteOne(2);
  EXPECT_EQ(posted_.size(), 6U);
  EXPECT_EQ(writer_->stats().delivered, 2U);
}

TEST_F(NativeWriterTest, AServerThatDoesNotKnowItGetsLines) {
  Open([](const Posted& posted) { return Reply{.status = IsNative(posted) ? 404 : 204}; });
  WriteOne(1);
  WriteOne(2);
  ASSERT_EQ(posted_.size(), 3U);
  EXPECT_EQ(posted_[1].target, "/write?precision=ns&db=a%20b");
  EXPECT_EQ(posted_[1].body, "cpu,host=a n=1i 1\n");
  EXPECT_EQ(posted_[2].target, posted_[1].target);
}

TEST_F(NativeWriterTest, ADatabaseThatIsNotThereDoesNotEndIt) {
  Open([](const Posted&) { return Reply{.status = 404, .body = R"({"error":"database not found"})"}; });
  WriteOne(1);
  WriteOne(2);
  ASSERT_EQ(posted_.size(), 4U);
  EXPECT_TRUE(IsNative(posted_[2]));
  EXPECT_EQ(rejections_.size(), 2U);
}

TEST_F(NativeWriterTest, WhatItCannotEncodeGoesAsLines) {
  Open([](const Posted&) { return Reply{.status = 204}; });
  ASSERT_TRUE(writer_->WriteLines("cpu,host=a,host=b n=1i 5\n", 1, "x").ok());
  ASSERT_TRUE(writer_->Flush(seconds(30)).ok());
  WriteOne(1);
  ASSERT_EQ(posted_.size(), 2U);
  EXPECT_EQ(posted_[0].target, "/write?precision=ns&db=x");
  EXPECT_TRUE(IsNative(posted_[1]));
}

TEST_F(NativeWriterTest, RefusedRowsAreNamedByTheirLines) {
  Open([](const Posted&) {
    return Reply{.status = 400,
                 .body = R"({"error":"partial write: 1 of 3 rows refused\nrow 2: no dropped=1",)"
                         R"("rows":[{"row":2,"column":1,"series":"cpu","reason":"no"}]})"};
  });
  // Rows with the same fields come together: the second row is the third line.
  ASSERT_TRUE(writer_->WriteLines("cpu a=1i 1\ncpu b=1i 2\ncpu a=2i 3\n", 3, "x").ok());
  ASSERT_TRUE(writer_->Flush(seconds(30)).ok());
  ASSERT_EQ(rejections_.size(), 1U);
  EXPECT_EQ(rejections_[0].points, 1U);
  ASSERT_EQ(rejections_[0].refusal.lines.size(), 1U);
  EXPECT_EQ(rejections_[0].refusal.lines[0].number, 3U);
  EXPECT_EQ(rejections_[0].refusal.lines[0].line, "cpu a=2i 3");
  EXPECT_EQ(rejections_[0].refusal.lines[0].reason, "no");
  EXPECT_EQ(writer_->stats().delivered, 2U);
}

}  // namespace
}  // namespace tidemark::client

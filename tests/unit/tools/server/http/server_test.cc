#include "tools/server/http/server.h"

#include <fmt/core.h>
#include <gtest/gtest.h>

#include <thread>

#include "tests/unit/tools/server/http/server_fixture.h"
#include "tools/server/http/content_coding.h"

namespace tidemark::http {
namespace {

TEST_F(ServerTest, AnswersAndKeepsTheConnection) {
  Start();
  RawClient client(port_);
  for (int i = 0; i < 3; ++i) {
    client.Send("GET /ping HTTP/1.1\r\nHost: a\r\n\r\n");
    const std::string reply = client.ReadReply();
    EXPECT_TRUE(reply.starts_with("HTTP/1.1 200 OK\r\n")) << reply;
    EXPECT_TRUE(reply.ends_with("\r\n\r\npong")) << reply;
    EXPECT_EQ(reply.find("Connection: close"), std::string::npos);
  }
  EXPECT_EQ(server_->counters().connections_accepted.load(), 1U);
}

TEST_F(ServerTest, HeadHasTheLengthAndNoBody) {
  Start();
  RawClient client(port_);
  client.Send("HEAD /ping HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
  const std::string reply = client.ReadAll();
  EXPECT_NE(reply.find("Content-Length: 4\r\n"), std::string::npos);
  EXPECT_TRUE(reply.ends_with("\r\n\r\n"));
}

TEST_F(ServerTest, AnswersPipelinedRequestsInOrder) {
  Start();
  RawClient client(port_);
  std::string all;
  for (int i = 0; i < 50; ++i) {
    all += fmt::format("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\n{:03}", i);
    all += "GET /ping HTTP/1.1\r\nHost: a\r\n\r\n";
  }
  client.Send(all);
  for (int i = 0; i < 50; ++i) {
    EXPECT_TRUE(client.ReadReply().ends_with(fmt::format("\r\n\r\n{:03}", i)));
    EXPECT_TRUE(client.ReadReply().ends_with("\r\n\r\npong"));
  }
}

TEST_F(ServerTest, TakesBodiesSentByteByByte) {
  Start();
  RawClient client(port_);
  for (const char c : std::string("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello")) {
    client.Send({&c, 1});
  }
  EXPECT_TRUE(client.ReadReply().ends_with("\r\n\r\nhello"));
}

TEST_F(ServerTest, TakesChunkedBodiesOfAnyCut) {
  Start();
  std::string body(100'000, 'x');
  for (size_t i = 0; i < body.size(); ++i) body[i] = static_cast<char>('a' + i % 23);
  std::string request = "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n";
  for (size_t at = 0; at < body.size(); at += 977) {
    const std::string part = body.substr(at, 977);
    request += fmt::format("{:x};ext=1\r\n{}\r\n", part.size(), part);
  }
  request += "0\r\nTrailer: x\r\n\r\n";
  for (const size_t cut : {size_t{1} << 20, size_t{4096}, size_t{1000}, size_t{7}}) {
    RawClient client(port_);
    for (size_t at = 0; at < request.size(); at += cut) client.Send(std::string_view(request).substr(at, cut));
    client.Send("GET /ping HTTP/1.1\r\nHost: a\r\n\r\n");
    EXPECT_TRUE(client.ReadReply().ends_with("\r\n\r\n" + body)) << cut;
    EXPECT_TRUE(client.ReadReply().ends_with("pong")) << cut;
  }
}

TEST_F(ServerTest, UnpacksGzipOfSeveralMembers) {
  Start();
  const std::string packed = Gzip("one,") + Gzip("two");
  const std::string reply =
      Ask(fmt::format("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Encoding: gzip\r\nContent-Length: {}\r\n\r\n{}",
                      packed.size(), packed));
  EXPECT_TRUE(reply.ends_with("\r\n\r\none,two")) << reply;
}

TEST_F(ServerTest, RefusesGzipBombsAndDamage) {
  Start();
  const std::string bomb = Gzip(std::string(20'000'000, '\0'));
  ASSERT_LT(bomb.size(), 100'000U);
  const auto post = [](const std::string& body) {
    return fmt::format("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Encoding: gzip\r\nContent-Length: {}\r\n\r\n{}",
                       body.size(), body);
  };
  EXPECT_TRUE(Ask(post(bomb)).starts_with("HTTP/1.1 413"));
  // The same with a trailer that understates the size.
  std::string liar = bomb;
  liar[liar.size() - 4] = 1;
  liar[liar.size() - 3] = liar[liar.size() - 2] = liar[liar.size() - 1] = 0;
  EXPECT_TRUE(Ask(post(liar)).starts_with("HTTP/1.1 413"));
  EXPECT_TRUE(Ask(post("this is not gzip at all, really not")).starts_with("HTTP/1.1 400"));
  EXPECT_TRUE(Ask(post(Gzip("abc").substr(0, 12))).starts_with("HTTP/1.1 400"));
}

TEST_F(ServerTest, CompressesStreamedRepliesWhenAsked) {
  Start();
  const auto ask = [this](const std::string& accept) {
    RawClient client(port_);
    client.Send("GET /stream HTTP/1.1\r\nHost: a\r\nConnection: close\r\nAccept-Encoding: " + accept + "\r\n\r\n");
    return client.ReadAll();
  };
  const std::string plain = ask("identity");
  EXPECT_EQ(plain.find("Content-Encoding"), std::string::npos);
  EXPECT_NE(plain.find("Vary: Accept-Encoding\r\n"), std::string::npos);
  EXPECT_NE(plain.find("line 2"), std::string::npos);
  const std::string gzip = ask("gzip");
  EXPECT_NE(gzip.find("Content-Encoding: gzip\r\n"), std::string::npos);
  EXPECT_NE(gzip.find("Transfer-Encoding: chunked\r\n"), std::string::npos);
  EXPECT_NE(gzip.find("\x1f\x8b"), std::string::npos);
  EXPECT_EQ(gzip.find("line 2"), std::string::npos);
  EXPECT_NE(ask("zstd").find("\x28\xb5\x2f\xfd"), std::string::npos);
}

TEST_F(ServerTest, CompressesLargeRepliesWhenAsked) {
  Start();
  const std::string body(50'000, 'y');
  const std::string reply = Ask(
      fmt::format("POST /echo HTTP/1.1\r\nHost: a\r\nAccept-Encoding: br, gzip;q=0.8\r\nContent-Length: {}\r\n\r\n{}",
                  body.size(), body));
  EXPECT_NE(reply.find("Content-Encoding: gzip\r\n"), std::string::npos);
  EXPECT_LT(reply.size(), 2000U);
}

TEST_F(ServerTest, OneNegotiationOfCodingsForWholeAndStreamedReplies) {
  Start();
  const std::string body(50'000, 'y');
  const auto whole = [&](const std::string& accept) {
    return Ask(fmt::format("POST /echo HTTP/1.1\r\nHost: a\r\nAccept-Encoding: {}\r\nContent-Length: {}\r\n\r\n{}",
                           accept, body.size(), body));
  };
  const auto streamed = [&](const std::string& accept) {
    RawClient client(port_);
    client.Send("GET /stream HTTP/1.1\r\nHost: a\r\nConnection: close\r\nAccept-Encoding: " + accept + "\r\n\r\n");
    return client.ReadAll();
  };
  for (const char* accept : {"gzip;q=0", "gzip; q=0.0, *", "identity, *;q=0", "gzip;q=0, *;q=0", ""}) {
    EXPECT_EQ(whole(accept).find("Content-Encoding"), std::string::npos) << accept;
  }
  for (const char* accept : {"gzip;q=1, *;q=0", "*", "x-gzip", "br, *;q=0.1"}) {
    EXPECT_NE(whole(accept).find("Content-Encoding: gzip\r\n"), std::string::npos) << accept;
  }
  EXPECT_EQ(streamed("gzip;q=0").find("Content-Encoding"), std::string::npos);
  EXPECT_NE(streamed("gzip;q=1, *;q=0").find("Content-Encoding: gzip\r\n"), std::string::npos);
  EXPECT_NE(streamed("*").find("Content-Encoding: zstd\r\n"), std::string::npos);
}

TEST_F(ServerTest, FormsOfBothTypesInAnyCase) {
  Start();
  const auto post = [this](const std::string& type, const std::string& body) {
    const std::string reply =
        Ask(fmt::format("POST /label/l/values HTTP/1.1\r\nHost: a\r\nContent-Type: {}\r\nContent-Length: {}\r\n\r\n{}",
                        type, body.size(), body));
    return reply.substr(reply.find("\r\n\r\n") + 4);
  };
  EXPECT_EQ(post("Application/X-WWW-Form-Urlencoded ; charset=utf-8", "x=1"), "|l|1");
  EXPECT_EQ(post("application/x-www-form-urlencoded-not", "x=1"), "|l|");
  const std::string parts =
      "--b\r\nContent-Disposition: form-data; name=\"y\"\r\n\r\nno\r\n"
      "--b\r\nContent-Type: text/plain\r\ncontent-disposition: form-data; name=\"x\"; filename=f\r\n\r\n"
      "two\r\nlines\r\n--b--\r\n";
  EXPECT_EQ(post("Multipart/Form-Data; boundary=b", parts), "|l|two\r\nlines");
  EXPECT_EQ(post("multipart/form-data; boundary=\"b\"", "preamble\r\n" + parts), "|l|two\r\nlines");
  EXPECT_EQ(post("multipart/form-data; boundary=b", parts.substr(0, parts.size() - 9)),
            "a multipart form that is cut short\n");
  EXPECT_EQ(post("multipart/form-data", parts), "a multipart form without a boundary\n");
}

TEST_F(ServerTest, AHeaderHoldsNoControlCharacter) {
  Start();
  const std::string reply = Ask("GET /header?x=a%01b%0D%0AX-Evil:%201%7F%1Bc%C3%A9 HTTP/1.1\r\nHost: a\r\n\r\n");
  EXPECT_NE(reply.find("\r\nX-Text: a b  X-Evil: 1  c\xC3\xA9\r\n"), std::string::npos) << reply;
}

TEST_F(ServerTest, PathsWithEmptySegmentsAreSentToTheCleanOne) {
  Start();
  const std::string reply = Ask("GET //label///a%20b/./values?x=1%20 HTTP/1.1\r\nHost: a\r\n\r\n");
  EXPECT_TRUE(reply.starts_with("HTTP/1.1 301 ")) << reply;
  EXPECT_NE(reply.find("Location: /label/a%20b/values?x=1%20\r\n"), std::string::npos) << reply;
  EXPECT_TRUE(
      Ask("POST /db/d//label/x/values HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n").starts_with("HTTP/1.1 308 "));
  // Nothing else is sent anywhere, least of all to another host.
  for (const char* path : {"//evil.example", "//evil.example/..", "/..//evil.example/", "//nope"}) {
    const std::string other = Ask(fmt::format("GET {} HTTP/1.1\r\nHost: a\r\n\r\n", path));
    EXPECT_TRUE(other.starts_with("HTTP/1.1 404 ")) << other;
  }
}

TEST_F(ServerTest, SaysContinueBeforeTheBody) {
  Start();
  RawClient client(port_);
  client.Send("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n");
  EXPECT_EQ(client.ReadUntil("\r\n\r\n"), "HTTP/1.1 100 Continue\r\n\r\n");
  client.Send("ok");
  EXPECT_TRUE(client.ReadReply().ends_with("\r\n\r\nok"));
}

TEST_F(ServerTest, RefusesLargeBodiesBeforeTheyCome) {
  Start();
  RawClient client(port_);
  client.Send("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 99999999\r\nExpect: 100-continue\r\n\r\n");
  const std::string reply = client.ReadAll();
  EXPECT_TRUE(reply.starts_with("HTTP/1.1 413 ")) << reply;
}

TEST_F(ServerTest, RefusesLargeChunkedBodies) {
  Start();
  RawClient client(port_);
  client.Send("POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n");
  const std::string chunk = "10000\r\n" + std::string(0x10000, 'x') + "\r\n";
  for (int i = 0; i < 20; ++i) client.Send(chunk);
  EXPECT_TRUE(client.ReadAll().starts_with("HTTP/1.1 413 "));
}

TEST_F(ServerTest, RefusesOversizedHeads) {
  Start();
  RawClient client(port_);
  client.Send("GET /ping HTTP/1.1\r\nHost: a\r\nX: " + std::string(80'000, 'x') + "\r\n\r\n");
  EXPECT_TRUE(client.ReadAll().starts_with("HTTP/1.1 431 "));
}

TEST_F(ServerTest, RefusesMalformedRequests) {
  Start();
  const std::pair<const char*, const char*> cases[] = {
      {"\x16\x03\x01\x02\x05\x01\r\n\r\n", "400"},
      {"GET  /ping HTTP/1.1\r\nHost: a\r\n\r\n", "400"},
      {"GET /ping\r\n\r\n", "400"},
      {"GET /ping HTTP/2.0\r\nHost: a\r\n\r\n", "505"},
      {"GET /ping HTTP/1.1\r\n\r\n", "400"},
      {"GET /ping HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", "400"},
      {"GET /ping HTTP/1.1\r\nHost: a\r\nBad Name: b\r\n\r\n", "400"},
      {"GET /%zz HTTP/1.1\r\nHost: a\r\n\r\n", "400"},
      {"GET /ping?a=%2 HTTP/1.1\r\nHost: a\r\n\r\n", "400"},
      {"GET /nothing HTTP/1.1\r\nHost: a\r\n\r\n", "404"},
      {"DELETE /ping HTTP/1.1\r\nHost: a\r\n\r\n", "405"},
      {"POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n", "400"},
      {"POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 1x\r\n\r\n", "400"},
      {"POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabcd", "400"},
      {"POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", "400"},
      {"POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", "501"},
      {"POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n\r\n", "400"},
      {"POST /echo HTTP/1.1\r\nHost: a\r\nContent-Encoding: br\r\nContent-Length: 1\r\n\r\nx", "415"},
      {"POST /echo HTTP/1.1\r\nHost: a\r\nExpect: magic\r\n\r\n", "417"},
  };
  for (const auto& [request, status] : cases) {
    const std::string reply = Ask(request);
    EXPECT_TRUE(reply.starts_with(fmt::format("HTTP/1.1 {} ", status))) << request << "\n->\n" << reply;
  }
}

TEST_F(ServerTest, CutsSlowHeadsAndSlowBodies) {
  ServerOptions options;
  options.header_timeout = std::chrono::milliseconds(40);
  options.body_grace = std::chrono::milliseconds(40);
  options.body_bytes_per_second_min = 1'000'000;
  // The body below takes more than half of it.
  options.body_memory_bytes = 1500;
  Start(options);
  RawClient head(port_);
  head.Send("GET /ping HTTP/1.1\r\nHost:");
  EXPECT_TRUE(head.ReadAll().starts_with("HTTP/1.1 408 "));
  RawClient body(port_);
  body.Send("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\nx");
  EXPECT_TRUE(body.ReadAll().starts_with("HTTP/1.1 408 "));
  EXPECT_EQ(server_->counters().timeouts.load(), 2U);
  while (server_->counters().body_bytes.load() != 0) std::this_thread::yield();
}

TEST_F(ServerTest, CutsBodiesThatStand) {
  ServerOptions options;
  options.body_stall = std::chrono::milliseconds(40);
  Start(options);
  RawClient body(port_);
  body.Send("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\nx");
  EXPECT_TRUE(body.ReadAll().starts_with("HTTP/1.1 408 "));
}

// A link of some bytes in a second is slow, not hostile, as long as there is room for all.
TEST_F(ServerTest, WaitsForSlowBodiesWhileThereIsRoom) {
  ServerOptions options;
  options.io_threads = 1;
  options.body_grace = std::chrono::milliseconds(1);
  options.body_bytes_per_second_min = size_t{1} << 40;
  options.idle_timeout = std::chrono::milliseconds(20);
  Start(options);
  RawClient slow(port_);
  slow.Send("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nx");
  while (server_->counters().body_bytes.load() == 0) std::this_thread::yield();
  // The sweep that closes this connection has seen the slow one long after its grace.
  EXPECT_EQ(RawClient(port_).ReadAll(), "");
  slow.Send("y");
  EXPECT_EQ(RawClient(port_).ReadAll(), "");
  slow.Send("z");
  EXPECT_TRUE(slow.ReadAll().ends_with("xyz"));
}

TEST_F(ServerTest, TakesHeadsWhoseLinesEndInLf) {
  Start();
  const std::string expected = Ask("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nx\ny");
  ASSERT_TRUE(expected.ends_with("x\ny")) << expected;
  for (const char* const text : {"POST /echo HTTP/1.1\nHost: a\nContent-Length: 3\n\nx\ny",
                                 "POST /echo HTTP/1.1\nHost: a\r\nContent-Length: 3\n\r\nx\ny",
                                 "\n\nPOST /echo HTTP/1.1\nHost: a\nContent-Length: 3\n\nx\ny"}) {
    const std::string request = text;
    EXPECT_TRUE(Ask(request).ends_with("x\ny")) << Ask(request);
    RawClient bytes(port_);
    for (const char c : request) bytes.Send(std::string(1, c));
    bytes.ShutdownSend();
    EXPECT_TRUE(bytes.ReadAll().ends_with("x\ny")) << request;
  }
  EXPECT_TRUE(Ask("GET /ping HTTP/1.0\n\n").ends_with("pong"));
  // One after the other on a connection, of both kinds.
  RawClient pipelined(port_);
  pipelined.Send(
      "GET /ping HTTP/1.1\nHost: a\n\nGET /ping HTTP/1.1\r\nHost: a\r\n\r\nGET /ping HTTP/1.1\nHost: a\nConnection: "
      "close\n\n");
  const std::string replies = pipelined.ReadAll();
  size_t pongs = 0;
  for (size_t at = replies.find("pong"); at != std::string::npos; at = replies.find("pong", at + 1)) ++pongs;
  EXPECT_EQ(pongs, 3U) << replies;
  RawClient endless(port_);
  endless.Send("GET /ping HTTP/1.1\nHost: a\nX: " + std::string(80'000, 'x'));
  EXPECT_TRUE(endless.ReadAll().starts_with("HTTP/1.1 431 "));
}

TEST_F(ServerTest, ClosesIdleConnections) {
  ServerOptions options;
  options.idle_timeout = std::chrono::milliseconds(40);
  Start(options);
  RawClient client(port_);
  EXPECT_EQ(client.ReadAll(), "");
}

TEST_F(ServerTest, LetsGoOfHalfARequest) {
  Start();
  RawClient client(port_);
  client.Send("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\nxyz");
  client.ShutdownSend();
  EXPECT_EQ(client.ReadAll(), "");
  EXPECT_TRUE(Ask("GET /ping HTTP/1.1\r\nHost: a\r\n\r\n").ends_with("pong"));
}

TEST_F(ServerTest, BoundsTheMemoryOfBodies) {
  ServerOptions options;
  options.body_memory_bytes = 1000;
  Start(options);
  RawClient first(port_);
  first.Send("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 900\r\n\r\nx");
  while (server_->counters().body_bytes.load() == 0) std::this_thread::yield();
  const std::string reply = Ask("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 200\r\n\r\nx");
  EXPECT_TRUE(reply.starts_with("HTTP/1.1 503 ")) << reply;
  EXPECT_NE(reply.find("Retry-After: 1\r\n"), std::string::npos);
}

TEST_F(ServerTest, BoundsTheMemoryOfReplies) {
  ServerOptions options;
  options.reply_memory_bytes = 150'000;
  Start(options);
  const auto echo = [](size_t bytes) {
    return fmt::format("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: {}\r\n\r\n{}", bytes,
                       std::string(bytes, 'x'));
  };
  EXPECT_TRUE(Ask(echo(100'000)).starts_with("HTTP/1.1 200 "));
  const std::string reply = Ask(echo(200'000));
  EXPECT_TRUE(reply.starts_with("HTTP/1.1 503 ")) << reply;
  EXPECT_NE(reply.find("Retry-After: 1\r\n"), std::string::npos);
  while (server_->counters().reply_bytes.load() != 0) std::this_thread::yield();
  EXPECT_TRUE(Ask(echo(100'000)).starts_with("HTTP/1.1 200 "));
}

TEST_F(ServerTest, StreamsReplies) {
  Start();
  RawClient client(port_);
  client.Send("GET /stream HTTP/1.1\r\nHost: a\r\n\r\nGET /ping HTTP/1.1\r\nHost: a\r\n\r\n");
  std::string reply = client.ReadUntil("0\r\n\r\n");
  EXPECT_NE(reply.find("Transfer-Encoding: chunked\r\n"), std::string::npos);
  EXPECT_NE(reply.find("6\r\nbegin\n\r\n"), std::string::npos);
  EXPECT_NE(reply.find("line 2\n"), std::string::npos) << reply;
  EXPECT_TRUE(client.ReadReply().ends_with("pong"));
  RawClient old(port_);
  old.Send("GET /stream HTTP/1.0\r\n\r\n");
  EXPECT_TRUE(old.ReadAll().ends_with("\r\n\r\nbegin\nline 0\nline 1\nline 2\n"));
}

TEST_F(ServerTest, AnExceptionOfALibraryCostsOneReply) {
  Start();
  EXPECT_TRUE(Ask("GET /throwing HTTP/1.1\r\nHost: a\r\n\r\n").starts_with("HTTP/1.1 500 "));
  RawClient client(port_);
  client.Send("GET /throwing-stream HTTP/1.1\r\nHost: a\r\n\r\n");
  const std::string cut = client.ReadAll();
  EXPECT_FALSE(cut.ends_with("0\r\n\r\n")) << "the client must see that something is missing: " << cut;
  EXPECT_TRUE(Ask("GET /ping HTTP/1.1\r\nHost: a\r\n\r\n").ends_with("pong"));
}

TEST_F(ServerTest, RoutesByBasePathPatternAndForm) {
  Start();
  EXPECT_TRUE(Ask("GET /label/a%20b/values?x=1+2 HTTP/1.1\r\nHost: a\r\n\r\n").ends_with("\r\n\r\n|a b|1 2"));
  EXPECT_TRUE(
      Ask("GET /db/mine/label/n/values?x=%C3%A9 HTTP/1.1\r\nHost: a\r\n\r\n").ends_with("\r\n\r\nmine|n|\xC3\xA9"));
  EXPECT_TRUE(
      Ask("POST /label/n/values?x=url HTTP/1.1\r\nHost: a\r\nContent-Type: application/x-www-form-urlencoded\r\n"
          "Content-Length: 6\r\n\r\nx=form")
          .ends_with("|n|form"));
  EXPECT_TRUE(Ask("GET /label//values HTTP/1.1\r\nHost: a\r\n\r\n").starts_with("HTTP/1.1 404 "));
  const std::string unknown = Ask("GET /nope HTTP/1.1\r\nHost: a\r\n\r\n");
  EXPECT_TRUE(unknown.ends_with("\r\n\r\n404 page not found\n")) << unknown;
  EXPECT_NE(unknown.find("X-Content-Type-Options: nosniff\r\n"), std::string::npos);
}

TEST_F(ServerTest, AForeignPageMayChangeNothing) {
  Start();
  const auto post = [](std::string_view origin, std::string_view host) {
    return fmt::format("POST /echo HTTP/1.1\r\nHost: {}\r\nOrigin: {}\r\nContent-Length: 2\r\n\r\nhi", host, origin);
  };
  EXPECT_TRUE(Ask(post("http://evil.example", "localhost:8086")).starts_with("HTTP/1.1 403 "));
  EXPECT_TRUE(Ask(post("null", "localhost:8086")).starts_with("HTTP/1.1 403 "));
  EXPECT_TRUE(Ask(post("http://localhost:3000", "localhost:8086")).starts_with("HTTP/1.1 403 "));
  // A name of the attacker that resolves to this machine.
  EXPECT_TRUE(Ask(post("http://evil.example:8086", "evil.example:8086")).starts_with("HTTP/1.1 403 "));
  EXPECT_TRUE(Ask(post("http://localhost:8086", "localhost:8086")).starts_with("HTTP/1.1 200 "));
  EXPECT_TRUE(Ask(post("http://127.0.0.1:8086", "127.0.0.1:8086")).starts_with("HTTP/1.1 200 "));
  EXPECT_TRUE(Ask("GET /label/a/values HTTP/1.1\r\nHost: a\r\nOrigin: http://evil.example\r\n\r\n")
                  .starts_with("HTTP/1.1 200 "));
}

TEST_F(ServerTest, TrailersAreNoHeaders) {
  Start();
  const std::string reply =
      Ask("POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
          "5\r\nhello\r\n0\r\nContent-Encoding: gzip\r\n\r\n");
  EXPECT_TRUE(reply.starts_with("HTTP/1.1 200")) << reply;
  EXPECT_TRUE(reply.ends_with("\r\n\r\nhello")) << reply;
}

TEST_F(ServerTest, DeclaredBodiesDoNotUseUpTheMemory) {
  ServerOptions options;
  options.body_memory_bytes = 4'000'000;
  Start(options);
  std::vector<std::unique_ptr<RawClient>> slow;
  for (int i = 0; i < 7; ++i) {
    slow.push_back(std::make_unique<RawClient>(port_));
    slow.back()->Send("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 999000\r\n\r\nx");
  }
  const std::string reply = Ask("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello");
  EXPECT_TRUE(reply.starts_with("HTTP/1.1 200")) << reply;
  // Each of them can still be finished while the others wait.
  for (const auto& client : slow) {
    client->Send(std::string(998'999, 'x'));
    EXPECT_TRUE(client->ReadReply().starts_with("HTTP/1.1 200"));
  }
}

TEST_F(ServerTest, AGzipBodyCutShortIsCalledDamagedWhateverItsLastBytesDeclare) {
  std::string lines;
  for (int i = 0; i < 5000; ++i) lines += fmt::format("m,i={} v={}\n", i, i * 7919);
  const std::string whole = Gzip(lines);
  for (const size_t size : {whole.size() - 1, whole.size() - 20, whole.size() / 2}) {
    const Result<BodyBuffer> out = GunzipBody(std::string_view(whole).substr(0, size), {});
    ASSERT_FALSE(out.ok());
    EXPECT_EQ(out.error().code, ErrorCode::kInvalidArgument) << out.error().message;
  }
}

}  // namespace
}  // namespace tidemark::http

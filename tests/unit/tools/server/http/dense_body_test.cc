// Bodies that unpack to much more than was received.
#include <fmt/core.h>
#include <gtest/gtest.h>

#include <string>

#include "tests/unit/tools/server/http/server_fixture.h"
#include "tools/server/http/content_coding.h"

namespace tidemark::http {
namespace {

class DenseBodyTest : public ServerTest {};

TEST_F(DenseBodyTest, BodiesThatGrowMuchShareLittleMemory) {
  ServerOptions options;
  options.dense_memory_bytes = 50'000;
  Start(options);
  // The seven digits keep it from being a bomb of its own.
  std::string lines;
  while (lines.size() < 100'000)
    lines += fmt::format("m,i={:07} v=1 ", lines.size() % 1000 * 7919) + std::string(500, ' ');
  const std::string dense = Gzip(lines);
  ASSERT_GT(lines.size(), dense.size() * 20 + options.dense_memory_bytes);
  ASSERT_LT(lines.size(), dense.size() * 200);
  const std::string little = Gzip(lines.substr(0, 40'000));
  const auto post = [](const std::string& body) {
    return fmt::format("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Encoding: gzip\r\nContent-Length: {}\r\n\r\n{}",
                       body.size(), body);
  };
  // What one had is there for the next one.
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(Ask(post(little)).starts_with("HTTP/1.1 200"));
  const std::string reply = Ask(post(dense));
  EXPECT_TRUE(reply.starts_with("HTTP/1.1 503")) << reply;
  EXPECT_NE(reply.find("Retry-After: 1"), std::string::npos) << reply;
  EXPECT_TRUE(Ask(post(little)).starts_with("HTTP/1.1 200"));
}

TEST_F(DenseBodyTest, UnpackedBodiesCountAsBodies) {
  ServerOptions options;
  options.body_memory_bytes = 60'000;
  Start(options);
  const auto post = [](const std::string& body) {
    return fmt::format("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Encoding: gzip\r\nContent-Length: {}\r\n\r\n{}",
                       body.size(), body);
  };
  std::string lines;
  for (int i = 0; lines.size() < 200'000; ++i) lines += fmt::format("m,i={} v={}\n", i, i * 7919);
  EXPECT_TRUE(Ask(post(Gzip(lines.substr(0, 20'000)))).starts_with("HTTP/1.1 200"));
  EXPECT_TRUE(Ask(post(Gzip(lines.substr(0, 100'000)))).starts_with("HTTP/1.1 503"));
  EXPECT_TRUE(Ask(post(Gzip(lines.substr(0, 20'000)))).starts_with("HTTP/1.1 200"));
}

}  // namespace
}  // namespace tidemark::http

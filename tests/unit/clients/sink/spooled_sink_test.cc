#include "clients/sink/spooled_sink.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http.hpp>
#include <chrono>
#include <filesystem>
#include <future>

#include "storage/model/batch.h"
#include "tests/temp_directory.h"

namespace tidemark::sink {
namespace {

namespace asio = boost::asio;
namespace http = boost::beast::http;
using asio::ip::tcp;

model::Batch BatchOf(int64_t value) {
  model::BatchBuilder builder;
  const std::vector<model::LabelView> tags{{"agent", "Agent-1"}};
  builder.Row("exec_run", tags, {value}).Field("tasks", value);
  return std::move(builder.batch());
}

// Port 1 of the loopback address has no listener.
constexpr const char* kNobody = "http://127.0.0.1:1";

std::string Address(const tcp::acceptor& acceptor) {
  return "http://127.0.0.1:" + std::to_string(acceptor.local_endpoint().port());
}

// Takes one connection after the other until `count` requests have come; says yes to each, or what `refusal` says. As a
// server that knows no native batches: those are not counted.
std::vector<std::string> Serve(tcp::acceptor& acceptor, size_t count, const std::string& refusal = {}) {
  std::vector<std::string> seen;
  while (seen.size() < count) {
    tcp::socket socket = acceptor.accept();
    boost::beast::flat_buffer buffer;
    while (seen.size() < count) {
      http::request<http::string_body> request;
      boost::system::error_code error;
      http::read(socket, buffer, request, error);
      if (error) break;
      http::response<http::string_body> response(refusal.empty() ? http::status::no_content : http::status::bad_request,
                                                 11);
      if (request.target().starts_with("/api/v1/native")) {
        response.result(http::status::not_found);
      } else {
        seen.push_back(std::string(request.target()) + " " + request.body());
      }
      response.body() = refusal;
      response.prepare_payload();
      http::write(socket, response);
    }
  }
  return seen;
}

std::string LineOf(int64_t value) {
  const std::string n = std::to_string(value);
  return "/write?precision=ns&db=_exec exec_run,agent=Agent-1 tasks=" + n + "i " + n + "\n";
}

TEST(SpooledSink, ReportsOfARunWithoutAServerAreDeliveredByTheNext) {
  const TempDirectory folder;
  const std::string root = folder.Below("spool");
  {
    const auto sink = SpooledSink::Open({.server = kNobody, .spool_root = root});
    ASSERT_TRUE(sink.ok()) << sink.error().message;
    for (int64_t i = 1; i <= 2; ++i) {
      const auto report = (*sink)->Write("_exec", BatchOf(i));
      ASSERT_TRUE(report.ok()) << report.error().message;
      EXPECT_EQ(report->rows_written, 1);
    }
    const SpooledSink::Balance balance = (*sink)->Close(std::chrono::milliseconds(0));
    EXPECT_EQ(balance.waiting, 2);
    EXPECT_EQ(balance.delivered + balance.rejected + balance.lost, 0);
    EXPECT_FALSE((*sink)->Write("_exec", BatchOf(9)).ok()) << "after Close";
    EXPECT_EQ((*sink)->Close(std::chrono::seconds(1)).waiting, 2) << "Close is idempotent";
  }
  asio::io_context io;
  tcp::acceptor acceptor(io, tcp::endpoint(asio::ip::address_v4::loopback(), 0));
  auto server = std::async(std::launch::async, [&] { return Serve(acceptor, 3); });
  const auto sink = SpooledSink::Open({.server = Address(acceptor), .spool_root = root});
  ASSERT_TRUE(sink.ok()) << sink.error().message;
  EXPECT_EQ((*sink)->stats().recovered, 2);
  ASSERT_TRUE((*sink)->Write("_exec", BatchOf(3)).ok());
  const std::vector<std::string> seen = server.get();
  for (size_t i = 0; i < 3; ++i) EXPECT_EQ(seen[i], LineOf(static_cast<int64_t>(i) + 1));
  EXPECT_TRUE((*sink)->Flush(std::chrono::minutes(1)).ok());
  EXPECT_EQ((*sink)->Close(std::chrono::minutes(1)).delivered, 3);
}

TEST(SpooledSink, WhatOthersLeftInTheirFoldersGoesToo) {
  const TempDirectory folder;
  const std::string root = folder.Below("spool");
  {
    // Two programs side by side, both without a server: folders 0 and 1.
    const auto first = SpooledSink::Open({.server = kNobody, .spool_root = root});
    const auto second = SpooledSink::Open({.server = kNobody, .spool_root = root});
    ASSERT_TRUE(first.ok() && second.ok());
    ASSERT_TRUE((*first)->Write("_exec", BatchOf(1)).ok());
    ASSERT_TRUE((*second)->Write("_exec", BatchOf(2)).ok());
    EXPECT_EQ((*first)->Close({}).waiting, 1);
    EXPECT_EQ((*second)->Close({}).waiting, 1);
  }
  asio::io_context io;
  tcp::acceptor acceptor(io, tcp::endpoint(asio::ip::address_v4::loopback(), 0));
  // Two connections at once, since two folders are read: each is served by a thread of its own.
  std::vector<std::future<std::vector<std::string>>> servers;
  for (int i = 0; i < 2; ++i) {
    servers.push_back(std::async(std::launch::async, [&] { return Serve(acceptor, 1); }));
  }
  const auto sink = SpooledSink::Open({.server = Address(acceptor), .spool_root = root});
  ASSERT_TRUE(sink.ok());
  std::vector<std::string> seen;
  for (auto& server : servers) seen.push_back(server.get().at(0));
  std::sort(seen.begin(), seen.end());
  EXPECT_EQ(seen, (std::vector<std::string>{LineOf(1), LineOf(2)}));
  ASSERT_TRUE((*sink)->Flush(std::chrono::minutes(1)).ok());
  EXPECT_EQ((*sink)->Close({}).delivered, 2);
}

TEST(SpooledSink, WhatTheServerRefusesIsTold) {
  asio::io_context io;
  tcp::acceptor acceptor(io, tcp::endpoint(asio::ip::address_v4::loopback(), 0));
  auto server = std::async(std::launch::async, [&] { return Serve(acceptor, 1, R"({"error":"no such thing"})"); });
  const auto sink = SpooledSink::Open({.server = Address(acceptor)});
  ASSERT_TRUE(sink.ok());
  ASSERT_TRUE((*sink)->Write("_exec", BatchOf(1)).ok());
  server.get();
  const SpooledSink::Balance balance = (*sink)->Close(std::chrono::minutes(1));
  EXPECT_EQ(balance.rejected, 1);
  EXPECT_EQ(balance.first_refusal, "no such thing");
}

TEST(SpooledSink, TheSpoolIsBounded) {
  const TempDirectory folder;
  const std::string root = folder.Below("spool");
  const auto sink = SpooledSink::Open({.server = kNobody, .spool_root = root, .spool_bytes = 16 << 10});
  ASSERT_TRUE(sink.ok());
  for (int64_t i = 1; i <= 1000; ++i) ASSERT_TRUE((*sink)->Write("_exec", BatchOf(i)).ok());
  const SpooledSink::Balance balance = (*sink)->Close({});
  EXPECT_GT(balance.lost, 0);
  EXPECT_EQ(balance.lost + balance.waiting, 1000);
  uintmax_t bytes = 0;
  for (const auto& entry : std::filesystem::directory_iterator(root + "/0")) bytes += entry.file_size();
  EXPECT_LE(bytes, 16 << 10);
}

TEST(SpooledSink, ProgramsSideBySideHaveTheirOwnFolders) {
  const TempDirectory folder;
  const std::string root = folder.Below("spool");
  const auto first = SpooledSink::Open({.server = kNobody, .spool_root = root});
  const auto second = SpooledSink::Open({.server = kNobody, .spool_root = root});
  ASSERT_TRUE(first.ok() && second.ok());
  EXPECT_TRUE(std::filesystem::exists(folder.Below("spool/1")));
}

TEST(SpooledSink, AnAddressThatIsNone) {
  const TempDirectory folder;
  const auto sink = SpooledSink::Open({.server = "nowhere", .spool_root = folder.path()});
  ASSERT_FALSE(sink.ok());
  EXPECT_EQ(sink.error().code, ErrorCode::kInvalidArgument);
}

}  // namespace
}  // namespace tidemark::sink

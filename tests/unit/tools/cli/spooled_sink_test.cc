#include "tools/cli/spooled_sink.h"

#include <gtest/gtest.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http.hpp>
#include <filesystem>
#include <future>

#include "storage/model/batch.h"
#include "tests/unit/clients/cpp/temporary_folder.h"

namespace tidemark::cli {
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

TEST(SpooledSink, ReportsOfARunWithoutAServerAreDeliveredByTheNext) {
  const client::TemporaryFolder folder;
  const std::string root = (folder.path() / "spool").string();
  {
    const auto sink = SpooledSink::Open(kNobody, root);
    ASSERT_TRUE(sink.ok()) << sink.error().message;
    for (int64_t i = 1; i <= 2; ++i) {
      const auto report = (*sink)->Write("_exec", BatchOf(i));
      ASSERT_TRUE(report.ok()) << report.error().message;
      EXPECT_EQ(report->rows_written, 1);
    }
    EXPECT_EQ((*sink)->stats().spool_points, 2);
  }
  asio::io_context io;
  tcp::acceptor acceptor(io, tcp::endpoint(asio::ip::address_v4::loopback(), 0));
  auto server = std::async(std::launch::async, [&] {
    tcp::socket socket = acceptor.accept();
    std::vector<std::string> seen;
    boost::beast::flat_buffer buffer;
    for (int i = 0; i < 3; ++i) {
      http::request<http::string_body> request;
      http::read(socket, buffer, request);
      seen.push_back(std::string(request.target()) + " " + request.body());
      http::response<http::empty_body> response(http::status::no_content, 11);
      http::write(socket, response);
    }
    return seen;
  });
  const auto sink = SpooledSink::Open("http://127.0.0.1:" + std::to_string(acceptor.local_endpoint().port()), root);
  ASSERT_TRUE(sink.ok()) << sink.error().message;
  EXPECT_EQ((*sink)->stats().recovered, 2);
  ASSERT_TRUE((*sink)->Write("_exec", BatchOf(3)).ok());
  const std::vector<std::string> seen = server.get();
  for (size_t i = 0; i < 3; ++i) {
    const std::string n = std::to_string(i + 1);
    EXPECT_EQ(seen[i], "/write?precision=ns&db=_exec exec_run,agent=Agent-1 tasks=" + n + "i " + n + "\n");
  }
}

TEST(SpooledSink, ProgramsSideBySideHaveTheirOwnFolders) {
  const client::TemporaryFolder folder;
  const std::string root = (folder.path() / "spool").string();
  const auto first = SpooledSink::Open(kNobody, root);
  const auto second = SpooledSink::Open(kNobody, root);
  ASSERT_TRUE(first.ok() && second.ok());
  EXPECT_TRUE(std::filesystem::exists(folder.path() / "spool" / "1"));
}

TEST(SpooledSink, AnAddressThatIsNone) {
  const client::TemporaryFolder folder;
  const auto sink = SpooledSink::Open("nowhere", folder.path().string());
  ASSERT_FALSE(sink.ok());
  EXPECT_EQ(sink.error().code, ErrorCode::kInvalidArgument);
}

}  // namespace
}  // namespace tidemark::cli

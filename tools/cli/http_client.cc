#include "tools/cli/http_client.h"

#include <fmt/core.h>

#include <boost/asio/connect.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>
#include <charconv>
#include <optional>

namespace tidemark::cli {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
using boost::system::error_code;

class BeastClient final : public HttpClient {
 public:
  BeastClient(std::string host, std::string port, std::string base)
      : host_(std::move(host)), port_(std::move(port)), base_(std::move(base)) {}

  Result<HttpReply> Send(std::string_view method, std::string_view target, const Headers& headers,
                         std::string_view body) override {
    return Exchange(method, target, headers, body, nullptr);
  }

  Result<HttpReply> SendForLines(std::string_view method, std::string_view target, const Headers& headers,
                                 std::string_view body, const std::function<void(std::string_view)>& line) override {
    return Exchange(method, target, headers, body, &line);
  }

  void set_timeout(std::chrono::milliseconds timeout) override { timeout_ = timeout; }

 private:
  using Line = std::function<void(std::string_view)>;

  Result<HttpReply> Exchange(std::string_view method, std::string_view target, const Headers& headers,
                             std::string_view body, const Line* line) {
    http::request<http::span_body<const char>> request;
    request.method_string(beast::string_view(method.data(), method.size()));
    request.target(base_ + std::string(target));
    request.version(11);
    request.set(http::field::host, host_ + ":" + port_);
    request.set(http::field::user_agent, "tidemark");
    for (const auto& [name, value] : headers) request.set(name, value);
    request.body() = {body.data(), body.size()};
    request.prepare_payload();

    const bool kept = stream_.has_value();
    if (!kept) TM_RETURN_IF_ERROR(Connect());
    error_code error = WriteAll(request);
    std::optional<Result<HttpReply>> reply;
    if (!error) reply = ReadReply(line, &error);
    if (error && kept && (!reply || !received_)) {
      // The server had closed the kept connection before it saw this request.
      TM_RETURN_IF_ERROR(Connect());
      error = WriteAll(request);
      if (!error) reply = ReadReply(line, &error);
    }
    if (error) {
      stream_.reset();
      if (error == beast::error::timeout) {
        return MakeError(ErrorCode::kTimeout, fmt::format("no answer from {}:{} in time", host_, port_));
      }
      return MakeError(ErrorCode::kIo, fmt::format("{}:{}: {}", host_, port_, error.message()));
    }
    return std::move(*reply);
  }

  Result<void> Connect() {
    error_code error;
    asio::ip::tcp::resolver resolver(io_);
    const auto addresses = resolver.resolve(host_, port_, error);
    if (!error) {
      stream_.emplace(io_);
      buffer_.clear();
      error = Wait([&](auto done) {
        stream_->async_connect(addresses, [done](error_code e, const asio::ip::tcp::endpoint&) { done(e); });
      });
    }
    if (error) {
      stream_.reset();
      return MakeError(ErrorCode::kUnavailable, fmt::format("cannot connect to {}:{}: {}; is the server running?",
                                                            host_, port_, error.message()));
    }
    stream_->socket().set_option(asio::ip::tcp::no_delay(true), error);
    return {};
  }

  // Runs one asynchronous operation to its end: only those know timeouts.
  template <typename Start>
  error_code Wait(Start start) {
    error_code result;
    stream_->expires_after(timeout_);
    start([&result](error_code error) { result = error; });
    io_.restart();
    io_.run();
    return result;
  }

  template <typename Request>
  error_code WriteAll(Request& request) {
    received_ = false;
    return Wait([&](auto done) { http::async_write(*stream_, request, [done](error_code e, size_t) { done(e); }); });
  }

  Result<HttpReply> ReadReply(const Line* line, error_code* error) {
    http::response_parser<http::string_body> parser;
    parser.body_limit(boost::none);
    *error = Wait([&](auto done) {
      http::async_read_header(*stream_, buffer_, parser, [done](error_code e, size_t) { done(e); });
    });
    if (*error) return HttpReply{};
    received_ = true;
    HttpReply reply;
    reply.status = static_cast<int>(parser.get().result_int());
    const auto retry = parser.get()[http::field::retry_after];
    std::from_chars(retry.data(), retry.data() + retry.size(), reply.retry_after_s);
    const bool by_line = line != nullptr && reply.status < 400;
    while (!parser.is_done()) {
      *error = Wait([&](auto done) {
        http::async_read_some(*stream_, buffer_, parser, [done](error_code e, size_t) { done(e); });
      });
      if (*error) return reply;
      if (by_line) HandOutLines(&parser.get().body(), *line, false);
    }
    if (by_line) HandOutLines(&parser.get().body(), *line, true);
    reply.body = std::move(parser.get().body());
    if (!parser.keep_alive()) stream_.reset();
    return reply;
  }

  static void HandOutLines(std::string* body, const Line& line, bool last) {
    size_t begin = 0;
    for (size_t end; (end = body->find('\n', begin)) != std::string::npos; begin = end + 1) {
      line(std::string_view(*body).substr(begin, end - begin));
    }
    if (last && begin < body->size()) {
      line(std::string_view(*body).substr(begin));
      begin = body->size();
    }
    body->erase(0, begin);
  }

  const std::string host_;
  const std::string port_;
  const std::string base_;
  std::chrono::milliseconds timeout_ = std::chrono::minutes(5);
  asio::io_context io_{1};
  std::optional<beast::tcp_stream> stream_;
  beast::flat_buffer buffer_;
  bool received_ = false;  // a byte of the reply to the present request
};

}  // namespace

Result<std::unique_ptr<HttpClient>> HttpClient::Create(std::string_view url) {
  constexpr std::string_view kScheme = "http://";
  if (!url.starts_with(kScheme)) {
    return InvalidArgument(fmt::format("\"{}\" is no address of a server: http://HOST:PORT", url));
  }
  url.remove_prefix(kScheme.size());
  const size_t slash = url.find('/');
  std::string_view authority = url.substr(0, slash);
  std::string base(slash == std::string_view::npos ? "" : url.substr(slash));
  while (base.ends_with('/')) base.pop_back();
  std::string port = "8086";
  // The last colon outside of the brackets of an IPv6 address.
  const size_t colon = authority.rfind(':');
  if (colon != std::string_view::npos && authority.find(']', colon) == std::string_view::npos) {
    port = authority.substr(colon + 1);
    authority = authority.substr(0, colon);
  }
  if (authority.starts_with('[') && authority.ends_with(']')) authority = authority.substr(1, authority.size() - 2);
  if (authority.empty() || port.empty()) {
    return InvalidArgument(fmt::format("\"{}{}\" names no host and port", kScheme, url));
  }
  return std::make_unique<BeastClient>(std::string(authority), std::move(port), std::move(base));
}

std::string UrlEncode(std::string_view text) {
  std::string out;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    const bool plain = (byte >= '0' && byte <= '9') || (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') ||
                       c == '-' || c == '_' || c == '.' || c == '~';
    if (plain) {
      out.push_back(c);
    } else {
      out += fmt::format("%{:02X}", byte);
    }
  }
  return out;
}

std::string QueryString(const std::vector<std::pair<std::string, std::string>>& parameters) {
  std::string out;
  for (const auto& [name, value] : parameters) {
    if (value.empty()) continue;
    out += out.empty() ? '?' : '&';
    out += UrlEncode(name);
    out += '=';
    out += UrlEncode(value);
  }
  return out;
}

}  // namespace tidemark::cli

#include "clients/cpp/http_connection.h"

#include <atomic>
#include <boost/asio/connect.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/ssl/host_name_verification.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>
#include <optional>

#include "clients/cpp/credential.h"
#include "clients/cpp/tls.h"

namespace tidemark::client {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
using boost::system::error_code;

// What an address says.
struct Address {
  bool encrypted = false;
  std::string host;
  std::string port;
  std::string base;
};

class BeastConnection final : public HttpConnection {
 public:
  // `tls`: null for a plain connection.
  BeastConnection(Address address, std::shared_ptr<asio::ssl::context> tls, std::chrono::milliseconds timeout,
                  const std::string& token)
      : host_(std::move(address.host)),
        port_(std::move(address.port)),
        base_(std::move(address.base)),
        tls_context_(std::move(tls)),
        timeout_(timeout),
        authorization_(token.empty() ? "" : "Bearer " + token) {}

  Result<Reply> Send(const HttpRequest& request, uint64_t body_bytes_max, const OnBody& on_body) override {
    http::request<http::span_body<const char>> message;
    message.method_string(beast::string_view(request.method.data(), request.method.size()));
    message.target(base_ + std::string(request.target));
    message.version(11);
    message.set(http::field::host, (host_.find(':') == std::string::npos ? host_ : "[" + host_ + "]") + ":" + port_);
    message.set(http::field::user_agent, "tidemark");
    if (!authorization_.empty()) message.set(http::field::authorization, authorization_);
    for (const auto& [name, value] : request.headers) message.set(name, value);
    message.body() = {request.body.data(), request.body.size()};
    message.prepare_payload();

    const bool kept = stream_.has_value();
    if (!kept) {
      if (const error_code error = Connect()) return NotReached(error);
    }
    Reply reply;
    received_ = false;
    error_code error = Exchange(message, body_bytes_max, on_body, &reply);
    // The server may have closed a kept connection while it was idle, before it saw this request.
    if (error && kept && !received_ && error != beast::error::timeout && !cancelled_) {
      if (const error_code again = Connect()) return NotReached(again);
      error = Exchange(message, body_bytes_max, on_body, &reply);
    }
    if (!error) return reply;
    Drop();
    if (cancelled_) return Error{ErrorCode::kUnavailable, "the request was cancelled"};
    if (error == beast::error::timeout) {
      return Error{ErrorCode::kTimeout, "no answer from " + host_ + ":" + port_ + " in time"};
    }
    if (error == http::error::body_limit) {
      return Error{ErrorCode::kQueueFull,
                   host_ + ":" + port_ + " answers more than " + std::to_string(body_bytes_max) + " bytes"};
    }
    return Error{ErrorCode::kIo, host_ + ":" + port_ + ": " + error.message()};
  }

  void set_timeout(std::chrono::milliseconds timeout) override { timeout_ = timeout; }

  void Cancel() override {
    cancelled_ = true;
    asio::post(io_, [this] {
      if (stream_) stream_->cancel();
    });
  }

 private:
  void Drop() {
    tls_.reset();
    stream_.reset();
  }

  Error NotReached(error_code error) {
    const std::string distrust = tls_ ? Distrust() : std::string();
    Drop();
    if (cancelled_) return {ErrorCode::kUnavailable, "the request was cancelled"};
    if (!distrust.empty()) {
      return {ErrorCode::kUnavailable, "the certificate of " + host_ + ":" + port_ + " is not believed: " + distrust};
    }
    if (error == beast::error::timeout) {
      return {ErrorCode::kTimeout, "no connection to " + host_ + ":" + port_ + " in time"};
    }
    return {ErrorCode::kUnavailable, "cannot reach " + host_ + ":" + port_ + ": " + error.message()};
  }

  error_code Connect() {
    error_code error;
    asio::ip::tcp::resolver resolver(io_);
    const auto addresses = resolver.resolve(host_, port_, error);
    if (error) return error;
    Drop();
    stream_.emplace(io_);
    buffer_.clear();
    error = Wait([&](auto done) {
      stream_->async_connect(addresses, [done](error_code e, const asio::ip::tcp::endpoint&) { done(e); });
    });
    if (error) return error;
    error_code ignored;  // only slower without it
    static_cast<void>(stream_->socket().set_option(asio::ip::tcp::no_delay(true), ignored));
    return tls_context_ ? Handshake() : error_code();
  }

  error_code Handshake() {
    tls_.emplace(*stream_, *tls_context_);
    error_code error;
    asio::ip::make_address(host_, error);
    // Of an address no server can choose its certificate by (RFC 6066, 3).
    if (error) {
      SSL_ctrl(tls_->native_handle(), SSL_CTRL_SET_TLSEXT_HOSTNAME, TLSEXT_NAMETYPE_host_name,
               const_cast<char*>(host_.c_str()));  // SSL_set_tlsext_host_name, whose cast is an old one
    }
    tls_->set_verify_callback(asio::ssl::host_name_verification(host_), error);
    if (error) return error;
    return Wait(
        [&](auto done) { tls_->async_handshake(asio::ssl::stream_base::client, [done](error_code e) { done(e); }); });
  }

  // Why the server's certificate was refused; "" when it was not.
  std::string Distrust() {
    const long verdict = SSL_get_verify_result(tls_->native_handle());
    return verdict == X509_V_OK ? "" : X509_verify_cert_error_string(verdict);
  }

  template <typename Message>
  error_code Exchange(Message& message, uint64_t body_bytes_max, const OnBody& on_body, Reply* reply) {
    return tls_ ? ExchangeOver(*tls_, message, body_bytes_max, on_body, reply)
                : ExchangeOver(*stream_, message, body_bytes_max, on_body, reply);
  }

  template <typename Stream, typename Message>
  error_code ExchangeOver(Stream& stream, Message& message, uint64_t body_bytes_max, const OnBody& on_body,
                          Reply* reply) {
    const error_code write_error =
        Wait([&](auto done) { http::async_write(stream, message, [done](error_code e, size_t) { done(e); }); });
    // A server that refuses early may close its side before it has read all: its reply says why, so look for it.
    if (write_error && write_error != asio::error::broken_pipe && write_error != asio::error::connection_reset) {
      return write_error;
    }
    http::response_parser<http::string_body> parser;
    parser.get().result(0U);  // until the status line has come
    if (body_bytes_max == kNoLimit) {
      parser.body_limit(boost::none);
    } else {
      parser.body_limit(body_bytes_max);
    }
    error_code error = Wait([&](auto done) {
      http::async_read_header(stream, buffer_, parser, [done](error_code e, size_t) { done(e); });
    });
    const unsigned status = parser.get().result_int();
    // A header that cannot be read takes nothing from the status in front of it: with an error instead, a refusal would
    // look like an outage, and the request would be sent for ever.
    if (error && status != 0 && error.category() == http::make_error_code(http::error::bad_field).category() &&
        error != http::error::end_of_stream && error != http::error::partial_message &&
        error != http::error::body_limit) {
      received_ = true;
      reply->status = static_cast<int>(status);
      reply->body = "a reply that cannot be read: " + error.message();
      Drop();
      return {};
    }
    if (error) return write_error ? write_error : error;
    received_ = true;
    reply->status = static_cast<int>(status);
    const auto retry = parser.get()[http::field::retry_after];
    reply->retry_after.assign(retry.data(), retry.size());
    const bool in_pieces = on_body && reply->status < 400;
    while (!parser.is_done()) {
      error = Wait([&](auto done) {
        http::async_read_some(stream, buffer_, parser, [done](error_code e, size_t) { done(e); });
      });
      if (error) return error;
      if (in_pieces) on_body(&parser.get().body(), false);
    }
    if (in_pieces) on_body(&parser.get().body(), true);
    reply->body = std::move(parser.get().body());
    if (write_error || !parser.keep_alive()) Drop();
    return {};
  }

  // Runs one asynchronous operation to its end: only those know timeouts and can be cancelled.
  template <typename Start>
  error_code Wait(Start start) {
    if (cancelled_) return asio::error::operation_aborted;
    error_code result;
    stream_->expires_after(timeout_);
    start([&result](error_code error) { result = error; });
    io_.restart();
    io_.run();
    return result;
  }

  const std::string host_;
  const std::string port_;
  const std::string base_;
  const std::shared_ptr<asio::ssl::context> tls_context_;
  std::chrono::milliseconds timeout_;
  const std::string authorization_;
  std::atomic<bool> cancelled_{false};
  asio::io_context io_;
  std::optional<beast::tcp_stream> stream_;
  std::optional<asio::ssl::stream<beast::tcp_stream&>> tls_;  // over stream_
  beast::flat_buffer buffer_;
  bool received_ = false;  // a byte of the reply to the present request
};

// What stands between "//" and the last '@' in front of the path is a secret, also where the rest is wrong.
std::string WithoutCredentials(std::string_view url) {
  const size_t slashes = url.find("//");
  const size_t begin = slashes == std::string_view::npos ? 0 : slashes + 2;
  const size_t end = url.substr(0, url.find_first_of("/?#", begin)).rfind('@');
  if (end == std::string_view::npos || end < begin) return std::string(url);
  return std::string(url.substr(0, begin)) + "***" + std::string(url.substr(end));
}

Result<Address> ParseAddress(std::string_view url) {
  const auto refuse = [given = WithoutCredentials(url)](std::string_view why) {
    return Error{ErrorCode::kInvalidArgument,
                 "\"" + given + "\" " + std::string(why) + ": an address is http://HOST[:PORT] or https://HOST[:PORT]"};
  };
  constexpr std::string_view kPlain = "http://";
  constexpr std::string_view kEncrypted = "https://";
  Address address{.encrypted = url.starts_with(kEncrypted), .host = {}, .port = "8086", .base = {}};
  if (!address.encrypted && !url.starts_with(kPlain)) return refuse("does not begin with http:// or https://");
  url.remove_prefix(address.encrypted ? kEncrypted.size() : kPlain.size());
  const size_t slash = url.find('/');
  std::string_view authority = url.substr(0, slash);
  address.base = slash == std::string_view::npos ? "" : url.substr(slash);
  while (address.base.ends_with('/')) address.base.pop_back();
  if (authority.find('@') != std::string_view::npos) {
    return refuse("holds a name and a password, which are not used: a token says who asks (TIDEMARK_TOKEN)");
  }
  // The last colon outside of the brackets of an IPv6 address.
  const size_t colon = authority.rfind(':');
  if (colon != std::string_view::npos && authority.find(']', colon) == std::string_view::npos) {
    address.port = authority.substr(colon + 1);
    authority = authority.substr(0, colon);
  }
  if (authority.starts_with('[') && authority.ends_with(']')) authority = authority.substr(1, authority.size() - 2);
  if (authority.empty()) return refuse("names no host");
  if (address.port.empty() || address.port.find_first_not_of("0123456789") != std::string::npos ||
      address.port.size() > 5 || std::stoi(address.port) > 65535) {
    return refuse("has no port that is a number up to 65535");
  }
  address.host = authority;
  return address;
}

}  // namespace

Result<std::unique_ptr<HttpConnection>> HttpConnection::Open(std::string_view url, std::chrono::milliseconds timeout,
                                                             std::string token) {
  Result<Address> address = ParseAddress(url);
  if (!address.ok()) return address.error();
  if (token.empty()) {
    Result<std::string> found = TokenOfEnvironment();
    if (!found.ok()) return found.error();
    token = std::move(*found);
  } else if (const Status good = CheckToken(token); !good.ok()) {
    return good.error();
  }
  std::shared_ptr<asio::ssl::context> tls;
  if (address->encrypted) {
    Result<std::shared_ptr<asio::ssl::context>> made = MakeTlsContext(TlsOptionsOfEnvironment());
    if (!made.ok()) return made.error();
    tls = std::move(*made);
  }
  return std::unique_ptr<HttpConnection>(
      std::make_unique<BeastConnection>(std::move(*address), std::move(tls), timeout, token));
}

}  // namespace tidemark::client

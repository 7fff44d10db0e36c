#include "clients/cpp/http_connection.h"
#include "clients/cpp/transport.h"

namespace tidemark::client {
namespace {

// A reply to a write is short; a longer one is none of ours.
constexpr uint64_t kMaxReplyBytes = uint64_t{8} << 20;

class HttpTransport final : public Transport {
 public:
  explicit HttpTransport(std::unique_ptr<HttpConnection> connection) : connection_(std::move(connection)) {}

  Result<Reply> Post(const Request& request) override {
    HttpRequest message;
    message.method = "POST";
    message.target = request.target;
    message.headers = {{"User-Agent", "tidemark-client-cpp"}, {"Content-Type", std::string(request.content_type)}};
    message.headers.insert(message.headers.end(), request.headers.begin(), request.headers.end());
    message.body = request.body;
    Result<Reply> reply = connection_->Send(message, kMaxReplyBytes);
    if (reply.ok() || reply.error().code == ErrorCode::kTimeout) return reply;
    // Whether the server has seen a request is nothing to this transport's users: a repeat changes nothing.
    return Error{ErrorCode::kUnavailable, reply.error().message};
  }

  void Cancel() override { connection_->Cancel(); }

 private:
  const std::unique_ptr<HttpConnection> connection_;
};

}  // namespace

Result<std::unique_ptr<Transport>> MakeHttpTransport(std::string_view url, std::chrono::milliseconds timeout,
                                                     std::string token) {
  auto connection = HttpConnection::Open(url, timeout, std::move(token));
  if (!connection.ok()) return connection.error();
  return std::unique_ptr<Transport>(std::make_unique<HttpTransport>(std::move(*connection)));
}

std::string UrlEncode(std::string_view text) {
  constexpr std::string_view kDigits = "0123456789ABCDEF";
  std::string out;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    const bool plain = (byte >= '0' && byte <= '9') || (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') ||
                       c == '-' || c == '_' || c == '.' || c == '~';
    if (plain) {
      out += c;
    } else {
      out += '%';
      out += kDigits[byte >> 4U];
      out += kDigits[byte & 15U];
    }
  }
  return out;
}

}  // namespace tidemark::client

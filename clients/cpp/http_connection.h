// HttpConnection: blocking HTTP/1.1 requests to one server, over one connection that is kept open.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "clients/cpp/result.h"
#include "clients/cpp/transport.h"

namespace tidemark::client {

struct HttpRequest {
  std::string_view method = "GET";
  std::string_view target{};  // path and query, behind the base of the address
  Headers headers{};
  std::string_view body{};
};

// Send is called by one thread at a time; Cancel may be called from any thread.
class HttpConnection {
 public:
  // Takes what has come of the body of a reply that is no error (status under 400) out of `body`, as far as it wants:
  // the rest is there again, with what follows it, at the next call. `last`: nothing follows.
  using OnBody = std::function<void(std::string* body, bool last)>;
  static constexpr uint64_t kNoLimit = UINT64_MAX;

  // Does not connect. `url`: http://HOST[:PORT][/BASE], or https:// for TLS (tls.h says whom it believes); the port is
  // 8086 unless given. `timeout`: how long a
  // connection, a request or a reply may stay without progress. Looking up a host's name is not covered by it and not
  // cancelled. `token`: shown with each request; "": that of the environment (credential.h). Errors: kInvalidArgument
  // for an address that is none, a token that is none, or files of TLS that cannot be read.
  static Result<std::unique_ptr<HttpConnection>> Open(std::string_view url, std::chrono::milliseconds timeout,
                                                      std::string token = {});
  virtual ~HttpConnection() = default;

  // Sends and reads the whole reply. Connects when needed, and once more when a kept connection turns out to be closed
  // before a byte of the reply came. Errors: kUnavailable (no connection, or cancelled), kTimeout, kIo (the connection
  // broke; the server may have done what it was asked), kQueueFull (a body longer than `body_bytes_max`).
  virtual Result<Reply> Send(const HttpRequest& request, uint64_t body_bytes_max = kNoLimit,
                             const OnBody& on_body = {}) = 0;

  virtual void set_timeout(std::chrono::milliseconds timeout) = 0;
  // Makes the present Send, and each later one, return soon with kUnavailable.
  virtual void Cancel() = 0;
};

}  // namespace tidemark::client

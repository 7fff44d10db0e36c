// Transport: how a request gets to the server and its reply back. HTTP in production, a fake in tests.
#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "clients/cpp/result.h"

namespace tidemark::client {

using Headers = std::vector<std::pair<std::string, std::string>>;

struct Request {
  std::string target{};  // path and query
  Headers headers{};
  std::string_view content_type = "text/plain; charset=utf-8";
  std::string_view body{};
};

struct Reply {
  int status = 0;
  std::string retry_after{};  // as received; "" without one
  std::string body{};
};

// Post is called by one thread at a time; Cancel may be called from any thread.
class Transport {
 public:
  virtual ~Transport() = default;
  // Sends and waits for the whole reply. Errors: kUnavailable, kTimeout.
  virtual Result<Reply> Post(const Request& request) = 0;
  // Makes the present Post, and each later one, return soon with kUnavailable.
  virtual void Cancel() = 0;
};

// HTTP/1.1 over one connection that is kept open. `url`: http://HOST[:PORT][/BASE]; the port is 8086 unless given.
// `timeout`: how long a connection, a request or a reply may stay without progress. Looking up a host's name is not
// covered by it and not cancelled. Errors: kInvalidArgument for an address that is none.
Result<std::unique_ptr<Transport>> MakeHttpTransport(std::string_view url, std::chrono::milliseconds timeout,
                                                     std::string token = {});

// `text` as it may stand in a query string.
std::string UrlEncode(std::string_view text);

}  // namespace tidemark::client

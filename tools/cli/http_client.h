// HttpClient: blocking requests to one server over the client library's connection, with errors for people.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "storage/base/result.h"

namespace tidemark::cli {

struct HttpReply {
  int status = 0;
  std::string body;
  // Seconds of a Retry-After header; 0 without one.
  int retry_after_s = 0;
};

using Headers = std::vector<std::pair<std::string, std::string>>;

class HttpClient {
 public:
  // `url`: http://HOST[:PORT][/BASE]. The base goes in front of every target, as /db/NAME does.
  static Result<std::unique_ptr<HttpClient>> Create(std::string_view url);
  virtual ~HttpClient() = default;

  // Sends a request and reads the whole reply. Connects when needed, and once more when a kept connection turns out to
  // be closed. Errors: kUnavailable (no connection), kTimeout, kIo.
  virtual Result<HttpReply> Send(std::string_view method, std::string_view target, const Headers& headers,
                                 std::string_view body) = 0;

  // The same; `line` gets each line of the reply's body as it comes, and reply.body stays empty unless the status is
  // an error.
  virtual Result<HttpReply> SendForLines(std::string_view method, std::string_view target, const Headers& headers,
                                         std::string_view body, const std::function<void(std::string_view)>& line) = 0;

  // How long a request may take without any byte arriving. Default: 5 min.
  virtual void set_timeout(std::chrono::milliseconds timeout) = 0;

  // Makes the present request, and each later one, return soon with kUnavailable. From any thread.
  virtual void Cancel() = 0;
};

// Behind what went wrong with a connection: what to look at next; "" when there is nothing to say.
std::string_view NextStep(std::string_view message);

// Behind the name of a database that is not there.
inline constexpr std::string_view kWhichDatabases = "; `tidemark admin databases` lists those that there are";

// Why a server has refused: what its JSON says, or the whole of a body that is none.
std::string ReasonOf(std::string_view body);
// The same as a sentence.
std::string WordsOfRefusal(int status, std::string_view body);

// `text` as it may stand in a query string.
std::string UrlEncode(std::string_view text);

// "?a=1&b=2", encoded; parameters with empty values are left out; "" when none is left.
std::string QueryString(const std::vector<std::pair<std::string, std::string>>& parameters);
// The same as the body of a form: without the "?".
std::string FormBody(const std::vector<std::pair<std::string, std::string>>& parameters);

}  // namespace tidemark::cli

#include "tools/cli/http_client.h"

#include <fmt/core.h>
#include <simdjson.h>

#include <charconv>

#include "clients/cpp/http_connection.h"

namespace tidemark::cli {
namespace {

constexpr std::chrono::minutes kTimeout{5};

Error FromClient(const client::Error& error) {
  switch (error.code) {
    case client::ErrorCode::kInvalidArgument: return InvalidArgument(error.message);
    case client::ErrorCode::kTimeout: return MakeError(ErrorCode::kTimeout, error.message);
    case client::ErrorCode::kUnavailable:
      return MakeError(ErrorCode::kUnavailable, error.message + std::string(NextStep(error.message)));
    default: return MakeError(ErrorCode::kIo, error.message);
  }
}

class ConnectionClient final : public HttpClient {
 public:
  explicit ConnectionClient(std::unique_ptr<client::HttpConnection> connection) : connection_(std::move(connection)) {}

  Result<HttpReply> Send(std::string_view method, std::string_view target, const Headers& headers,
                         std::string_view body) override {
    return Exchange({.method = method, .target = target, .headers = headers, .body = body}, {});
  }

  Result<HttpReply> SendForLines(std::string_view method, std::string_view target, const Headers& headers,
                                 std::string_view body, const std::function<void(std::string_view)>& line) override {
    return Exchange({.method = method, .target = target, .headers = headers, .body = body},
                    [&line](std::string* piece, bool last) { HandOutLines(piece, line, last); });
  }

  void set_timeout(std::chrono::milliseconds timeout) override { connection_->set_timeout(timeout); }
  void Cancel() override { connection_->Cancel(); }

 private:
  Result<HttpReply> Exchange(const client::HttpRequest& request, const client::HttpConnection::OnBody& on_body) {
    client::Result<client::Reply> reply = connection_->Send(request, client::HttpConnection::kNoLimit, on_body);
    if (!reply.ok()) return FromClient(reply.error());
    if (reply->status == 401) {
      return MakeError(
          ErrorCode::kUnavailable,
          "the server asks for a token, or does not know this one (401): TIDEMARK_TOKEN holds it, or a file "
          "that --token-file names");
    }
    HttpReply out{.status = reply->status, .body = std::move(reply->body), .retry_after_s = 0};
    const std::string& retry = reply->retry_after;
    std::from_chars(retry.data(), retry.data() + retry.size(), out.retry_after_s);
    return out;
  }

  static void HandOutLines(std::string* body, const std::function<void(std::string_view)>& line, bool last) {
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

  const std::unique_ptr<client::HttpConnection> connection_;
};

}  // namespace

Result<std::unique_ptr<HttpClient>> HttpClient::Create(std::string_view url) {
  auto connection = client::HttpConnection::Open(url, kTimeout);
  if (!connection.ok()) return FromClient(connection.error());
  return std::make_unique<ConnectionClient>(std::move(*connection));
}

std::string_view NextStep(std::string_view message) {
  struct Row {
    std::string_view part;
    std::string_view step;
  };
  constexpr Row kRows[] = {
      {"was cancelled", ""},
      {"is not believed: self-signed", "; --ca FILE believes it, where FILE has it or the authority that signed it"},
      {"is not believed: unable to get", "; --ca FILE believes it, where FILE has the authority that signed it"},
      {"is not believed", ""},
      {"wrong version number", "; an address that does not speak TLS begins with http://"},
      {"Host not found", "; is the name right?"},
  };
  for (const Row& row : kRows) {
    if (message.contains(row.part)) return row.step;
  }
  return "; is the server running?";
}

std::string ReasonOf(std::string_view body) {
  simdjson::dom::parser parser;
  simdjson::dom::element root;
  for (const std::string_view key : {"error", "message"}) {
    std::string_view why;
    if (parser.parse(simdjson::padded_string(body)).get(root) == simdjson::SUCCESS &&
        root[key].get(why) == simdjson::SUCCESS) {
      return std::string(why);
    }
  }
  while (body.ends_with('\n')) body.remove_suffix(1);
  return std::string(body);
}

std::string WordsOfRefusal(int status, std::string_view body) {
  const std::string why = ReasonOf(body);
  return fmt::format("the server answered {}: {}{}", status, why,
                     why.starts_with("database not found") ? kWhichDatabases : "");
}

std::string UrlEncode(std::string_view text) { return client::UrlEncode(text); }

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

std::string FormBody(const std::vector<std::pair<std::string, std::string>>& parameters) {
  std::string query = QueryString(parameters);
  if (!query.empty()) query.erase(0, 1);
  return query;
}

}  // namespace tidemark::cli

#include <fmt/core.h>
#include <simdjson.h>

#include <algorithm>
#include <chrono>
#include <thread>
#include <utility>

#include "tools/cli/http_client.h"
#include "tools/cli/transfer/target.h"

namespace tidemark::cli {
namespace {

using transfer::ExportEnd;
using transfer::Piece;

constexpr int kMaxTries = 10;
// Of one request; a server takes 25 MB unless it was told otherwise.
constexpr size_t kBodyBytes = size_t{4} << 20;
constexpr std::chrono::milliseconds kLongestPause{10'000};
constexpr std::string_view kAllSeries = R"({__name__!=""})";

// As the server reads it.
std::string Seconds(int64_t ms) {
  const auto size = static_cast<uint64_t>(ms < 0 ? -ms : ms);
  return fmt::format("{}{}.{:03}", ms < 0 ? "-" : "", size / 1000, size % 1000);
}

Error Refused(const HttpReply& reply) {
  const ErrorCode code = reply.status == 404 ? ErrorCode::kNotFound : ErrorCode::kUnavailable;
  return MakeError(code, fmt::format("the server answered {}: {}", reply.status, reply.body));
}

Error Cancelled() { return MakeError(ErrorCode::kCancelled, "stopped"); }

class ServerTarget final : public Target {
 public:
  ServerTarget(std::unique_ptr<HttpClient> client, std::stop_token stop)
      : client_(std::move(client)), stop_(std::move(stop)), on_stop_(stop_, [this] { client_->Cancel(); }) {}

  Result<std::vector<std::string>> Databases() override {
    TM_TRY_ASSIGN(const HttpReply reply, Send("GET", "/api/v1/admin/databases", ""));
    simdjson::dom::parser parser;
    simdjson::dom::array all;
    if (parser.parse(reply.body)["data"].get(all) != simdjson::SUCCESS) {
      return MakeError(ErrorCode::kInternal, "the list of databases cannot be read: " + reply.body);
    }
    std::vector<std::string> names;
    for (const simdjson::dom::element one : all) {
      std::string_view name;
      if (one["database"].get(name) == simdjson::SUCCESS) names.emplace_back(name);
    }
    return names;
  }

  Result<ExportEnd> Read(const Wanted& wanted, const Take& take) override {
    std::vector<std::pair<std::string, std::string>> query{{"db", wanted.database}};
    if (wanted.start_ms) query.emplace_back("start", Seconds(*wanted.start_ms));
    if (wanted.end_ms) query.emplace_back("end", Seconds(*wanted.end_ms));
    if (wanted.match.empty()) query.emplace_back("match[]", kAllSeries);
    for (const std::string& one : wanted.match) query.emplace_back("match[]", one);
    Status good;
    ExportEnd end;
    bool ended = false;
    Piece piece;
    transfer::LineReader lines;
    uint64_t number = 0;
    const auto on_line = [&](std::string_view line) {
      ++number;
      if (!good.ok() || line.empty()) return;
      const auto kind = lines.Read(line, &piece, &end);
      if (!kind.ok()) {
        good = kind.error().Within(fmt::format("line {} of the answer", number));
      } else if (*kind == transfer::LineReader::Kind::kEnd) {
        ended = true;
      } else {
        good = take(&piece);
      }
      // The rest is not wanted; nobody asks this server anything more after an error.
      if (!good.ok()) client_->Cancel();
    };
    // As a form: many selectors are too long for an address.
    const std::string form = FormBody(query);
    const Result<HttpReply> reply = client_->SendForLines(
        "POST", "/api/v1/rows", {{"Content-Type", "application/x-www-form-urlencoded"}}, form, on_line);
    if (stop_.stop_requested()) return Cancelled();
    if (!good.ok()) return good.error();
    if (!reply.ok()) return reply.error();
    if (reply->status >= 400) return Refused(*reply);
    if (!ended) return IoError("the answer ended before it was whole");
    if (end.rows == 0) TM_RETURN_IF_ERROR(CheckThere(wanted.database));
    return end;
  }

  Result<Written> Write(const std::string& database, std::span<const Piece> pieces) override {
    Written out;
    std::string body;
    for (const Piece& piece : pieces) {
      transfer::AppendLines(piece, &body);
      if (body.size() < kBodyBytes && &piece != &pieces.back()) continue;
      TM_RETURN_IF_ERROR(Post(database, body, &out));
      body.clear();
    }
    return out;
  }

  Status Drop(const std::string& database) override {
    std::string quoted = "DROP DATABASE \"";
    for (const char c : database) {
      if (c == '"' || c == '\\') quoted += '\\';
      quoted += c;
    }
    const Result<HttpReply> reply = client_->Send("POST", "/query" + QueryString({{"q", quoted + '"'}}), {}, "");
    if (!reply.ok()) return reply.error();
    if (reply->status >= 400 || reply->body.contains("\"error\"")) return Refused(*reply);
    return {};
  }

 private:
  // Queries of a database that is not there find nothing. Who may not see the list is not told.
  Status CheckThere(const std::string& database) {
    const Result<std::vector<std::string>> all = Databases();
    if (!all.ok() || std::find(all->begin(), all->end(), database) != all->end()) return {};
    return NotFound(fmt::format("database not found: \"{}\"{}", database, kWhichDatabases));
  }

  // Sends, waits while the server is busy, and sends again. What is sent twice is there once.
  Result<HttpReply> Send(std::string_view method, const std::string& target, std::string_view body) {
    std::chrono::milliseconds pause(100);
    for (int tries = 1;; ++tries) {
      Result<HttpReply> reply = client_->Send(method, target, {{"Content-Type", "application/x-ndjson"}}, body);
      if (stop_.stop_requested()) return Cancelled();
      const bool busy = reply.ok() ? reply->status == 429 || reply->status == 503
                                   : reply.error().code == ErrorCode::kIo ||
                                         (reply.error().code == ErrorCode::kUnavailable && tries > 1);
      if (!busy || tries == kMaxTries) {
        if (reply.ok() && reply->status >= 400) return Refused(*reply);
        return reply;
      }
      if (reply.ok() && reply->retry_after_s > 0) pause = std::chrono::seconds(reply->retry_after_s);
      std::this_thread::sleep_for(pause);
      pause = std::min(pause * 2, kLongestPause);
    }
  }

  Status Post(const std::string& database, std::string_view body, Written* out) {
    TM_TRY_ASSIGN(const HttpReply reply, Send("POST", "/api/v1/admin/import" + QueryString({{"db", database}}), body));
    simdjson::dom::parser parser;
    simdjson::dom::element data;
    uint64_t points = 0;
    uint64_t rejected = 0;
    simdjson::dom::array why;
    if (parser.parse(reply.body)["data"].get(data) != simdjson::SUCCESS ||
        data["points"].get(points) != simdjson::SUCCESS || data["rejected"].get(rejected) != simdjson::SUCCESS ||
        data["rejections"].get(why) != simdjson::SUCCESS) {
      return MakeError(ErrorCode::kInternal, "the answer to an import cannot be read: " + reply.body);
    }
    out->points += points;
    out->rejected += rejected;
    for (const simdjson::dom::element one : why) {
      std::string_view message;
      if (one["message"].get(message) == simdjson::SUCCESS) out->why.emplace_back(message);
    }
    return {};
  }

  const std::unique_ptr<HttpClient> client_;
  const std::stop_token stop_;
  const std::stop_callback<std::function<void()>> on_stop_;
};

}  // namespace

Result<std::unique_ptr<Target>> OpenServer(const std::string& address, std::stop_token stop) {
  TM_TRY_ASSIGN(std::unique_ptr<HttpClient> client, HttpClient::Create(address));
  return std::make_unique<ServerTarget>(std::move(client), std::move(stop));
}

Result<std::unique_ptr<Target>> Target::Open(const Place& place, std::stop_token stop) {
  return place.data.empty() ? OpenServer(place.server, std::move(stop)) : OpenDirectory(place.data, std::move(stop));
}

}  // namespace tidemark::cli

#include "tools/cli/admin/restart_act.h"

#include <fmt/core.h>
#include <simdjson.h>

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <thread>

#include "tools/cli/command.h"
#include "tools/cli/http_client.h"
#include "tools/cli/say.h"

namespace tidemark::cli {
namespace {

// A long journal takes its time; the server has ended its requests after http.drain.
constexpr std::chrono::seconds kPatience{300};
// A server that restarts keeps its sockets, so that nobody who connects is refused; one that cannot be reached for so
// long is gone.
constexpr std::chrono::seconds kPatienceWithNobody{10};
constexpr std::chrono::milliseconds kBetweenLooks{50};

struct Look {
  std::string body;
  uint64_t restarts = 0;
  double pause_seconds = 0;
  int64_t pid = 0;
  std::string version = {};
  std::string refusal = {};
};

// Of an answer in the server's envelope; what it does not name stays as it is.
Result<Look> Read(const Result<HttpReply>& reply) {
  if (!reply.ok()) return reply.error();
  if (reply->status >= 400) {
    return MakeError(ErrorCode::kInternal, WordsOfRefusal(reply->status, reply->body));
  }
  Look look{.body = reply->body};
  simdjson::dom::parser parser;
  simdjson::dom::element root;
  simdjson::dom::element data;
  std::string_view text;
  if (parser.parse(reply->body).get(root) != simdjson::SUCCESS || root["data"].get(data) != simdjson::SUCCESS ||
      data["restarts"].get(look.restarts) != simdjson::SUCCESS) {
    return MakeError(ErrorCode::kInternal, fmt::format("the server answered {}", reply->body));
  }
  if (data["pauseSeconds"].get(look.pause_seconds) != simdjson::SUCCESS) look.pause_seconds = 0;
  if (data["pid"].get(look.pid) != simdjson::SUCCESS) look.pid = 0;
  if (data["version"].get(text) == simdjson::SUCCESS) look.version = text;
  if (data["lastRefusal"].get(text) == simdjson::SUCCESS) look.refusal = text;
  return look;
}

}  // namespace

int RunRestartAct(const ActFlags& flags) {
  auto client = HttpClient::Create(flags.server);
  if (!client.ok()) return Fail(client.error().message);
  const Result<Look> before = Read((*client)->Send("GET", "/api/v1/admin/restarts", {}, ""));
  if (!before.ok()) return Fail(before.error().message);
  const Result<Look> asked = Read((*client)->Send("POST", "/api/v1/admin/restart", {}, ""));
  if (!asked.ok()) return Fail(asked.error().message);
  const auto end = std::chrono::steady_clock::now() + kPatience;
  auto heard = std::chrono::steady_clock::now();
  std::string last;
  while (std::chrono::steady_clock::now() < end) {
    std::this_thread::sleep_for(kBetweenLooks);
    const auto asks = std::chrono::steady_clock::now();
    const Result<Look> now = Read((*client)->Send("GET", "/api/v1/admin/restarts", {}, ""));
    if (!now.ok()) {
      last = now.error().message;
      // That a request waits long is not that nobody is there.
      const bool refused =
          now.error().code == ErrorCode::kUnavailable && std::chrono::steady_clock::now() - asks < kPatienceWithNobody;
      if (!refused) heard = std::chrono::steady_clock::now();
      if (refused && asks - heard > kPatienceWithNobody) {
        return Fail(fmt::format("no answer for {} s but: {}; when the server is gone, its log says why",
                                kPatienceWithNobody.count(), last));
      }
      continue;
    }
    heard = std::chrono::steady_clock::now();
    last = "it serves on as it was";
    if (!now->refusal.empty()) return Fail(fmt::format("not restarted, it serves on as it was: {}", now->refusal));
    if (now->restarts <= before->restarts) {
      if (now->pid == before->pid) continue;
      return Fail(fmt::format(
          "the server ended during the restart and was started anew, as process {}: requests that were under way may "
          "have failed; the log of process {} says why",
          now->pid, before->pid));
    }
    if (flags.json) {
      Say("{}\n", now->body);
    } else {
      Say("restarted: {} takes the place of {}; requests waited for {:.3f} s\n", now->version, before->version,
          now->pause_seconds);
    }
    return 0;
  }
  return Fail(fmt::format("it was not restarted within {} s: {}", kPatience.count(), last));
}

}  // namespace tidemark::cli

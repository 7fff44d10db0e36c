// tidemark alert: what fires, whether receivers are reached, and tests of rules. `amtool` does the rest.
#include <fmt/core.h>
#include <simdjson.h>

#include <memory>
#include <string>
#include <vector>

#include "tools/cli/alert/add_command.h"
#include "tools/cli/alert/backfill_command.h"
#include "tools/cli/alert/history_command.h"
#include "tools/cli/alert/test_command.h"
#include "tools/cli/command.h"
#include "tools/cli/http_client.h"
#include "tools/cli/say.h"

namespace tidemark::cli {
namespace {

using simdjson::dom::element;

struct AlertFlags {
  std::string server = "http://127.0.0.1:8086";
  std::string receiver;
  std::vector<std::string> filters;
};

// The reply's JSON; 1 after an error has been told, else 0.
int Ask(const AlertFlags& flags, std::string_view method, const std::string& target, const std::string& body,
        simdjson::dom::parser* parser, element* root) {
  auto client = HttpClient::Create(flags.server);
  if (!client.ok()) return Fail(client.error().message);
  const auto reply = (*client)->Send(method, target, {{"Content-Type", "application/x-www-form-urlencoded"}}, body);
  if (!reply.ok()) return Fail(reply.error().message);
  if (parser->parse(simdjson::padded_string(reply->body)).get(*root) != simdjson::SUCCESS) {
    return Fail(fmt::format("the server answered {} and no JSON: {}", reply->status, reply->body.substr(0, 200)));
  }
  if (reply->status == 200) return 0;
  std::string_view message;
  for (const char* key : {"message", "error"}) {
    if ((*root)[key].get(message) == simdjson::SUCCESS) return Fail(std::string(message));
  }
  if (root->get(message) == simdjson::SUCCESS) return Fail(std::string(message));
  return Fail(fmt::format("the server answered {}", reply->status));
}

std::string_view TextOf(const element& object, std::string_view pointer) {
  std::string_view text;
  return object.at_pointer(pointer).get(text) == simdjson::SUCCESS ? text : std::string_view();
}

int SendTest(const AlertFlags& flags) {
  simdjson::dom::parser parser;
  element root;
  const std::string form = QueryString({{"receiver", flags.receiver}});
  if (const int failed = Ask(flags, "POST", "/api/v1/admin/alert/test", form.substr(1), &parser, &root)) return failed;
  simdjson::dom::array ways;
  if (root["data"].get(ways) != simdjson::SUCCESS) return Fail("the server's answer has no outcomes");
  if (ways.size() == 0) return Fail(fmt::format("the receiver \"{}\" has no way to be told", flags.receiver));
  int code = 0;
  int64_t number = 0;
  for (const element way : ways) {
    bool delivered = false;
    if (way["delivered"].get(delivered) != simdjson::SUCCESS || !delivered) code = 1;
    Say("way {} of \"{}\": {}\n", ++number, flags.receiver,
        delivered ? "delivered" : fmt::format("not delivered: {}", TextOf(way, "/error")));
  }
  return code;
}

int List(const AlertFlags& flags) {
  simdjson::dom::parser parser;
  element root;
  std::string target = "/api/v2/alerts";
  for (const std::string& filter : flags.filters) {
    target += (target.find('?') == std::string::npos ? "?filter=" : "&filter=") + UrlEncode(filter);
  }
  if (const int failed = Ask(flags, "GET", target, "", &parser, &root)) return failed;
  simdjson::dom::array alerts;
  if (root.get(alerts) != simdjson::SUCCESS) return Fail("the server's answer is no list");
  if (alerts.size() == 0) Say("none\n");
  for (const element alert : alerts) {
    std::string labels;
    simdjson::dom::object map;
    if (alert["labels"].get(map) == simdjson::SUCCESS) {
      for (const auto& [name, value] : map) {
        std::string_view text;
        if (value.get(text) == simdjson::SUCCESS) labels += fmt::format(" {}={}", name, text);
      }
    }
    Say("{}  {:<10}{}\n", TextOf(alert, "/startsAt"), TextOf(alert, "/status/state"), labels);
  }
  return 0;
}

}  // namespace

void AddAlert(CLI::App& app, Action* action) {
  auto flags = std::make_shared<AlertFlags>();
  app.require_subcommand(1);
  CLI::App* const list = app.add_subcommand("list", "what fires, and whether it is silenced or inhibited");
  AddServerFlag(*list, &flags->server);
  list->add_option("matcher", flags->filters, "only alerts with these labels: severity=page, team=~\"a|b\"");
  list->callback([flags, action] { *action = [flags] { return List(*flags); }; });
  CLI::App* const test = app.add_subcommand("send-test", "send an example to a receiver, and say whether it arrived");
  AddServerFlag(*test, &flags->server);
  test->add_option("receiver", flags->receiver, "its name in the file of --notify-config")->required();
  test->callback([flags, action] { *action = [flags] { return SendTest(*flags); }; });
  AddAlertTest(app, action);
  AddAlertAdd(app, action);
  AddAlertHistory(app, action);
  AddAlertBackfill(app, action);
}

}  // namespace tidemark::cli

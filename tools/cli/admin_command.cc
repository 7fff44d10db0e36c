// tidemark admin: what an operator asks of a running server.
#include <fmt/core.h>

#include <memory>
#include <string>

#include "tools/cli/command.h"
#include "tools/cli/http_client.h"

namespace tidemark::cli {
namespace {

struct AdminFlags {
  std::string server = "http://127.0.0.1:8086";
  std::string database;
  std::string keep;
};

// Posts to an admin endpoint and prints the lines of the answer as they come.
int Ask(const AdminFlags& flags, const std::string& target) {
  auto client = HttpClient::Create(flags.server);
  if (!client.ok()) return Fail(client.error().message);
  const auto reply = (*client)->SendForLines("POST", target, {}, "", [](std::string_view line) {
    fmt::print("{}\n", line);
    std::fflush(stdout);
  });
  if (!reply.ok()) return Fail(reply.error().message);
  if (reply->status >= 400) return Fail(fmt::format("the server answered {}: {}", reply->status, reply->body));
  return 0;
}

void AddRetention(CLI::App& app, const std::shared_ptr<AdminFlags>& flags, Action* action) {
  auto* const retention = app.add_subcommand("retention", "how long points are kept");
  retention->require_subcommand(1);
  auto* const set = retention->add_subcommand("set", "keep the points of DB for KEEP, drop older ones now");
  AddServerFlag(*set, &flags->server);
  set->add_option("db", flags->database, "database")->required();
  set->add_option("keep", flags->keep, "30d, 12h, ...; inf keeps everything")->required();
  set->callback([flags, action] {
    *action = [flags] {
      return Ask(*flags, "/api/v1/admin/retention" + QueryString({{"db", flags->database}, {"keep", flags->keep}}));
    };
  });
}

}  // namespace

void AddAdmin(CLI::App& app, Action* action) {
  app.require_subcommand(1);
  auto flags = std::make_shared<AdminFlags>();
  AddRetention(app, flags, action);

  auto* const compact = app.add_subcommand("compact", "fold each partition of DB into one epoch");
  AddServerFlag(*compact, &flags->server);
  compact->add_option("db", flags->database, "database")->required();
  compact->callback([flags, action] {
    *action = [flags] { return Ask(*flags, "/api/v1/admin/compact" + QueryString({{"db", flags->database}})); };
  });

  auto* const checkpoint = app.add_subcommand("checkpoint", "write everything staged in memory into pages on disk");
  AddServerFlag(*checkpoint, &flags->server);
  checkpoint->callback([flags, action] { *action = [flags] { return Ask(*flags, "/api/v1/admin/checkpoint"); }; });
}

}  // namespace tidemark::cli

// tidemark admin: what an operator asks of a running server (and, in admin_verify_command, of a stopped one).
#include <fmt/core.h>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "storage/base/clock.h"
#include "storage/base/result.h"
#include "tools/cli/admin/admin_verify_command.h"
#include "tools/cli/command.h"
#include "tools/cli/http_client.h"
#include "tools/cli/time_text.h"

namespace tidemark::cli {
namespace {

struct AdminFlags {
  std::string server = "http://127.0.0.1:8086";
  std::string database;
  std::string keep;           // of the database
  std::string selector_keep;  // of --match
  std::string max_bytes;
  std::vector<std::string> matches;
  std::vector<std::string> fields;
  std::vector<std::string> tiers;
  std::string start;
  std::string end;
  uint64_t limit = 100;
  bool dry_run = false;
};

// Sends to an admin endpoint and prints the lines of the answer as they come.
int Ask(const AdminFlags& flags, std::string_view method, const std::string& target) {
  auto client = HttpClient::Create(flags.server);
  if (!client.ok()) return Fail(client.error().message);
  const auto reply = (*client)->SendForLines(method, target, {}, "", [](std::string_view line) {
    fmt::print("{}\n", line);
    std::fflush(stdout);
  });
  if (!reply.ok()) return Fail(reply.error().message);
  if (reply->status >= 400) return Fail(fmt::format("the server answered {}: {}", reply->status, reply->body));
  return 0;
}

using Parameters = std::vector<std::pair<std::string, std::string>>;

int Post(const AdminFlags& flags, std::string_view path, const Parameters& parameters) {
  return Ask(flags, "POST", std::string(path) + QueryString(parameters));
}

int SetRetention(const AdminFlags& flags) {
  if (flags.matches.empty() != flags.selector_keep.empty()) return Fail("--match and --keep go together");
  if (!flags.keep.empty() && !flags.selector_keep.empty()) {
    return Fail("KEEP is for the whole database, --keep for the series of --match: one at a time");
  }
  if (flags.keep.empty() && flags.selector_keep.empty() && flags.max_bytes.empty()) {
    return Fail("nothing to set: KEEP, --match with --keep, or --max-bytes");
  }
  if (!flags.max_bytes.empty() && !flags.matches.empty()) return Fail("--max-bytes is for the whole database");
  Parameters parameters = {{"db", flags.database},
                           {"keep", flags.keep.empty() ? flags.selector_keep : flags.keep},
                           {"max_bytes", flags.max_bytes},
                           {"dry_run", flags.dry_run ? "1" : ""}};
  for (const std::string& match : flags.matches) parameters.emplace_back("match[]", match);
  return Post(flags, "/api/v1/admin/retention", parameters);
}

// A time as the server reads it: seconds since 1970. "" stays "".
Result<std::string> ServerTime(const std::string& text) {
  if (text.empty()) return text;
  const int64_t now_ms = SystemClock::Get().NowNs() / 1'000'000;
  TM_TRY_ASSIGN(const int64_t ms, ParseTimeText(text, now_ms));
  const auto size = static_cast<uint64_t>(ms < 0 ? -ms : ms);
  return fmt::format("{}{}.{:03}", ms < 0 ? "-" : "", size / 1000, size % 1000);
}

int Delete(const AdminFlags& flags) {
  const Result<std::string> start = ServerTime(flags.start);
  if (!start.ok()) return Fail(start.error().Within("--start").message);
  const Result<std::string> end = ServerTime(flags.end);
  if (!end.ok()) return Fail(end.error().Within("--end").message);
  Parameters parameters = {
      {"db", flags.database}, {"start", *start}, {"end", *end}, {"dry_run", flags.dry_run ? "1" : ""}};
  for (const std::string& match : flags.matches) parameters.emplace_back("match[]", match);
  for (const std::string& field : flags.fields) parameters.emplace_back("field", field);
  return Post(flags, "/api/v1/admin/delete", parameters);
}

void AddDatabase(CLI::App& app, const std::shared_ptr<AdminFlags>& flags) {
  AddServerFlag(app, &flags->server);
  app.add_option("db", flags->database, "database")->required();
}

void AddRetention(CLI::App& app, const std::shared_ptr<AdminFlags>& flags, Action* action) {
  auto* const retention = app.add_subcommand("retention", "how long points are kept");
  retention->require_subcommand(1);
  auto* const set = retention->add_subcommand("set", "keep the points of DB, or of some series, for some time");
  AddDatabase(*set, flags);
  set->add_option("keep", flags->keep, "of all points: 30d, 12h, ...; inf keeps everything");
  set->add_option("--match", flags->matches,
                  "series that are kept for --keep only, such as '{__name__=~\"debug_.*\"}'");
  set->add_option("--keep", flags->selector_keep, "of --match: 1d, ...; inf takes the rule away");
  set->add_option("--max-bytes", flags->max_bytes, "drop the oldest partitions above this: 50GB, 50GiB; 0: no limit");
  set->add_flag("--dry-run", flags->dry_run, "only say what would go");
  set->callback([flags, action] { *action = [flags] { return SetRetention(*flags); }; });
  auto* const show = retention->add_subcommand("show", "what DB keeps");
  AddDatabase(*show, flags);
  show->callback([flags, action] {
    *action = [flags] {
      return Ask(*flags, "GET", "/api/v1/admin/retention" + QueryString({{"db", flags->database}}));
    };
  });
}

void AddRollup(CLI::App& app, const std::shared_ptr<AdminFlags>& flags, Action* action) {
  auto* const rollup = app.add_subcommand("rollup", "rollup tiers");
  rollup->require_subcommand(1);
  auto* const set = rollup->add_subcommand("set", "the tiers of DB, in place of those that it has");
  AddDatabase(*set, flags);
  set->add_option("--tier", flags->tiers,
                  "WIDTH:KEEP such as 5m:90d or 1h:inf, once for each; outlives the raw rows where it is kept longer; "
                  "none: no tiers")
      ->required();
  set->add_flag("--dry-run", flags->dry_run, "only say what would go");
  set->callback([flags, action] {
    *action = [flags] {
      Parameters parameters = {{"db", flags->database}, {"dry_run", flags->dry_run ? "1" : ""}};
      for (const std::string& tier : flags->tiers) parameters.emplace_back("tier", tier);
      return Post(*flags, "/api/v1/admin/rollup", parameters);
    };
  });
}

void AddDelete(CLI::App& app, const std::shared_ptr<AdminFlags>& flags, Action* action) {
  auto* const remove = app.add_subcommand("delete", "delete points of DB that are there now");
  AddDatabase(*remove, flags);
  remove->add_option("--match", flags->matches, "series such as 'cpu_usage{host=\"a\"}'; more than one: all of them")
      ->required();
  remove->add_option("--start", flags->start, "from this time on (unix seconds, RFC 3339, -2d); else from the first");
  remove->add_option("--end", flags->end, "up to and with this time; else to the last");
  remove->add_option("--field", flags->fields, "only this field; more than one: all of them");
  remove->add_flag("--dry-run", flags->dry_run, "only say what would go");
  remove->callback([flags, action] { *action = [flags] { return Delete(*flags); }; });
}

}  // namespace

void AddAdmin(CLI::App& app, Action* action) {
  app.require_subcommand(1);
  auto flags = std::make_shared<AdminFlags>();
  AddRetention(app, flags, action);
  AddRollup(app, flags, action);
  AddDelete(app, flags, action);
  AddVerify(app, action);

  auto* const compact =
      app.add_subcommand("compact", "fold each partition of DB into one epoch, without what was deleted");
  AddDatabase(*compact, flags);
  compact->callback([flags, action] {
    *action = [flags] { return Post(*flags, "/api/v1/admin/compact", {{"db", flags->database}}); };
  });

  auto* const rejections = app.add_subcommand("rejections", "the last points that were refused, and why; newest first");
  AddServerFlag(*rejections, &flags->server);
  rejections->add_option("db", flags->database, "of this database only");
  rejections->add_option("--limit", flags->limit, "how many at most")->capture_default_str();
  rejections->callback([flags, action] {
    *action = [flags] {
      return Ask(
          *flags, "GET",
          "/api/v1/admin/rejections" + QueryString({{"db", flags->database}, {"limit", std::to_string(flags->limit)}}));
    };
  });

  auto* const checkpoint = app.add_subcommand("checkpoint", "write everything staged in memory into pages on disk");
  AddServerFlag(*checkpoint, &flags->server);
  checkpoint->callback([flags, action] { *action = [flags] { return Post(*flags, "/api/v1/admin/checkpoint", {}); }; });
}

}  // namespace tidemark::cli

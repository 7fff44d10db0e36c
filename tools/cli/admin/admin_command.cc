// tidemark admin: a command for each row of tools/admin/acts.h. What a row cannot say, such as which flags exclude each
// other, is a function beside its name here.
#include <fmt/core.h>
#include <unistd.h>

#include <cstdint>
#include <cstdio>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "storage/base/check.h"
#include "storage/base/clock.h"
#include "storage/base/result.h"
#include "tools/admin/acts.h"
#include "tools/cli/admin/act_flags.h"
#include "tools/cli/admin/act_table.h"
#include "tools/cli/admin/cardinality_act.h"
#include "tools/cli/admin/directory_acts.h"
#include "tools/cli/admin/transfer_acts.h"
#include "tools/cli/command.h"
#include "tools/cli/http_client.h"
#include "tools/cli/time_text.h"

namespace tidemark::cli {
namespace {

using admin::Act;
using admin::Parameter;
using Kind = Parameter::Kind;
using Flags = ActFlags;
using Value = ActFlags::Value;

// Why these flags do not go together; "" when they do.
using Check = std::string_view (*)(const Flags& flags);

std::string_view CheckRetention(const Flags& flags) {
  const bool matches = !flags["--match"].list.empty();
  const bool selector_keep = !flags["--keep"].text.empty();
  const bool keep = !flags["keep"].text.empty();
  const bool max_bytes = !flags["--max-bytes"].text.empty();
  if (matches != selector_keep) return "--match and --keep go together";
  if (keep && selector_keep) {
    return "KEEP is for the whole database, --keep for the series of --match: one at a time";
  }
  if (!keep && !selector_keep && !max_bytes) return "nothing to set: KEEP, --match with --keep, or --max-bytes";
  if (max_bytes && matches) return "--max-bytes is for the whole database";
  return {};
}

struct ActCheck {
  std::string_view name;
  Check check;
};
constexpr ActCheck kChecks[] = {{"retention set", &CheckRetention}};

// The acts that no server does, and those whose answer is not printed as it comes.
struct DirectoryAct {
  std::string_view name;
  int (*run)(const Flags& flags);
};
constexpr DirectoryAct kDirectoryActs[] = {
    {"verify",
     [](const Flags& flags) {
       const int code = RunVerify(flags["--data"].text);
       return flags["--hash"].on ? HashBehind(code, flags["--data"].text) : code;
     }},
    {"repair", [](const Flags& flags) { return RunRepair(flags["--data"].text, flags["--dry-run"].on); }},
    {"backup verify",
     [](const Flags& flags) {
       const int code = RunVerifyBackup(flags["--from"].text, flags["--id"].count);
       return flags["--hash"].on ? HashBackupBehind(code, flags["--from"].text, flags["--id"].count) : code;
     }},
    {"backup restore",
     [](const Flags& flags) {
       return RunRestoreBackup(flags["--from"].text, flags["--id"].count, flags["--data"].text);
     }},
    {"certificate new",
     [](const Flags& flags) {
       return RunNewCertificate({.name = flags["name"].text,
                                 .also = flags["--also"].list,
                                 .days = static_cast<int64_t>(flags["--days"].count),
                                 .folder = flags["--out"].text});
     }},
    {"export", &RunExportAct},
    {"import file", &RunImportFileAct},
    {"import prometheus", &RunImportPrometheusAct},
    {"import influxdb", &RunImportInfluxdbAct},
    {"import victoriametrics", &RunImportVictoriametricsAct},
    {"hash", &RunHashAct},
    {"cardinality", &RunCardinalityAct},
    {"support", &RunSupportAct},
    {"backup database", &RunRestoreDatabaseAct},
    {"token first", [](const Flags& flags) { return RunFirstToken(flags["--data"].text, flags["name"].text); }},
};

// A time as the server reads it: seconds since 1970. "" stays "".
Result<std::string> ServerTime(const std::string& text) {
  if (text.empty()) return text;
  const int64_t now_ms = SystemClock::Get().NowNs() / 1'000'000;
  TM_TRY_ASSIGN(const int64_t ms, ParseTimeText(text, now_ms));
  const auto size = static_cast<uint64_t>(ms < 0 ? -ms : ms);
  return fmt::format("{}{}.{:03}", ms < 0 ? "-" : "", size / 1000, size % 1000);
}

// The query string of the request.
Result<std::string> QueryOf(const Flags& flags) {
  std::vector<std::pair<std::string, std::string>> pairs;
  for (const Value& value : flags.values) {
    const std::string key(value.parameter->parameter);
    switch (value.parameter->kind) {
      case Kind::kText: pairs.emplace_back(key, value.text); break;
      case Kind::kList:
        for (const std::string& one : value.list) pairs.emplace_back(key, one);
        break;
      case Kind::kCount: pairs.emplace_back(key, std::to_string(value.count)); break;
      case Kind::kTime: {
        Result<std::string> time = ServerTime(value.text);
        if (!time.ok()) return time.error().Within(value.parameter->flag);
        pairs.emplace_back(key, std::move(time).value());
        break;
      }
      case Kind::kSwitch: pairs.emplace_back(key, value.on ? "1" : ""); break;
    }
  }
  return QueryString(pairs);
}

// Whether what took long was done, by the last line of its answer; says so when not.
int CodeOfProgress(std::string_view last_line) {
  if (last_line.contains(R"("done":true)")) return 0;
  if (last_line.contains(R"("error":)")) return Fail("it was not done: the last line says why");
  return Fail("the answer ended before it was done");
}

// An answer for people.
int PrintAnswer(const std::string& body) {
  if (body.empty()) return 0;
  const Result<ActAnswer> answer = ActTable(body);
  if (!answer.ok()) return Fail(answer.error().message);
  fmt::print("{}", answer->text);
  for (const std::string& warning : answer->warnings) fmt::print(stderr, "{}\n", warning);
  return 0;
}

// Sends the request of `act` and prints the lines of the answer as they come.
int Ask(const Act& act, const Flags& flags) {
  const Result<std::string> query = QueryOf(flags);
  if (!query.ok()) return Fail(query.error().message);
  auto client = HttpClient::Create(flags.server);
  if (!client.ok()) return Fail(client.error().message);
  const bool progress = act.reply == admin::Reply::kProgress;
  // A terminal shows how far it is, a file how it ended.
  const bool shows = progress && !flags.json && isatty(STDERR_FILENO) != 0;
  std::string last;
  const auto reply = (*client)->SendForLines(act.method == admin::Method::kGet ? "GET" : "POST",
                                             std::string(act.path) + *query, {}, "", [&](std::string_view line) {
                                               if (progress || flags.json) {
                                                 last = line;
                                               } else {
                                                 last += line;
                                               }
                                               if (shows) fmt::print(stderr, "\r{}   ", ProgressLine(line));
                                               if (!flags.json) return;
                                               fmt::print("{}\n", line);
                                               std::fflush(stdout);
                                             });
  if (shows) fmt::print(stderr, "\n");
  if (!reply.ok()) return Fail(reply.error().message);
  if (reply->status >= 400) return Fail(fmt::format("the server answered {}: {}", reply->status, reply->body));
  if (progress) {
    if (!flags.json) fmt::print("{}\n", ProgressLine(last));
    return CodeOfProgress(last);
  }
  return flags.json ? 0 : PrintAnswer(last);
}

int Run(const Act& act, const Flags& flags) {
  for (const ActCheck& row : kChecks) {
    if (row.name != act.name) continue;
    if (const std::string_view why = row.check(flags); !why.empty()) return Fail(std::string(why));
  }
  for (const DirectoryAct& row : kDirectoryActs) {
    if (row.name == act.name) return row.run(flags);
  }
  if (act.method != admin::Method::kNone) return Ask(act, flags);
  TM_CHECK(false);
  return 1;
}

void AddFlag(CLI::App& app, Value* value) {
  const Parameter& parameter = *value->parameter;
  const std::string flag(parameter.flag);
  const std::string help(parameter.help);
  CLI::Option* option = nullptr;
  switch (parameter.kind) {
    case Kind::kText:
    case Kind::kTime: option = app.add_option(flag, value->text, help); break;
    case Kind::kList: option = app.add_option(flag, value->list, help); break;
    case Kind::kCount:
      value->count = parameter.initial;
      option = app.add_option(flag, value->count, help)->capture_default_str();
      break;
    case Kind::kSwitch: option = app.add_flag(flag, value->on, help); break;
  }
  if (parameter.required) option->required();
}

using Groups = std::map<std::string_view, CLI::App*>;

// The command of `act`: in `app`, or in its group there, which is made when its first act comes.
CLI::App* CommandOf(CLI::App& app, const Act& act, Groups* groups) {
  const size_t space = act.name.find(' ');
  if (space == std::string_view::npos) return app.add_subcommand(std::string(act.name), std::string(act.help));
  const std::string_view first = act.name.substr(0, space);
  for (const admin::Group& row : admin::Groups()) {
    if (row.name != first || groups->contains(first)) continue;
    CLI::App* const group = app.add_subcommand(std::string(first), std::string(row.help));
    group->require_subcommand(1);
    groups->emplace(first, group);
  }
  return groups->at(first)->add_subcommand(std::string(act.name.substr(space + 1)), std::string(act.help));
}

}  // namespace

void AddAdmin(CLI::App& app, Action* action) {
  app.require_subcommand(1);
  Groups groups;
  for (const Act& act : admin::Acts()) {
    if (!act.has_command) continue;
    CLI::App* const command = CommandOf(app, act, &groups);
    const auto flags = std::make_shared<Flags>();
    if (act.method != admin::Method::kNone || act.asks_server) AddServerFlag(*command, &flags->server);
    if (act.method != admin::Method::kNone) {
      command->add_flag("--json", flags->json, "the answer as the server sends it, for programs");
    }
    for (const Parameter& parameter : act.parameters) AddFlag(*command, &flags->values.emplace_back(&parameter));
    command->callback([&act, flags, action] { *action = [&act, flags] { return Run(act, *flags); }; });
  }
}

}  // namespace tidemark::cli

// tidemark admin: a command for each row of tools/admin/acts.h. What a row cannot say, such as which flags exclude each
// other, is a function beside its name here.
#include <fmt/core.h>
#include <simdjson.h>
#include <unistd.h>

#include <chrono>
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
#include "tools/cli/admin/job_line.h"
#include "tools/cli/admin/offline_acts.h"
#include "tools/cli/admin/restart_act.h"
#include "tools/cli/admin/transfer_acts.h"
#include "tools/cli/command.h"
#include "tools/cli/http_client.h"
#include "tools/cli/say.h"
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

std::string_view CheckVerify(const Flags& flags) {
  if (flags["--data"].text.empty() && flags["--hash"].on) {
    return "--hash goes with --data; of a server, `tidemark admin hash` prints it";
  }
  if (!flags["--data"].text.empty() && flags["--detach"].on) return "--detach is for a server, not for --data";
  return {};
}

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
constexpr ActCheck kChecks[] = {{"retention set", &CheckRetention}, {"verify", &CheckVerify}};

// What an act of a directory returns where it was given none, so that a server is asked.
constexpr int kOfServer = -1;

// The acts that no server does, and those whose answer is not printed as it comes.
struct DirectoryAct {
  std::string_view name;
  int (*run)(const Flags& flags);
};
constexpr DirectoryAct kDirectoryActs[] = {
    {"verify",
     [](const Flags& flags) {
       const std::string& data = flags["--data"].text;
       if (data.empty()) return kOfServer;
       const int code = RunVerify(data);
       return flags["--hash"].on ? HashBehind(code, data) : code;
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
    {"restart", &RunRestartAct},
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

// The parameters of the request.
Result<std::vector<std::pair<std::string, std::string>>> ParametersOf(const Flags& flags) {
  std::vector<std::pair<std::string, std::string>> pairs;
  for (const Value& value : flags.values) {
    const std::string key(value.parameter->parameter);
    if (key.empty()) continue;  // it is of the command alone
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
  return pairs;
}

// Whether what took long was done, by the last line of its answer; says so when not.
int CodeOfProgress(std::string_view last_line, const JobLine& job) {
  if (last_line.contains(R"("done":true)")) return 0;
  if (last_line.contains(R"("paused":true)")) {
    return Fail(fmt::format("it is paused; `tidemark admin jobs resume {}` lets it go on", job.id()));
  }
  simdjson::dom::parser parser;
  simdjson::dom::element root;
  std::string_view why;
  if (parser.parse(last_line.data(), last_line.size()).get(root) == simdjson::SUCCESS &&
      root["error"].get(why) == simdjson::SUCCESS) {
    return Fail(fmt::format("it was not done: {}", why));
  }
  if (job.id().empty()) return Fail("the answer ended before it was done");
  return Fail(fmt::format(
      "the connection ended, and the work goes on: `tidemark admin jobs follow {}` comes back to it", job.id()));
}

// Whether an answer says that what it was asked to look at is not whole.
bool SaysNotWhole(const std::string& body) {
  simdjson::dom::parser parser;
  bool whole = true;
  return parser.parse(body).at_pointer("/data/whole").get(whole) == simdjson::SUCCESS && !whole;
}

int AskForJob(const Act& act, const Flags& flags, HttpClient* client, const std::string& query) {
  // A terminal shows how far it is, a file how it ended.
  const bool shows = !flags.json && isatty(STDERR_FILENO) != 0;
  std::string last;
  JobLine job;
  const auto begin = std::chrono::steady_clock::now();
  const auto reply = client->SendForLines(
      act.method == admin::Method::kGet ? "GET" : "POST", std::string(act.path) + query, {}, "",
      [&](std::string_view line) {
        const bool first = job.id().empty();
        last = line;
        job.Take(line, std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count());
        if (shows && first && !job.id().empty()) {
          Say(stderr, "job {0}: Ctrl-C leaves it to go on; `tidemark admin jobs follow {0}` comes back to it\n",
              job.id());
        }
        if (shows) fmt::print(stderr, "\r{}\x1b[K", job.Progress());
        if (!flags.json) return;
        Say("{}\n", line);
        std::fflush(stdout);
      });
  if (shows) fmt::print(stderr, "\r\x1b[K");
  if (reply.ok() && reply->status >= 400) return Fail(WordsOfRefusal(reply->status, reply->body));
  if (!reply.ok() && job.id().empty()) return Fail(reply.error().message);
  if (!flags.json) {
    for (const std::string& damage : job.damage()) Say("{}\n", damage);
    if (!job.id().empty()) Say("{}\n", job.Summary());
  }
  const int code = CodeOfProgress(last, job);
  return code == 0 && job.damaged() ? kDamaged : code;
}

// Sends the request of `act` and prints the lines of the answer as they come.
int Ask(const Act& act, const Flags& flags) {
  const auto parameters = ParametersOf(flags);
  if (!parameters.ok()) return Fail(parameters.error().message);
  for (const Value& value : flags.values) {
    if (value.parameter->flag == "--data" && !value.text.empty())
      return RunOffline(act, value.text, *parameters, flags.json);
  }
  auto client = HttpClient::Create(flags.server);
  if (!client.ok()) return Fail(client.error().message);
  const std::string query = QueryString(*parameters);
  if (act.reply == admin::Reply::kProgress) return AskForJob(act, flags, client->get(), query);
  std::string body;
  const auto reply = (*client)->SendForLines(act.method == admin::Method::kGet ? "GET" : "POST",
                                             std::string(act.path) + query, {}, "", [&](std::string_view line) {
                                               if (flags.json) Say("{}\n", line);
                                               body += line;
                                             });
  if (!reply.ok()) return Fail(reply.error().message);
  if (reply->status >= 400) return Fail(WordsOfRefusal(reply->status, reply->body));
  const int code = flags.json ? 0 : PrintAnswer(body);
  return code == 0 && SaysNotWhole(body) ? kDamaged : code;
}

int Run(const Act& act, const Flags& flags) {
  for (const ActCheck& row : kChecks) {
    if (row.name != act.name) continue;
    if (const std::string_view why = row.check(flags); !why.empty()) return Fail(std::string(why));
  }
  for (const DirectoryAct& row : kDirectoryActs) {
    if (row.name != act.name) continue;
    if (const int code = row.run(flags); code != kOfServer) return code;
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
  // In the order of the headings; the help shows them as their first commands come.
  std::vector<CLI::App*> commands = app.get_subcommands({});
  for (CLI::App* const command : commands) command->group(std::string(admin::HeadingOf(command->get_name())));
}

}  // namespace tidemark::cli

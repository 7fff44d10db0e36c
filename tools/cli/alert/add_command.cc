#include "tools/cli/alert/add_command.h"

#include <fmt/core.h>
#include <unistd.h>

#include <cstdio>
#include <iostream>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "query/promql/quote.h"
#include "query/rules/history.h"
#include "query/rules/rule_file.h"
#include "query/rules/rule_state.h"
#include "storage/base/clock.h"
#include "tools/cli/alert/past_data.h"
#include "tools/cli/alert/threshold.h"
#include "tools/cli/answer.h"
#include "tools/cli/http_client.h"
#include "tools/cli/say.h"

namespace tidemark::cli {
namespace {

constexpr int64_t kWeekMs = 7 * 86'400'000;
constexpr size_t kValuesShown = 10;

struct AddFlags {
  std::string server = "http://127.0.0.1:8086";
  std::string text;
  std::string database;
  std::string name;
  std::string severity = "warning";
  std::string space = "thresholds";
  bool yes = false;
  bool replace = false;
};

// Whether the whole holds now, and the left side of each condition, as the server gives it, whether it holds or not.
Status ShowPresent(const Threshold& threshold, PastData* past) {
  TM_TRY_ASSIGN(const auto holds, past->AskNow(threshold.database, threshold.expr));
  Say("now: the condition {}:\n", holds.empty() ? "does not hold" : "holds");
  for (const std::string& compared : threshold.compared) {
    TM_TRY_ASSIGN(const auto series, past->AskNow(threshold.database, compared));
    if (series.empty()) Say("  {} has no data\n", compared);
    for (size_t i = 0; i < series.size() && i < kValuesShown; ++i) {
      Say("  {} {}\n", series[i].labels.empty() ? compared : model::ToString(series[i].labels),
          series[i].samples.empty() ? "" : query::rules::ShortValue(series[i].samples.back().second));
    }
    if (series.size() > kValuesShown) Say("  and {} series more\n", series.size() - kValuesShown);
  }
  return {};
}

// Whether the person at the terminal says yes.
bool Asked(const AddFlags& flags) {
  if (flags.yes) return true;
  if (::isatty(STDIN_FILENO) == 0) {
    Say("not saved: --yes saves it\n");
    return false;
  }
  Say("Save it? [y/N] ");
  std::fflush(stdout);
  std::string answer;
  std::getline(std::cin, answer);
  return answer == "y" || answer == "Y" || answer == "yes";
}

// What the server has in its place, as YAML; nothing: it is free.
Result<std::optional<std::string>> FindSaved(const AddFlags& flags, const std::string& name) {
  TM_TRY_ASSIGN(const std::unique_ptr<HttpClient> client, HttpClient::Create(flags.server));
  const std::string target = fmt::format("/config/v1/rules/{}/{}", UrlEncode(flags.space), UrlEncode(name));
  TM_TRY_ASSIGN(const HttpReply reply, client->Send("GET", target, {}, ""));
  if (reply.status == 404) return std::nullopt;
  if (reply.status == 200) return reply.body;
  return InvalidArgument(WordsOfRefusal(reply.status, reply.body));
}

Status Save(const AddFlags& flags, const std::string& group) {
  TM_TRY_ASSIGN(const std::unique_ptr<HttpClient> client, HttpClient::Create(flags.server));
  TM_TRY_ASSIGN(const HttpReply reply, client->Send("POST", "/config/v1/rules/" + UrlEncode(flags.space),
                                                    {{"Content-Type", "application/yaml"}}, group));
  if (reply.status == 202) return {};
  return InvalidArgument(WordsOfRefusal(reply.status, reply.body));
}

Status AddRule(const AddFlags& flags) {
  TM_TRY_ASSIGN(const std::unique_ptr<PastData> past, PastData::Connect(flags.server));
  const auto find = [&](const std::string& pattern, const std::string& database) -> Result<std::vector<std::string>> {
    const std::string query =
        fmt::format("count by (__name__) (last_over_time({{__name__=~{}}}[1d]))", query::promql::Quote(pattern));
    TM_TRY_ASSIGN(const auto series, past->AskNow(database, query));
    std::vector<std::string> names;
    for (const auto& one : series) {
      if (!one.labels.empty()) names.push_back(one.labels.front().value);
    }
    return names;
  };
  TM_TRY_ASSIGN(Threshold threshold, ParseThreshold(flags.text, flags.database, find));
  if (!flags.name.empty()) threshold.name = flags.name;
  const std::string group = GroupOf(threshold, flags.severity, flags.text);
  TM_TRY_ASSIGN(const query::rules::Group parsed, query::rules::ParseRuleGroup(group, flags.space));
  Say("{}\n", group);
  TM_RETURN_IF_ERROR(ShowPresent(threshold, past.get()));
  const int64_t now_ms = SystemClock::Get().NowNs() / 1'000'000;
  Say("in the past week:\n");
  TM_TRY_ASSIGN(
      [[maybe_unused]] const int firings,
      PrintReplay({parsed}, {.from_ms = now_ms - kWeekMs, .to_ms = now_ms, .database = threshold.database}, *past));
  TM_TRY_ASSIGN(const std::optional<std::string> saved, FindSaved(flags, threshold.name));
  if (saved) {
    // The same one may have been added by the same script before.
    const auto before = query::rules::ParseRuleGroup(*saved, flags.space);
    if (before.ok() && query::rules::SameGroup(*before, parsed)) {
      Say("it is there already, as the group {} of the namespace {}\n", threshold.name, flags.space);
      return {};
    }
    if (!flags.replace) {
      return MakeError(ErrorCode::kConflict,
                       fmt::format("not saved: the namespace {} has another group {}, which stays as it is. --replace "
                                   "puts this one in its place, --name gives this one another name. It is:\n{}",
                                   flags.space, threshold.name, *saved));
    }
    Say("it takes the place of\n{}\n", *saved);
  }
  if (!Asked(flags)) return {};
  TM_RETURN_IF_ERROR(Save(flags, group));
  Say("saved as the group {} of the namespace {}, and in force{}\n", threshold.name, flags.space,
      saved ? " in the place of the one before" : "");
  return {};
}

int Add(const AddFlags& flags) {
  const Status done = AddRule(flags);
  return done.ok() ? 0 : Fail(done.error().message);
}

}  // namespace

void AddAlertAdd(CLI::App& app, Action* action) {
  auto flags = std::make_shared<AddFlags>();
  CLI::App* const add =
      app.add_subcommand("add", "make a rule of a threshold, show what it would have done, and save it");
  AddServerFlag(*add, &flags->server);
  add->add_option("threshold", flags->text, "for instance 'api_latency > 50ms for 2m', 'p99(api_latency) > 0.1s'")
      ->required();
  add->add_option("--db", flags->database, "database of the metric (default: the server's)");
  add->add_option("--name", flags->name, "name of the alert (default: of the metric)")->group("Rule");
  add->add_option("--severity", flags->severity, "label severity of the alert")->group("Rule")->capture_default_str();
  add->add_option("--namespace", flags->space, "namespace of the rule")->group("Rule")->capture_default_str();
  add->add_flag("--yes", flags->yes, "save it without asking");
  add->add_flag("--replace", flags->replace, "save it also in the place of another of its name");
  add->callback([flags, action] { *action = [flags] { return Add(*flags); }; });
}

}  // namespace tidemark::cli

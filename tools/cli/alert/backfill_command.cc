#include "tools/cli/alert/backfill_command.h"

#include <fmt/core.h>
#include <simdjson.h>

#include <chrono>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "storage/base/text/count.h"
#include "tools/cli/alert/time_span.h"
#include "tools/cli/answer.h"
#include "tools/cli/http_client.h"
#include "tools/cli/say.h"

namespace tidemark::cli {
namespace {

constexpr std::string_view kTarget = "/api/v1/backfills";
constexpr std::chrono::milliseconds kAskEach(500);

struct BackfillFlags {
  std::string server = "http://127.0.0.1:8086";
  std::string file;
  std::string group;
  std::vector<std::string> rules;
  std::string from;
  std::string to;
  std::string cancel;
  bool list = false;
  bool no_wait = false;
};

struct Job {
  std::string id, file, group, state, error, first_failure;
  uint64_t done = 0, total = 0, written = 0, there = 0, failures = 0;
  [[nodiscard]] bool ended() const { return state != "waiting" && state != "running"; }
};

Result<Job> JobOf(simdjson::dom::element root) {
  Job job;
  bool good = true;
  const auto text = [&](const char* key, std::string* out) {
    std::string_view value;
    good = root[key].get(value) == simdjson::SUCCESS && good;
    *out = value;
  };
  const auto count = [&](const char* key, uint64_t* out) { good = root[key].get(*out) == simdjson::SUCCESS && good; };
  text("id", &job.id);
  text("file", &job.file);
  text("group", &job.group);
  text("state", &job.state);
  text("error", &job.error);
  text("firstFailure", &job.first_failure);
  count("timesDone", &job.done);
  count("timesTotal", &job.total);
  count("rowsWritten", &job.written);
  count("rowsThere", &job.there);
  count("failures", &job.failures);
  if (!good) return MakeError(ErrorCode::kInternal, "the server's answer is no back-fill");
  return job;
}

// What the server has under "data" of an answer with `status`.
Result<simdjson::dom::element> Ask(HttpClient* client, std::string_view method, const std::string& target, int status,
                                   simdjson::dom::parser* parser) {
  TM_TRY_ASSIGN(const HttpReply reply, client->Send(method, target, {}, ""));
  simdjson::dom::element data;
  if (reply.status != status ||
      parser->parse(simdjson::padded_string(reply.body))["data"].get(data) != simdjson::SUCCESS) {
    const auto answer = ParseAnswer(reply.body);
    return InvalidArgument(answer.ok() ? fmt::format("the server answered {}", reply.status) : answer.error().message);
  }
  return data;
}

Result<std::vector<Job>> ListJobs(HttpClient* client) {
  simdjson::dom::parser parser;
  TM_TRY_ASSIGN(const simdjson::dom::element data, Ask(client, "GET", std::string(kTarget), 200, &parser));
  simdjson::dom::array all;
  if (data.get(all) != simdjson::SUCCESS) return MakeError(ErrorCode::kInternal, "the server's answer is no list");
  std::vector<Job> jobs;
  for (const simdjson::dom::element one : all) {
    TM_TRY_ASSIGN(Job job, JobOf(one));
    jobs.push_back(std::move(job));
  }
  return jobs;
}

void Print(const Job& job) {
  Say("{}  {:<11}  {}/{}, {} written, {} there before  {} of {}{}\n", job.id, job.state, job.done,
      text::Counted(job.total, "time"), text::Counted(job.written, "row"), job.there, job.group, job.file,
      job.error.empty() ? "" : ": " + job.error);
  if (job.failures > 0)
    Say("  {} failed, the first: {}\n", text::Counted(job.failures, "evaluation"), job.first_failure);
}

// Until it has ended.
Result<Job> Await(HttpClient* client, Job job) {
  uint64_t shown = 0;
  while (!job.ended()) {
    std::this_thread::sleep_for(kAskEach);
    TM_TRY_ASSIGN(const std::vector<Job> jobs, ListJobs(client));
    bool found = false;
    for (const Job& one : jobs) {
      if (one.id != job.id) continue;
      job = one;
      found = true;
    }
    if (!found) return NotFound(fmt::format("the server knows no back-fill {} any more", job.id));
    const uint64_t percent = job.total == 0 ? 0 : job.done * 100 / job.total;
    if (percent > shown && !job.ended()) Say("{}%: {} of {} times\n", percent, job.done, job.total);
    shown = percent;
  }
  return job;
}

Result<int> Run(const BackfillFlags& flags, const TimeSpan& span) {
  TM_TRY_ASSIGN(const std::unique_ptr<HttpClient> client, HttpClient::Create(flags.server));
  if (flags.list) {
    TM_TRY_ASSIGN(const std::vector<Job> jobs, ListJobs(client.get()));
    for (const Job& job : jobs) Print(job);
    if (jobs.empty()) Say("none\n");
    return 0;
  }
  simdjson::dom::parser parser;
  if (!flags.cancel.empty()) {
    const std::string target = fmt::format("{}/{}", kTarget, UrlEncode(flags.cancel));
    TM_TRY_ASSIGN([[maybe_unused]] const simdjson::dom::element data,
                  Ask(client.get(), "DELETE", target, 202, &parser));
    Say("the back-fill {} ends\n", flags.cancel);
    return 0;
  }
  const auto seconds = [](int64_t ms) { return fmt::format("{:.3f}", static_cast<double>(ms) / 1000); };
  std::vector<std::pair<std::string, std::string>> parameters = {
      {"file", flags.file}, {"group", flags.group}, {"start", seconds(span.from_ms)}, {"end", seconds(span.to_ms)}};
  for (const std::string& rule : flags.rules) parameters.emplace_back("rule[]", rule);
  TM_TRY_ASSIGN(const simdjson::dom::element data,
                Ask(client.get(), "POST", std::string(kTarget) + QueryString(parameters), 202, &parser));
  TM_TRY_ASSIGN(Job job, JobOf(data));
  if (!flags.no_wait) {
    TM_TRY_ASSIGN(job, Await(client.get(), std::move(job)));
  }
  Print(job);
  return flags.no_wait || job.state == "done" ? 0 : 1;
}

int Backfill(const BackfillFlags& flags) {
  TimeSpan span;
  if (flags.list && !flags.cancel.empty())
    return FailUsage("--list shows back-fills, --cancel ends one: one at a time");
  const bool begins = !flags.file.empty() || !flags.group.empty() || !flags.from.empty() || !flags.to.empty() ||
                      !flags.rules.empty() || flags.no_wait;
  if ((flags.list || !flags.cancel.empty()) && begins) {
    return FailUsage(
        fmt::format("{} is about back-fills that were begun: it takes none of FILE, GROUP, --rule, --from, "
                    "--to and --no-wait",
                    flags.list ? "--list" : "--cancel"));
  }
  if (!flags.list && flags.cancel.empty()) {
    if (flags.file.empty() || flags.group.empty() || flags.from.empty()) {
      return FailUsage("a back-fill needs FILE, GROUP and --from; --list and --cancel need neither");
    }
    const Result<TimeSpan> parsed = ParseTimeSpan(flags.from, flags.to);
    if (!parsed.ok()) return FailUsage(parsed.error().message);
    span = *parsed;
  }
  const Result<int> done = Run(flags, span);
  return done.ok() ? *done : Fail(done.error().message);
}

}  // namespace

void AddAlertBackfill(CLI::App& app, Action* action) {
  auto flags = std::make_shared<BackfillFlags>();
  CLI::App* const backfill =
      app.add_subcommand("backfill", "have recording rules of a server record what they would have of the past");
  AddServerFlag(*backfill, &flags->server);
  backfill->add_option("file", flags->file, "file or namespace of the rule group, as /api/v1/rules shows it");
  backfill->add_option("group", flags->group, "name of the rule group");
  backfill->add_option("--rule", flags->rules, "only the rules that record this name")->group("What is recorded");
  backfill->add_option("--from", flags->from, "begin: RFC 3339, unix seconds, -7d")->group("What is recorded");
  backfill->add_option("--to", flags->to, "end (default: now)")->group("What is recorded");
  backfill->add_flag("--no-wait", flags->no_wait, "do not wait until it has ended");
  backfill->add_flag("--list", flags->list, "show those that were begun")->group("Earlier ones");
  backfill->add_option("--cancel", flags->cancel, "end the one with this id")->group("Earlier ones");
  backfill->callback([flags, action] { *action = [flags] { return Backfill(*flags); }; });
}

}  // namespace tidemark::cli

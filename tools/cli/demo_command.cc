// tidemark demo: something to look at. A simulated backend that reports as an external agent, and goals as data.
#include <fmt/core.h>

#include <cmath>
#include <memory>
#include <optional>
#include <string>

#include "executor/agent/process/signal_stop.h"
#include "storage/base/clock.h"
#include "tools/cli/answer.h"
#include "tools/cli/command.h"
#include "tools/cli/demo_backend.h"
#include "tools/cli/http_client.h"
#include "tools/cli/time_text.h"
#include "tools/demo/goals.h"

namespace tidemark::cli {
namespace {

constexpr int64_t kNsPerMs = 1'000'000;

struct BackendFlags {
  std::string history;
  std::string history_step = "2m";
  std::string run_for;
  DemoBackendOptions options;
};

int RunBackend(const BackendFlags& flags) {
  // First of all: threads that are started later inherit its signal mask.
  const auto signals = executor::SignalStop::Make();
  if (!signals.ok()) return Fail(signals.error().message);
  DemoBackendOptions options = flags.options;
  const auto read = [](const std::string& text, int64_t* ns) -> Result<void> {
    if (text.empty()) return {};
    TM_TRY_ASSIGN(const int64_t ms, ParseDurationText(text));
    if (__builtin_mul_overflow(ms, kNsPerMs, ns))
      return InvalidArgument(fmt::format("\"{}\" is too long: at most 292 years", text));
    return {};
  };
  for (const auto& [text, ns] :
       {std::pair(&flags.history, &options.history_ns), std::pair(&flags.history_step, &options.history_step_ns),
        std::pair(&flags.run_for, &options.run_for_ns)}) {
    if (const auto done = read(*text, ns); !done.ok()) return Fail(done.error().message);
  }
  const auto done = RunDemoBackend(options, (*signals)->token());
  return done.ok() ? 0 : Fail(done.error().message);
}

struct GoalsFlags {
  std::string file;
  std::string server = "http://127.0.0.1:8086";
  std::string time;
};

// The one number that `query` answers with at `time_s`; "" means now.
Result<std::optional<double>> AskOneNumber(HttpClient* client, std::string_view database, const std::string& query,
                                           const std::string& time_s) {
  const std::string form = FormBody({{"query", query}, {"db", std::string(database)}, {"time", time_s}});
  TM_TRY_ASSIGN(const HttpReply reply,
                client->Send("POST", "/api/v1/query", {{"Content-Type", "application/x-www-form-urlencoded"}}, form));
  TM_TRY_ASSIGN(const Answer answer, ParseAnswer(reply.body));
  if (answer.type != "vector" && answer.type != "scalar") {
    return InvalidArgument(fmt::format("the answer is a {}, not one number: {}", answer.type, query));
  }
  if (answer.series.empty()) return std::optional<double>();
  if (answer.series.size() > 1 || answer.series[0].points.size() != 1) {
    return InvalidArgument(fmt::format("the answer has {} series, not one number: {}", answer.series.size(), query));
  }
  const double value = std::strtod(answer.series[0].points[0].value.c_str(), nullptr);
  return std::isfinite(value) ? std::optional(value) : std::nullopt;
}

int RunGoals(const GoalsFlags& flags) {
  const auto file = demo::LoadGoals(flags.file);
  if (!file.ok()) return Fail(file.error().message);
  auto client = HttpClient::Create(flags.server);
  if (!client.ok()) return Fail(client.error().message);
  std::string time_s;
  if (!flags.time.empty()) {
    const auto time = ParseTimeText(flags.time, SystemClock::Get().NowNs() / kNsPerMs);
    if (!time.ok()) return Fail(time.error().message);
    time_s = fmt::format("{:.3f}", static_cast<double>(*time) / 1'000);
  }
  const auto report = demo::Evaluate(*file, [&](std::string_view database, const std::string& query) {
    return AskOneNumber(client->get(), database, query, time_s);
  });
  if (!report.ok()) return Fail(report.error().message);
  fmt::print("{}", demo::ToText(*report));
  for (const demo::GoalResult& goal : report->goals) {
    if (goal.status == demo::GoalStatus::kMissed || goal.status == demo::GoalStatus::kNoData) return 1;
  }
  return 0;
}

void AddBackend(CLI::App& app, Action* action) {
  auto flags = std::make_shared<BackendFlags>();
  auto* const backend = app.add_subcommand("backend", "simulate a backend and push its metrics to a server");
  AddServerFlag(*backend, &flags->options.server);
  backend->add_option("--db", flags->options.database, "database of the backend")->capture_default_str();
  backend->add_option("--exec-db", flags->options.executor_database, "database of the executor's past")
      ->group("Past")
      ->capture_default_str();
  backend->add_option("--rate", flags->options.rate, "samples of every series per second")
      ->group("Present")
      ->check(CLI::Range(0.001, 1'000.0))
      ->capture_default_str();
  backend->add_option("--seed", flags->options.seed, "the same seed at the same time gives the same state")
      ->capture_default_str();
  auto* const history =
      backend->add_option("--history", flags->history, "first write the past of this length: 6w is the whole story")
          ->group("Past");
  backend->add_option("--history-step", flags->history_step, "time between samples of the past")
      ->group("Past")
      ->capture_default_str();
  backend
      ->add_option(
          "--incidents", flags->options.incidents,
          "begin with an incident for each alert of tools/demo/alerts.yaml, so many times as long as usual (10 "
          "minutes in all); 0: only those of chance")
      ->group("Present")
      ->check(CLI::Range(0.0, 1'000.0))
      ->capture_default_str();
  auto* const run_for =
      backend->add_option("--for", flags->run_for, "stop after this long (default: when told to)")->group("Present");
  backend->add_flag("--history-only", flags->options.history_only, "stop when the past is written")
      ->group("Past")
      ->needs(history)
      ->excludes(run_for);
  backend->add_option("--spool", flags->options.spool_directory, "keep there what an absent server cannot take")
      ->group("Present");
  backend->callback([flags, action] { *action = [flags] { return RunBackend(*flags); }; });
}

void AddGoals(CLI::App& app, Action* action) {
  auto flags = std::make_shared<GoalsFlags>();
  auto* const goals =
      app.add_subcommand("goals", "ask a server whether the goals of a file are met, and what it saves");
  goals->add_option("file", flags->file, "goals and prices (YAML), as tools/demo/goals.yaml")->required();
  AddServerFlag(*goals, &flags->server);
  goals->add_option("--time", flags->time, "at this moment (default: now)");
  goals->callback([flags, action] { *action = [flags] { return RunGoals(*flags); }; });
}

}  // namespace

void AddDemo(CLI::App& app, Action* action) {
  app.require_subcommand(1);
  AddBackend(app, action);
  AddGoals(app, action);
}

}  // namespace tidemark::cli

// tidemarkd: the server. `tidemarkd --help` lists what can be set; `tidemarkd --print-config` shows what is.
#include <fmt/core.h>
#include <fmt/ranges.h>
#include <malloc.h>
#include <pthread.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "storage/base/allocation_failure.h"
#include "storage/base/log.h"
#include "storage/base/usable_cpus.h"
#include "tools/help/help_text.h"
#include "tools/help/suggest.h"
#include "tools/server/config/config.h"
#include "tools/server/config/limits.h"
#include "tools/server/daemon.h"
#include "tools/server/http/endpoint.h"
#include "tools/server/lifecycle/restarter.h"
#include "tools/server/lifecycle/start_facts.h"
#include "tools/service/handover.h"
#include "tools/service/supervisor.h"
#include "tools/service/time_extension.h"

namespace tidemark::server {
namespace {

// Exit codes.
constexpr int kOk = 0;
constexpr int kFailed = 1;
constexpr int kBadUsage = 2;

constexpr int kFreeAtEndBytes = 4 << 20;

std::string FlagOf(const Setting& setting) {
  std::string flag = "--" + setting.key;
  for (char& c : flag) {
    if (c == '.' || c == '_') c = '-';
  }
  return setting.flag.empty() || setting.flag == flag ? flag : setting.flag + "," + flag;
}

int Fail(int code, std::string_view message) {
  fmt::print(stderr, "tidemarkd: {}\n", message);
  return code;
}

// The values that the command line gives to each setting, in the order of the table.
using Given = std::vector<std::vector<std::string>>;

// The settings as the file, "" for none, and the flags behind it have them now.
Result<Config> ReadConfig(const std::string& file, const Given& given) {
  Config config;
  if (!file.empty()) TM_RETURN_IF_ERROR(LoadConfig(file, &config));
  const std::vector<Setting> settings = SettingsOf(&config);
  for (size_t i = 0; i < settings.size(); ++i) {
    if (!given[i].empty()) settings[i].clear();
    for (const std::string& value : given[i]) {
      if (const Status set = settings[i].set(value); !set.ok()) return set.error().Within(FlagOf(settings[i]));
    }
  }
  return config;
}

// Waits for the next signal, and meanwhile tells the supervisor that the server lives, as long as it does.
siginfo_t NextSignal(const sigset_t& signals, const service::Supervisor& supervisor, const Daemon& daemon) {
  siginfo_t info = {};
  if (supervisor.watchdog() == supervisor.watchdog().zero()) {
    while (sigwaitinfo(&signals, &info) < 0) {
    }
    return info;
  }
  // Twice as often as it is asked for, as sd_watchdog_enabled(3) advises.
  const auto half = std::chrono::duration_cast<std::chrono::nanoseconds>(supervisor.watchdog()) / 2;
  const timespec patience = {.tv_sec = half.count() / 1'000'000'000, .tv_nsec = half.count() % 1'000'000'000};
  while (sigtimedwait(&signals, &info, &patience) < 0) {
    if (daemon.Lives(supervisor.watchdog())) supervisor.Alive();
  }
  return info;
}

// Tells people, on standard output and with the time in the log, where it serves and whom; the first address.
std::string Announce(const Config& config, const Daemon& daemon) {
  std::string first;
  for (const http::Endpoint& endpoint : daemon.endpoints()) {
    const std::string url = http::UrlOf(endpoint) + daemon.route_prefix();
    fmt::print("listening on {}\n", url);
    TM_LOG(kInfo, "listening on {}", url);
    if (first.empty()) first = url;
  }
  if (!first.empty()) fmt::print("the dashboard is {}/dashboard\n", first);
  for (size_t i = 0; i < config.udp.size(); ++i) {
    fmt::print("listening on udp port {} for database {}\n", daemon.udp_ports()[i], config.udp[i].database);
    TM_LOG(kInfo, "listening on udp port {} for database {}", daemon.udp_ports()[i], config.udp[i].database);
  }
  for (const uint16_t port : daemon.native_ports()) {
    fmt::print("listening on tcp port {} for native batches\n", port);
    TM_LOG(kInfo, "listening on tcp port {} for native batches", port);
  }
  if (!daemon.asks_for_tokens()) {
    fmt::print(
        "no tokens: whoever is on this machine may read, write and administer, and nobody else is served;\n"
        "`tidemark admin token new NAME --grant 'admin:*'` makes the first, from which on each request needs one; "
        "with\n"
        "the server stopped, `tidemark admin token first NAME --data DIR` does\n");
  }
  std::fflush(stdout);
  return first;
}

// What a process does from its start to its end, over any number of daemons.
class Service {
 public:
  Service(service::Program program, std::function<Result<Config>()> read_again)
      : restarter_(std::move(program)), read_again_(std::move(read_again)) {}

  int Run(Config config) {
    Result<service::Handover> handover = service::TakeHandover();
    if (!handover.ok()) return Fail(kFailed, handover.error().message);
    // Blocked before any thread starts, so that only the wait below sees them. They stay so in a program that takes the
    // place of this one, and what has come meanwhile waits for it.
    sigemptyset(&signals_);
    for (const int signal : {SIGTERM, SIGINT, SIGHUP, SIGUSR2}) sigaddset(&signals_, signal);
    pthread_sigmask(SIG_BLOCK, &signals_, nullptr);
    std::signal(SIGPIPE, SIG_IGN);
    for (;;) {
      log::SetLevel(config.log_level);
      const Result<Ended> ended = Serve(config, std::move(*handover));
      if (!ended.ok()) return Fail(kFailed, ended.error().message);
      if (!ended->left) return kOk;
      // The next program could not be begun: the settings were found to be good, and the sockets are here.
      handover = std::move(*ended->left);
      if (Result<Config> again = read_again_(); again.ok()) config = std::move(*again);
    }
  }

 private:
  // How a daemon has ended: by itself, or for one that follows.
  struct Ended {
    std::optional<service::Handover> left;
  };
  using Within = service::TimeExtension::Within;

  Result<Ended> Serve(const Config& config, service::Handover handover) {
    const bool again = handover.paused_ns != 0;
    std::optional<service::TimeExtension> more_time(std::in_place, &supervisor_,
                                                    again ? Within::kRestart : Within::kStartOrStop);
    TM_TRY_ASSIGN(
        const std::unique_ptr<Daemon> daemon,
        Daemon::Start(config, {.read_again = read_again_, .handover = std::move(handover), .restarter = &restarter_}));
    const std::string status = "serving " + Announce(config, *daemon);
    more_time.reset();
    supervisor_.Ready(status);
    siginfo_t info = NextSignal(signals_, supervisor_, *daemon);
    while (info.si_signo == SIGHUP || info.si_signo == SIGUSR2) {
      if (info.si_signo == SIGHUP) {
        // A terminal that goes away sends it too: that is no reason to end.
        supervisor_.Reloading();
        static_cast<void>(daemon->Reload());
        supervisor_.Ready(status);
      } else if (restarter_.TakeWanted()) {
        return Restart(daemon.get());
      } else {
        daemon->NoteSignal("restart by SIGUSR2", info.si_pid, info.si_uid);
        restarter_.AskBehind(daemon->Facts());
      }
      info = NextSignal(signals_, supervisor_, *daemon);
    }
    supervisor_.Stopping();
    more_time.emplace(&supervisor_);
    TM_LOG(kInfo, "{}: draining", info.si_signo == SIGTERM ? "SIGTERM" : "SIGINT");
    TM_RETURN_IF_ERROR(daemon->Stop());
    TM_LOG(kInfo, "closed");
    return Ended{};
  }

  // Returns when the next program could not be begun, with what it would have gone on with.
  Ended Restart(Daemon* daemon) {
    supervisor_.Reloading();
    const service::TimeExtension more_time(&supervisor_, Within::kRestart);
    TM_LOG(kInfo, "restart: {} takes over", restarter_.program().path);
    service::Handover left = daemon->Leave();
    std::fflush(stdout);
    const Error why = service::Replace(restarter_.program(), supervisor_, &left);
    TM_LOG(kError, "restart: serves on with the program that runs: {}", why.message);
    restarter_.Failed(why);
    return {.left = std::move(left)};
  }

  const service::Supervisor supervisor_ = service::Supervisor::FromEnvironment();
  Restarter restarter_;
  const std::function<Result<Config>()> read_again_;
  sigset_t signals_ = {};
};

// Says whether a start with these settings would succeed.
int Check(const Config& config) {
  const char* const given = std::getenv(kStartFactsVariable);
  const Result<StartFacts> facts = ReadStartFacts(given == nullptr ? "" : given);
  if (!facts.ok()) return Fail(kFailed, facts.error().message);
  if (const Status checked = Daemon::Check(config, *facts); !checked.ok())
    return Fail(kFailed, checked.error().message);
  fmt::print("{} would start\n", config.api.version);
  if (!facts->answer.empty()) fmt::print("{}", StartAnswer(facts->answer));
  return kOk;
}

// The group of its section in the file, in which `--help` shows it.
std::string GroupOf(const Setting& setting) {
  const std::string_view section = SectionOf(setting.key);
  return section.empty() ? "Settings outside of all sections" : fmt::format("Section {}", section);
}

// The flag of a setting that has its default as yet.
void AddFlag(const Setting& setting, std::vector<std::string>* values, CLI::App* app) {
  CLI::Option* const option = app->add_option(FlagOf(setting), *values, setting.comment);
  option->type_name("VALUE")->default_str(fmt::format("{}", fmt::join(Shown(setting), ",")))->group(GroupOf(setting));
  option->allow_extra_args(false);
  if (!setting.list) option->expected(1)->multi_option_policy(CLI::MultiOptionPolicy::TakeLast);
}

// A core holds what requests brought along: tokens, passwords, other people's measurements. Who needs one all the same
// raises the limit of the running process (`prlimit --core=unlimited --pid`). A limit of one byte is the only one that
// the kernel also heeds where cores go to a program (core(5)).
void LeaveNoCore() {
  rlimit limit{};
  if (getrlimit(RLIMIT_CORE, &limit) != 0) return;
  limit.rlim_cur = std::min<rlim_t>(limit.rlim_max, 1);
  static_cast<void>(setrlimit(RLIMIT_CORE, &limit));
}

int Main(int argc, char** argv) {
  Config defaults;
  const std::vector<Setting> settings = SettingsOf(&defaults);
  Given given(settings.size());
  std::string file;
  bool print_config = false;
  bool print_limits = false;
  bool check = false;
  CLI::App app("Tidemark, a time-series metrics database", "tidemarkd");
  help::Use(&app);
  app.set_version_flag("--version", "tidemarkd " + defaults.api.version);
  app.add_option("--config", file, "YAML file with the settings; flags come after it");
  app.add_flag("--print-config", print_config, "Show the effective settings and end");
  app.add_flag("--print-limits", print_limits, "Show the limits, their values and what happens beyond them, and end");
  app.add_flag(
      "--check", check,
      "Say whether a start would succeed: read settings, rules, receivers and certificates, try addresses, and end");
  for (size_t i = 0; i < settings.size(); ++i) AddFlag(settings[i], &given[i], &app);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    if (error.get_exit_code() == 0) return app.exit(error);
    const std::vector<std::string> words(argv + 1, argv + argc);
    fmt::print(stderr, "{}\n", help::DescribeMistake(app, words, error));
    return kBadUsage;
  }
  const Result<Config> config = ReadConfig(file, given);
  if (!config.ok()) return Fail(kBadUsage, config.error().message);
  if (print_config || print_limits) {
    fmt::print("{}", print_config ? PrintConfig(*config) : PrintLimits(*config));
    return kOk;
  }
  if (check) return Check(*config);
  // Each arena keeps what its threads have freed, and there are many threads: eight arenas a core, which is the C
  // library's choice, would keep far more than queries may hold.
  mallopt(M_ARENA_MAX, static_cast<int>(2 * UsableCpus()));
  // What is free at the end of an arena goes back to the system from so much on, and larger pieces do not come from
  // arenas at all. By itself the C library raises both to 32 MiB and twice as much, for each arena, as soon as somebody
  // has freed something large; malloc_trim does not touch these ends.
  mallopt(M_MMAP_THRESHOLD, kFreeAtEndBytes);
  mallopt(M_TRIM_THRESHOLD, kFreeAtEndBytes);
  // Whatever is made from here on is the owner's alone: measurements say a lot of whoever is measured.
  umask(S_IRWXG | S_IRWXO);
  LeaveNoCore();
  Service service(service::Program::OfThisProcess(argv[0], {argv + 1, argv + argc}),
                  [file, given] { return ReadConfig(file, given); });
  return service.Run(*config);
}

}  // namespace
}  // namespace tidemark::server

int main(int argc, char** argv) {
  tidemark::EndOnAllocationFailure();
  try {
    return tidemark::server::Main(argc, argv);
  } catch (const std::exception& error) {
    fmt::print(stderr, "tidemarkd: {}\n", error.what());
    return 1;
  }
}

// tidemarkd: the server. `tidemarkd --help` lists what can be set; `tidemarkd --print-config` shows what is.
#include <fmt/core.h>
#include <fmt/ranges.h>
#include <malloc.h>
#include <pthread.h>
#include <sys/stat.h>

#include <CLI/CLI.hpp>
#include <chrono>
#include <csignal>
#include <cstdio>
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
#include "tools/server/config/config.h"
#include "tools/server/config/limits.h"
#include "tools/server/daemon.h"
#include "tools/server/http/endpoint.h"
#include "tools/service/inherited_sockets.h"
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
int NextSignal(const sigset_t& signals, const service::Supervisor& supervisor, const Daemon& daemon) {
  int signal = 0;
  if (supervisor.watchdog() == supervisor.watchdog().zero()) return sigwait(&signals, &signal) == 0 ? signal : SIGTERM;
  // Twice as often as it is asked for, as sd_watchdog_enabled(3) advises.
  const auto half = std::chrono::duration_cast<std::chrono::nanoseconds>(supervisor.watchdog()) / 2;
  const timespec patience = {.tv_sec = half.count() / 1'000'000'000, .tv_nsec = half.count() % 1'000'000'000};
  while ((signal = sigtimedwait(&signals, nullptr, &patience)) < 0) {
    if (daemon.Lives(supervisor.watchdog())) supervisor.Alive();
  }
  return signal;
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
  if (!daemon.asks_for_tokens()) {
    fmt::print(
        "no tokens: whoever is on this machine may read, write and administer, and nobody else is served;\n"
        "`tidemark admin token new NAME --grant 'admin:*'` makes the first, from which on each request needs one\n");
  }
  std::fflush(stdout);
  return first;
}

int Run(const Config& config, std::function<Result<Config>()> read_again) {
  const service::Supervisor supervisor = service::Supervisor::FromEnvironment();
  Result<std::vector<service::InheritedSocket>> sockets = service::TakeInheritedSockets();
  if (!sockets.ok()) return Fail(kFailed, sockets.error().message);
  // Blocked before any thread starts, so that only the wait below sees them.
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGINT);
  sigaddset(&signals, SIGHUP);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  std::signal(SIGPIPE, SIG_IGN);
  log::SetLevel(config.log_level);
  std::optional<service::TimeExtension> more_time(std::in_place, &supervisor);
  Result<std::unique_ptr<Daemon>> daemon =
      Daemon::Start(config, {.read_again = std::move(read_again), .sockets = std::move(sockets).value()});
  if (!daemon.ok()) return Fail(kFailed, daemon.error().message);
  const std::string status = "serving " + Announce(config, **daemon);
  more_time.reset();
  supervisor.Ready(status);
  // A terminal that goes away sends SIGHUP too: that is no reason to end.
  int signal = 0;
  while ((signal = NextSignal(signals, supervisor, **daemon)) == SIGHUP) {
    supervisor.Reloading();
    static_cast<void>((*daemon)->Reload());
    supervisor.Ready(status);
  }
  supervisor.Stopping();
  more_time.emplace(&supervisor);
  TM_LOG(kInfo, "{}: draining", signal == SIGTERM ? "SIGTERM" : "SIGINT");
  if (const Status stopped = (*daemon)->Stop(); !stopped.ok()) return Fail(kFailed, stopped.error().message);
  TM_LOG(kInfo, "closed");
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

int Main(int argc, char** argv) {
  Config defaults;
  const std::vector<Setting> settings = SettingsOf(&defaults);
  Given given(settings.size());
  std::string file;
  bool print_config = false;
  bool print_limits = false;
  CLI::App app("Tidemark, a time-series metrics database", "tidemarkd");
  help::Use(&app);
  app.set_version_flag("--version", "tidemarkd " + defaults.api.version);
  app.add_option("--config", file, "YAML file with the settings; flags come after it");
  app.add_flag("--print-config", print_config, "Show the effective settings and end");
  app.add_flag("--print-limits", print_limits, "Show the limits, their values and what happens beyond them, and end");
  for (size_t i = 0; i < settings.size(); ++i) AddFlag(settings[i], &given[i], &app);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return error.get_exit_code() == 0 ? app.exit(error) : (app.exit(error), kBadUsage);
  }
  const Result<Config> config = ReadConfig(file, given);
  if (!config.ok()) return Fail(kBadUsage, config.error().message);
  if (print_config || print_limits) {
    fmt::print("{}", print_config ? PrintConfig(*config) : PrintLimits(*config));
    return kOk;
  }
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
  return Run(*config, [file, given] { return ReadConfig(file, given); });
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

#include "tools/cli/admin/offline_acts.h"

#include <fmt/core.h>
#include <signal.h>
#include <simdjson.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <filesystem>
#include <memory>
#include <stop_token>
#include <system_error>
#include <thread>

#include "ingest/write_path/rejection_log.h"
#include "storage/base/clock.h"
#include "storage/storage.h"
#include "tools/cli/admin/act_table.h"
#include "tools/cli/admin/directory_acts.h"
#include "tools/cli/admin/job_line.h"
#include "tools/cli/command.h"
#include "tools/cli/say.h"
#include "tools/server/admin/admin_service.h"
#include "tools/server/jobs/job_service.h"

namespace tidemark::cli {
namespace {

using server::AdminService;
using Seconds = std::chrono::duration<double>;

Result<std::unique_ptr<storage::Store>> OpenStore(const std::string& directory) {
  std::error_code error;
  if (!std::filesystem::exists(directory + "/identity", error)) {
    return NotFound(fmt::format("{} is no data directory: there is no store in it", directory));
  }
  storage::StoreOptions options;
  options.directory = directory;
  options.clock = &SystemClock::Get();
  options.background = false;
  return storage::Store::Open(std::move(options));
}

// The words of a refusal.
std::string ErrorOf(const std::string& body) {
  simdjson::dom::parser parser;
  simdjson::dom::element root;
  std::string_view text;
  if (parser.parse(body).get(root) == simdjson::SUCCESS && root["error"].get(text) == simdjson::SUCCESS)
    return std::string(text);
  return body;
}

// Set by the first Ctrl-C, after which the work ends where it can go on; the second ends the process.
std::atomic<bool> interrupted = false;  // NOLINT(cppcoreguidelines-avoid-non-const-global-variables)
void Interrupt(int) {
  interrupted = true;
  signal(SIGINT, SIG_DFL);
}

int Compact(storage::Store* store, const std::string& database, bool json) {
  if (!store->HasDatabase(database)) return Fail(fmt::format("database not found: \"{}\"", database));
  const server::jobs::JobKind kind = server::jobs::CompactKind(store);
  server::jobs::Job job{.id = "0",
                        .kind = kind.name,
                        .database = database,
                        .author = {},
                        .state = server::jobs::JobState::kRunning,
                        .progress = {},
                        .error = {}};
  JobLine line;
  const auto begin = std::chrono::steady_clock::now();
  const bool shows = !json && isatty(STDERR_FILENO) != 0;
  std::stop_source stop;
  interrupted = false;
  signal(SIGINT, &Interrupt);
  const auto told = [&](server::jobs::JobProgress progress) {
    if (interrupted) stop.request_stop();
    job.progress = std::move(progress);
    const std::string text = "{" + server::jobs::PrintJob(job) + "}";
    line.Take(text, Seconds(std::chrono::steady_clock::now() - begin).count());
    if (json) fmt::print("{}\n", text);
    if (shows) fmt::print(stderr, "\r{}\x1b[K", line.Progress());
  };
  const auto done = kind.run(job, stop.get_token(), told);
  signal(SIGINT, SIG_DFL);
  if (shows) fmt::print(stderr, "\r\x1b[K");
  if (!done.ok()) return Fail(done.error().message);
  job.state = stop.stop_requested() ? server::jobs::JobState::kCancelled : server::jobs::JobState::kDone;
  told(*done);
  if (!json) {
    for (const std::string& left : line.damage()) Say("{}\n", left);
    Say("{}\n", line.Summary());
  }
  return job.state == server::jobs::JobState::kDone && !line.damaged() ? 0 : 1;
}

}  // namespace

bool CanBeDoneOffline(const admin::Act& act) {
  return act.name == "compact" ||
         (act.method != admin::Method::kNone && admin::HandlerOf<AdminService>(act.name) != nullptr);
}

int RunOffline(const admin::Act& act, const std::string& directory,
               const std::vector<std::pair<std::string, std::string>>& parameters, bool json) {
  auto store = OpenStore(directory);
  if (!store.ok()) {
    Fail(store.error().message);
    return kCouldNotRun;
  }
  http::Request request;
  for (const auto& [key, value] : parameters) {
    if (!value.empty()) request.params.Add(key, value);
  }
  int code = 0;
  if (act.name == "compact") {
    code = Compact(store->get(), std::string(request.params.Get("db")), json);
  } else {
    const write_path::RejectionLog rejections{1};
    AdminService service(store->get(), &rejections,
                         []() -> Result<server::Reloaded> { return Unsupported("there is no server"); });
    service.SetFacts([&directory] { return server::StatusFacts{.version = TIDEMARK_VERSION, .directory = directory}; });
    const http::Response response = (service.*admin::HandlerOf<AdminService>(act.name))(request);
    if (response.status >= 400) {
      code = Fail(ErrorOf(response.body));
    } else if (json) {
      Say("{}\n", response.body);
    } else {
      code = PrintAnswer(response.body);
    }
  }
  if (const Status closed = (*store)->Close(); !closed.ok()) return Fail(closed.error().message);
  return code;
}

}  // namespace tidemark::cli

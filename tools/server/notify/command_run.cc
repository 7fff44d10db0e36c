#include "tools/server/notify/command_run.h"

#include <fmt/core.h>
#include <stdlib.h>
#include <unistd.h>

#include <chrono>
#include <string>
#include <string_view>
#include <thread>
#include <utility>

#include "executor/agent/process/process.h"
#include "storage/base/clock.h"
#include "tools/server/notify/payload.h"

namespace tidemark::server::notify {
namespace {

using Kind = DeliveryOutcome::Kind;

constexpr int kTryAgain = 75;

// A file that only we may read, and that goes with it.
class MessageFile {
 public:
  static Result<MessageFile> Write(std::string_view text) {
    MessageFile file;
    file.path_ = "/tmp/tidemark-alert-XXXXXX";
    const int fd = mkstemp(file.path_.data());
    if (fd < 0) return IoError("cannot make a file in /tmp for the command to read");
    while (!text.empty()) {
      const ssize_t written = write(fd, text.data(), text.size());
      if (written <= 0) break;
      text.remove_prefix(static_cast<size_t>(written));
    }
    close(fd);
    if (!text.empty()) return IoError(fmt::format("cannot write {}", file.path_));
    return file;
  }
  MessageFile(MessageFile&& other) noexcept : path_(std::exchange(other.path_, {})) {}
  MessageFile& operator=(MessageFile&&) = delete;
  ~MessageFile() {
    if (!path_.empty()) unlink(path_.c_str());
  }
  [[nodiscard]] const std::string& path() const { return path_; }

 private:
  MessageFile() = default;
  std::string path_;
};

}  // namespace

DeliveryOutcome RunCommand(const query::notify::Message& message, const query::notify::Integration& integration,
                           const DeliveryOptions& options, const std::atomic<bool>& stop) {
  const Result<MessageFile> file = MessageFile::Write(WebhookJson(message, options.external_url, {}));
  if (!file.ok()) return {.kind = Kind::kAgain, .reason = file.error().message};
  Result<executor::StopSignal> signal = executor::StopSignal::Make();
  if (!signal.ok()) return {.kind = Kind::kAgain, .reason = signal.error().message};
  executor::ProcessSpec spec;
  spec.command = integration.command;
  spec.environment = executor::MergedEnvironment({{"TIDEMARK_STATUS", message.firing.empty() ? "resolved" : "firing"},
                                                  {"TIDEMARK_TITLE", TitleOf(message)},
                                                  {"TIDEMARK_MESSAGE_ID", message.id},
                                                  {"TIDEMARK_MESSAGE_FILE", file->path()}});
  spec.timeout_ns = options.timeout_ms * 1'000'000;
  std::atomic<bool> ended = false;
  // What waits for a process hears of a stop by its signal only.
  const std::jthread watch([&] {
    while (!ended && !stop) std::this_thread::sleep_for(std::chrono::milliseconds(50));
    if (!ended) signal->Raise();
  });
  const Result<executor::ProcessResult> run = executor::RunProcess(spec, SystemClock::Get(), *signal, {});
  ended = true;
  if (!run.ok()) return {.kind = Kind::kRefused, .reason = run.error().message};
  using End = executor::ProcessResult::End;
  if (run->end == End::kExited && run->exit_code == 0) return {};
  if (run->end == End::kExited) {
    return {.kind = run->exit_code == kTryAgain ? Kind::kAgain : Kind::kRefused,
            .reason = fmt::format("the command ended with {}", run->exit_code)};
  }
  return {.kind = Kind::kAgain,
          .reason = run->end == End::kTimedOut ? "the command took too long" : "the command was ended"};
}

}  // namespace tidemark::server::notify

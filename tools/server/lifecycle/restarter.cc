#include "tools/server/lifecycle/restarter.h"

#include <fmt/core.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <random>
#include <utility>

#include "executor/agent/process/process.h"
#include "storage/base/clock.h"
#include "storage/base/log.h"

namespace tidemark::server {
namespace {

// Of what the program says, enough for its reason.
constexpr size_t kSaidBytesMax = 4'000;

std::string WithoutLineEnd(std::string text) {
  while (text.ends_with('\n')) text.pop_back();
  return text;
}

// "" where there is nothing to say.
std::string Behind(std::string_view words, std::string text) { return text.empty() ? text : text.insert(0, words); }

}  // namespace

Status Restarter::Check(StartFacts facts, const std::stop_token& stop) const {
  std::random_device random;
  facts.answer = fmt::format("{:08x}{:08x}", random(), random());
  TM_TRY_ASSIGN(executor::StopSignal signal, executor::StopSignal::Make());
  const std::stop_callback raise(stop, [&signal] { signal.Raise(); });
  executor::ProcessSpec spec;
  spec.command = program_.arguments;
  spec.command.insert(spec.command.begin(), program_.path);
  spec.command.emplace_back("--check");
  spec.environment = executor::MergedEnvironment({{kStartFactsVariable, PrintStartFacts(facts)}});
  spec.timeout_ns = kStartCheckNs;
  std::string said;
  executor::ProcessEvents events;
  // The end of it: there the reason stands, and the answer.
  events.on_output = [&said](std::string_view bytes) {
    said += bytes;
    if (said.size() > kSaidBytesMax) said.erase(0, said.size() - kSaidBytesMax);
  };
  TM_TRY_ASSIGN(const executor::ProcessResult run,
                executor::RunProcess(spec, SystemClock::Get(), signal, std::move(events)));
  using End = executor::ProcessResult::End;
  const std::string what = fmt::format("{} would not start", program_.path);
  if (run.end == End::kExited && run.exit_code == 0) {
    if (said.ends_with(StartAnswer(facts.answer))) return {};
    return InvalidArgument(fmt::format(
        "{}: it is no tidemarkd, or one that cannot take over from this one, since it ended without the word that was "
        "asked of it; to start it all the same, stop this server first{}",
        what, Behind(". It said: ", WithoutLineEnd(std::move(said)))));
  }
  switch (run.end) {
    case End::kExited:
      said = WithoutLineEnd(std::move(said));
      if (said.empty()) said = fmt::format("it ended with {} and said nothing", run.exit_code);
      return InvalidArgument(fmt::format("{}: {}", what, said));
    case End::kSignalled:
      return InvalidArgument(fmt::format("{}: signal {} ended it{}", what, run.signal,
                                         Behind("; it said: ", WithoutLineEnd(std::move(said)))));
    case End::kTimedOut: return MakeError(ErrorCode::kTimeout, fmt::format("{}: it did not say so within 30 s", what));
    case End::kCancelled: return MakeError(ErrorCode::kCancelled, "the restart was not waited for");
  }
  return {};
}

Status Restarter::Ask(const StartFacts& facts, const std::stop_token& stop) {
  {
    MutexLock lock(mutex_);
    if (state_ != State::kNone) return MakeError(ErrorCode::kConflict, "a restart is under way already");
    state_ = State::kChecking;
  }
  TM_LOG(kInfo, "restart: looks whether {} would start", program_.path);
  Status checked = Check(facts, stop);
  {
    MutexLock lock(mutex_);
    state_ = checked.ok() ? State::kWanted : State::kNone;
    past_.refusal = checked.ok() ? "" : checked.error().message;
  }
  if (!checked.ok()) {
    TM_LOG(kError, "restart: serves on with the program that runs: {}", checked.error().message);
    return checked;
  }
  // To the process: the thread that waits for it takes it.
  ::kill(::getpid(), SIGUSR2);
  return {};
}

void Restarter::AskBehind(StartFacts facts) {
  {
    MutexLock lock(mutex_);
    if (state_ != State::kNone) {
      TM_LOG(kInfo, "restart: one is under way already");
      return;
    }
  }
  behind_ = std::jthread(
      [this, facts = std::move(facts)](const std::stop_token& stop) { static_cast<void>(Ask(facts, stop)); });
}

bool Restarter::TakeWanted() {
  MutexLock lock(mutex_);
  if (state_ != State::kWanted) return false;
  state_ = State::kTaken;
  return true;
}

void Restarter::Failed(const Error& why) {
  MutexLock lock(mutex_);
  state_ = State::kNone;
  past_.refusal = why.message;
}

void Restarter::SetPast(Past past) {
  MutexLock lock(mutex_);
  past_ = std::move(past);
}

Restarter::Past Restarter::past() const {
  MutexLock lock(mutex_);
  return past_;
}

}  // namespace tidemark::server

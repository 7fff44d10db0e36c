#include "tools/cli/demo_backend.h"

#include <fmt/core.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <memory>
#include <string>
#include <thread>

#include "clients/cpp/writer.h"
#include "storage/base/clock.h"
#include "tools/demo/backend_model.h"
#include "tools/demo/backend_reporter.h"
#include "tools/demo/executor_history.h"
#include "tools/demo/past_steps.h"

namespace tidemark::cli {
namespace {

using std::chrono::milliseconds;

constexpr int64_t kNsPerMs = 1'000'000;
constexpr int64_t kProgressEveryNs = 500 * kNsPerMs;
// How long a stop may wait: for room in the writer, and between two samples.
constexpr milliseconds kStopWithin{100};
constexpr std::chrono::seconds kCloseWait{30};
constexpr std::chrono::seconds kShortCloseWait{2};

Error FromClient(const client::Error& error) {
  switch (error.code) {
    case client::ErrorCode::kInvalidArgument: return InvalidArgument(error.message);
    case client::ErrorCode::kTimeout: return MakeError(ErrorCode::kTimeout, error.message);
    case client::ErrorCode::kQueueFull: return MakeError(ErrorCode::kResourceExhausted, error.message);
    case client::ErrorCode::kClosed:
    case client::ErrorCode::kUnavailable: return MakeError(ErrorCode::kUnavailable, error.message);
    case client::ErrorCode::kCorruption: return Corruption(error.message);
    case client::ErrorCode::kIo: break;
  }
  return IoError(error.message);
}

class Backend {
 public:
  Backend(const DemoBackendOptions& options, std::stop_token stop)
      : options_(options),
        stop_(std::move(stop)),
        start_ns_(clock_.NowNs()),
        model_(options.seed, start_ns_),
        reporter_(model_, options.database, MakeEmitter()),
        past_(options.seed, start_ns_, options.executor_database, MakeEmitter()) {}

  Result<void> Run() {
    client::WriterOptions writer_options;
    writer_options.url = options_.server;
    writer_options.spool_directory = options_.spool_directory;
    writer_options.batch_points = 20'000;
    writer_options.batch_bytes = uint64_t{4} << 20;
    writer_options.batch_age = milliseconds(500);
    writer_options.full_wait = kStopWithin;
    writer_options.on_rejected = [this](const client::Rejection& rejection) {
      // The first says it all: a thousand lines about the same mistake help nobody.
      if (rejections_told_++ > 0) return;
      fmt::print(stderr, "\ntidemark: the server refused {} rows for {}: {}\n", rejection.points, rejection.database,
                 rejection.refusal.text.substr(0, 500));
    };
    auto opened = client::Writer::Open(writer_options);
    if (!opened.ok()) return FromClient(opened.error());
    writer_ = std::move(*opened);
    if (options_.history_ns > 0) WritePast();
    if (!options_.history_only) Live();
    fmt::print(stderr, "{}\n", stop_.stop_requested() ? "stopped; sending what is left" : "sending what is left");
    // What a spool keeps, or what is left of a past that was stopped by hand, is not worth a long wait.
    const bool hurry = stop_.stop_requested() || !options_.spool_directory.empty();
    const client::Status closed = writer_->Close(hurry ? kShortCloseWait : kCloseWait);
    const client::WriterStats stats = writer_->stats();
    fmt::print(stderr, "{} rows delivered, {} refused, {} lost, {} in the spool\n", stats.delivered, stats.rejected,
               stats.lost, stats.spool_points);
    if (!error_.ok()) return error_;
    if (!closed.ok() && !stop_.stop_requested()) return FromClient(closed.error());
    return {};
  }

 private:
  demo::PointEmitter MakeEmitter() {
    return [this](const client::Point& point, std::string_view database) {
      while (!stop_.stop_requested()) {
        const client::Status written = writer_->Write(point, database);
        if (written.ok()) {
          ++rows_;
          return;
        }
        if (written.error().code != client::ErrorCode::kQueueFull) {
          if (error_.ok()) error_ = FromClient(written.error());
          return;
        }
        ShowProgress();
      }
    };
  }

  void WritePast() {
    const int64_t step_ns = options_.history_step_ns;
    const int64_t runs_ns = demo::ExecutorHistory::kRunEvery;
    past_begin_ns_ = (start_ns_ - options_.history_ns) / step_ns * step_ns;
    progress_began_ns_ = clock_.SteadyNs();
    int64_t run_ns = (past_begin_ns_ + runs_ns - 1) / runs_ns * runs_ns;
    // Writing takes a while; what passes meanwhile is caught up with, so that no hole is left before the live samples.
    const auto present = [&] { return options_.history_only ? start_ns_ : clock_.NowNs(); };
    for (past_at_ns_ = past_begin_ns_; past_at_ns_ < present() && !Over();) {
      for (; run_ns <= past_at_ns_; run_ns += runs_ns) past_.Run(run_ns);
      const int64_t next_ns = past_at_ns_ + demo::PastStep(present() - past_at_ns_, LiveStep(), step_ns);
      reporter_.Sample(past_at_ns_, next_ns - past_at_ns_);
      past_at_ns_ = next_ns;
      ShowProgress();
    }
    if (!Over() && options_.history_only) static_cast<void>(writer_->Flush(kCloseWait));
    past_at_ns_ = std::min(past_at_ns_, start_ns_);
    shown_ns_ = 0;
    ShowProgress();
    fmt::print(stderr, "\n");
  }

  void Live() {
    const int64_t step_ns = LiveStep();
    const int64_t begin_ns = clock_.SteadyNs();
    past_begin_ns_ = 0;
    if (options_.incidents > 0) model_.BeginDrills(clock_.NowNs(), options_.incidents);
    if (!Over()) fmt::print(stderr, "sampling {} times per second into {}\n", options_.rate, options_.database);
    for (int64_t sample = 0; !Over(); ++sample) {
      const int64_t due_ns = begin_ns + sample * step_ns;
      if (options_.run_for_ns > 0 && due_ns - begin_ns >= options_.run_for_ns) break;
      while (!Over() && clock_.SteadyNs() < due_ns) {
        const int64_t wait_ns = std::min(due_ns - clock_.SteadyNs(), kStopWithin.count() * kNsPerMs);
        std::this_thread::sleep_for(std::chrono::nanoseconds(wait_ns));
      }
      // A sample that is late has the time at which it was due: what waited for the server leaves no hole.
      if (!Over()) reporter_.Sample(clock_.NowNs() - (clock_.SteadyNs() - due_ns), step_ns);
    }
  }

  [[nodiscard]] int64_t LiveStep() const { return static_cast<int64_t>(1e9 / options_.rate); }
  [[nodiscard]] bool Over() const { return stop_.stop_requested() || !error_.ok(); }

  void ShowProgress() {
    if (past_begin_ns_ == 0) return;
    const int64_t now_ns = clock_.SteadyNs();
    if (now_ns - shown_ns_ < kProgressEveryNs) return;
    shown_ns_ = now_ns;
    const double part = std::min(1.0, static_cast<double>(past_at_ns_ - past_begin_ns_) /
                                          static_cast<double>(std::max<int64_t>(start_ns_ - past_begin_ns_, 1)));
    const double seconds = static_cast<double>(now_ns - progress_began_ns_) / 1e9;
    const client::WriterStats stats = writer_->stats();
    fmt::print(stderr, "\rpast: {:3.0f} %, {:.2f} million rows, {:.0f} thousand/s{}   ", part * 100,
               static_cast<double>(rows_) / 1e6, static_cast<double>(rows_) / std::max(seconds, 1e-3) / 1e3,
               stats.failures > 0 ? "; waiting: " + stats.last_error.substr(0, 200) : "");
  }

  const DemoBackendOptions options_;
  const std::stop_token stop_;
  const Clock& clock_ = SystemClock::Get();
  const int64_t start_ns_;
  demo::BackendModel model_;
  demo::BackendReporter reporter_;
  demo::ExecutorHistory past_;
  Result<void> error_;
  uint64_t rows_ = 0;
  int64_t past_begin_ns_ = 0;
  int64_t past_at_ns_ = 0;
  int64_t progress_began_ns_ = 0;
  int64_t shown_ns_ = 0;
  std::atomic<uint64_t> rejections_told_{0};
  std::unique_ptr<client::Writer> writer_;  // last: its threads use what stands above
};

}  // namespace

Result<void> RunDemoBackend(const DemoBackendOptions& options, const std::stop_token& stop) {
  if (options.history_ns > 0 && options.history_step_ns <= 0)
    return InvalidArgument("the step of the past must be positive");
  return Backend(options, stop).Run();
}

}  // namespace tidemark::cli

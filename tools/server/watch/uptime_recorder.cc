#include "tools/server/watch/uptime_recorder.h"

#include <fmt/core.h>

#include <algorithm>
#include <chrono>

#include "storage/base/check.h"
#include "storage/base/log.h"
#include "storage/base/set_clock.h"
#include "storage/model/batch.h"

namespace tidemark::server {
namespace {

double Seconds(int64_t ns) { return static_cast<double>(ns) / 1e9; }

}  // namespace

Result<void> UptimeRecorder::Begin(const std::string& directory) {
  TM_TRY_ASSIGN(AliveFile file, AliveFile::Open(directory));
  const int64_t now_ns = clock_.NowNs();
  const Result<Alive> last = file.Read();
  if (!last.ok() && last.error().code != ErrorCode::kNotFound) {
    TM_LOG(kWarn, "how long the server was away is not known: {}", last.error().message);
  }
  first_start_ns_ = last.ok() ? last->first_start_ns : now_ns;
  start_steady_ns_ = clock_.SteadyNs();
  next_row_steady_ns_ = start_steady_ns_ + kRowPeriodNs;
  LearnFirstStart(now_ns);
  const bool known = last.ok() && last->time_ns >= kClockIsSetNs && now_ns >= kClockIsSetNs;
  // The clock may have been set back meanwhile.
  const int64_t down_ns = known ? std::max<int64_t>(0, now_ns - last->time_ns) : 0;
  std::string event = "first start";
  if (last.ok()) {
    const std::string_view how = last->stopped ? "stopped" : "killed";
    event = known ? fmt::format("down for {:.1f} s, {}", Seconds(down_ns), how)
                  : fmt::format("down for a time that is not known, as the clock was not set, {}", how);
  }
  model::BatchBuilder rows;
  rows.Row("server", {}, {now_ns})
      .Field("started", int64_t{1})
      .Field("down_seconds", Seconds(down_ns))
      .Field("clean", int64_t{!last.ok() || last->stopped ? 1 : 0})
      .Field("first_start_seconds", Seconds(first_start_ns_))
      .Field("event", event);
  const Result<void> written = Write(rows);
  // Only now: were this process killed before, the next would still know of this downtime.
  file_.emplace(std::move(file));
  TM_RETURN_IF_ERROR(file_->Write({.first_start_ns = first_start_ns_, .time_ns = now_ns, .stopped = false}));
  return written;
}

void UptimeRecorder::LearnFirstStart(int64_t now_ns) {
  if (first_start_ns_ >= kClockIsSetNs || now_ns < kClockIsSetNs) return;
  first_start_ns_ = now_ns - (clock_.SteadyNs() - start_steady_ns_);
}

Result<void> UptimeRecorder::Tick() {
  const int64_t now_ns = clock_.NowNs();
  LearnFirstStart(now_ns);
  TM_RETURN_IF_ERROR(file_->Write({.first_start_ns = first_start_ns_, .time_ns = now_ns, .stopped = false}));
  const int64_t steady_ns = clock_.SteadyNs();
  if (steady_ns < next_row_steady_ns_) return {};
  next_row_steady_ns_ = steady_ns + kRowPeriodNs;
  model::BatchBuilder rows;
  rows.Row("server", {}, {now_ns})
      .Field("down_seconds", 0.0)
      .Field("first_start_seconds", Seconds(first_start_ns_))
      .Field("up_seconds", Seconds(steady_ns - start_steady_ns_));
  return Write(rows);
}

Result<void> UptimeRecorder::End() {
  return file_->Write({.first_start_ns = first_start_ns_, .time_ns = clock_.NowNs(), .stopped = true});
}

Result<void> UptimeRecorder::Write(model::BatchBuilder& rows) {
  TM_TRY_ASSIGN(const model::WriteReport report, sink_.Write(kServerDatabase, rows.batch()));
  if (!report.rejections.empty()) return report.rejections.front().error;
  return {};
}

Result<void> UptimeRecorder::Start(const std::string& directory) {
  TM_CHECK(!thread_.joinable());
  const Result<void> begun = Begin(directory);
  if (!file_) return begun;
  // Without the row of this start, its downtime is not known to anybody; the next one will be.
  if (!begun.ok()) TM_LOG(kWarn, "how long the server was away is not recorded: {}", begun.error().message);
  {
    const MutexLock lock(mutex_);
    stopping_ = false;
  }
  thread_ = std::thread([this] { Loop(); });
  return {};
}

void UptimeRecorder::Stop() {
  if (!thread_.joinable()) return;
  {
    const MutexLock lock(mutex_);
    stopping_ = true;
    stopping_changed_.NotifyAll();
  }
  thread_.join();
  if (const Result<void> ended = End(); !ended.ok()) TM_LOG(kWarn, "uptime: {}", ended.error().message);
}

void UptimeRecorder::Loop() {
  bool failing = false;
  while (true) {
    {
      const MutexLock lock(mutex_);
      if (!stopping_) stopping_changed_.WaitFor(mutex_, std::chrono::nanoseconds(kAlivePeriodNs));
      if (stopping_) return;
    }
    const Result<void> ticked = Tick();
    if (!ticked.ok() && !failing) TM_LOG(kWarn, "uptime is not recorded: {}", ticked.error().message);
    failing = !ticked.ok();
  }
}

}  // namespace tidemark::server

// UptimeRecorder: makes the server's uptime a fact. While it runs it notes once per second, in the file `alive` of the
// data directory, that it does; when the next server starts, it writes how long there was none as a point.
//
// Into the database _server, measurement `server`, without tags:
//
//   at each start  started=1, down_seconds (0 for the first), clean (1: the last one was told to end; 0: it was
//   killed),
//                  event (string, "down for 12.3 s, killed"), first_start_seconds (since 1970)
//   every minute   down_seconds=0, first_start_seconds, up_seconds (since this start)
//
// Uptime over 30 days: tools/server/README.md. Downtime of a server that was killed counts from its last note, so it
// may be up to kAlivePeriodNs too long and is never too short. Between times of which one is of a clock that had not
// been set (1970), nobody knows it, and it counts as none.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <thread>

#include "storage/base/clock.h"
#include "storage/base/mutex.h"
#include "storage/base/result.h"
#include "storage/model/point_sink.h"
#include "tools/server/watch/alive_file.h"

namespace tidemark::server {

inline constexpr std::string_view kServerDatabase = "_server";

class UptimeRecorder {
 public:
  static constexpr int64_t kAlivePeriodNs = 1'000'000'000;
  static constexpr int64_t kRowPeriodNs = 60'000'000'000;

  // `sink` and `clock` outlive it.
  UptimeRecorder(model::PointSink& sink, const Clock& clock) : sink_(sink), clock_(clock) {}
  // Stops.
  ~UptimeRecorder() { Stop(); }
  UptimeRecorder(const UptimeRecorder&) = delete;
  UptimeRecorder& operator=(const UptimeRecorder&) = delete;

  // Writes the row of this start. A damaged note is told in the log and counts as a first start. Errors: kIo; those of
  // the sink.
  Result<void> Begin(const std::string& directory);
  // Notes that the server is up, and writes a row when a minute has passed since the last. Not while the thread runs.
  Result<void> Tick();
  // The last note: the server ends as it was told to. Not while the thread runs.
  Result<void> End();

  // Begin, and Tick once per second on a thread of its own until Stop, which ends with End. What the sink refuses is
  // logged, once for each row of failures. Errors: kIo, when there can be no file.
  Result<void> Start(const std::string& directory);
  void Stop();

 private:
  void Loop();
  Result<void> Write(model::BatchBuilder& rows);
  // The time of the first start, as far as the machine's clock had been set by then.
  void LearnFirstStart(int64_t now_ns);

  model::PointSink& sink_;
  const Clock& clock_;
  std::optional<AliveFile> file_;
  int64_t first_start_ns_ = 0;
  // On Clock::SteadyNs: the machine's clock may be set.
  int64_t start_steady_ns_ = 0;
  int64_t next_row_steady_ns_ = 0;

  Mutex mutex_;
  CondVar stopping_changed_;
  bool stopping_ TM_GUARDED_BY(mutex_) = false;
  std::thread thread_;
};

}  // namespace tidemark::server

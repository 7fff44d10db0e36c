#include "tools/demo/executor_history.h"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <cmath>

namespace tidemark::demo {
namespace {

struct Kind {
  std::string_view name;
  double first_ms;  // in the first week
  double today_ms;
};

constexpr std::array<Kind, 7> kKinds{{{"build", 245, 34},
                                      {"test", 890, 125},
                                      {"lint", 180, 28},
                                      {"typecheck", 210, 31},
                                      {"security", 340, 48},
                                      {"format", 60, 9},
                                      {"vet", 95, 14}}};

constexpr double kCoverageWarn = 85;
// Of a core's time: what tasks wait for disks, and what reporting costs.
constexpr double kIoShare = 0.12;
constexpr double kReportingShare = 0.004;
constexpr double kNormalP95 = 1.6448536269514722;
// The task of this kind is the one that fails when a run does.
constexpr size_t kFailingKind = 1;

enum Stream : uint64_t { kDuration = 1'000, kFailure, kSequential, kIoWait = 1'010, kTask = 1'100, kAgent = 1'200 };

}  // namespace

ExecutorHistory::ExecutorHistory(uint64_t seed, int64_t today_ns, std::string database, PointEmitter emit)
    : chance_(seed), today_ns_(today_ns), database_(std::move(database)), emit_(std::move(emit)), point_("exec_run") {}

client::Point& ExecutorHistory::Row(std::string_view measurement, const Week& week) {
  return point_.Reset(measurement)
      .Tag("pipeline", "demo-ci")
      .Tag("mode", week.agents == 1 ? "sequential" : "parallel")
      .Tag("era", week.era)
      .Field("run_id", std::string_view(run_id_));
}

void ExecutorHistory::Run(int64_t end_ns) {
  const Week& week = kStory[WeekAt(end_ns, today_ns_)];
  const int64_t index = end_ns / kRunEvery;
  run_id_ = fmt::format("demo-{}", index);
  // Lognormal with the week's average and 95th percentile, to within a hundredth.
  const double sigma = std::log(week.run_seconds_p95 / week.run_seconds) / kNormalP95;
  const double seconds = week.run_seconds * std::exp(sigma * chance_.Bell(kDuration, index) - sigma * sigma / 2);
  const double sequential_s = kStory[0].run_seconds * (1 + 0.01 * chance_.Bell(kSequential, index));
  const bool failed = chance_.Uniform(kFailure, index) < week.failure_share;
  const auto tasks = static_cast<int64_t>(std::llround(week.commands_per_second * seconds));
  const double speedup = week.agents == 1 ? 1 : sequential_s / seconds;
  Tasks(week, seconds, failed, index, end_ns);
  Agents(week, seconds, index, end_ns);
  Row("exec_run", week)
      .Field("outcome", failed ? "failed" : "succeeded")
      .Field("success", failed ? 0 : 1)
      .Field("agents", week.agents)
      .Field("tasks", tasks)
      .Field("tasks_succeeded", tasks - (failed ? 1 : 0))
      .Field("tasks_failed", failed ? 1 : 0)
      .Field("duration_seconds", seconds)
      .Field("work_seconds", seconds * speedup)
      .Field("cpu_seconds", seconds * week.cpu_share * std::max(1.0, std::round(speedup / week.efficiency)))
      .Field("critical_path_seconds", seconds * 0.9)
      .Field("sequential_seconds", sequential_s)
      .Field("sequential_measured", 1)
      .Field("speedup", speedup)
      .Field("efficiency", std::clamp(week.efficiency + 0.004 * chance_.Bell(kSequential + 1, index), 0.0, 1.0))
      .Field("utilisation", week.cpu_share)
      .Field("agents_busy", std::min(1.0, week.cpu_share + kIoShare))
      .Field("io_wait", std::max(0.0, kIoShare * (1 - week.cpu_share) * (1 + 0.2 * chance_.Bell(kIoWait, index))))
      .Field("lock_contention", week.lock_contention)
      .Field("serial_share", week.serial_share)
      .Field("cores", static_cast<int>(std::lround(speedup / week.efficiency)))
      .Field("max_rss_bytes", static_cast<int64_t>(week.memory_mb * 1'048'576))
      .Field("peak_rss_bytes", static_cast<int64_t>(week.memory_mb * 1'048'576))
      .Field("reporting_cpu_seconds", seconds * kReportingShare)
      .Field("gates_passed", static_cast<int64_t>(kKinds.size()) - (failed ? 1 : 0))
      .Field("gates_warned", week.coverage_percent < kCoverageWarn ? 1 : 0)
      .Field("gates_failed", failed ? 1 : 0);
  emit_(point_.Time(end_ns), database_);
  Row("exec_event", week)
      .Field("text", std::string_view(
                         fmt::format("run {} in {:.1f} s: {} tasks", failed ? "failed" : "succeeded", seconds, tasks)))
      .Field("level", failed ? "error" : "info");
  emit_(point_.Time(end_ns), database_);
}

void ExecutorHistory::Tasks(const Week& week, double seconds, bool failed, int64_t index, int64_t end_ns) {
  // How far the way from the first week to today has been gone.
  const double left =
      (week.run_seconds - kStory.back().run_seconds) / (kStory.front().run_seconds - kStory.back().run_seconds);
  for (size_t k = 0; k < kKinds.size(); ++k) {
    const Kind& kind = kKinds[k];
    const double usual_s = (kind.today_ms + (kind.first_ms - kind.today_ms) * left) / 1'000;
    const double task_s = usual_s * (1 + 0.06 * chance_.Bell(kTask + k, index));
    const bool task_failed = failed && k == kFailingKind;
    const auto agent = static_cast<int64_t>(k + static_cast<size_t>(index)) % week.agents + 1;
    // Ends lie apart, in the run's second half.
    const auto task_end_ns = end_ns - static_cast<int64_t>(seconds * 5e8 / static_cast<double>(k + 1));
    Row("exec_task", week)
        .Tag("kind", kind.name)
        .Tag("agent", fmt::format("Agent-{}", agent))
        .Field("task", kind.name)
        .Field("outcome", task_failed ? "failed" : "succeeded")
        .Field("success", task_failed ? 0 : 1)
        .Field("attempt", 1)
        .Field("last_attempt", 1)
        .Field("exit_code", task_failed ? 1 : 0)
        .Field("duration_seconds", task_s)
        .Field("cpu_user_seconds", task_s * 0.8)
        .Field("cpu_system_seconds", task_s * 0.1);
    emit_(point_.Time(task_end_ns), database_);
    Row("exec_gate", week)
        .Tag("kind", kind.name)
        .Field("task", kind.name)
        .Field("status", task_failed ? "FAIL" : "PASS")
        .Field("level", task_failed ? 2 : 0)
        .Field("duration_seconds", task_s);
    emit_(point_.Time(task_end_ns), database_);
  }
  Row("exec_gate", week)
      .Tag("kind", "coverage")
      .Field("task", "coverage")
      .Field("status", week.coverage_percent < kCoverageWarn ? "WARN" : "PASS")
      .Field("level", week.coverage_percent < kCoverageWarn ? 1 : 0)
      .Field("number", week.coverage_percent)
      .Field("unit", "%");
  emit_(point_.Time(end_ns), database_);
}

void ExecutorHistory::Agents(const Week& week, double seconds, int64_t index, int64_t end_ns) {
  for (int a = 1; a <= week.agents; ++a) {
    const double noise = 1 + 0.1 * chance_.Bell(kAgent + static_cast<uint64_t>(a), index);
    Row("exec_agent", week)
        .Tag("agent", fmt::format("Agent-{}", a))
        .Field("start_seconds", 0.0023 * noise)
        .Field("channel_setup_seconds", 0.0008 * noise)
        .Field("first_task_seconds", 0.0043 * noise)
        .Field("busy_seconds", seconds * std::min(1.0, week.cpu_share * noise))
        .Field("utilisation", std::min(1.0, week.cpu_share * noise));
    emit_(point_.Time(end_ns), database_);
  }
}

}  // namespace tidemark::demo

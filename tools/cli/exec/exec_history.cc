#include "tools/cli/exec/exec_history.h"

#include <fmt/core.h>

#include <algorithm>
#include <charconv>
#include <map>

#include "tools/cli/exec/report_reader.h"
#include "tools/cli/time_text.h"

namespace tidemark::cli {
namespace {

// The time of a baseline or a history is not bounded by anything but retention.
constexpr const char* kLongAgo = "3650d";

// A name as it may stand between double quotes in PromQL.
std::string Quoted(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    if (c == '\n') {
      out += "\\n";
    } else {
      out += c;
    }
  }
  return out + '"';
}

std::string Selector(const std::string& metric, const std::string& pipeline) {
  return pipeline.empty() ? metric : fmt::format("{}{{pipeline={}}}", metric, Quoted(pipeline));
}

}  // namespace

executor::KnownDurations ParseDurations(std::string_view text) {
  executor::KnownDurations durations;
  while (!text.empty()) {
    const size_t end = std::min(text.find(' '), text.size());
    const std::string_view entry = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    const size_t equals = entry.rfind('=');
    if (equals == std::string_view::npos || equals == 0) continue;
    double seconds = 0;
    const auto [last, error] = std::from_chars(entry.data() + equals + 1, entry.data() + entry.size(), seconds);
    // The comparisons are false for what is no number.
    if (error != std::errc() || last != entry.data() + entry.size() || !(seconds >= 0) || !(seconds < 1e8)) continue;
    durations[std::string(entry.substr(0, equals))] = static_cast<int64_t>(seconds * 1e9);
  }
  return durations;
}

Result<std::vector<PastRun>> ReadHistory(ApiSource& api, const std::string& database, const std::string& pipeline,
                                         size_t limit) {
  TM_TRY_ASSIGN(const std::vector<PastEvent> outcomes,
                ReadEvents(api, database, Selector("exec_run_outcome", pipeline), {.limit = limit}));
  std::vector<PastRun> runs;
  std::map<std::pair<model::Labels, int64_t>, size_t> places;
  for (const PastEvent& event : outcomes) {
    places[{event.labels, event.time_ms}] = runs.size();
    PastRun& run = runs.emplace_back();
    run.time_ms = event.time_ms;
    run.outcome = event.text;
    for (const model::Label& label : event.labels) {
      if (label.name == "pipeline") {
        run.pipeline = label.value;
      } else if (label.name == "mode") {
        run.mode = label.value;
      } else {
        run.labels.push_back(label);
      }
    }
  }
  if (runs.empty()) return runs;
  // Every change of a run has its id; that of the end is the one that stands beside the outcome.
  int64_t oldest_ms = runs.front().time_ms;
  for (const PastRun& run : runs) oldest_ms = std::min(oldest_ms, run.time_ms);
  TM_TRY_ASSIGN(const std::vector<PastEvent> ids, ReadEvents(api, database, Selector("exec_run_run_id", pipeline),
                                                             {.first_ms = oldest_ms, .limit = kMostEvents}));
  for (const PastEvent& event : ids) {
    const auto place = places.find({event.labels, event.time_ms});
    if (place != places.end()) runs[place->second].id = event.text;
  }
  const auto fill = [&](const std::string& field, double PastRun::* into) -> Result<void> {
    TM_TRY_ASSIGN(Answer answer,
                  Ask(api, database, fmt::format("{}[{}]", Selector("exec_run_" + field, pipeline), kLongAgo)));
    for (AnswerSeries& series : answer.series) {
      std::erase_if(series.labels, [](const model::Label& label) { return label.name == "__name__"; });
      for (const AnswerPoint& point : series.points) {
        const auto place = places.find({series.labels, point.time_ms});
        if (place != places.end()) runs[place->second].*into = ToDouble(point.value);
      }
    }
    return {};
  };
  TM_RETURN_IF_ERROR(fill("duration_seconds", &PastRun::seconds));
  TM_RETURN_IF_ERROR(fill("speedup", &PastRun::speedup));
  TM_RETURN_IF_ERROR(fill("efficiency", &PastRun::efficiency));
  TM_RETURN_IF_ERROR(fill("sequential_measured", &PastRun::sequential_measured));
  TM_RETURN_IF_ERROR(fill("tasks", &PastRun::tasks));
  std::reverse(runs.begin(), runs.end());
  return runs;
}

Result<executor::KnownDurations> ReadDurations(ApiSource& api, const std::string& database,
                                               const std::string& pipeline) {
  TM_TRY_ASSIGN(const std::vector<PastEvent> events,
                ReadEvents(api, database, Selector("exec_run_durations", pipeline), {.limit = 1}));
  return events.empty() ? executor::KnownDurations() : ParseDurations(events[0].text);
}

Result<int64_t> ReadBaseline(ApiSource& api, const std::string& database, const std::string& pipeline, size_t tasks) {
  const std::string baselines = database + std::string(executor::kBaselineSuffix);
  const std::string of = fmt::format("{{pipeline={}}}[{}]", Quoted(pipeline), kLongAgo);
  // Of several series (runs with different labels), the one with the newest point.
  TM_TRY_ASSIGN(const Answer answer, Ask(api, baselines,
                                         fmt::format("last_over_time(exec_baseline_seconds{0}) and "
                                                     "topk(1, ts_of_last_over_time(exec_baseline_seconds{0}) and "
                                                     "last_over_time(exec_baseline_tasks{0}) == {1})",
                                                     of, tasks)));
  if (answer.series.empty() || answer.series[0].points.empty()) return 0;
  return static_cast<int64_t>(ToDouble(answer.series[0].points[0].value) * 1e9);
}

std::string HistoryLine(const PastRun& run) {
  const bool estimated = run.sequential_measured == 0 && run.mode != "sequential";
  const std::string speedup =
      run.speedup > 0 ? fmt::format("{}{:.2f}x  {:>5.1f}%", estimated ? "~" : "", run.speedup, run.efficiency * 100)
                      : std::string("-       -");
  return fmt::format("{}  {}  {:<10}  {:<11}  {:>10.3f} s  {:>15}  {:>5} tasks  {}  {}\n",
                     TimeWithZone(run.time_ms, TimeZone::kLocal), run.pipeline, run.mode, run.outcome, run.seconds,
                     speedup, run.tasks, run.id, run.labels.empty() ? "" : model::ToString(run.labels));
}

}  // namespace tidemark::cli

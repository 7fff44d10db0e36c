#include "tools/cli/exec/exec_compare.h"

#include <fmt/core.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <functional>
#include <limits>

#include "executor/agent/pipeline/pipeline_file.h"
#include "storage/base/usable_cpus.h"
#include "tools/cli/command.h"
#include "tools/cli/exec/exec_history.h"
#include "tools/cli/say.h"

namespace tidemark::cli {
namespace {

double Median(std::vector<double> values) {
  if (values.empty()) return std::numeric_limits<double>::quiet_NaN();
  std::sort(values.begin(), values.end());
  const size_t middle = values.size() / 2;
  return values.size() % 2 == 1 ? values[middle] : (values[middle - 1] + values[middle]) / 2;
}

// A way of running: what it changes in the pipeline and the options.
struct Way {
  std::string name;
  std::function<void(executor::Pipeline&, executor::RunOptions&)> apply;
};

Way Agents(size_t count) {
  return {fmt::format("{} agent{}", count, count == 1 ? "" : "s"),
          [count](executor::Pipeline&, executor::RunOptions& run) {
            run.agents = count;
            run.labels.push_back({"agents", std::to_string(count)});
          }};
}

Result<std::vector<Way>> WaysOf(const CompareFlags& flags) {
  std::vector<Way> ways;
  if (flags.vary.empty()) {
    ways.push_back({"sequential", [](executor::Pipeline&, executor::RunOptions& run) {
                      run.sequential = true;
                      run.agents = 0;
                    }});
    const size_t most = flags.exec.agents > 0 ? flags.exec.agents : UsableCpus();
    for (size_t count = 1; count <= most; ++count) ways.push_back(Agents(count));
    return ways;
  }
  TM_TRY_ASSIGN(const Variation vary, ParseVariation(flags.vary));
  for (const std::string& value : vary.values) {
    const std::string name = vary.name + "=" + value;
    if (vary.name == "agents" || vary.name == "slots") {
      size_t count = 0;
      const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), count);
      if (error != std::errc() || end != value.data() + value.size() || count < 1 || count > 1024) {
        return InvalidArgument(fmt::format("{}: a whole number from 1 to 1024 is wanted", name));
      }
      ways.push_back({name, [vary, value, count](executor::Pipeline&, executor::RunOptions& run) {
                        (vary.name == "agents" ? run.agents : run.slots) = count;
                        run.labels.push_back({vary.name, value});
                      }});
    } else {
      ways.push_back({name, [vary, value](executor::Pipeline& pipeline, executor::RunOptions& run) {
                        for (executor::TaskSpec& task : pipeline.tasks) task.environment.emplace_back(vary.name, value);
                        run.labels.push_back({vary.name, value});
                      }});
    }
  }
  return ways;
}

}  // namespace

Result<Variation> ParseVariation(std::string_view text) {
  const size_t equals = text.find('=');
  Variation variation;
  if (equals != std::string_view::npos) {
    variation.name = text.substr(0, equals);
    std::string_view rest = text.substr(equals + 1);
    while (true) {
      const size_t comma = std::min(rest.find(','), rest.size());
      std::string value(rest.substr(0, comma));
      if (std::find(variation.values.begin(), variation.values.end(), value) == variation.values.end()) {
        variation.values.push_back(std::move(value));
      }
      if (comma == rest.size()) break;
      rest.remove_prefix(comma + 1);
    }
  }
  // An empty value would be a label that is not there.
  const bool empty = std::find(variation.values.begin(), variation.values.end(), "") != variation.values.end();
  if (variation.name.empty() || variation.values.size() < 2 || empty) {
    return InvalidArgument(fmt::format("--vary is written NAME=VALUE,VALUE, as CACHE=on,off; not \"{}\"", text));
  }
  return variation;
}

double Comparison::MedianSeconds() const {
  std::vector<double> values;
  values.reserve(runs.size());
  for (const executor::RunTotals& run : runs) values.push_back(static_cast<double>(run.duration_ns) / 1e9);
  return Median(std::move(values));
}

double Comparison::MedianCpuSeconds() const {
  std::vector<double> values;
  values.reserve(runs.size());
  for (const executor::RunTotals& run : runs) values.push_back(static_cast<double>(run.cpu_ns) / 1e9);
  return Median(std::move(values));
}

std::string ComparisonTable(const std::vector<Comparison>& comparisons, bool with_ideal) {
  size_t width = 4;
  for (const Comparison& comparison : comparisons) width = std::max(width, comparison.name.size());
  std::string table = fmt::format("{:<{}}  {:>10}  {:>8}  {:>8}  {:>10}  {:>6}", "way", width, "seconds", "speedup",
                                  "change", "CPU s", "failed");
  table += with_ideal ? fmt::format("  {:>10}\n", "efficiency") : "\n";
  for (const Comparison& comparison : comparisons) {
    const double seconds = comparison.MedianSeconds();
    const double speedup = comparisons[0].MedianSeconds() / seconds;
    const auto failed = std::count_if(comparison.runs.begin(), comparison.runs.end(), [](const executor::RunTotals& r) {
      return r.outcome != executor::Outcome::kSucceeded;
    });
    table += fmt::format("{:<{}}  {:>10.3f}  {:>7.2f}x  {:>+7.1f}%  {:>10.2f}  {:>6}", comparison.name, width, seconds,
                         speedup, (1 / speedup - 1) * 100, comparison.MedianCpuSeconds(), failed);
    table += with_ideal ? fmt::format("  {:>9.1f}%\n", speedup / static_cast<double>(comparison.cores) * 100) : "\n";
  }
  return table;
}

int RunCompare(const CompareFlags& flags) {
  const auto ways = WaysOf(flags);
  if (!ways.ok()) return Fail(ways.error().message);
  const auto pipeline = executor::LoadPipeline(flags.exec.file);
  if (!pipeline.ok()) return Fail(pipeline.error().message);
  const auto session = StartExec(flags.exec);
  if (!session.ok()) return Fail(session.error().message);
  auto options = OptionsOf(flags.exec, **session);
  if (!options.ok()) return Fail(options.error().message);
  // Only the table is for people; what a run does in between goes into the reports.
  options->quiet = true;
  std::vector<Comparison> comparisons;
  for (const Way& way : *ways) comparisons.push_back({.name = way.name, .cores = 1, .runs = {}});
  int number = 0;
  bool failed = false;
  // Round by round, so that what changes on the machine meanwhile meets every way.
  for (int round = 0; round < flags.repeat; ++round) {
    for (size_t i = 0; i < ways->size(); ++i) {
      executor::Pipeline changed = *pipeline;
      executor::RunCommandOptions with = *options;
      with.run.run_id = fmt::format("{}.{}", (*session)->run_id, ++number);
      (*ways)[i].apply(changed, with.run);
      if (flags.vary.empty() && i > 0) {
        with.run.baseline_ns = static_cast<int64_t>(comparisons[0].MedianSeconds() * 1e9);
      }
      const auto report = executor::RunPipeline(changed, with);
      if (!report.ok()) return Fail(report.error().message);
      if (report->totals.outcome == executor::Outcome::kCancelled) return 130;
      failed = failed || report->totals.outcome != executor::Outcome::kSucceeded;
      comparisons[i].cores = report->run.agents * report->run.slots;
      comparisons[i].runs.push_back(report->totals);
      if (report->reports.rows_lost > 0) {
        Say(stderr, "{} reports of run {} were not written: {}\n", report->reports.rows_lost, report->run.run_id,
            report->reports.last_error);
      }
    }
  }
  (*session)->reports->Finish(stderr);
  Say("{}: {} tasks, {} run{} each, medians\n{}", pipeline->name, pipeline->tasks.size(), flags.repeat,
      flags.repeat == 1 ? "" : "s", ComparisonTable(comparisons, flags.vary.empty()));
  return failed ? 1 : 0;
}

}  // namespace tidemark::cli

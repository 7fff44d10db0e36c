#include "query/ruletest/test_run.h"

#include <fmt/core.h>

#include <algorithm>
#include <filesystem>
#include <map>
#include <optional>
#include <set>
#include <utility>

#include "query/engine/engine.h"
#include "query/frame/go_format.h"
#include "query/promql/durations.h"
#include "query/promql/quote.h"
#include "query/rules/manager.h"
#include "query/ruletest/series_notation.h"
#include "storage/base/text/duration.h"
#include "storage/model/batch.h"

namespace tidemark::query::ruletest {
namespace {

using rules::Group;
using rules::RuleStatus;
using rules::Samples;

// Nothing is kept: a crash may lose it all.
constexpr int64_t kSyncIntervalNs = 3'600'000'000'000;
constexpr int64_t kPartitionNs = 366 * storage::kNsPerDay;
constexpr int64_t kLookbackMs = 300'000;

std::string Shown(int64_t ms) { return text::PrintDuration(ms, text::DurationStyle::kPrometheus); }

// The samples of one series that have not been written.
struct PendingSeries {
  std::vector<std::optional<double>> values;
  size_t next = 0;
};

// One test of a file.
class GroupRun {
 public:
  GroupRun(const TestFile& file, const TestGroup& group, const RunOptions& options, std::string database)
      : file_(file),
        group_(group),
        options_(options),
        database_(std::move(database)),
        runner_({.store = options.store,
                 .scheduler = &scheduler_,
                 .clock = &clock_,
                 .execute = &engine::Execute,
                 .lookback_ms = kLookbackMs,
                 .default_subquery_step_ms = file.evaluation_interval_ms,
                 .budget = {},
                 .closed_windows = true}) {}

  std::vector<std::string> Run(std::vector<Group> groups) {
    if (const Status ready = Prepare(); !ready.ok()) {
      Fail(ready.error().message);
      return std::move(failures_);
    }
    rules::Manager manager({.store = options_.store,
                            .sink = options_.store,
                            .scheduler = &scheduler_,
                            .clock = &clock_,
                            .execute = &engine::Execute},
                           {.database = database_,
                            .lookback_ms = kLookbackMs,
                            .default_subquery_step_ms = file_.evaluation_interval_ms,
                            .outage_tolerance_ms = 0,
                            .closed_windows = true,
                            .parse = options_.parse,
                            .external_labels = group_.external_labels,
                            .external_url = group_.external_url,
                            // Evaluated at the times of the file, as promtool does.
                            .offset_ms = [](const rules::Group&, int64_t) { return int64_t{0}; }});
    manager.SetGroups(std::move(groups));
    if (Walk(&manager)) CheckExpressions();
    return std::move(failures_);
  }

 private:
  void Fail(std::string text) { failures_.push_back(std::move(text)); }
  [[nodiscard]] std::string Named() const {
    return group_.name.empty() ? "" : fmt::format("    name: {},\n", group_.name);
  }

  // Reads the input series. A series that is there twice has the values of the second.
  Status Prepare() {
    for (const InputSeries& input : group_.input_series) {
      Result<model::Labels> labels = ParseMetric(input.series);
      if (!labels.ok()) return labels.error().Within(fmt::format("series {}", promql::Quote(input.series)));
      Result<std::vector<std::optional<double>>> values = ParseValues(input.values);
      if (!values.ok()) return values.error().Within(fmt::format("values {}", promql::Quote(input.values)));
      if (const size_t line = input.values.find('\n');
          line != std::string::npos && input.values.find_first_not_of(" \t\r\n", line) != std::string::npos) {
        return InvalidArgument(fmt::format("values {}: they stand in one line", promql::Quote(input.values)));
      }
      // Without an interval all have one time, and the first of them counts.
      if (group_.interval_ms == 0) values->resize(std::min<size_t>(values->size(), 1));
      pending_[std::move(labels).value()] = {std::move(values).value(), 0};
    }
    for (const AlertTest& test : group_.alert_tests) {
      if (test.alertname.empty()) {
        return InvalidArgument(fmt::format(
            "an item under alert_rule_test misses required attribute alertname at eval_time {}{}",
            Shown(test.eval_time_ms), group_.name.empty() ? "" : fmt::format(" (in TestGroup {})", group_.name)));
      }
      last_ms_ = std::max(last_ms_, test.eval_time_ms);
    }
    for (const ExprTest& test : group_.expr_tests) last_ms_ = std::max(last_ms_, test.eval_time_ms);
    return options_.store->CreateDatabase(database_,
                                          {.partition_ns = kPartitionNs, .sync_interval_ns = kSyncIntervalNs});
  }

  // Writes the samples up to `time_ms`: an evaluation does not see the future.
  Status WriteTill(int64_t time_ms) {
    model::BatchBuilder builder;
    bool any = false;
    for (auto& [labels, series] : pending_) {
      std::string_view measurement;
      model::LabelViews tags;
      for (const model::Label& label : labels) {
        if (label.name == model::kMetricNameLabel) {
          measurement = label.value;
        } else {
          tags.push_back({label.name, label.value});
        }
      }
      for (; series.next < series.values.size(); ++series.next) {
        const int64_t at_ms = static_cast<int64_t>(series.next) * group_.interval_ms;
        if (at_ms > time_ms) break;
        const std::optional<double> value = series.values[series.next];
        if (!value) continue;
        builder.Row(measurement, tags, model::Timestamp::FromMs(at_ms)).Field(model::kValueField, *value);
        any = true;
      }
    }
    if (!any) return {};
    TM_TRY_ASSIGN(const model::WriteReport report, options_.store->Write(database_, builder.batch()));
    if (report.rejections.empty()) return {};
    return report.rejections.front().error.Within("input series");
  }

  // Evaluates at each interval and compares alerts. False where a rule could not be evaluated: nothing follows then.
  bool Walk(rules::Manager* manager) {
    std::vector<const AlertTest*> tests;
    for (const AlertTest& test : group_.alert_tests) tests.push_back(&test);
    std::ranges::stable_sort(tests, {}, &AlertTest::eval_time_ms);
    auto next = tests.begin();
    for (int64_t time_ms = 0; time_ms <= last_ms_; time_ms += file_.evaluation_interval_ms) {
      if (const Status written = WriteTill(time_ms); !written.ok()) {
        Fail(written.error().message);
        return false;
      }
      clock_.Set(time_ms * 1'000'000);
      manager->RunDue();
      const rules::Snapshot snapshot = manager->Status();
      bool evaluated = true;
      for (const rules::GroupStatus& group : snapshot.groups) {
        for (const RuleStatus& rule : group.rules) {
          if (rule.health == "ok") continue;
          Fail(fmt::format("    rule: {}, time: {}, err: {}", rule.rule->name, Shown(time_ms), rule.last_error));
          evaluated = false;
        }
      }
      if (!evaluated) return false;
      // A time between two evaluations sees the first of them.
      for (; next != tests.end() && (*next)->eval_time_ms < time_ms + file_.evaluation_interval_ms; ++next) {
        CheckAlerts(**next, snapshot);
      }
    }
    return true;
  }

  using AlertTexts = std::vector<std::pair<model::Labels, model::Labels>>;

  static std::string ShowAlerts(const AlertTexts& alerts) {
    std::string out;
    for (const auto& [labels, annotations] : alerts) {
      out +=
          fmt::format("\n            Labels:{} Annotations:{}", model::ToString(labels), model::ToString(annotations));
    }
    return out.empty() ? "[]" : out;
  }

  void CheckAlerts(const AlertTest& test, const rules::Snapshot& snapshot) {
    AlertTexts got;
    for (const rules::GroupStatus& group : snapshot.groups) {
      for (const RuleStatus& rule : group.rules) {
        if (!rule.rule->alerting || rule.rule->name != test.alertname) continue;
        for (const rules::Alert& alert : rule.alerts) {
          if (alert.state == rules::AlertState::kFiring) got.emplace_back(alert.labels, alert.annotations);
        }
      }
    }
    AlertTexts expected;
    for (const ExpectedAlert& alert : test.alerts) {
      model::Labels labels = alert.labels;
      // An empty label that is expected is one that no alert has.
      std::erase_if(labels, [](const model::Label& label) { return label.name == "alertname"; });
      labels.push_back({"alertname", test.alertname});
      std::ranges::sort(labels);
      expected.emplace_back(std::move(labels), alert.annotations);
    }
    std::ranges::sort(got);
    std::ranges::sort(expected);
    if (got == expected) return;
    Fail(fmt::format("{}    alertname: {}, time: {},\n        exp: {}\n        got: {}", Named(), test.alertname,
                     Shown(test.eval_time_ms), ShowAlerts(expected), ShowAlerts(got)));
  }

  [[nodiscard]] Result<Samples> Ask(const ExprTest& test) const {
    TM_TRY_ASSIGN(const promql::ExprPtr expr, promql::Parse(test.expr, options_.parse));
    TM_RETURN_IF_ERROR(promql::ResolveDurations(*expr, 0, 0));
    if (expr->type != promql::ValueType::kScalar && expr->type != promql::ValueType::kVector) {
      return InvalidArgument("rule result is not a vector or scalar");
    }
    const run::RangeSpec at{.start_ms = test.eval_time_ms, .end_ms = test.eval_time_ms, .step_ms = 0, .instant = true};
    TM_TRY_ASSIGN(const run::QueryResult result, runner_.Run({.expr = *expr,
                                                              .range = at,
                                                              .text = test.expr,
                                                              .database = database_,
                                                              .filter = storage::SeriesFilter::Everything()}));
    return rules::SamplesOf(result);
  }

  static Result<Samples> Expected(const ExprTest& test) {
    Samples out;
    for (const ExpectedSample& sample : test.samples) {
      Result<model::Labels> labels = ParseMetric(sample.labels);
      if (!labels.ok()) return labels.error().Within(fmt::format("labels {}", promql::Quote(sample.labels)));
      out.emplace_back(std::move(labels).value(), sample.value);
    }
    return out;
  }

  static std::string ShowSamples(const Samples& samples) {
    std::string out;
    for (const auto& [labels, value] : samples) {
      out += fmt::format("{}{} {}", out.empty() ? "" : ", ", model::ToString(labels), frame::GoFormat(value));
    }
    return out.empty() ? "nil" : out;
  }

  void CheckExpressions() {
    for (const ExprTest& test : group_.expr_tests) {
      const std::string what =
          fmt::format("    expr: {}, time: {}", promql::Quote(test.expr), Shown(test.eval_time_ms));
      Result<Samples> got = Ask(test);
      Result<Samples> expected = Expected(test);
      if (!got.ok() || !expected.ok()) {
        Fail(fmt::format("{}, err: {}", what, got.ok() ? expected.error().message : got.error().message));
        continue;
      }
      const auto by_labels = [](const auto& a, const auto& b) { return a.first < b.first; };
      std::ranges::stable_sort(*got, by_labels);
      std::ranges::stable_sort(*expected, by_labels);
      // NaN is not what it is, for promtool too.
      if (*got == *expected) continue;
      Fail(fmt::format("{},\n        exp: {}\n        got: {}", what, ShowSamples(*expected), ShowSamples(*got)));
    }
  }

  const TestFile& file_;
  const TestGroup& group_;
  const RunOptions& options_;
  const std::string database_;
  InlineScheduler scheduler_;
  ManualClock clock_{0};
  const engine::QueryRunner runner_;
  std::map<model::Labels, PendingSeries> pending_;
  int64_t last_ms_ = 0;
  std::vector<std::string> failures_;
};

// Files that a pattern stands for, relative to the folder of the test file.
std::vector<std::string> FilesOf(const TestFile& file, std::vector<std::string>* warnings) {
  const std::filesystem::path folder = std::filesystem::path(file.file).parent_path();
  std::vector<std::string> out;
  for (const std::string& pattern : file.rule_files) {
    const std::string whole = pattern.empty() ? pattern : (folder / pattern).string();
    const std::vector<std::string> files = rules::FilesOf(whole);
    const size_t before = out.size();
    std::error_code ignored;
    std::ranges::copy_if(files, std::back_inserter(out),
                         [&](const std::string& path) { return std::filesystem::exists(path, ignored); });
    if (out.size() == before) warnings->push_back(fmt::format("no file match pattern {}", whole));
  }
  return out;
}

// All groups evaluate at the interval of the file, those that the file orders in its order.
Result<std::vector<Group>> LoadGroups(const TestFile& file, const std::vector<std::string>& paths,
                                      const promql::ParseOptions& parse) {
  std::vector<Group> groups;
  std::set<std::string> loaded;
  for (const std::string& path : paths) {
    if (!loaded.insert(path).second) continue;
    TM_TRY_ASSIGN(std::vector<Group> some, rules::LoadRuleFile(path, parse));
    std::ranges::move(some, std::back_inserter(groups));
  }
  const auto place = [&](const Group& group) {
    const auto at = std::ranges::find(file.group_eval_order, group.name);
    return at == file.group_eval_order.end() ? 0 : at - file.group_eval_order.begin();
  };
  std::ranges::stable_sort(groups, {}, place);
  for (Group& group : groups) {
    group.interval_ms = file.evaluation_interval_ms;
    // Everything stands in the database of the test.
    for (rules::Rule& rule : group.rules) rule.database = rule.into = "";
  }
  return groups;
}

}  // namespace

Verdict RunTests(const TestFile& file, const RunOptions& options) {
  Verdict verdict;
  const std::vector<std::string> paths = FilesOf(file, &verdict.warnings);
  size_t number = 0;
  for (const TestGroup& group : file.tests) {
    Result<std::vector<Group>> groups = LoadGroups(file, paths, options.parse);
    if (!groups.ok()) {
      verdict.failures.push_back(groups.error().message);
      break;
    }
    GroupRun run(file, group, options, fmt::format("{}_{}", options.database, number++));
    for (std::string& failure : run.Run(std::move(groups).value())) verdict.failures.push_back(std::move(failure));
  }
  return verdict;
}

}  // namespace tidemark::query::ruletest

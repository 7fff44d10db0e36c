#include "tests/conformance/promql/runner.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <memory>
#include <optional>

#include <fmt/core.h>
#include <re2/re2.h>

#include "query/engine/engine.h"
#include "query/promql/durations.h"
#include "query/promql/parser.h"
#include "storage/model/stale_marker.h"
#include "tests/conformance/promql/script.h"
#include "tests/unit/query/engine/fake_view.h"

namespace tidemark::query::conformance {
namespace {

using promql::ValueType;
using run::QueryResult;
using Problem = std::optional<std::string>;  // nothing when all is well

bool AlmostEqual(double a, double b) {
  constexpr double kEpsilon = 1e-6;
  if (model::IsStaleMarker(a) || model::IsStaleMarker(b)) return model::IsStaleMarker(a) && model::IsStaleMarker(b);
  if (std::isnan(a) && std::isnan(b)) return true;
  if (a == b) return true;
  const double difference = std::fabs(a - b);
  const double sum = std::fabs(a) + std::fabs(b);
  constexpr double kLeast = std::numeric_limits<double>::min();
  if (a == 0 || b == 0 || sum < kLeast) return difference < kEpsilon * kLeast;
  return difference / std::min(sum, std::numeric_limits<double>::max()) < kEpsilon;
}

using Cells = std::map<int64_t, double>;  // milliseconds to value

struct Row {
  model::Labels labels;
  Cells cells;
};

model::Labels ToLabels(const frame::LabelSet& labels) {
  model::Labels out;
  for (const model::LabelView& label : labels) out.push_back({std::string(label.name), std::string(label.value)});
  return out;
}

std::vector<Row> RowsOf(const QueryResult& result) {
  std::vector<Row> rows;
  for (size_t r = 0; r < result.frame.size(); ++r) {
    Row row{ToLabels(result.frame.rows[r].labels), {}};
    for (size_t step = 0; step < result.frame.steps; ++step) {
      if (result.frame.RowPresent(r)[step] != 0) row.cells[result.grid.TimeMs(step)] = result.frame.RowValues(r)[step];
    }
    rows.push_back(std::move(row));
  }
  for (const run::RawSeries& series : result.raw) {
    Row row{ToLabels(series.labels), {}};
    for (size_t i = 0; i < series.values.size(); ++i) row.cells[series.times_ms[i]] = series.values[i];
    rows.push_back(std::move(row));
  }
  return rows;
}

Problem CompareRows(std::vector<Row> got, std::vector<Row> want, bool ordered) {
  if (got.size() != want.size()) {
    std::string names;
    for (const Row& row : got) names += " " + model::ToString(row.labels);
    return fmt::format("{} series, want {}; got{}", got.size(), want.size(), names);
  }
  if (!ordered) {
    std::ranges::sort(got, {}, &Row::labels);
    std::ranges::sort(want, {}, &Row::labels);
  }
  for (size_t i = 0; i < got.size(); ++i) {
    if (got[i].labels != want[i].labels) {
      return fmt::format("series {} where {} is expected", model::ToString(got[i].labels),
                         model::ToString(want[i].labels));
    }
    const std::string name = model::ToString(got[i].labels);
    if (got[i].cells.size() != want[i].cells.size()) {
      return fmt::format("{}: {} values, want {}", name, got[i].cells.size(), want[i].cells.size());
    }
    for (const auto& [ms, value] : want[i].cells) {
      const auto at = got[i].cells.find(ms);
      if (at == got[i].cells.end()) return fmt::format("{}: no value at {} ms", name, ms);
      if (!AlmostEqual(at->second, value)) return fmt::format("{} at {} ms: {}, want {}", name, ms, at->second, value);
    }
  }
  return std::nullopt;
}

bool Satisfies(const Expectation& expectation, const std::string& message) {
  switch (expectation.match) {
    case Expectation::Match::kAny: return true;
    case Expectation::Match::kText:
      // A script does not say where in the query: "... (1:19)".
      return message == expectation.text ||
             RE2::FullMatch(message, RE2::QuoteMeta(expectation.text) + R"( \(\d+:\d+\))");
    case Expectation::Match::kRegex: return RE2::PartialMatch(message, expectation.text);
  }
  return false;
}

// Every expectation of a kind must be met by some message, and if there are any, every message by some expectation.
Problem CheckMessages(const Eval& eval, Expectation::Kind kind, Expectation::Kind none, std::string_view what,
                      const std::vector<std::string>& messages) {
  if (eval.Expects(none) && !messages.empty()) return fmt::format("unexpected {}: {}", what, messages[0]);
  if (!eval.Expects(kind)) return std::nullopt;
  const auto met_by = [&](const std::string& message) {
    return std::ranges::any_of(eval.expectations,
                               [&](const Expectation& e) { return e.kind == kind && Satisfies(e, message); });
  };
  for (const Expectation& expectation : eval.expectations) {
    if (expectation.kind != kind) continue;
    if (std::ranges::none_of(messages, [&](const std::string& m) { return Satisfies(expectation, m); })) {
      return fmt::format("no {} like \"{}\"{}{}", what, expectation.text, messages.empty() ? "" : "; got ",
                         messages.empty() ? "" : messages[0]);
    }
  }
  for (const std::string& message : messages) {
    if (!met_by(message)) return fmt::format("unexpected {}: {}", what, message);
  }
  return std::nullopt;
}

class Session {
 public:
  void Clear() {
    builder_ = {};
    view_.reset();
    native_ = false;
  }

  void Add(const Load& load) {
    native_ = native_ || load.native;
    for (const ScriptSeries& series : load.series) {
      std::vector<std::pair<int64_t, double>> samples;
      for (size_t i = 0; i < series.points.size(); ++i) {
        if (series.points[i]) samples.emplace_back(static_cast<int64_t>(i) * load.step_ms, *series.points[i]);
      }
      if (!samples.empty()) builder_.AddFloats(series.labels, samples);
    }
    view_.reset();
  }

  [[nodiscard]] bool native() const { return native_; }

  Problem Check(const Eval& eval) {
    const run::RangeSpec spec{
        .start_ms = eval.start_ms, .end_ms = eval.end_ms, .step_ms = eval.step_ms, .instant = eval.instant};
    auto result = Run(eval.query, spec);
    if (eval.Expects(Expectation::Kind::kFail)) return CheckFailure(eval, result);
    if (!result.ok()) return "error: " + result.error().message;
    if (Problem problem = CheckResult(eval, *result)) return problem;
    using Kind = Expectation::Kind;
    if (Problem p = CheckMessages(eval, Kind::kWarn, Kind::kNoWarn, "warning", result->warnings)) return p;
    if (Problem p = CheckMessages(eval, Kind::kInfo, Kind::kNoInfo, "info", result->infos)) return p;
    if (eval.instant && !eval.Expects(Kind::kOrdered)) return CheckAsRange(eval, *result);
    return std::nullopt;
  }

 private:
  Result<QueryResult> Run(const std::string& query, const run::RangeSpec& spec) {
    if (!view_) view_ = builder_.Build();
    TM_TRY_ASSIGN(promql::ExprPtr expr, promql::Parse(query, promql::ParseOptions::Experimental()));
    const int64_t range_ms = spec.instant ? 0 : spec.end_ms - spec.start_ms;
    TM_RETURN_IF_ERROR(promql::ResolveDurations(*expr, spec.step_ms, range_ms));
    return engine::Execute(*expr, spec, {.view = view_, .text = query});
  }

  static Problem CheckFailure(const Eval& eval, const Result<QueryResult>& result) {
    if (result.ok()) return "succeeds, though it should fail";
    for (const Expectation& expectation : eval.expectations) {
      if (expectation.kind == Expectation::Kind::kFail && !Satisfies(expectation, result.error().message)) {
        return fmt::format("fails with \"{}\", want \"{}\"", result.error().message, expectation.text);
      }
    }
    return std::nullopt;
  }

  static Problem CheckResult(const Eval& eval, const QueryResult& result) {
    if (eval.text) {
      if (result.type != ValueType::kString || result.text != *eval.text) return "string \"" + result.text + "\"";
      return std::nullopt;
    }
    if (result.type == ValueType::kScalar) {
      if (!eval.scalar) return fmt::format("scalar {}, want something else", result.scalar);
      if (!AlmostEqual(result.scalar, *eval.scalar)) {
        return fmt::format("scalar {}, want {}", result.scalar, *eval.scalar);
      }
      return std::nullopt;
    }
    if (eval.scalar) return "no scalar";
    std::vector<Row> want;
    for (const ScriptSeries& series : eval.series) {
      Row row{series.labels, {}};
      for (size_t i = 0; i < series.points.size(); ++i) {
        if (!series.points[i]) continue;
        const int64_t start = eval.range_vector ? eval.range_vector->first : eval.start_ms;
        const int64_t step = eval.range_vector ? eval.range_vector->second : eval.step_ms;
        row.cells[start + static_cast<int64_t>(i) * step] = *series.points[i];
      }
      want.push_back(std::move(row));
    }
    return CompareRows(RowsOf(result), std::move(want), eval.Expects(Expectation::Kind::kOrdered));
  }

  // An instant query must give what the middle step of a range query around it gives.
  Problem CheckAsRange(const Eval& eval, const QueryResult& instant) {
    if (instant.type == ValueType::kString || instant.type == ValueType::kMatrix) return std::nullopt;
    // step(), range() and the ends of the query are others in a range query.
    if (RE2::PartialMatch(eval.query, R"((start|end|step|range)\(\))")) return std::nullopt;
    constexpr int64_t kMinute = 60'000;
    auto range =
        Run(eval.query,
            {.start_ms = eval.end_ms - kMinute, .end_ms = eval.end_ms + kMinute, .step_ms = kMinute, .instant = false});
    if (!range.ok()) return "as a range query: " + range.error().message;
    std::vector<Row> got;
    for (Row& row : RowsOf(*range)) {
      const auto at = row.cells.find(eval.end_ms);
      if (at != row.cells.end()) got.push_back({row.labels, {{eval.end_ms, at->second}}});
    }
    std::vector<Row> want = RowsOf(instant);
    if (instant.type == ValueType::kScalar) want = {{{}, {{eval.end_ms, instant.scalar}}}};
    if (Problem problem = CompareRows(std::move(got), std::move(want), false)) return "as a range query: " + *problem;
    return std::nullopt;
  }

  engine::FakeView::Builder builder_;
  std::shared_ptr<const engine::FakeView> view_;
  bool native_ = false;
};

}  // namespace

Result<Tally> RunScript(std::string_view text) {
  TM_TRY_ASSIGN(const std::vector<Command> commands, ParseScript(text));
  Tally tally;
  Session session;
  for (const Command& command : commands) {
    switch (command.kind) {
      case Command::Kind::kClear: session.Clear(); break;
      case Command::Kind::kLoad: session.Add(command.load); break;
      case Command::Kind::kEval: {
        const bool native = session.native() || command.eval.native;
        Problem problem = session.Check(command.eval);
        ++(native ? tally.native_cases : tally.float_cases);
        if (!problem) ++(native ? tally.native_passed : tally.float_passed);
        if (problem) tally.failures.push_back({command.eval.line, command.eval.query, *std::move(problem), native});
        break;
      }
    }
  }
  return tally;
}

}  // namespace tidemark::query::conformance

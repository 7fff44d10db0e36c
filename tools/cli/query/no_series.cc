#include "tools/cli/query/no_series.h"

#include <fmt/core.h>
#include <simdjson.h>

#include <algorithm>
#include <charconv>
#include <optional>
#include <vector>

#include "query/promql/ast.h"
#include "query/promql/parser.h"
#include "query/promql/printer.h"
#include "query/promql/quote.h"
#include "storage/model/matcher.h"
#include "tools/cli/answer.h"
#include "tools/cli/time_text.h"
#include "tools/help/suggest.h"

namespace tidemark::cli {
namespace {

namespace promql = query::promql;

constexpr std::string_view kName = "__name__";
constexpr int64_t kHourMs = 3'600'000;
// Of names for a suggestion: more would take longer than a person waits.
constexpr const char* kMostNames = "100000";

struct Selector {
  std::string name;  // "": it has none
  std::string text;
};

void Collect(const promql::Expr& expr, std::vector<Selector>* out) {
  const auto within = [out](const promql::ExprPtr& inner) {
    if (inner) Collect(*inner, out);
  };
  switch (expr.kind) {
    case promql::ExprKind::kVectorSelector: {
      const auto& selector = promql::As<promql::VectorSelector>(expr);
      Selector found{.name = {}, .text = promql::ToSelector(selector.matchers)};
      for (const model::Matcher& matcher : selector.matchers) {
        if (matcher.name == kName && matcher.op == model::MatchOp::kEqual) found.name = matcher.value;
      }
      out->push_back(std::move(found));
      break;
    }
    case promql::ExprKind::kMatrixSelector: Collect(promql::As<promql::MatrixSelector>(expr).selector, out); break;
    case promql::ExprKind::kSubquery: within(promql::As<promql::SubqueryExpr>(expr).expr); break;
    case promql::ExprKind::kParen: within(promql::As<promql::ParenExpr>(expr).expr); break;
    case promql::ExprKind::kUnary: within(promql::As<promql::UnaryExpr>(expr).expr); break;
    case promql::ExprKind::kBinary:
      within(promql::As<promql::BinaryExpr>(expr).lhs);
      within(promql::As<promql::BinaryExpr>(expr).rhs);
      break;
    case promql::ExprKind::kAggregate: within(promql::As<promql::AggregateExpr>(expr).expr); break;
    case promql::ExprKind::kCall:
      for (const promql::ExprPtr& argument : promql::As<promql::Call>(expr).args) within(argument);
      break;
    case promql::ExprKind::kNumberLiteral:
    case promql::ExprKind::kStringLiteral: break;
  }
}

class Asker {
 public:
  Asker(const AskServerFn& ask, const EmptyQuestion& question) : ask_(ask), question_(question) {}

  // Names of databases; nothing where that is not known.
  std::optional<std::vector<std::string>> Databases() {
    const auto reply = ask_("/query", {{"q", "SHOW DATABASES"}});
    simdjson::dom::parser parser;
    simdjson::dom::element root;
    simdjson::dom::array values;
    if (!reply.ok() || parser.parse(*reply).get(root) != simdjson::SUCCESS ||
        root["results"].at(0)["series"].at(0)["values"].get(values) != simdjson::SUCCESS) {
      return std::nullopt;
    }
    std::vector<std::string> names;
    for (const simdjson::dom::element row : values) {
      std::string_view name;
      if (row.at(0).get(name) == simdjson::SUCCESS) names.emplace_back(name);
    }
    return names;
  }
  // Texts of `data`, or how many entries it has where they are none; nothing where that is not known.
  std::optional<std::vector<std::string>> List(std::string_view path,
                                               std::vector<std::pair<std::string, std::string>> parameters) {
    parameters.emplace_back("db", question_.database);
    const auto reply = ask_(path, parameters);
    simdjson::dom::parser parser;
    simdjson::dom::element root;
    simdjson::dom::array data;
    if (!reply.ok() || parser.parse(*reply).get(root) != simdjson::SUCCESS ||
        root["data"].get(data) != simdjson::SUCCESS) {
      return std::nullopt;
    }
    std::vector<std::string> out;
    for (const simdjson::dom::element entry : data) {
      std::string_view text;
      out.emplace_back(entry.get(text) == simdjson::SUCCESS ? text : std::string_view());
    }
    return out;
  }
  // Whether any series was ever selected so.
  std::optional<bool> Exists(const std::string& selector) {
    const auto found = List("/api/v1/series", {{"match[]", selector}, {"limit", "1"}});
    return found ? std::optional(!found->empty()) : std::nullopt;
  }
  // The time of the newest row in a day before the end of the question.
  std::optional<int64_t> NewestMs(const std::string& selector) {
    const auto reply =
        ask_("/api/v1/query", {{"query", fmt::format("max(ts_of_last_over_time({}[1d]))", selector)},
                               {"time", fmt::format("{:.3f}", static_cast<double>(question_.end_ms) / 1000)},
                               {"db", std::string(question_.database)}});
    if (!reply.ok()) return std::nullopt;
    const auto answer = ParseAnswer(*reply);
    if (!answer.ok() || answer->series.empty() || answer->series[0].points.empty()) return std::nullopt;
    const std::string& text = answer->series[0].points[0].value;
    double seconds = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), seconds);
    if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
    return static_cast<int64_t>(seconds * 1000);
  }

 private:
  const AskServerFn& ask_;
  const EmptyQuestion& question_;
};

std::string Meant(std::string_view word, const std::vector<std::string>& candidates) {
  const std::string near = help::Nearest(word, candidates);
  return near.empty() ? "" : fmt::format(": did you mean \"{}\"?", near);
}

// "24 min", "3 h".
std::string Ago(int64_t ms) {
  if (ms < 60'000) return fmt::format("{} s", ms / 1000);
  if (ms < kHourMs) return fmt::format("{} min", ms / 60'000);
  return fmt::format("{} h", ms / kHourMs);
}

}  // namespace

EmptyReason WhyNoSeries(const AskServerFn& ask, const EmptyQuestion& question) {
  Asker asker(ask, question);
  if (!question.database.empty()) {
    const auto databases = asker.Databases();
    if (databases && std::ranges::find(*databases, question.database) == databases->end()) {
      return {fmt::format("there is no database \"{}\"{}", question.database, Meant(question.database, *databases)),
              true};
    }
  }
  const auto expr = promql::Parse(question.expression, promql::ParseOptions::Experimental());
  if (!expr.ok()) return {};
  std::vector<Selector> selectors;
  Collect(**expr, &selectors);
  const bool instant = question.start_ms == question.end_ms;
  for (const Selector& selector : selectors) {
    const std::optional<bool> exists = asker.Exists(selector.text);
    if (!exists) return {};
    if (!*exists) {
      if (selector.name.empty()) return {fmt::format("no series is selected by {}", selector.text), true};
      const std::string by_name = fmt::format("{{__name__={}}}", promql::Quote(selector.name));
      if (asker.Exists(by_name).value_or(false)) {
        return {fmt::format("no series of {} has these labels: {}", selector.name, selector.text), true};
      }
      const auto names = asker.List("/api/v1/label/__name__/values", {{"limit", kMostNames}});
      return {fmt::format("there is no metric \"{}\"{}", selector.name,
                          names ? Meant(selector.name, *names) : std::string()),
              true};
    }
    const std::optional<int64_t> newest_ms = asker.NewestMs(selector.text);
    const std::string what = selector.name.empty() ? selector.text : selector.name;
    if (!newest_ms) {
      return {fmt::format("{} has rows, but none in the day before that: give a --start further back", what), false};
    }
    const int64_t age_ms = std::max<int64_t>(question.end_ms - *newest_ms, 0);
    if (instant && age_ms >= 300'000) {
      return {fmt::format("{} has nothing in the last 5 min; its newest row is {} old: --start {} shows it", what,
                          Ago(age_ms), age_ms < kHourMs - 60'000 ? "-1h" : "-1d"),
              false};
    }
    if (!instant && *newest_ms < question.start_ms) {
      return {fmt::format("{} has nothing in that time; its newest row is {} older than its end", what, Ago(age_ms)),
              false};
    }
  }
  return {};
}

}  // namespace tidemark::cli

#include "tests/conformance/promql/script.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include <fmt/core.h>
#include <re2/re2.h>

#include "query/frame/go_format.h"
#include "storage/model/stale_marker.h"

namespace tidemark::query::conformance {
namespace {

std::string_view Trim(std::string_view text) {
  const size_t first = text.find_first_not_of(" \t\r");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t\r") - first + 1);
}

bool IsSpace(char c) { return c == ' ' || c == '\t'; }

// Milliseconds in "1h30m", "-5m", "300" (seconds).
Result<int64_t> ParseDuration(std::string_view text) {
  const bool negative = text.starts_with('-');
  std::string_view rest = negative ? text.substr(1) : text;
  if (const auto seconds = frame::ParseGoFloat(rest)) {
    const auto ms = static_cast<int64_t>(std::llround(*seconds * 1000));
    return negative ? -ms : ms;
  }
  static const RE2 part("([0-9.]+)(ms|[smhdwy])");
  double total = 0;
  re2::StringPiece input(rest.data(), rest.size());
  double number = 0;
  std::string unit;
  bool any = false;
  while (RE2::Consume(&input, part, &number, &unit)) {
    any = true;
    const double factor = unit == "ms"  ? 1
                          : unit == "s" ? 1e3
                          : unit == "m" ? 6e4
                          : unit == "h" ? 3.6e6
                          : unit == "d" ? 8.64e7
                          : unit == "w" ? 6.048e8
                                        : 3.1536e10;
    total += number * factor;
  }
  if (!any || !input.empty()) return InvalidArgument(fmt::format("bad duration \"{}\"", text));
  const auto ms = static_cast<int64_t>(std::llround(total));
  return negative ? -ms : ms;
}

Result<std::string> Unquote(std::string_view literal) {
  if (literal.size() < 2 || literal.back() != literal.front()) return InvalidArgument("bad string literal");
  const std::string_view body = literal.substr(1, literal.size() - 2);
  if (literal.front() == '`') return std::string(body);
  std::string out;
  for (size_t i = 0; i < body.size(); ++i) {
    if (body[i] != '\\' || i + 1 == body.size()) {
      out.push_back(body[i]);
      continue;
    }
    const char c = body[++i];
    if (c == 'n') {
      out.push_back('\n');
    } else if (c == 't') {
      out.push_back('\t');
    } else if (c == 'x' && i + 2 < body.size()) {
      out.push_back(static_cast<char>(std::stoi(std::string(body.substr(i + 1, 2)), nullptr, 16)));
      i += 2;
    } else {
      out.push_back(c);
    }
  }
  return out;
}

// Where the series' description ends: the first space outside of braces and quotes.
size_t EndOfDescription(std::string_view line) {
  int depth = 0;
  char quote = 0;
  for (size_t i = 0; i < line.size(); ++i) {
    const char c = line[i];
    if (quote != 0) {
      if (c == '\\' && quote != '`') {
        ++i;
      } else if (c == quote) {
        quote = 0;
      }
    } else if (c == '"' || c == '\'' || c == '`') {
      quote = c;
    } else if (c == '{') {
      ++depth;
    } else if (c == '}') {
      --depth;
    } else if (IsSpace(c) && depth == 0) {
      return i;
    }
  }
  return line.size();
}

Result<model::Labels> ParseLabels(std::string_view text) {
  model::Labels labels;
  const size_t brace = text.find('{');
  const std::string_view name = Trim(text.substr(0, brace));
  if (!name.empty()) labels.push_back({std::string(model::kMetricNameLabel), std::string(name)});
  if (brace == std::string_view::npos) return labels;
  const std::string_view body = Trim(text.substr(brace + 1, text.rfind('}') - brace - 1));
  static const RE2 pair(
      R"re(\s*(?:("(?:[^"\\]|\\.)*"|[^=,"'`\s{}]+)\s*=\s*)?("(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|`[^`]*`)\s*,?\s*)re");
  re2::StringPiece input(body.data(), body.size());
  std::string key;
  std::string value;
  while (!input.empty()) {
    key.clear();
    if (!RE2::Consume(&input, pair, &key, &value)) return InvalidArgument(fmt::format("bad labels \"{}\"", text));
    TM_TRY_ASSIGN(std::string content, Unquote(value));
    if (key.starts_with('"')) {
      TM_TRY_ASSIGN(key, Unquote(key));
    }
    labels.push_back({key.empty() ? std::string(model::kMetricNameLabel) : key, std::move(content)});
  }
  std::ranges::sort(labels);
  std::erase_if(labels, [](const model::Label& label) { return label.value.empty(); });
  return labels;
}

std::optional<double> ParseNumber(std::string text) {
  if (text == "stale") return model::kStaleMarker;
  std::erase(text, '_');
  return frame::ParseGoFloat(text);
}

// Adds what one token of the series notation stands for.
Status AppendPoints(std::string_view token, ScriptSeries* series) {
  if (token.find("{{") != std::string_view::npos) {
    series->native = true;
    static const RE2 times(R"re(\}\}x(\d+)$)re");
    int count = 0;
    if (!RE2::PartialMatch(re2::StringPiece(token.data(), token.size()), times, &count)) count = 0;
    series->points.insert(series->points.end(), static_cast<size_t>(count) + 1, std::nullopt);
    return {};
  }
  static const RE2 gap(R"re(_(?:x(\d+))?)re");
  static const std::string kNumber = R"re([+-]?(?:[Ii]nf|[Nn]a[Nn]|[0-9][0-9_.]*(?:[eE][+-]?[0-9]+)?|\.[0-9]+))re";
  static const RE2 plain("(stale|" + kNumber + ")(?:x(\\d+))?");
  static const RE2 stepped("(" + kNumber + ")([+-]" + kNumber + ")x(\\d+)");
  const re2::StringPiece piece(token.data(), token.size());
  std::string first;
  std::string second;
  std::string count;
  if (RE2::FullMatch(piece, gap, &count)) {
    series->points.insert(series->points.end(), count.empty() ? 1 : std::stoul(count), std::nullopt);
    return {};
  }
  if (RE2::FullMatch(piece, plain, &first, &count)) {
    const auto value = ParseNumber(first);
    if (!value) return InvalidArgument(fmt::format("bad value \"{}\"", token));
    series->points.insert(series->points.end(), count.empty() ? 1 : std::stoul(count) + 1, Point(value));
    return {};
  }
  if (RE2::FullMatch(piece, stepped, &first, &second, &count)) {
    const auto start = ParseNumber(first);
    const auto step = ParseNumber(second);
    if (!start || !step) return InvalidArgument(fmt::format("bad value \"{}\"", token));
    double value = *start;
    for (size_t i = 0; i <= std::stoul(count); ++i) {
      series->points.emplace_back(value);
      value += *step;
    }
    return {};
  }
  return InvalidArgument(fmt::format("bad value \"{}\"", token));
}

Status ParsePoints(std::string_view text, ScriptSeries* series) {
  size_t i = 0;
  while (i < text.size()) {
    if (IsSpace(text[i])) {
      ++i;
      continue;
    }
    const size_t begin = i;
    int depth = 0;
    while (i < text.size() && (depth > 0 || !IsSpace(text[i]))) {
      if (text[i] == '{') ++depth;
      if (text[i] == '}') --depth;
      ++i;
    }
    TM_RETURN_IF_ERROR(AppendPoints(text.substr(begin, i - begin), series));
  }
  return {};
}

Result<ScriptSeries> ParseSeries(std::string_view line) {
  ScriptSeries out;
  const size_t end = EndOfDescription(line);
  TM_TRY_ASSIGN(out.labels, ParseLabels(line.substr(0, end)));
  std::string_view points = Trim(line.substr(end));
  // Start timestamps belong to native counters.
  if (points.starts_with('@') || line.starts_with("@st")) {
    out.native = true;
    return out;
  }
  TM_RETURN_IF_ERROR(ParsePoints(points, &out));
  return out;
}

Result<bool> ParseExpectation(std::string_view line, Eval* eval) {
  using Kind = Expectation::Kind;
  static const RE2 pattern(R"re(expect\s+(fail|warn|info|no_warn|no_info|ordered|string|range vector)\b\s*(.*))re");
  std::string word;
  std::string rest;
  if (!RE2::FullMatch(re2::StringPiece(line.data(), line.size()), pattern, &word, &rest)) return false;
  if (word == "string") {
    TM_TRY_ASSIGN(eval->text, Unquote(rest));
    return true;
  }
  if (word == "range vector") {
    static const RE2 range(R"re(from\s+(\S+)\s+to\s+(\S+)\s+step\s+(\S+))re");
    std::string from;
    std::string to;
    std::string step;
    if (!RE2::FullMatch(rest, range, &from, &to, &step)) return InvalidArgument("bad range vector");
    TM_TRY_ASSIGN(const int64_t from_ms, ParseDuration(from));
    TM_TRY_ASSIGN(const int64_t step_ms, ParseDuration(step));
    eval->range_vector = {from_ms, step_ms};
    return true;
  }
  Expectation out;
  out.kind = word == "fail"      ? Kind::kFail
             : word == "warn"    ? Kind::kWarn
             : word == "info"    ? Kind::kInfo
             : word == "no_warn" ? Kind::kNoWarn
             : word == "no_info" ? Kind::kNoInfo
                                 : Kind::kOrdered;
  if (rest.starts_with("msg:")) {
    out.match = Expectation::Match::kText;
    out.text = Trim(std::string_view(rest).substr(4));
  } else if (rest.starts_with("regex:")) {
    out.match = Expectation::Match::kRegex;
    out.text = Trim(std::string_view(rest).substr(6));
  }
  eval->expectations.push_back(std::move(out));
  return true;
}

Result<Eval> ParseEvalLine(std::string_view line) {
  static const RE2 instant(R"re(eval(?:_(fail|warn|ordered|info))?\s+instant\s+(?:at\s+(\S+)\s+)?(.+))re");
  static const RE2 range(
      R"re(eval(?:_(fail|warn|ordered|info))?\s+range\s+from\s+(\S+)\s+to\s+(\S+)\s+step\s+(\S+)\s+(.+))re");
  Eval eval;
  std::string kind;
  std::string at;
  std::string to;
  std::string step;
  const re2::StringPiece text(line.data(), line.size());
  if (RE2::FullMatch(text, range, &kind, &at, &to, &step, &eval.query)) {
    eval.instant = false;
    TM_TRY_ASSIGN(eval.start_ms, ParseDuration(at));
    TM_TRY_ASSIGN(eval.end_ms, ParseDuration(to));
    TM_TRY_ASSIGN(eval.step_ms, ParseDuration(step));
  } else if (RE2::FullMatch(text, instant, &kind, &at, &eval.query)) {
    TM_TRY_ASSIGN(eval.end_ms, ParseDuration(at.empty() ? "0" : at));
    eval.start_ms = eval.end_ms;
  } else {
    return InvalidArgument("bad eval line");
  }
  if (!kind.empty()) {
    using Kind = Expectation::Kind;
    const Kind expected = kind == "fail"   ? Kind::kFail
                          : kind == "warn" ? Kind::kWarn
                          : kind == "info" ? Kind::kInfo
                                           : Kind::kOrdered;
    eval.expectations.push_back({.kind = expected, .match = Expectation::Match::kAny, .text = {}});
  }
  return eval;
}

}  // namespace

bool Eval::Expects(Expectation::Kind kind) const {
  return std::ranges::any_of(expectations, [&](const Expectation& e) { return e.kind == kind; });
}

Result<std::vector<Command>> ParseScript(std::string_view text) {
  std::vector<std::string_view> lines;
  for (size_t at = 0; at <= text.size();) {
    const size_t end = std::min(text.find('\n', at), text.size());
    lines.push_back(text.substr(at, end - at));
    at = end + 1;
  }
  std::vector<Command> out;
  for (size_t i = 0; i < lines.size();) {
    const size_t number = i + 1;
    const auto within = [&](const Error& error) { return error.Within(fmt::format("line {}", number)); };
    const std::string_view line = Trim(lines[i++]);
    if (line.empty() || line.starts_with('#')) continue;
    Command command;
    if (line == "clear") {
      out.push_back(command);
      continue;
    }
    std::vector<std::string_view> block;
    // A comment ends a block, as an empty line does.
    while (i < lines.size() && !Trim(lines[i]).empty() && !Trim(lines[i]).starts_with('#')) {
      block.push_back(Trim(lines[i++]));
    }
    if (line.starts_with("load")) {
      command.kind = Command::Kind::kLoad;
      static const RE2 pattern(R"re((load\S*)\s+(\S+)(.*))re");
      std::string word;
      std::string step;
      std::string rest;
      if (!RE2::FullMatch(re2::StringPiece(line.data(), line.size()), pattern, &word, &step, &rest)) {
        return within(InvalidArgument("bad load line"));
      }
      command.load.native = word != "load" || !Trim(rest).empty();
      auto step_ms = ParseDuration(step);
      if (!step_ms.ok()) return within(step_ms.error());
      command.load.step_ms = *step_ms;
      for (const std::string_view member : block) {
        auto series = ParseSeries(member);
        if (!series.ok()) return within(series.error());
        command.load.native = command.load.native || series->native;
        command.load.series.push_back(std::move(*series));
      }
    } else if (line.starts_with("eval")) {
      command.kind = Command::Kind::kEval;
      auto eval = ParseEvalLine(line);
      if (!eval.ok()) return within(eval.error());
      eval->line = static_cast<int>(number);
      for (const std::string_view member : block) {
        auto expectation = ParseExpectation(member, &*eval);
        if (!expectation.ok()) return within(expectation.error());
        if (*expectation) continue;
        if (member.starts_with("expected_fail")) continue;
        if (const auto scalar = ParseNumber(std::string(member))) {
          eval->scalar = scalar;
          continue;
        }
        auto series = ParseSeries(member);
        if (!series.ok()) return within(series.error());
        eval->native = eval->native || series->native;
        eval->series.push_back(std::move(*series));
      }
      command.eval = std::move(*eval);
    } else {
      return within(InvalidArgument("unknown command"));
    }
    out.push_back(std::move(command));
  }
  return out;
}

}  // namespace tidemark::query::conformance

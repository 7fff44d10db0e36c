#include "tools/cli/alert/threshold.h"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdlib>
#include <utility>

#include "query/frame/go_format.h"
#include "query/rules/flapping.h"
#include "query/rules/rule_text.h"
#include "storage/base/text/byte_size.h"
#include "storage/base/text/duration.h"

namespace tidemark::cli {
namespace {

enum class Dimension : uint8_t { kNone, kTime, kBytes, kPercent };

// 80K and its like.
struct CountRow {
  char letter;
  double factor;
};
constexpr std::array<CountRow, 4> kCounts{{{'K', 1e3}, {'k', 1e3}, {'M', 1e6}, {'G', 1e9}}};

// 1.5ms.
constexpr text::DurationDialect kTime{.longest = "h", .shortest = "ns", .single = true};

// What the end of a metric's name says of its unit.
struct SuffixRow {
  std::string_view text;
  Dimension dimension;
  double unit;  // in seconds, bytes, percent
};
constexpr std::array<SuffixRow, 9> kSuffixes{{{"_seconds", Dimension::kTime, 1},
                                              {"_milliseconds", Dimension::kTime, 1e-3},
                                              {"_ms", Dimension::kTime, 1e-3},
                                              {"_microseconds", Dimension::kTime, 1e-6},
                                              {"_us", Dimension::kTime, 1e-6},
                                              {"_ns", Dimension::kTime, 1e-9},
                                              {"_bytes", Dimension::kBytes, 1},
                                              {"_percent", Dimension::kPercent, 1},
                                              {"_ratio", Dimension::kPercent, 100}}};

// The machine's own figures, which are in a database of their own.
struct MachineRow {
  std::string_view word;
  Dimension dimension;
  std::string_view metric;
};
constexpr std::array<MachineRow, 5> kMachine{{{"memory", Dimension::kPercent, "mem_used_percent"},
                                              {"memory", Dimension::kBytes, "mem_used"},
                                              {"swap", Dimension::kPercent, "swap_used_percent"},
                                              {"swap", Dimension::kBytes, "swap_used"},
                                              {"cpu", Dimension::kPercent, R"(cpu_usage_active{cpu="cpu-total"})"}}};
constexpr std::string_view kMachineDatabase = "_host";

std::string_view Trim(std::string_view text) {
  while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
  while (!text.empty() && text.back() == ' ') text.remove_suffix(1);
  return text;
}

bool IsName(std::string_view text) {
  return !text.empty() && !(text.front() >= '0' && text.front() <= '9') && std::ranges::all_of(text, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == ':';
  });
}

// Where ` word ` stands outside of parentheses, braces and quotes; the last one where `last`.
size_t FindWord(std::string_view text, std::string_view word, bool last) {
  int depth = 0;
  char quote = '\0';
  size_t found = std::string_view::npos;
  for (size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (quote != '\0') {
      if (c == quote) quote = '\0';
    } else if (c == '"' || c == '\'') {
      quote = c;
    } else if (c == '(' || c == '{' || c == '[') {
      ++depth;
    } else if (c == ')' || c == '}' || c == ']') {
      --depth;
    } else if (depth == 0 && text.substr(i).starts_with(word)) {
      found = i;
      if (!last) return found;
    }
  }
  return found;
}

struct Value {
  double number = 0;
  Dimension dimension = Dimension::kNone;
};

Result<Value> ParseValue(std::string_view written) {
  std::string text(written);
  std::erase(text, ' ');
  for (const std::string_view rate : {"/second", "/sec", "/s"}) {
    if (!text.ends_with(rate)) continue;
    text.resize(text.size() - rate.size());
    break;
  }
  double number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  const std::string_view unit(end, static_cast<size_t>(text.data() + text.size() - end));
  if (error == std::errc()) {
    if (unit.empty()) return Value{number, Dimension::kNone};
    if (unit == "%") return Value{number, Dimension::kPercent};
    const auto count = std::ranges::find(kCounts, unit.front(), &CountRow::letter);
    if (unit.size() == 1 && count != kCounts.end()) return Value{number * count->factor, Dimension::kNone};
    if (const auto bytes = text::ParseByteSize(text)) return Value{static_cast<double>(*bytes), Dimension::kBytes};
    if (const auto ns = text::ParseFractionalDuration(text, kTime, 1)) return Value{*ns * 1e-9, Dimension::kTime};
  }
  return InvalidArgument(fmt::format(
      "\"{}\" is no number with a unit: there are times such as 5ms, whole sizes such as 100MB and 1GiB, 90% "
      "and counts such as 80K, each also with /s behind it",
      written));
}

// Null where the name says nothing.
const SuffixRow* UnitOf(std::string_view metric) {
  for (const std::string_view part : {"_bucket", "_sum", "_count"}) {
    if (metric.ends_with(part)) metric.remove_suffix(part.size());
  }
  for (const SuffixRow& row : kSuffixes) {
    if (metric.ends_with(row.text)) return &row;
  }
  return nullptr;
}

// The value in the unit of the metric, without the noise of a multiplication.
std::string InUnitOf(const Value& value, std::string_view metric) {
  double number = value.number;
  if (const SuffixRow* const unit = UnitOf(metric); unit != nullptr && unit->dimension == value.dimension) {
    number /= unit->unit;
  }
  return query::frame::GoFormat(std::strtod(fmt::format("{:.12g}", number).c_str(), nullptr));
}

// One condition.
class Condition {
 public:
  Condition(std::string_view text, std::string* database, const FindMetrics& find)
      : text_(Trim(text)), database_(database), find_(find) {}

  // PromQL; `name`: what it is about; `compared`: its left side.
  Result<std::string> Read(std::string* name, std::string* compared) {
    size_t at = std::string_view::npos;
    std::string_view op;
    for (const std::string_view one : {">=", "<=", "==", "!=", ">", "<"}) {
      const size_t found = FindWord(text_, one, true);
      if (found == std::string_view::npos || at != std::string_view::npos) continue;
      at = found;
      op = one;
    }
    if (at == std::string_view::npos) {
      return InvalidArgument(fmt::format("\"{}\" compares nothing: write for instance latency > 5ms", text_));
    }
    const std::string_view left = Trim(text_.substr(0, at));
    TM_TRY_ASSIGN(const Value value, ParseValue(Trim(text_.substr(at + op.size()))));
    TM_TRY_ASSIGN(const auto what, Left(left, value, name));
    *compared = what.first;
    return fmt::format("{} {} {}", what.first, op, InUnitOf(value, what.second));
  }

 private:
  // PromQL, and the metric whose unit counts.
  Result<std::pair<std::string, std::string>> Left(std::string_view left, const Value& value, std::string* name) {
    for (const MachineRow& row : kMachine) {
      if (left != row.word || value.dimension != row.dimension) continue;
      *database_ = kMachineDatabase;
      *name = row.word;
      return std::pair(std::string(row.metric), std::string(row.metric));
    }
    if (IsName(left)) {
      *name = left;
      TM_TRY_ASSIGN(std::string metric, Find(left, false));
      return std::pair(metric, metric);
    }
    double percent = 0;
    const size_t open = left.find('(');
    if (left.starts_with('p') && open != std::string_view::npos && left.ends_with(')')) {
      const auto [end, error] = std::from_chars(left.data() + 1, left.data() + open, percent);
      const std::string_view inside = Trim(left.substr(open + 1, left.size() - open - 2));
      if (error == std::errc() && end == left.data() + open && percent > 0 && percent < 100 && IsName(inside)) {
        *name = inside;
        TM_TRY_ASSIGN(std::string metric, Find(inside, true));
        const std::string quantile =
            query::frame::GoFormat(std::strtod(fmt::format("{:.12g}", percent / 100).c_str(), nullptr));
        std::string expr = metric.ends_with("_bucket")
                               ? fmt::format("histogram_quantile({}, sum by (le) (rate({}[5m])))", quantile, metric)
                               : fmt::format("quantile_over_time({}, {}[5m])", quantile, metric);
        return std::pair(std::move(expr), std::move(metric));
      }
    }
    *name = "Threshold";
    return std::pair(std::string(left), std::string());
  }

  // The metric of this name, or the one of it with a unit; of a histogram its buckets where `buckets`.
  Result<std::string> Find(std::string_view name, bool buckets) {
    TM_TRY_ASSIGN(std::vector<std::string> found,
                  find_(fmt::format("{}(_seconds|_milliseconds|_ms|_microseconds|_us|_ns|_bytes|_percent|_ratio)?{}",
                                    name, buckets ? "(_bucket)?" : ""),
                        *database_));
    std::ranges::sort(found);
    if (found.empty()) {
      return NotFound(fmt::format("there is no metric {} in the database{}: --db names another", name,
                                  database_->empty() ? "" : " " + *database_));
    }
    if (std::ranges::find(found, name) != found.end()) return std::string(name);
    const auto bucket =
        std::ranges::find_if(found, [](const std::string& metric) { return metric.ends_with("_bucket"); });
    if (bucket != found.end()) return *bucket;
    if (found.size() == 1) return found.front();
    return InvalidArgument(fmt::format("{} may be {} or {}: write the whole name", name, found[0], found[1]));
  }

  const std::string_view text_;
  std::string* const database_;
  const FindMetrics& find_;
};

// call_routing_latency as CallRoutingLatency.
std::string CamelCase(std::string_view text) {
  std::string out;
  bool upper = true;
  for (const char c : text) {
    if (c == '_' || c == ':') {
      upper = true;
      continue;
    }
    out += upper && c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
    upper = false;
  }
  return out;
}

// Where the comparison begins; npos where there is none.
size_t FirstComparison(std::string_view text) {
  size_t first = std::string_view::npos;
  for (const std::string_view op : {">", "<", "=", "!="}) first = std::min(first, FindWord(text, op, false));
  return first;
}

// What stands behind the conditions is cut off and read.
struct Clauses {
  std::string_view conditions;
  std::string_view recover;
};

Result<Clauses> SplitClauses(std::string_view text, Threshold* out) {
  Clauses clauses{.conditions = Trim(text), .recover = {}};
  constexpr std::array<std::string_view, 3> kWords = {" for ", " recover ", " flapping "};
  for (;;) {
    size_t at = std::string_view::npos;
    std::string_view word;
    for (const std::string_view one : kWords) {
      const size_t found = FindWord(clauses.conditions, one, true);
      if (found == std::string_view::npos || (at != std::string_view::npos && found < at)) continue;
      at = found;
      word = one;
    }
    if (at == std::string_view::npos) return clauses;
    const std::string_view value = Trim(clauses.conditions.substr(at + word.size()));
    clauses.conditions = clauses.conditions.substr(0, at);
    if (word == " for ") {
      const auto ms = text::ParseDurationMs(value);
      if (!ms) return InvalidArgument(fmt::format("\"{}\" behind `for` is no duration such as 30s or 2m", value));
      out->for_ms = *ms;
    } else if (word == " recover ") {
      clauses.recover = value;
    } else {
      TM_TRY_ASSIGN(const query::rules::FlapLimit limit, query::rules::ParseFlapLimit(value));
      out->flapping = query::rules::PrintFlapLimit(limit);
    }
  }
}

}  // namespace

Result<Threshold> ParseThreshold(std::string_view text, const std::string& database, const FindMetrics& find) {
  Threshold out;
  out.database = database;
  TM_TRY_ASSIGN(const Clauses clauses, SplitClauses(text, &out));
  std::string_view rest = clauses.conditions;
  for (;;) {
    const size_t next_or = FindWord(rest, " or ", false);
    const size_t next_and = FindWord(rest, " and ", false);
    const size_t next = std::min(next_or, next_and);
    std::string name;
    std::string compared;
    TM_TRY_ASSIGN(const std::string condition,
                  Condition(rest.substr(0, next), &out.database, find).Read(&name, &compared));
    out.expr += condition;
    out.compared.push_back(std::move(compared));
    if (out.name.empty()) out.name = CamelCase(name);
    if (next == std::string_view::npos) break;
    const std::string_view word = next == next_or ? " or " : " and ";
    out.expr += word;
    rest = rest.substr(next + word.size());
  }
  if (clauses.recover.empty()) return out;
  if (out.compared.size() > 1) {
    return InvalidArgument("`recover` stands behind one condition: of several, write the key recover into the rule");
  }
  // Behind the same left side, with or without its own.
  const std::string_view left = Trim(rest.substr(0, FirstComparison(rest)));
  const bool whole = FirstComparison(clauses.recover) > 0;
  std::string name;
  std::string compared;
  const std::string text_of_recovery =
      whole ? std::string(clauses.recover) : fmt::format("{} {}", left, clauses.recover);
  TM_TRY_ASSIGN(out.recover, Condition(text_of_recovery, &out.database, find).Read(&name, &compared));
  return out;
}

std::string GroupOf(const Threshold& threshold, const std::string& severity, const std::string& text) {
  using query::rules::YamlQuoted;
  std::string out = fmt::format("name: {}\ninterval: 15s\n", YamlQuoted(threshold.name));
  if (!threshold.database.empty()) out += fmt::format("database: {}\n", YamlQuoted(threshold.database));
  out += fmt::format("rules:\n  - alert: {}\n    expr: {}\n", YamlQuoted(threshold.name), YamlQuoted(threshold.expr));
  if (threshold.for_ms > 0) {
    out += fmt::format("    for: {}\n", text::PrintDuration(threshold.for_ms, text::DurationStyle::kPrometheus));
  }
  if (!threshold.recover.empty()) out += fmt::format("    recover: {}\n", YamlQuoted(threshold.recover));
  if (!threshold.flapping.empty()) out += fmt::format("    flapping: {}\n", threshold.flapping);
  out += fmt::format("    labels:\n      severity: {}\n", YamlQuoted(severity));
  out += fmt::format("    annotations:\n      summary: {}\n", YamlQuoted(text + ": {{ $value }}"));
  return out;
}

}  // namespace tidemark::cli

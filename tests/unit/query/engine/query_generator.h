// QueryGenerator: random PromQL over the metrics a_total, b and c with the labels x (1 to 3) and y (p, q).
#pragma once

#include <fmt/core.h>

#include <cstdint>
#include <initializer_list>
#include <random>
#include <string>

namespace tidemark::query::engine {

// Same seed, same queries.
class QueryGenerator {
 public:
  explicit QueryGenerator(uint64_t seed) : random_(seed) {}

  size_t Below(size_t n) { return std::uniform_int_distribution<size_t>(0, n - 1)(random_); }
  std::string Pick(std::initializer_list<const char*> choices) { return *(choices.begin() + Below(choices.size())); }

  std::string Query() { return Below(12) == 0 ? Scalar(2) : Vector(1 + Below(3)); }

  // A selector, or what may be an operand of any chain.
  std::string Operand() { return Below(3) == 0 ? fmt::format("abs({})", Name()) : Name(); }

 private:
  std::string Modifiers() {
    std::string out;
    if (Below(5) == 0)
      out += " offset " + Pick({"15s", "1m", "-2m", "7s", "(1m - 45s * 2)", "-(step() / 2)", "min_of(2m, 7s)"});
    if (Below(7) == 0) out += " @ " + Pick({"start()", "end()", "1200", "1807.5"});
    return out;
  }
  std::string Name() { return Pick({"a_total", "b", "c", "a_total{x=\"1\"}", "b{y!=\"p\"}", "c{x=\"2\",y=\"q\"}"}); }
  std::string Selector() { return Name() + (Below(12) == 0 ? " smoothed" : "") + Modifiers(); }
  std::string Fill() {
    return Below(4) == 0 ? Pick({"fill(0) ", "fill_left(2) ", "fill_right(-1) ", "fill_left(3) fill_right(4) "}) : "";
  }
  std::string Grouping() { return Pick({"", "by (x)", "by (x, y)", "without (y)", "by (none)", "without (x)"}); }

  std::string Matrix(size_t depth) {
    if (depth > 0 && Below(4) == 0) {
      return fmt::format("({})[{}:{}]{}", Vector(depth - 1), Pick({"2m", "5m", "95s", "1m * 2 + 5"}),
                         Pick({"15s", "1m", "7s", "30s % 19s"}), Modifiers());
    }
    return fmt::format("{}[{}]{}", Name(),
                       Pick({"15s", "1m", "5m", "20m", "37s", "2m / 3", "step() + 15s", "max_of(range(), 1m)"}),
                       Modifiers());
  }

  std::string Scalar(size_t depth) {
    if (depth == 0) return Pick({"0", "1", "-2", "0.5", "3", "100"});
    switch (Below(4)) {
      case 0: return "time()";
      case 1: return fmt::format("scalar({})", Vector(depth - 1));
      case 2: return fmt::format("({} {} {})", Scalar(depth - 1), Pick({"+", "-", "*"}), Scalar(depth - 1));
      default: return Scalar(0);
    }
  }

  std::string Vector(size_t depth) {
    if (depth == 0) return Selector();
    if (Below(12) == 0) {
      return fmt::format("{}({}[{}] {}{})", Pick({"rate", "increase", "delta"}), Name(), Pick({"1m", "5m", "37s"}),
                         Pick({"anchored", "smoothed"}), Modifiers());
    }
    switch (Below(8)) {
      case 0:
      case 1:
        return fmt::format("{}({})",
                           Pick({"rate", "increase", "delta", "sum_over_time", "avg_over_time", "count_over_time",
                                 "min_over_time", "max_over_time", "last_over_time", "first_over_time",
                                 "present_over_time", "stdvar_over_time", "changes", "resets"}),
                           Matrix(depth - 1));
      case 2: return fmt::format("quantile_over_time({}, {})", Pick({"0", "0.3", "0.9", "1"}), Matrix(depth - 1));
      case 3: {
        const std::string op = Pick({"sum", "avg", "count", "min", "max", "group", "stdvar", "quantile"});
        return fmt::format("{} {} ({}{})", op, Grouping(), op == "quantile" ? "0.4, " : "", Vector(depth - 1));
      }
      case 4: return fmt::format("{}({})", Pick({"abs", "ceil", "floor", "sgn", "-"}), Vector(depth - 1));
      case 5: {
        const std::string op = Pick({"+", "-", "*", ">", "<=", "== bool", "> bool"});
        return Below(2) == 0 ? fmt::format("({}) {} {}", Vector(depth - 1), op, Scalar(depth - 1))
                             : fmt::format("{} {} ({})", Scalar(depth - 1), op, Vector(depth - 1));
      }
      case 6:
        return fmt::format("({}) {} {} ({})", Vector(depth - 1), Pick({"and", "or", "unless"}),
                           Pick({"", "on (x)", "ignoring (y)", "on ()"}), Vector(depth - 1));
      default: {
        const std::string op = Pick({"+", "/", ">", "< bool"});
        if (Below(3) == 0) {
          return fmt::format("({}) {} on (x) group_left () {}sum by (x) ({})", Selector(), op, Fill(),
                             Vector(depth - 1));
        }
        return fmt::format("({}) {} {} {}({})", Vector(depth - 1), op, Pick({"", "on (x, y)", "ignoring (y)"}), Fill(),
                           Vector(depth - 1));
      }
    }
  }

  std::mt19937_64 random_;
};

}  // namespace tidemark::query::engine

// Random expressions: what is printed parses, and prints the same again.
#include <gtest/gtest.h>

#include <array>
#include <random>
#include <string>
#include <string_view>

#include "query/promql/functions.h"
#include "query/promql/parser.h"
#include "query/promql/printer.h"

namespace tidemark::query::promql {
namespace {

// Writes random expressions of a wanted type.
class Writer {
 public:
  explicit Writer(uint64_t seed) : random_(seed) {}

  std::string Write(ValueType type, int depth) {
    switch (type) {
      case ValueType::kScalar: return Scalar(depth);
      case ValueType::kVector: return Vector(depth);
      case ValueType::kMatrix: return Matrix(depth);
      case ValueType::kString: return Pick(kStrings);
    }
    return {};
  }

 private:
  static constexpr std::array<std::string_view, 5> kStrings{"\"\"", "'a'", "`b\\`", "\"\\xff\\u00e9\"", "\"$1\""};
  static constexpr std::array<std::string_view, 7> kNumbers{"0", "1.5", "0x1F", "5m", "1e300", "Inf", "NaN"};
  static constexpr std::array<std::string_view, 8> kSelectors{
      "up", "sum", "a:b", "{a=\"b\"}", "up{a!=\"b\",c=~\"d|e\"}", "{\"x.y\",\"l.m\"!~'n'}", "offset", "step{by=''}"};
  static constexpr std::array<std::string_view, 7> kWindows{
      "5m", "90", "1h-5m", "step()", "(1m)*2", "-(1m-5m)+1", "max_of(range(),2^3)"};
  static constexpr std::array<std::string_view, 8> kModifiers{"",
                                                              " offset 5m",
                                                              " offset -1h",
                                                              " @ 1.25",
                                                              " @ start()",
                                                              " @ end() offset (1h/2)",
                                                              " offset -step()",
                                                              " offset min_of(1m,range())"};
  static constexpr std::array<std::string_view, 7> kArithmetic{"+", "-", "*", "/", "%", "^", " atan2 "};
  static constexpr std::array<std::string_view, 4> kComparisons{"==", "!=", "<", ">="};
  static constexpr std::array<std::string_view, 3> kSets{" and ", " or ", " unless "};
  static constexpr std::array<std::string_view, 6> kMatchings{
      "", "", " on(a,\"b.c\") ", " ignoring(a) ", " on(a) group_left(b) ", " ignoring() group_right "};
  static constexpr std::array<std::string_view, 4> kGroupings{"", " by(a,sum) ", " without(\"b.c\") ", " by() "};

  size_t Below(size_t n) { return random_() % n; }
  template <size_t n>
  std::string Pick(const std::array<std::string_view, n>& from) {
    return std::string(from[Below(n)]);
  }

  std::string CallOf(ValueType result, int depth) {
    while (true) {
      const FunctionSignature& function = Functions()[Below(Functions().size())];
      if (function.result != result || function.id == FunctionId::kInfo) continue;
      std::string text = std::string(function.name) + "(";
      for (size_t i = 0; i < function.args.size(); ++i) {
        if (i > 0) text += ",";
        text += Write(function.args[i], depth - 1);
      }
      return text + ")";
    }
  }

  std::string Scalar(int depth) {
    if (depth <= 0) return Pick(kNumbers);
    switch (Below(5)) {
      case 0: return "(" + Scalar(depth - 1) + ")";
      case 1: return "-" + Scalar(depth - 1);
      case 2: return Scalar(depth - 1) + Pick(kArithmetic) + Scalar(depth - 1);
      case 3: return Scalar(depth - 1) + Pick(kComparisons) + " bool " + Scalar(depth - 1);
      default: return CallOf(ValueType::kScalar, depth);
    }
  }

  std::string Vector(int depth) {
    if (depth <= 0) return Pick(kSelectors) + Pick(kModifiers);
    const std::string a = Vector(depth - 1);
    switch (Below(8)) {
      case 0: return "(" + a + ")";
      case 1: return "+" + a;
      case 2: return a + Pick(kArithmetic) + Pick(kMatchings) + Vector(depth - 1);
      case 3: return a + Pick(kComparisons) + Scalar(depth - 1);
      case 4: return "(" + a + ")" + Pick(kSets) + "(" + Vector(depth - 1) + ")";
      case 5: return "stddev" + Pick(kGroupings) + "(" + a + ")";
      case 6: return "quantile(" + Scalar(depth - 1) + "," + a + ")" + Pick(kGroupings);
      default: return CallOf(ValueType::kVector, depth);
    }
  }

  std::string Matrix(int depth) {
    if (depth <= 0) return Pick(kSelectors) + "[" + Pick(kWindows) + "]" + Pick(kModifiers);
    const std::string step = Below(2) == 0 ? "" : Pick(kWindows);
    return "(" + Vector(depth - 1) + ")[1h:" + step + "]" + Pick(kModifiers);
  }

  std::mt19937_64 random_;
};

TEST(PromqlRoundTrip, PrintedExpressionsParseToTheSame) {
  std::random_device device;
  const uint64_t seed = device();
  SCOPED_TRACE("seed " + std::to_string(seed));
  Writer writer(seed);
  const ParseOptions options = ParseOptions::Experimental();
  int accepted = 0;
  constexpr int kRounds = 4'000;
  for (int round = 0; round < kRounds; ++round) {
    const std::string text = writer.Write(round % 3 == 0 ? ValueType::kMatrix : ValueType::kVector, round % 5);
    if (text.size() > options.text_size_max) continue;
    const auto first = Parse(text, options);
    // Precedence may join parts into something of a wrong type; the words of the error are other tests' concern.
    if (!first.ok()) continue;
    ++accepted;
    const std::string printed = ToString(**first);
    const auto second = Parse(printed, options);
    if (!second.ok() && second.error().code == ErrorCode::kLimitExceeded) continue;
    ASSERT_TRUE(second.ok()) << text << "\n" << printed << "\n" << second.error().message;
    ASSERT_EQ(ToString(**second), printed) << text;
    ASSERT_EQ((*second)->height, (*first)->height) << text;
  }
  EXPECT_GT(accepted, kRounds / 2);
}

}  // namespace
}  // namespace tidemark::query::promql

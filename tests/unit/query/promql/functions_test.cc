#include "query/promql/functions.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>

#include "query/promql/parser.h"

namespace tidemark::query::promql {
namespace {

// An argument of each type.
std::string Argument(ValueType type) {
  switch (type) {
    case ValueType::kScalar: return "1";
    case ValueType::kVector: return "{a=\"b\"}";
    case ValueType::kMatrix: return "m[5m]";
    case ValueType::kString: return "\"s\"";
  }
  return {};
}

std::string CallText(const FunctionSignature& function, size_t count) {
  std::string text = std::string(function.name) + "(";
  for (size_t i = 0; i < count; ++i) {
    if (i > 0) text += ", ";
    text += Argument(function.args[std::min(i, function.args.size() - 1)]);
  }
  return text + ")";
}

TEST(Functions, AreFoundByNameAndById) {
  for (const FunctionSignature& function : Functions()) {
    EXPECT_EQ(FindFunction(function.name), &function) << function.name;
    EXPECT_EQ(&Signature(function.id), &function);
  }
  EXPECT_EQ(FindFunction(""), nullptr);
  EXPECT_EQ(FindFunction("ab"), nullptr);
  EXPECT_EQ(FindFunction("ABS"), nullptr);
  EXPECT_EQ(FindFunction("zzz"), nullptr);
}

TEST(Functions, EachCanBeCalledWithItsArgumentsAndNoMore) {
  const ParseOptions options = ParseOptions::Experimental();
  for (const FunctionSignature& function : Functions()) {
    const size_t count = function.args.size();
    const auto call = Parse(CallText(function, count), options);
    ASSERT_TRUE(call.ok()) << call.error().message;
    EXPECT_EQ((*call)->type, function.result);
    if (count == 0) continue;
    const size_t least = function.variadic == 0 ? count : count - 1;
    EXPECT_TRUE(Parse(CallText(function, least), options).ok()) << function.name;
    if (least > 0) {
      EXPECT_FALSE(Parse(CallText(function, least - 1), options).ok()) << function.name;
    }
    if (function.variadic >= 0) {
      const size_t most = least + static_cast<size_t>(function.variadic);
      EXPECT_TRUE(Parse(CallText(function, most), options).ok()) << function.name;
      EXPECT_FALSE(Parse(CallText(function, most + 1), options).ok()) << function.name;
    } else {
      EXPECT_TRUE(Parse(CallText(function, 40), options).ok()) << function.name;
    }
  }
}

TEST(Functions, ExperimentalOnesNeedTheOption) {
  for (const FunctionSignature& function : Functions()) {
    const auto call = Parse(CallText(function, function.args.size()));
    EXPECT_EQ(call.ok(), !function.experimental) << function.name;
  }
}

TEST(Functions, StableOnesAreThoseOfPrometheus) {
  size_t stable = 0;
  size_t experimental = 0;
  for (const FunctionSignature& function : Functions()) {
    if (function.name.starts_with("tm_")) continue;  // ours
    ++(function.experimental ? experimental : stable);
  }
  EXPECT_EQ(stable, 73u);
  EXPECT_EQ(experimental, 17u);
}

}  // namespace
}  // namespace tidemark::query::promql

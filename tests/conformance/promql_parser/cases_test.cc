// Runs cases.txt, whose head describes its form.
#include <gtest/gtest.h>

#include <array>
#include <fstream>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "query/promql/parser.h"
#include "query/promql/printer.h"

namespace tidemark::query::promql {
namespace {

constexpr size_t kCasesAtLeast = 300;

struct Case {
  int line = 0;
  ParseOptions options;
  std::string text;
  bool accepted = false;
  std::optional<std::string> expected;  // the canonical text or the error
};

std::string Decode(std::string_view text) {
  constexpr std::array<std::pair<std::string_view, char>, 4> kMarks{
      {{"<LF>", '\n'}, {"<TAB>", '\t'}, {"<SP>", ' '}, {"<FF>", '\xff'}}};
  std::string out;
  while (!text.empty()) {
    size_t taken = 1;
    char c = text.front();
    for (const auto& [mark, value] : kMarks) {
      if (!text.starts_with(mark)) continue;
      taken = mark.size();
      c = value;
    }
    out += c;
    text.remove_prefix(taken);
  }
  return out;
}

ParseOptions OptionsCalled(std::string_view name) {
  if (name == "experimental") return ParseOptions::Experimental();
  ParseOptions options;
  if (name == "no-duration-expressions") {
    options.duration_expressions = false;
  } else {
    EXPECT_EQ(name, "default");
  }
  return options;
}

std::vector<Case> ReadCases() {
  std::vector<Case> cases;
  std::ifstream file(TM_PROMQL_CASES);
  EXPECT_TRUE(file.is_open()) << TM_PROMQL_CASES;
  ParseOptions options;
  int number = 0;
  for (std::string line; std::getline(file, line);) {
    ++number;
    const std::string_view view = line;
    if (view.empty() || view.starts_with("#")) continue;
    if (view.starts_with("options ")) {
      options = OptionsCalled(view.substr(8));
    } else if (view.starts_with("ok ")) {
      cases.push_back({number, options, Decode(view.substr(3)), true, {}});
    } else if (view == "fail" || view.starts_with("fail ")) {
      cases.push_back({number, options, view.size() > 5 ? Decode(view.substr(5)) : "", false, {}});
    } else if ((view.starts_with("   = ") || view.starts_with("   ! ")) && !cases.empty()) {
      EXPECT_EQ(cases.back().accepted, view[3] == '=') << "line " << number;
      cases.back().expected = Decode(view.substr(5));
    } else {
      ADD_FAILURE() << "line " << number << " is no case: " << line;
    }
  }
  return cases;
}

TEST(PromqlParserCases, AcceptsAndRefusesInTheseWords) {
  const std::vector<Case> cases = ReadCases();
  EXPECT_GE(cases.size(), kCasesAtLeast);
  for (const Case& c : cases) {
    SCOPED_TRACE("cases.txt:" + std::to_string(c.line) + ": " + c.text);
    const auto expr = Parse(c.text, c.options);
    if (!c.accepted) {
      ASSERT_TRUE(c.expected) << "a refused case names its error";
      if (expr.ok()) {
        ADD_FAILURE() << "accepted as " << ToString(**expr);
      } else {
        EXPECT_EQ(expr.error().message, *c.expected);
        EXPECT_EQ(expr.error().code, ErrorCode::kInvalidArgument);
      }
      continue;
    }
    if (!expr.ok()) {
      ADD_FAILURE() << expr.error().message;
      continue;
    }
    EXPECT_EQ(ToString(**expr), c.expected.value_or(c.text));
  }
}

TEST(PromqlParserCases, WhatIsPrintedParsesToTheSame) {
  for (const Case& c : ReadCases()) {
    if (!c.accepted) continue;
    SCOPED_TRACE("cases.txt:" + std::to_string(c.line) + ": " + c.text);
    const auto first = Parse(c.text, c.options);
    ASSERT_TRUE(first.ok());
    const std::string printed = ToString(**first);
    const auto second = Parse(printed, c.options);
    ASSERT_TRUE(second.ok()) << second.error().message;
    EXPECT_EQ(ToString(**second), printed);
    EXPECT_EQ((*first)->kind, (*second)->kind);
    EXPECT_EQ((*first)->type, (*second)->type);
    EXPECT_EQ((*first)->height, (*second)->height);
  }
}

// Every start of every accepted text, too: no crash, no endless loop, an error with a place.
TEST(PromqlParserCases, EveryPrefixParsesOrFailsWithAPlace) {
  for (const Case& c : ReadCases()) {
    for (size_t size = 1; size < c.text.size(); ++size) {
      const auto expr = Parse(std::string_view(c.text).substr(0, size), c.options);
      if (expr.ok()) continue;
      EXPECT_NE(expr.error().message.find(": parse error: "), std::string::npos) << expr.error().message;
    }
  }
}

}  // namespace
}  // namespace tidemark::query::promql

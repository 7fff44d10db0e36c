// The syntax tree of a template.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "query/rules/template.h"
#include "storage/base/result.h"

namespace tidemark::query::rules {

struct TemplatePipeline;

struct TemplateOperand {
  enum class Kind : uint8_t { kText, kNumber, kBool, kNil, kDot, kVariable, kFunction, kPipeline };
  Kind kind = Kind::kNil;
  std::string text;     // of kText; name of a variable ("" is $) or function
  double number = 0;    // of kNumber that is no integer
  int64_t integer = 0;  // of one that is
  bool is_integer = false;
  bool overflows = false;  // a whole number that needs all 64 bits
  bool truth = false;
  std::vector<TemplatePipeline> pipeline;  // one, of kPipeline
  std::vector<std::string> fields;         // .A.B behind it, or after the dot
  std::string source;                      // as written, for messages
};

// operand operand ...: a function or method with its arguments, or one operand.
struct TemplateCommand {
  std::vector<TemplateOperand> operands;
};

// command | command ...: each gets the value of the one before as its last argument.
struct TemplatePipeline {
  std::vector<std::string> variables;  // that it sets; two of a range
  bool declares = false;               // := rather than =
  std::vector<TemplateCommand> commands;
};

struct Template::Node {
  enum class Kind : uint8_t { kText, kAction, kIf, kRange, kWith, kBreak, kContinue, kTemplate, kDefine };
  Kind kind = Kind::kText;
  std::string text;           // of kText; name of a kTemplate or kDefine
  TemplatePipeline pipeline;  // without commands in a kTemplate without argument
  std::vector<Node> body;
  std::vector<Node> otherwise;
};

// A number as Go writes it in source, into `out`: 1_000, 0x1F, 0b11, 0o17, 017, 1e3, 0x1p-2. False for what is none.
bool ReadTemplateNumber(std::string_view text, TemplateOperand* out);

// What it defines stands as kDefine in front, each name once, and nowhere else.
Result<std::vector<Template::Node>> ParseTemplate(std::string_view text);

// Whether there is a function of this name.
bool IsTemplateFunction(std::string_view name);

}  // namespace tidemark::query::rules

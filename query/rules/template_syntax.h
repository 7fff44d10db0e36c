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
  std::string text;  // of kText; name of a variable ("" is $) or function
  double number = 0;
  bool integer = false;
  bool truth = false;
  std::vector<TemplatePipeline> pipeline;  // one, of kPipeline
  std::vector<std::string> fields;         // .A.B behind it
};

// operand operand ...: a function with its arguments, or one operand.
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
  enum class Kind : uint8_t { kText, kAction, kIf, kRange, kWith };
  Kind kind = Kind::kText;
  std::string text;
  TemplatePipeline pipeline;
  std::vector<Node> body;
  std::vector<Node> otherwise;
};

Result<std::vector<Template::Node>> ParseTemplate(std::string_view text);

// Whether there is a function of this name.
bool IsTemplateFunction(std::string_view name);

}  // namespace tidemark::query::rules

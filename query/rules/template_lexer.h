// The tokens of a template's action, {{ ... }}. Source: text/template/parse/lex.go of Go's standard library.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "storage/base/result.h"

namespace tidemark::query::rules {

enum class TemplateTokenKind : uint8_t {
  kBool,
  kCharacter,  // 'a'
  kAssign,     // =
  kDeclare,    // :=
  kComma,
  kPipe,
  kLeftParen,
  kRightParen,
  kDot,         // . alone
  kField,       // .Name
  kVariable,    // $ or $name
  kIdentifier,  // a function
  kKeyword,     // if, range, nil, ...
  kNumber,
  kText,   // "..." or `...`, with its quotes
  kSpace,  // that parts arguments
  kEnd,
};

struct TemplateToken {
  TemplateTokenKind kind = TemplateTokenKind::kEnd;
  std::string_view text;  // of the template
};

// The tokens of what stands between the braces, without them; the last one is kEnd. kInvalidArgument for characters and
// numbers that are none.
Result<std::vector<TemplateToken>> LexTemplateAction(std::string_view action);

// Where the action at the start of `text`, behind its left braces, ends: the size of what stands in it, before the
// right ones. They may stand in a text. npos where they are missing.
size_t FindEndOfAction(std::string_view text);

}  // namespace tidemark::query::rules

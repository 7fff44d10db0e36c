#include "query/rules/template_syntax.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include <fmt/core.h>

#include "query/promql/quote.h"
#include "query/rules/template_lexer.h"
#include "query/rules/template_text.h"
#include "storage/base/text/ascii.h"

namespace tidemark::query::rules {
namespace {

using Node = Template::Node;
using Kind = TemplateTokenKind;

using text::IsSpace;

void TrimEnd(std::string_view* text) {
  while (!text->empty() && IsSpace(text->back())) text->remove_suffix(1);
}
void TrimStart(std::string_view* text) {
  while (!text->empty() && IsSpace(text->front())) text->remove_prefix(1);
}

// Reads the tokens of one action.
class ActionParser {
 public:
  ActionParser(std::string_view action, std::vector<TemplateToken> tokens, std::vector<std::string>* variables)
      : action_(action), tokens_(std::move(tokens)), variables_(variables) {
    SkipSpace();
  }

  // Takes the keyword if it comes next.
  bool TakeKeyword(std::string_view word) {
    if (Now().kind != Kind::kKeyword || Now().text != word) return false;
    Advance();
    SkipSpace();
    return true;
  }
  bool AtEnd() {
    SkipSpace();
    return Now().kind == Kind::kEnd;
  }
  [[nodiscard]] Error Fail(std::string_view what) const {
    return InvalidArgument(fmt::format("template: {} in {{{{{}}}}}", what, action_));
  }
  [[nodiscard]] Error Unexpected(std::string_view context) const {
    if (Now().kind == Kind::kEnd) return Fail(fmt::format("missing value for {}", context));
    return Fail(fmt::format("unexpected {} in {}", promql::Quote(Now().text), context));
  }

  // The name of a template, in quotes.
  Result<std::string> Name(std::string_view context) {
    SkipSpace();
    if (Now().kind != Kind::kText) return Unexpected(context);
    const auto name = UnquoteGo(Now().text);
    if (!name) return Fail("bad escape in a text");
    Advance();
    SkipSpace();
    return *name;
  }

  // A pipeline up to the end of the action; it may set variables, `most` of them.
  Result<TemplatePipeline> Whole(size_t most, std::string_view context) {
    TemplatePipeline out;
    TM_RETURN_IF_ERROR(TakeVariables(&out, most));
    TM_TRY_ASSIGN(out.commands, Commands(0, context));
    if (!AtEnd()) return Unexpected(context);
    if (out.declares) variables_->insert(variables_->end(), out.variables.begin(), out.variables.end());
    return out;
  }

 private:
  [[nodiscard]] const TemplateToken& Now() const { return tokens_[at_]; }
  [[nodiscard]] const TemplateToken& Peek(size_t ahead) const {
    return tokens_[std::min(at_ + ahead, tokens_.size() - 1)];
  }
  void Advance() { at_ = std::min(at_ + 1, tokens_.size() - 1); }
  void SkipSpace() {
    while (Now().kind == Kind::kSpace) Advance();
  }
  [[nodiscard]] bool IsKnown(std::string_view name) const {
    return name.empty() || std::ranges::find(*variables_, name) != variables_->end();
  }

  // `$a := `, `$i, $a := `, `$a = `; leaves `variables` empty where there is none.
  Status TakeVariables(TemplatePipeline* out, size_t most) {
    const size_t before = at_;
    std::vector<std::string> names;
    while (Now().kind == Kind::kVariable) {
      names.emplace_back(Now().text.substr(1));
      Advance();
      SkipSpace();
      if (Now().kind != Kind::kComma) break;
      Advance();
      SkipSpace();
    }
    if (names.empty() || (Now().kind != Kind::kDeclare && Now().kind != Kind::kAssign)) {
      if (names.size() > 1 && most > 1) return Fail("range can only initialize variables");
      at_ = before;
      return {};
    }
    if (names.size() > most) return Fail("too many declarations");
    out->declares = Now().kind == Kind::kDeclare;
    Advance();
    SkipSpace();
    out->variables = std::move(names);
    return {};
  }

  Result<std::vector<TemplateCommand>> Commands(int depth, std::string_view context) {
    if (depth > Template::kDepthMax) return Fail("nesting is too deep");
    std::vector<TemplateCommand> out;
    for (;;) {
      SkipSpace();
      // As in Go, nothing need follow the last |.
      const bool ends = Now().kind == Kind::kEnd || Now().kind == Kind::kRightParen;
      if (ends && !out.empty()) return out;
      if (ends || Now().kind == Kind::kPipe) return Unexpected(context);
      TM_TRY_ASSIGN(TemplateCommand command, Command(depth));
      if (!out.empty() && !MayTakeValue(command.operands.front())) {
        return Fail(fmt::format("non executable command in pipeline stage {}", out.size() + 1));
      }
      out.push_back(std::move(command));
      SkipSpace();
      if (Now().kind != Kind::kPipe) return out;
      Advance();
    }
  }

  static bool MayTakeValue(const TemplateOperand& head) {
    using Operand = TemplateOperand::Kind;
    switch (head.kind) {
      case Operand::kText:
      case Operand::kNumber:
      case Operand::kBool:
      case Operand::kNil: return false;
      case Operand::kDot: return !head.fields.empty();
      default: return true;
    }
  }

  Result<TemplateCommand> Command(int depth) {
    TemplateCommand out;
    for (;;) {
      SkipSpace();
      if (Now().kind == Kind::kEnd || Now().kind == Kind::kPipe || Now().kind == Kind::kRightParen) return out;
      TM_TRY_ASSIGN(TemplateOperand operand, Operand(depth));
      out.operands.push_back(std::move(operand));
      switch (Now().kind) {
        case Kind::kSpace:
        case Kind::kEnd:
        case Kind::kPipe:
        case Kind::kRightParen: break;
        default: return Unexpected("operand");
      }
    }
  }

  Result<TemplateOperand> Operand(int depth) {
    const size_t first = at_;
    TM_TRY_ASSIGN(TemplateOperand out, Term(depth));
    while (Now().kind == Kind::kField) {
      using Operand = TemplateOperand::Kind;
      if (out.kind == Operand::kText || out.kind == Operand::kNumber || out.kind == Operand::kBool ||
          out.kind == Operand::kNil) {
        return Fail(fmt::format("unexpected . after term {}", promql::Quote(tokens_[first].text)));
      }
      out.fields.emplace_back(Now().text.substr(1));
      Advance();
    }
    for (size_t i = first; i < at_; ++i) out.source += tokens_[i].text;
    return out;
  }

  Result<TemplateOperand> Term(int depth) {
    using Operand = TemplateOperand::Kind;
    TemplateOperand out;
    const TemplateToken token = Now();
    Advance();
    switch (token.kind) {
      case Kind::kText: {
        auto text = UnquoteGo(token.text);
        if (!text) return Fail("bad escape in a text");
        out.kind = Operand::kText;
        out.text = *std::move(text);
        return out;
      }
      case Kind::kCharacter: {
        const auto text = UnquoteGo(token.text);
        if (!text) return Fail(fmt::format("malformed character constant: {}", token.text));
        out.kind = Operand::kNumber;
        out.is_integer = true;
        out.integer = promql::DecodeRune(*text).value;
        return out;
      }
      case Kind::kNumber:
        out.kind = Operand::kNumber;
        if (!ReadTemplateNumber(token.text, &out))
          return Fail(fmt::format("illegal number syntax: \"{}\"", token.text));
        return out;
      case Kind::kBool:
        out.kind = Operand::kBool;
        out.truth = token.text == "true";
        return out;
      case Kind::kDot: out.kind = Operand::kDot; return out;
      case Kind::kField:
        out.kind = Operand::kDot;
        out.fields.emplace_back(token.text.substr(1));
        return out;
      case Kind::kVariable:
        out.kind = Operand::kVariable;
        out.text = token.text.substr(1);
        if (!IsKnown(out.text)) return Fail(fmt::format("undefined variable \"${}\"", out.text));
        return out;
      case Kind::kIdentifier:
        out.kind = Operand::kFunction;
        out.text = token.text;
        if (!IsTemplateFunction(out.text)) return Fail(fmt::format("function \"{}\" not defined", out.text));
        return out;
      case Kind::kLeftParen: {
        TemplatePipeline inner;
        TM_TRY_ASSIGN(inner.commands, Commands(depth + 1, "parenthesized pipeline"));
        if (Now().kind != Kind::kRightParen) return Fail("unclosed left paren");
        Advance();
        out.kind = Operand::kPipeline;
        out.pipeline.push_back(std::move(inner));
        return out;
      }
      case Kind::kKeyword:
        if (token.text == "nil") return out;
        break;
      default: break;
    }
    --at_;
    return Unexpected("operand");
  }

  std::string_view action_;
  std::vector<TemplateToken> tokens_;
  std::vector<std::string>* variables_;
  size_t at_ = 0;
};

class TemplateParser {
 public:
  explicit TemplateParser(std::string_view text) : rest_(text) {}

  Result<std::vector<Node>> Run() {
    std::vector<Node> nodes;
    TM_TRY_ASSIGN(const Stop stop, List(0, &nodes));
    if (stop != Stop::kEndOfText) return InvalidArgument("template: unexpected {{else}} or {{end}}");
    std::ranges::move(nodes, std::back_inserter(defined_));
    return std::move(defined_);
  }

 private:
  enum class Stop { kEndOfText, kElse, kElseIf, kElseWith, kEnd };

  // The text up to the next action or the end; whether there is an action.
  bool TakeText(std::vector<Node>* nodes) {
    const size_t open = rest_.find("{{");
    std::string_view text = rest_.substr(0, open);
    if (trim_next_) TrimStart(&text);
    trim_next_ = false;
    const bool more = open != std::string_view::npos;
    const bool trims = more && rest_.size() > open + 3 && rest_[open + 2] == '-' && IsSpace(rest_[open + 3]);
    if (trims) TrimEnd(&text);
    trimmed_left_ = trims;
    if (!text.empty()) nodes->emplace_back().text = text;
    rest_ = more ? rest_.substr(open + (trims ? 3 : 2)) : std::string_view();
    return more;
  }

  // Whether a comment comes next, which is taken.
  Result<bool> TakeComment() {
    // Behind {{ at once, or behind {{- and its one space.
    std::string_view rest = rest_.substr(trimmed_left_ ? 1 : 0);
    if (!rest.starts_with("/*")) return false;
    const size_t end = rest.find("*/");
    if (end == std::string_view::npos) return InvalidArgument("template: unclosed comment");
    rest.remove_prefix(end + 2);
    if (rest.starts_with("}}")) {
      rest.remove_prefix(2);
    } else if (rest.size() > 3 && IsSpace(rest[0]) && rest.substr(1).starts_with("-}}")) {
      rest.remove_prefix(4);
      trim_next_ = true;
    } else {
      return InvalidArgument("template: comment ends before closing delimiter");
    }
    rest_ = rest;
    return true;
  }
  // Up to }}, which may stand in a text.
  Result<std::string_view> TakeAction() {
    const size_t end = FindEndOfAction(rest_);
    if (end == std::string_view::npos) return InvalidArgument("template: unclosed action: {{ without }}");
    std::string_view action = rest_.substr(0, end);
    rest_.remove_prefix(end + 2);
    if (action.size() > 1 && action.ends_with('-') && IsSpace(action[action.size() - 2])) {
      action.remove_suffix(2);
      trim_next_ = true;
    }
    return action;
  }

  // The nodes up to {{ else }}, {{ end }} or the end of the text.
  Result<Stop> List(int depth, std::vector<Node>* nodes) {
    if (depth > Template::kDepthMax) return InvalidArgument("template: nesting is too deep");
    for (;;) {
      if (!TakeText(nodes)) return Stop::kEndOfText;
      TM_TRY_ASSIGN(const bool comment, TakeComment());
      if (comment) continue;
      TM_TRY_ASSIGN(const std::string_view action, TakeAction());
      auto tokens = LexTemplateAction(action);
      if (!tokens.ok())
        return InvalidArgument(fmt::format("template: {} in {{{{{}}}}}", tokens.error().message, action));
      ActionParser parser(action, *std::move(tokens), &variables_);
      if (parser.TakeKeyword("end")) {
        if (!parser.AtEnd()) return parser.Unexpected("end");
        return Stop::kEnd;
      }
      if (parser.TakeKeyword("else")) {
        if (parser.AtEnd()) return Stop::kElse;
        const bool with = parser.TakeKeyword("with");
        if (!with && !parser.TakeKeyword("if")) return parser.Unexpected("else");
        TM_TRY_ASSIGN(else_if_, parser.Whole(1, with ? "with" : "if"));
        return with ? Stop::kElseWith : Stop::kElseIf;
      }
      TM_RETURN_IF_ERROR(Action(depth, &parser, nodes));
    }
  }

  Status Action(int depth, ActionParser* parser, std::vector<Node>* nodes) {
    if (parser->TakeKeyword("define")) return Define(depth, parser);
    if (parser->TakeKeyword("block")) return BlockOf(depth, parser, nodes);
    Node node;
    const size_t known = variables_.size();
    const bool breaks = parser->TakeKeyword("break");
    if (breaks || parser->TakeKeyword("continue")) {
      if (!parser->AtEnd()) return parser->Unexpected("{{break}} or {{continue}}");
      if (ranges_ == 0) return InvalidArgument("template: {{break}} or {{continue}} outside {{range}}");
      node.kind = breaks ? Node::Kind::kBreak : Node::Kind::kContinue;
      nodes->push_back(std::move(node));
      return {};
    }
    node.kind = Node::Kind::kAction;
    std::string_view context = "command";
    if (parser->TakeKeyword("if")) {
      node.kind = Node::Kind::kIf;
      context = "if";
    } else if (parser->TakeKeyword("range")) {
      node.kind = Node::Kind::kRange;
      context = "range";
    } else if (parser->TakeKeyword("with")) {
      node.kind = Node::Kind::kWith;
      context = "with";
    } else if (parser->TakeKeyword("template")) {
      node.kind = Node::Kind::kTemplate;
      TM_TRY_ASSIGN(node.text, parser->Name("template clause"));
      if (!parser->AtEnd()) {
        TM_TRY_ASSIGN(node.pipeline, parser->Whole(1, "template clause"));
      }
      nodes->push_back(std::move(node));
      return {};
    }
    TM_TRY_ASSIGN(node.pipeline, parser->Whole(node.kind == Node::Kind::kRange ? 2 : 1, context));
    if (node.kind != Node::Kind::kAction) {
      TM_RETURN_IF_ERROR(Block(depth, &node));
      variables_.resize(known);
    }
    nodes->push_back(std::move(node));
    return {};
  }

  // The body of {{ if }}, {{ range }}, {{ with }} and what comes after {{ else }}.
  Status Block(int depth, Node* node) {
    const bool range = node->kind == Node::Kind::kRange;
    ranges_ += range ? 1 : 0;
    TM_TRY_ASSIGN(Stop stop, List(depth + 1, &node->body));
    ranges_ -= range ? 1 : 0;
    if (stop == Stop::kElseIf || stop == Stop::kElseWith) {
      if (range) return InvalidArgument("template: {{else if}} in {{range}}");
      Node nested;
      nested.kind = stop == Stop::kElseIf ? Node::Kind::kIf : Node::Kind::kWith;
      nested.pipeline = std::move(else_if_);
      TM_RETURN_IF_ERROR(Block(depth + 1, &nested));
      node->otherwise.push_back(std::move(nested));
      return {};
    }
    if (stop == Stop::kElse) {
      TM_TRY_ASSIGN(stop, List(depth + 1, &node->otherwise));
      if (stop != Stop::kEnd && stop != Stop::kEndOfText)
        return InvalidArgument("template: expected end; found {{else}}");
    }
    if (stop != Stop::kEnd) return InvalidArgument("template: unexpected EOF: {{end}} is missing");
    return {};
  }

  // What stands in a definition knows no variable but $.
  Result<std::vector<Node>> Body(int depth) {
    std::vector<std::string> outside = std::exchange(variables_, {});
    const size_t ranges = std::exchange(ranges_, 0);
    std::vector<Node> nodes;
    TM_TRY_ASSIGN(const Stop stop, List(depth + 1, &nodes));
    if (stop != Stop::kEnd) return InvalidArgument("template: unexpected EOF: {{end}} of a definition is missing");
    variables_ = std::move(outside);
    ranges_ = ranges;
    return nodes;
  }

  Status Keep(std::string name, std::vector<Node> nodes) {
    const auto known = std::ranges::find(defined_, name, &Node::text);
    const bool nothing = std::ranges::all_of(nodes, [](const Node& node) {
      return node.kind == Node::Kind::kText && std::ranges::all_of(node.text, IsSpace);
    });
    if (known == defined_.end()) {
      Node node;
      node.kind = Node::Kind::kDefine;
      node.text = std::move(name);
      node.body = std::move(nodes);
      defined_.push_back(std::move(node));
    } else if (known->body.empty()) {
      known->body = std::move(nodes);
    } else if (!nothing) {
      return InvalidArgument(fmt::format("template: multiple definition of template \"{}\"", name));
    }
    return {};
  }

  Status Define(int depth, ActionParser* parser) {
    TM_TRY_ASSIGN(std::string name, parser->Name("define clause"));
    if (!parser->AtEnd()) return parser->Unexpected("define clause");
    if (depth > 0) return InvalidArgument("template: unexpected {{define}}");
    TM_TRY_ASSIGN(std::vector<Node> nodes, Body(depth));
    return Keep(std::move(name), std::move(nodes));
  }

  // A definition with its use.
  Status BlockOf(int depth, ActionParser* parser, std::vector<Node>* nodes) {
    Node node;
    node.kind = Node::Kind::kTemplate;
    TM_TRY_ASSIGN(node.text, parser->Name("block clause"));
    TM_TRY_ASSIGN(node.pipeline, parser->Whole(1, "block clause"));
    TM_TRY_ASSIGN(std::vector<Node> body, Body(depth));
    TM_RETURN_IF_ERROR(Keep(node.text, std::move(body)));
    nodes->push_back(std::move(node));
    return {};
  }

  std::string_view rest_;
  bool trim_next_ = false;
  bool trimmed_left_ = false;  // the action that comes began with {{-
  size_t ranges_ = 0;
  TemplatePipeline else_if_;
  std::vector<std::string> variables_{"labels", "value", "externalLabels", "externalURL"};
  std::vector<Node> defined_;
};

}  // namespace

Result<std::vector<Template::Node>> ParseTemplate(std::string_view text) { return TemplateParser(text).Run(); }

}  // namespace tidemark::query::rules

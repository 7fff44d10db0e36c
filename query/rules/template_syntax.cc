#include "query/rules/template_syntax.h"

#include <algorithm>
#include <charconv>
#include <utility>

#include <fmt/core.h>

namespace tidemark::query::rules {
namespace {

using Node = Template::Node;

bool IsSpace(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; }
bool IsNameChar(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

void TrimEnd(std::string_view* text) {
  while (!text->empty() && IsSpace(text->back())) text->remove_suffix(1);
}
void TrimStart(std::string_view* text) {
  while (!text->empty() && IsSpace(text->front())) text->remove_prefix(1);
}

// Reads what stands between {{ and }}.
class ActionParser {
 public:
  ActionParser(std::string_view action, std::vector<std::string>* variables)
      : action_(action), rest_(action), variables_(variables) {}

  // Takes `word` if it comes next, whole.
  bool TakeWord(std::string_view word) {
    TrimStart(&rest_);
    if (!rest_.starts_with(word) || (rest_.size() > word.size() && IsNameChar(rest_[word.size()]))) return false;
    rest_.remove_prefix(word.size());
    return true;
  }
  bool AtEnd() {
    TrimStart(&rest_);
    return rest_.empty();
  }
  Error Fail(std::string_view what) const {
    return InvalidArgument(fmt::format("template: {} in {{{{{}}}}}", what, action_));
  }

  // A pipeline up to the end of the action; it may set variables, `most` of them.
  Result<TemplatePipeline> Whole(size_t most) {
    TemplatePipeline out;
    const std::string_view before = rest_;
    TM_RETURN_IF_ERROR(TakeVariables(&out, most));
    if (out.variables.empty()) rest_ = before;
    TM_TRY_ASSIGN(out.commands, Commands(0));
    if (!AtEnd()) return Fail(fmt::format("unexpected \"{}\"", rest_));
    for (const std::string& name : out.variables) {
      if (out.declares) {
        variables_->push_back(name);
      } else if (!IsKnown(name)) {
        return Fail(fmt::format("unknown \"${}\"", name));
      }
    }
    return out;
  }

 private:
  [[nodiscard]] bool IsKnown(std::string_view name) const {
    return name.empty() || std::ranges::find(*variables_, name) != variables_->end();
  }

  std::string_view TakeName() {
    size_t size = 0;
    while (size < rest_.size() && IsNameChar(rest_[size])) ++size;
    const std::string_view name = rest_.substr(0, size);
    rest_.remove_prefix(size);
    return name;
  }

  // `$a := `, `$i, $a := `, `$a = `; leaves `variables` empty where there is none.
  Status TakeVariables(TemplatePipeline* out, size_t most) {
    std::vector<std::string> names;
    for (;;) {
      TrimStart(&rest_);
      if (!rest_.starts_with('$')) return {};
      rest_.remove_prefix(1);
      names.emplace_back(TakeName());
      TrimStart(&rest_);
      if (!rest_.starts_with(',')) break;
      rest_.remove_prefix(1);
    }
    out->declares = rest_.starts_with(":=");
    if (!out->declares && (!rest_.starts_with('=') || rest_.starts_with("=="))) return {};
    rest_.remove_prefix(out->declares ? 2 : 1);
    if (names.size() > most) return Fail("too many variables");
    out->variables = std::move(names);
    return {};
  }

  Result<std::vector<TemplateCommand>> Commands(int depth) {
    if (depth > Template::kDepthMax) return Fail("nesting is too deep");
    std::vector<TemplateCommand> out;
    do {
      TM_TRY_ASSIGN(TemplateCommand command, Command(depth));
      if (!out.empty() && command.operands.front().kind != TemplateOperand::Kind::kFunction) {
        return Fail("only a function can take what is piped");
      }
      out.push_back(std::move(command));
      TrimStart(&rest_);
    } while (rest_.starts_with('|') && (rest_.remove_prefix(1), true));
    return out;
  }

  Result<TemplateCommand> Command(int depth) {
    TemplateCommand out;
    for (TrimStart(&rest_); !rest_.empty() && rest_.front() != '|' && rest_.front() != ')'; TrimStart(&rest_)) {
      TM_TRY_ASSIGN(TemplateOperand operand, Operand(depth));
      out.operands.push_back(std::move(operand));
    }
    if (out.operands.empty()) return Fail("nothing to show");
    if (out.operands.size() > 1 && out.operands.front().kind != TemplateOperand::Kind::kFunction) {
      return Fail("arguments of what is no function");
    }
    return out;
  }

  Result<TemplateOperand> Operand(int depth) {
    using Kind = TemplateOperand::Kind;
    TemplateOperand out;
    const char first = rest_.front();
    if (first == '"' || first == '`') {
      out.kind = Kind::kText;
      TM_TRY_ASSIGN(out.text, Text());
      return out;
    }
    if (first == '(') {
      rest_.remove_prefix(1);
      TemplatePipeline inner;
      TM_TRY_ASSIGN(inner.commands, Commands(depth + 1));
      if (!rest_.starts_with(')')) return Fail("( is not closed");
      rest_.remove_prefix(1);
      out.kind = Kind::kPipeline;
      out.pipeline.push_back(std::move(inner));
    } else if (first == '$') {
      rest_.remove_prefix(1);
      out.kind = Kind::kVariable;
      out.text = TakeName();
      if (!IsKnown(out.text)) return Fail(fmt::format("unknown \"${}\"", out.text));
    } else if (first == '.' && (rest_.size() == 1 || !(rest_[1] >= '0' && rest_[1] <= '9'))) {
      out.kind = Kind::kDot;
      if (rest_.size() == 1 || !IsNameChar(rest_[1])) {
        rest_.remove_prefix(1);
        return out;
      }
    } else if ((first >= '0' && first <= '9') || first == '-' || first == '+' || first == '.') {
      out.kind = Kind::kNumber;
      const std::string_view digits = first == '+' ? rest_.substr(1) : rest_;
      const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), out.number);
      if (error != std::errc()) return Fail(fmt::format("bad number \"{}\"", rest_));
      const std::string_view text = digits.substr(0, static_cast<size_t>(end - digits.data()));
      out.integer = text.find_first_of(".eEnN") == std::string_view::npos;
      rest_ = digits.substr(text.size());
      return out;
    } else {
      out.text = TakeName();
      if (out.text == "true" || out.text == "false") {
        out.kind = Kind::kBool;
        out.truth = out.text == "true";
      } else if (out.text != "nil") {
        out.kind = Kind::kFunction;
        if (!IsTemplateFunction(out.text)) {
          return Fail(fmt::format("unknown \"{}\"", out.text.empty() ? rest_ : std::string_view(out.text)));
        }
      }
      return out;
    }
    while (rest_.size() > 1 && rest_.front() == '.' && IsNameChar(rest_[1])) {
      rest_.remove_prefix(1);
      out.fields.emplace_back(TakeName());
    }
    return out;
  }

  Result<std::string> Text() {
    const char quote = rest_.front();
    std::string out;
    for (size_t i = 1; i < rest_.size(); ++i) {
      if (rest_[i] == quote) {
        rest_.remove_prefix(i + 1);
        return out;
      }
      if (quote == '"' && rest_[i] == '\\' && i + 1 < rest_.size()) {
        ++i;
        constexpr std::string_view kLetters = "ntr\\\"'";
        constexpr std::string_view kMeant = "\n\t\r\\\"'";
        const size_t at = kLetters.find(rest_[i]);
        if (at == std::string_view::npos) return Fail("bad escape");
        out += kMeant[at];
      } else {
        out += rest_[i];
      }
    }
    return Fail("a text is not closed");
  }

  std::string_view action_;
  std::string_view rest_;
  std::vector<std::string>* variables_;
};

class TemplateParser {
 public:
  explicit TemplateParser(std::string_view text) : rest_(text) {}

  Result<std::vector<Node>> Run() {
    std::vector<Node> nodes;
    TM_TRY_ASSIGN(const Stop stop, List(0, &nodes));
    if (stop != Stop::kEndOfText) return InvalidArgument("template: {{ else }} or {{ end }} without {{ if }}");
    return nodes;
  }

 private:
  enum class Stop { kEndOfText, kElse, kElseIf, kEnd };

  // The nodes up to {{ else }}, {{ end }} or the end of the text.
  Result<Stop> List(int depth, std::vector<Node>* nodes) {
    if (depth > Template::kDepthMax) return InvalidArgument("template: nesting is too deep");
    for (;;) {
      const size_t open = rest_.find("{{");
      std::string_view text = rest_.substr(0, open);
      if (trim_next_) TrimStart(&text);
      trim_next_ = false;
      const bool trims = open != std::string_view::npos && rest_.substr(open + 2).starts_with("- ");
      if (trims) TrimEnd(&text);
      if (!text.empty()) nodes->emplace_back().text = text;
      if (open == std::string_view::npos) {
        rest_ = {};
        return Stop::kEndOfText;
      }
      rest_.remove_prefix(open + (trims ? 3 : 2));
      TM_TRY_ASSIGN(const std::string_view action, TakeAction());
      std::string_view trimmed = action;
      TrimStart(&trimmed);
      if (trimmed.starts_with("/*")) continue;
      ActionParser parser(action, &variables_);
      if (parser.TakeWord("end")) return Stop::kEnd;
      if (parser.TakeWord("else")) {
        if (parser.AtEnd()) return Stop::kElse;
        if (!parser.TakeWord("if")) return parser.Fail("unknown kind of else");
        TM_TRY_ASSIGN(else_if_, parser.Whole(1));
        return Stop::kElseIf;
      }
      Node node;
      node.kind = Node::Kind::kAction;
      const size_t known = variables_.size();
      if (parser.TakeWord("if")) {
        node.kind = Node::Kind::kIf;
      } else if (parser.TakeWord("range")) {
        node.kind = Node::Kind::kRange;
      } else if (parser.TakeWord("with")) {
        node.kind = Node::Kind::kWith;
      }
      TM_TRY_ASSIGN(node.pipeline, parser.Whole(node.kind == Node::Kind::kRange ? 2 : 1));
      if (node.kind != Node::Kind::kAction) {
        TM_RETURN_IF_ERROR(Block(depth, &node));
        variables_.resize(known);
      }
      nodes->push_back(std::move(node));
    }
  }

  // The body of {{ if }}, {{ range }}, {{ with }} and what comes after {{ else }}.
  Status Block(int depth, Node* node) {
    TM_TRY_ASSIGN(Stop stop, List(depth + 1, &node->body));
    if (stop == Stop::kElseIf) {
      Node nested;
      nested.kind = Node::Kind::kIf;
      nested.pipeline = std::move(else_if_);
      TM_RETURN_IF_ERROR(Block(depth + 1, &nested));
      node->otherwise.push_back(std::move(nested));
      return {};
    }
    if (stop == Stop::kElse) {
      TM_TRY_ASSIGN(stop, List(depth + 1, &node->otherwise));
    }
    if (stop != Stop::kEnd) return InvalidArgument("template: {{ end }} is missing");
    return {};
  }

  // Up to }}, which may stand in a text.
  Result<std::string_view> TakeAction() {
    char quote = 0;
    for (size_t i = 0; i + 1 < rest_.size(); ++i) {
      const char c = rest_[i];
      if (quote != 0) {
        if (c == '\\' && quote == '"') {
          ++i;
        } else if (c == quote) {
          quote = 0;
        }
      } else if (c == '"' || c == '`') {
        quote = c;
      } else if (c == '}' && rest_[i + 1] == '}') {
        std::string_view action = rest_.substr(0, i);
        rest_.remove_prefix(i + 2);
        if (action.ends_with(" -")) {
          action.remove_suffix(2);
          trim_next_ = true;
        }
        return action;
      }
    }
    return InvalidArgument("template: {{ is not closed by }}");
  }

  std::string_view rest_;
  bool trim_next_ = false;
  TemplatePipeline else_if_;
  std::vector<std::string> variables_{"labels", "value", "externalLabels", "externalURL"};
};

}  // namespace

Result<std::vector<Template::Node>> ParseTemplate(std::string_view text) { return TemplateParser(text).Run(); }

}  // namespace tidemark::query::rules

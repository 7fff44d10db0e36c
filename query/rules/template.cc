#include "query/rules/template.h"

#include <algorithm>
#include <utility>

#include <fmt/core.h>

#include "query/rules/template_syntax.h"
#include "query/rules/template_value.h"
#include "storage/base/utf8.h"

namespace tidemark::query::rules {
namespace {

using Node = Template::Node;
using Operand = TemplateOperand;

// Pieces of text, actions and turns of ranges that one expansion may take: templates that call each other could go on
// for ever without writing anything.
constexpr uint64_t kStepsMax = 1'000'000;

constexpr std::string_view kTooLong = "the text is longer than 1 MiB";

// Runs a tree for one alert.
class Expansion {
 public:
  Expansion(const std::vector<Node>& nodes, const model::LabelViews& labels, double value,
            const TemplateContext& context)
      : nodes_(nodes), context_(context) {
    auto root = std::make_shared<TemplateRoot>();
    root->labels = std::make_shared<const model::Labels>(model::ToLabels(labels));
    root->external_labels = context.external_labels == nullptr
                                ? std::make_shared<const model::Labels>()
                                : std::make_shared<const model::Labels>(*context.external_labels);
    root->external_url = context.external_url;
    root->value = value;
    variables_ = {{"", std::shared_ptr<const TemplateRoot>(root)},
                  {"labels", root->labels},
                  {"externalLabels", root->external_labels},
                  {"externalURL", root->external_url},
                  {"value", value}};
  }

  Status Run() {
    const TemplateValue root = variables_.front().second;
    TM_TRY_ASSIGN([[maybe_unused]] const Flow flow, RunList(nodes_, root));
    return {};
  }

  std::string Take() { return std::move(out_); }

 private:
  // How a list ended: {{ break }} and {{ continue }} leave all up to the range around them.
  enum class Flow : uint8_t { kOn, kBreak, kContinue };

  Result<Flow> RunList(const std::vector<Node>& nodes, const TemplateValue& dot) {
    for (const Node& node : nodes) {
      if (++steps_ > kStepsMax) return LimitExceeded(fmt::format("the template takes more than {} steps", kStepsMax));
      const size_t known = variables_.size();
      TM_TRY_ASSIGN(const Flow flow, RunNode(node, dot));
      if (out_.size() > Template::kTextBytesMax) return LimitExceeded(std::string(kTooLong));
      // Variables live to the end of the block that sets them.
      if (node.kind != Node::Kind::kAction) variables_.resize(known);
      if (flow != Flow::kOn) return flow;
    }
    return Flow::kOn;
  }

  Result<Flow> RunNode(const Node& node, const TemplateValue& dot) {
    switch (node.kind) {
      case Node::Kind::kText: out_ += node.text; return Flow::kOn;
      case Node::Kind::kDefine: return Flow::kOn;
      case Node::Kind::kBreak: return Flow::kBreak;
      case Node::Kind::kContinue: return Flow::kContinue;
      case Node::Kind::kTemplate: return RunTemplate(node, dot);
      default: break;
    }
    TM_TRY_ASSIGN(const TemplateValue value, Evaluate(node.pipeline, dot));
    if (node.kind == Node::Kind::kRange) return RunRange(node, value, dot);
    TM_RETURN_IF_ERROR(Set(node.pipeline.variables, node.pipeline.declares, value));
    if (node.kind == Node::Kind::kAction) {
      if (node.pipeline.variables.empty()) out_ += Shown(value);
      return Flow::kOn;
    }
    const bool truth = IsTrue(value);
    return RunList(truth ? node.body : node.otherwise, truth && node.kind == Node::Kind::kWith ? value : dot);
  }

  static std::string Shown(const TemplateValue& value) {
    return std::holds_alternative<std::monostate>(value) ? "<no value>" : ToText(value);
  }

  Result<Flow> RunTemplate(const Node& node, const TemplateValue& dot) {
    const auto found = std::ranges::find_if(
        nodes_, [&](const Node& defined) { return defined.kind == Node::Kind::kDefine && defined.text == node.text; });
    if (found == nodes_.end()) return InvalidArgument(fmt::format("template \"{}\" not defined", node.text));
    if (depth_ == Template::kDepthMax) return LimitExceeded("templates call each other too deeply");
    TemplateValue argument;
    if (!node.pipeline.commands.empty()) {
      TM_TRY_ASSIGN(argument, Evaluate(node.pipeline, dot));
      TM_RETURN_IF_ERROR(Set(node.pipeline.variables, node.pipeline.declares, argument));
    }
    ++depth_;
    auto outside = std::exchange(variables_, {{"", argument}});
    TM_TRY_ASSIGN([[maybe_unused]] const Flow flow, RunList(found->body, argument));
    variables_ = std::move(outside);
    --depth_;
    return Flow::kOn;
  }

  // The elements of what can be ranged over, each with its key.
  static Result<std::vector<std::pair<TemplateValue, TemplateValue>>> ElementsOf(const TemplateValue& value) {
    std::vector<std::pair<TemplateValue, TemplateValue>> out;
    if (const auto* samples = std::get_if<std::shared_ptr<const TemplateSamples>>(&value)) {
      for (const TemplateSample& sample : **samples) {
        out.emplace_back(static_cast<int64_t>(out.size()), std::make_shared<const TemplateSample>(sample));
      }
    } else if (const auto* labels = std::get_if<std::shared_ptr<const model::Labels>>(&value)) {
      for (const model::Label& label : **labels) out.emplace_back(label.name, label.value);
    } else if (const auto* map = std::get_if<std::shared_ptr<const TemplateMap>>(&value)) {
      for (const auto& [name, held] : (*map)->values) out.emplace_back(name, held);
    } else if (!std::holds_alternative<std::monostate>(value)) {
      return InvalidArgument(fmt::format("range can't iterate over {}", ToText(value)));
    }
    return out;
  }

  Result<Flow> RunRange(const Node& node, const TemplateValue& value, const TemplateValue& dot) {
    TM_TRY_ASSIGN(const auto elements, ElementsOf(value));
    if (elements.empty()) return RunList(node.otherwise, dot);
    const std::vector<std::string>& names = node.pipeline.variables;
    const size_t known = variables_.size();
    for (const auto& [key, element] : elements) {
      if (names.size() > 1) TM_RETURN_IF_ERROR(Set({&names.front(), 1}, node.pipeline.declares, key));
      if (!names.empty()) TM_RETURN_IF_ERROR(Set({&names.back(), 1}, node.pipeline.declares, element));
      TM_TRY_ASSIGN(const Flow flow, RunList(node.body, element));
      variables_.resize(known);
      if (flow == Flow::kBreak) break;
    }
    return Flow::kOn;
  }

  Status Set(std::span<const std::string> names, bool declares, const TemplateValue& value) {
    for (const std::string& name : names) {
      if (declares) {
        variables_.emplace_back(name, value);
        continue;
      }
      TemplateValue* const there = Variable(name);
      if (there == nullptr) return InvalidArgument(fmt::format("undefined variable: ${}", name));
      *there = value;
    }
    return {};
  }

  // The innermost of that name.
  TemplateValue* Variable(std::string_view name) {
    for (size_t i = variables_.size(); i-- > 0;) {
      if (variables_[i].first == name) return &variables_[i].second;
    }
    return nullptr;
  }

  Result<TemplateValue> Evaluate(const TemplatePipeline& pipeline, const TemplateValue& dot) {
    TemplateValue value;
    const TemplateValue* piped = nullptr;
    for (const TemplateCommand& command : pipeline.commands) {
      TM_TRY_ASSIGN(value, EvaluateCommand(command, dot, piped));
      piped = &value;
    }
    return value;
  }

  // `piped`: what the command before gave; null for the first.
  Result<TemplateValue> EvaluateCommand(const TemplateCommand& command, const TemplateValue& dot,
                                        const TemplateValue* piped) {
    const Operand& head = command.operands.front();
    const bool alone = command.operands.size() == 1 && piped == nullptr;
    if (head.kind == Operand::Kind::kNil) return InvalidArgument("nil is not a command");
    if (head.kind == Operand::Kind::kFunction && head.fields.empty()) {
      if (head.text == "and" || head.text == "or") return EvaluateLogic(command, dot, piped);
      TM_TRY_ASSIGN(const std::vector<TemplateValue> arguments, Arguments(command, dot, piped));
      return CallTemplateFunction(head.text, arguments, context_);
    }
    if (!head.fields.empty()) {
      TM_TRY_ASSIGN(const TemplateValue owner, EvaluateOperand(head, dot, head.fields.size() - 1));
      TM_TRY_ASSIGN(const std::vector<TemplateValue> arguments, Arguments(command, dot, piped));
      return Field(owner, head.fields.back(), arguments);
    }
    if (!alone) return InvalidArgument(fmt::format("can't give argument to non-function {}", head.source));
    return EvaluateOperand(head, dot, 0);
  }

  Result<std::vector<TemplateValue>> Arguments(const TemplateCommand& command, const TemplateValue& dot,
                                               const TemplateValue* piped) {
    std::vector<TemplateValue> out;
    for (size_t i = 1; i < command.operands.size(); ++i) {
      TM_TRY_ASSIGN(out.emplace_back(), EvaluateOperand(command.operands[i], dot, command.operands[i].fields.size()));
    }
    if (piped != nullptr) out.push_back(*piped);
    return out;
  }

  // The first argument that decides; those behind it are not evaluated.
  Result<TemplateValue> EvaluateLogic(const TemplateCommand& command, const TemplateValue& dot,
                                      const TemplateValue* piped) {
    const bool conjunction = command.operands.front().text == "and";
    if (command.operands.size() == 1 && piped == nullptr) {
      return InvalidArgument(
          fmt::format("wrong number of args for {}: want at least 1 got 0", command.operands[0].text));
    }
    TemplateValue value;
    for (size_t i = 1; i < command.operands.size(); ++i) {
      TM_TRY_ASSIGN(value, EvaluateOperand(command.operands[i], dot, command.operands[i].fields.size()));
      if (IsTrue(value) != conjunction) return value;
    }
    return piped != nullptr ? *piped : value;
  }

  // With the first `fields` of its fields.
  Result<TemplateValue> EvaluateOperand(const Operand& operand, const TemplateValue& dot, size_t fields) {
    using Kind = Operand::Kind;
    TemplateValue value;
    switch (operand.kind) {
      case Kind::kText: return TemplateValue(operand.text);
      case Kind::kNumber:
        if (operand.overflows) return InvalidArgument(fmt::format("{} overflows int", operand.source));
        if (operand.is_integer) return TemplateValue(operand.integer);
        return TemplateValue(operand.number);
      case Kind::kBool: return TemplateValue(operand.truth);
      case Kind::kNil: return value;
      case Kind::kDot: value = dot; break;
      case Kind::kVariable: {
        const TemplateValue* const there = Variable(operand.text);
        if (there == nullptr) return InvalidArgument(fmt::format("undefined variable: ${}", operand.text));
        value = *there;
        break;
      }
      case Kind::kFunction: {
        TM_TRY_ASSIGN(value, CallTemplateFunction(operand.text, {}, context_));
        break;
      }
      case Kind::kPipeline: {
        TM_TRY_ASSIGN(value, Evaluate(operand.pipeline.front(), dot));
        break;
      }
    }
    for (size_t i = 0; i < fields; ++i) {
      TM_TRY_ASSIGN(value, Field(value, operand.fields[i], {}));
    }
    return value;
  }

  // A field, an entry of a map, or what a method gives.
  static Result<TemplateValue> Field(const TemplateValue& value, const std::string& name,
                                     std::span<const TemplateValue> arguments) {
    if (std::holds_alternative<TemplateTime>(value) || std::holds_alternative<TemplateDuration>(value)) {
      return CallTemplateMethod(value, name, arguments);
    }
    TM_TRY_ASSIGN(TemplateValue out, Held(value, name));
    if (arguments.empty()) return out;
    return InvalidArgument(fmt::format("{} is not a method but has arguments", name));
  }

  static Result<TemplateValue> Held(const TemplateValue& value, const std::string& name) {
    if (const auto* root = std::get_if<std::shared_ptr<const TemplateRoot>>(&value)) {
      if (name == "Labels") return TemplateValue((*root)->labels);
      if (name == "Value") return TemplateValue((*root)->value);
      if (name == "ExternalLabels") return TemplateValue((*root)->external_labels);
      if (name == "ExternalURL") return TemplateValue((*root)->external_url);
    } else if (const auto* labels = std::get_if<std::shared_ptr<const model::Labels>>(&value)) {
      return TemplateValue(LabelOf(**labels, name));
    } else if (const auto* map = std::get_if<std::shared_ptr<const TemplateMap>>(&value)) {
      const auto found = (*map)->values.find(name);
      return found == (*map)->values.end() ? TemplateValue() : found->second;
    } else if (const auto* sample = std::get_if<std::shared_ptr<const TemplateSample>>(&value)) {
      if (name == "Labels") return TemplateValue(std::make_shared<const model::Labels>((*sample)->labels));
      if (name == "Value") return TemplateValue((*sample)->value);
    } else if (std::holds_alternative<std::monostate>(value)) {
      return InvalidArgument(fmt::format("nil data; no entry for key \"{}\"", name));
    }
    return InvalidArgument(fmt::format("can't evaluate field {} in type {}", name, TypeOf(value)));
  }

  const std::vector<Node>& nodes_;
  const TemplateContext& context_;
  std::vector<std::pair<std::string, TemplateValue>> variables_;
  std::string out_;
  int depth_ = 0;
  uint64_t steps_ = 0;
};

}  // namespace

Result<Template> Template::Parse(std::string_view text) {
  TM_TRY_ASSIGN(std::vector<Node> nodes, ParseTemplate(text));
  Template out;
  out.nodes_ = std::make_shared<const std::vector<Node>>(std::move(nodes));
  return out;
}

std::string Template::Expand(const model::LabelViews& labels, double value, const TemplateContext& context) const {
  if (!nodes_) return {};
  Expansion expansion(*nodes_, labels, value, context);
  // Go's functions cut texts at bytes, and "\xff" is one of its texts. An alert with a label that is no UTF-8 would be
  // shown under one name, and be refused by whoever is told of it.
  const auto failed = [](std::string_view reason) {
    return ToUtf8(fmt::format("<error expanding template: {}>", reason));
  };
  const Status status = expansion.Run();
  if (!status.ok()) return failed(status.error().message);
  std::string text = ToUtf8(expansion.Take());
  if (text.size() > kTextBytesMax) return failed(kTooLong);
  return text;
}

}  // namespace tidemark::query::rules

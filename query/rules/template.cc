#include "query/rules/template.h"

#include <utility>

#include <fmt/core.h>

#include "query/rules/template_syntax.h"
#include "query/rules/template_value.h"

namespace tidemark::query::rules {
namespace {

using Node = Template::Node;

// Runs a tree for one alert.
class Expansion {
 public:
  Expansion(const model::LabelViews& labels, double value, const TemplateContext& context)
      : labels_(std::make_shared<const model::Labels>(model::ToLabels(labels))), value_(value), context_(context) {
    variables_ = {{"", TemplateRoot()},
                  {"labels", labels_},
                  {"value", value},
                  {"externalLabels", std::make_shared<const model::Labels>()},
                  {"externalURL", std::string()}};
  }

  Status Run(const std::vector<Node>& nodes, const TemplateValue& dot) {
    for (const Node& node : nodes) {
      if (out_.size() > Template::kTextBytesMax) return LimitExceeded("the text is longer than 1 MiB");
      const size_t known = variables_.size();
      TM_RETURN_IF_ERROR(RunNode(node, dot));
      // Variables live to the end of the block that sets them.
      if (node.kind != Node::Kind::kAction) variables_.resize(known);
    }
    return {};
  }

  std::string Take() { return std::move(out_); }

 private:
  Status RunNode(const Node& node, const TemplateValue& dot) {
    if (node.kind == Node::Kind::kText) {
      out_ += node.text;
      return {};
    }
    TM_TRY_ASSIGN(const TemplateValue value, Evaluate(node.pipeline, dot));
    if (node.kind == Node::Kind::kRange) return RunRange(node, value, dot);
    Set(node.pipeline, value);
    if (node.kind == Node::Kind::kAction) {
      if (node.pipeline.variables.empty()) out_ += ToText(value);
      return {};
    }
    if (IsTrue(value)) return Run(node.body, node.kind == Node::Kind::kWith ? value : dot);
    return Run(node.otherwise, dot);
  }

  Status RunRange(const Node& node, const TemplateValue& value, const TemplateValue& dot) {
    const auto* samples = std::get_if<std::shared_ptr<const TemplateSamples>>(&value);
    const auto* labels = std::get_if<std::shared_ptr<const model::Labels>>(&value);
    if (samples == nullptr && labels == nullptr && !std::holds_alternative<std::monostate>(value)) {
      return InvalidArgument(fmt::format("range can't iterate over {}", ToText(value)));
    }
    const size_t count = samples != nullptr ? (*samples)->size() : labels != nullptr ? (*labels)->size() : 0;
    if (count == 0) return Run(node.otherwise, dot);
    const std::vector<std::string>& names = node.pipeline.variables;
    const size_t known = variables_.size();
    for (size_t i = 0; i < count; ++i) {
      TemplateValue key;
      TemplateValue element;
      if (samples != nullptr) {
        key = static_cast<int64_t>(i);
        element = std::make_shared<const TemplateSample>((**samples)[i]);
      } else {
        key = (**labels)[i].name;
        element = (**labels)[i].value;
      }
      if (!names.empty()) variables_.emplace_back(names.back(), element);
      if (names.size() > 1) variables_.emplace_back(names.front(), std::move(key));
      TM_RETURN_IF_ERROR(Run(node.body, element));
      variables_.resize(known);
    }
    return {};
  }

  void Set(const TemplatePipeline& pipeline, const TemplateValue& value) {
    for (const std::string& name : pipeline.variables) {
      TemplateValue* const there = pipeline.declares ? nullptr : Variable(name);
      if (there != nullptr) {
        *there = value;
      } else {
        variables_.emplace_back(name, value);
      }
    }
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
    bool first = true;
    for (const TemplateCommand& command : pipeline.commands) {
      const TemplateOperand& head = command.operands.front();
      if (head.kind != TemplateOperand::Kind::kFunction) {
        TM_TRY_ASSIGN(value, EvaluateOperand(head, dot));
      } else {
        std::vector<TemplateValue> arguments;
        for (size_t i = 1; i < command.operands.size(); ++i) {
          TM_TRY_ASSIGN(TemplateValue argument, EvaluateOperand(command.operands[i], dot));
          arguments.push_back(std::move(argument));
        }
        if (!first) arguments.push_back(std::move(value));
        TM_TRY_ASSIGN(value, CallTemplateFunction(head.text, arguments, context_));
      }
      first = false;
    }
    return value;
  }

  Result<TemplateValue> EvaluateOperand(const TemplateOperand& operand, const TemplateValue& dot) {
    using Kind = TemplateOperand::Kind;
    TemplateValue value;
    switch (operand.kind) {
      case Kind::kText: return TemplateValue(operand.text);
      case Kind::kNumber:
        if (operand.integer) return TemplateValue(static_cast<int64_t>(operand.number));
        return TemplateValue(operand.number);
      case Kind::kBool: return TemplateValue(operand.truth);
      case Kind::kNil: return value;
      case Kind::kDot: value = dot; break;
      case Kind::kVariable:
        if (const TemplateValue* const there = Variable(operand.text); there != nullptr) value = *there;
        break;
      case Kind::kFunction: return CallTemplateFunction(operand.text, {}, context_);
      case Kind::kPipeline: {
        TM_TRY_ASSIGN(value, Evaluate(operand.pipeline.front(), dot));
        break;
      }
    }
    for (const std::string& field : operand.fields) {
      TM_TRY_ASSIGN(value, Field(value, field));
    }
    return value;
  }

  Result<TemplateValue> Field(const TemplateValue& value, const std::string& name) const {
    if (std::holds_alternative<TemplateRoot>(value)) {
      if (name == "Labels") return TemplateValue(labels_);
      if (name == "Value") return TemplateValue(value_);
      if (name == "ExternalLabels") return TemplateValue(std::make_shared<const model::Labels>());
      if (name == "ExternalURL") return TemplateValue(std::string());
    } else if (const auto* labels = std::get_if<std::shared_ptr<const model::Labels>>(&value)) {
      for (const model::Label& label : **labels) {
        if (label.name == name) return TemplateValue(label.value);
      }
      return TemplateValue(std::string());
    } else if (const auto* sample = std::get_if<std::shared_ptr<const TemplateSample>>(&value)) {
      if (name == "Labels") return TemplateValue(std::make_shared<const model::Labels>((*sample)->labels));
      if (name == "Value") return TemplateValue((*sample)->value);
    }
    return InvalidArgument(fmt::format("can't evaluate field {} in {}", name, ToText(value)));
  }

  std::shared_ptr<const model::Labels> labels_;
  double value_;
  const TemplateContext& context_;
  std::vector<std::pair<std::string, TemplateValue>> variables_;
  std::string out_;
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
  Expansion expansion(labels, value, context);
  const Status status = expansion.Run(*nodes_, TemplateRoot());
  if (!status.ok()) return fmt::format("<error expanding template: {}>", status.error().message);
  return expansion.Take();
}

}  // namespace tidemark::query::rules

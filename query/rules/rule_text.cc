#include "query/rules/rule_text.h"

#include <fmt/core.h>
#include <yaml-cpp/yaml.h>

#include <string>

#include "storage/base/text/json_string.h"

namespace tidemark::query::rules {
namespace {

// A scalar that was written without quotes goes back without them, so that 5 stays a number.
std::string Scalar(const YAML::Node& node) {
  if (!node.IsScalar()) return node.IsMap() ? "{}" : node.IsSequence() ? "[]" : "null";
  const bool plain = node.Tag() != "!" && node.Scalar().find('\n') == std::string::npos && !node.Scalar().empty();
  return plain ? node.Scalar() : YamlQuoted(node.Scalar());
}

// Ends early beyond kGroupTextBytesMax: aliases inside aliases may stand for any amount of text.
void Append(const YAML::Node& node, size_t indent, bool first_is_indented, std::string* out) {
  if (out->size() > kGroupTextBytesMax) return;
  bool pad = !first_is_indented;
  const auto begin_line = [&] {
    if (pad) out->append(indent, ' ');
    pad = true;
  };
  const auto append_value = [&](const YAML::Node& value, size_t inside) {
    if ((value.IsMap() || value.IsSequence()) && value.size() > 0) {
      *out += '\n';
      Append(value, inside, false, out);
    } else {
      *out += ' ' + Scalar(value) + '\n';
    }
  };
  if (node.IsMap()) {
    for (const auto& entry : node) {
      begin_line();
      *out += Scalar(entry.first) + ':';
      append_value(entry.second, indent + 2);
    }
    return;
  }
  for (const YAML::Node& element : node) {
    begin_line();
    *out += '-';
    if (element.IsMap() && element.size() > 0) {
      *out += ' ';
      Append(element, indent + 2, true, out);
    } else {
      append_value(element, indent + 2);
    }
  }
}

}  // namespace

std::string YamlQuoted(std::string_view text) {
  std::string out;
  text::AppendJsonString(&out, text);
  return out;
}

Result<std::string> PrintGroupText(std::string_view text, size_t indent, bool as_element) {
  std::string out;
  try {
    const YAML::Node root = YAML::Load(std::string(text));
    if (!root.IsMap()) return InvalidArgument("a group of rules is a map");
    if (as_element) {
      out.append(indent, ' ');
      out += "- ";
    }
    Append(root, as_element ? indent + 2 : indent, as_element, &out);
  } catch (const YAML::Exception& error) {
    return InvalidArgument(error.what());
  }
  if (out.size() > kGroupTextBytesMax) {
    return LimitExceeded(
        fmt::format("a group of rules has at most {} bytes when it is written out", kGroupTextBytesMax));
  }
  return out;
}

}  // namespace tidemark::query::rules

// PrintConfig: the table as a file that ParseConfig reads.
#include <fmt/core.h>
#include <yaml-cpp/yaml.h>

#include <string>
#include <vector>

#include "tools/server/config/config.h"
#include "tools/server/config/setting_changes.h"

namespace tidemark::server {
namespace {

// The place of a setting's value in quotes where YAML would read it otherwise.
std::string YamlScalar(const std::string& text) {
  YAML::Emitter emitter;
  emitter << text;
  return emitter.c_str();
}

}  // namespace

std::string_view SectionOf(std::string_view key) {
  const size_t dot = key.find('.');
  return dot == std::string_view::npos ? std::string_view() : key.substr(0, dot);
}

std::vector<std::string> Shown(const Setting& setting) {
  std::vector<std::string> values = setting.show();
  if (setting.secret) {
    for (std::string& value : values) value = value.empty() ? "" : "<secret>";
  }
  return values;
}

std::string PrintConfig(Config config) {
  std::string out;
  std::string section;
  for (const Setting& row : SettingsOf(&config)) {
    const std::string prefix(SectionOf(row.key));
    const std::string name = prefix.empty() ? row.key : row.key.substr(prefix.size() + 1);
    if (prefix != section && !prefix.empty()) out += prefix + ":\n";
    section = prefix;
    const std::string indent = prefix.empty() ? "" : "  ";
    out += fmt::format("{}# {}\n{}{}:", indent, row.comment, indent, name);
    const std::vector<std::string> values = Shown(row);
    if (!row.list) {
      out += fmt::format(" {}\n", YamlScalar(values.front()));
    } else if (values.empty()) {
      out += " []\n";
    } else {
      out += '\n';
      for (const std::string& value : values) out += fmt::format("{}  - {}\n", indent, YamlScalar(value));
    }
  }
  return out;
}

}  // namespace tidemark::server

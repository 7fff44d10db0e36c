#include "query/rules/rule_file.h"

#include <fmt/core.h>
#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <charconv>
#include <fstream>
#include <initializer_list>
#include <limits>
#include <set>
#include <sstream>

#include "query/promql/durations.h"
#include "query/promql/parser.h"

namespace tidemark::query::rules {
namespace {

constexpr size_t kMaxFileBytes = size_t{16} << 20;

bool IsLabelName(std::string_view text) {
  const auto letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; };
  if (text.empty() || !letter(text.front()) || text == model::kMetricNameLabel) return false;
  return std::all_of(text.begin(), text.end(), [&](char c) { return letter(c) || (c >= '0' && c <= '9'); });
}

// Reads the YAML tree and gathers what is wrong with it.
class Reader {
 public:
  Reader(std::string file, const promql::ParseOptions& options) : file_(std::move(file)), options_(options) {}

  std::vector<Group> Groups(const YAML::Node& root) {
    std::vector<Group> groups;
    if (root.IsNull()) return groups;
    if (!CheckMap(root, "a rule file", {"groups"})) return groups;
    const YAML::Node list = root["groups"];
    if (!list || list.IsNull()) return groups;
    if (!list.IsSequence()) {
      Fault(list, "groups must be a list");
      return groups;
    }
    std::set<std::string> names;
    for (const YAML::Node& node : list) {
      Group group = ReadGroup(node);
      if (!group.name.empty() && !names.insert(group.name).second) {
        Fault(node, fmt::format("groupname: \"{}\" is repeated in the same file", group.name));
      }
      groups.push_back(std::move(group));
    }
    return groups;
  }

  [[nodiscard]] const std::string& faults() const { return faults_; }

  void Fault(const YAML::Mark& mark, std::string_view reason) {
    if (!faults_.empty()) faults_ += '\n';
    faults_ += fmt::format("{}:{}:{}: {}", file_, mark.line + 1, mark.column + 1, reason);
  }

 private:
  void Fault(const YAML::Node& node, std::string_view reason) { Fault(node.Mark(), reason); }

  bool CheckMap(const YAML::Node& node, std::string_view what, std::initializer_list<std::string_view> known) {
    if (!node.IsMap()) {
      Fault(node, fmt::format("{} must be a map", what));
      return false;
    }
    std::set<std::string> seen;
    for (const auto& entry : node) {
      const std::string key = entry.first.IsScalar() ? entry.first.Scalar() : "";
      if (std::find(known.begin(), known.end(), key) == known.end()) {
        Fault(entry.first, fmt::format("unknown key \"{}\" in {}", key, what));
      } else if (!seen.insert(key).second) {
        Fault(entry.first, fmt::format("key \"{}\" is given twice in {}", key, what));
      }
    }
    return true;
  }

  std::string ReadText(const YAML::Node& map, const char* key) {
    const YAML::Node node = map[key];
    if (!node || node.IsNull()) return {};
    if (!node.IsScalar()) {
      Fault(node, fmt::format("{} must be a text", key));
      return {};
    }
    return node.Scalar();
  }

  int64_t ReadDuration(const YAML::Node& map, const char* key) {
    const std::string text = ReadText(map, key);
    if (text.empty()) return 0;
    const Result<int64_t> ms = ParseRuleDurationMs(text);
    if (ms.ok()) return *ms;
    Fault(map[key], fmt::format("{}: {}", key, ms.error().message));
    return 0;
  }

  std::vector<TemplatedText> ReadTexts(const YAML::Node& map, const char* key, bool templates) {
    std::vector<TemplatedText> texts;
    const YAML::Node node = map[key];
    if (!node || node.IsNull()) return texts;
    if (!node.IsMap()) {
      Fault(node, fmt::format("{} must be a map", key));
      return texts;
    }
    for (const auto& entry : node) {
      if (!entry.first.IsScalar() || !(entry.second.IsScalar() || entry.second.IsNull())) {
        Fault(entry.first, fmt::format("{} are pairs of texts", key));
        continue;
      }
      TemplatedText text{entry.first.Scalar(), entry.second.IsNull() ? "" : entry.second.Scalar(), {}};
      if (!IsLabelName(text.name)) Fault(entry.first, fmt::format("invalid name \"{}\" in {}", text.name, key));
      if (templates || text.text.find("{{") == std::string::npos) {
        Result<Template> parsed = Template::Parse(text.text);
        if (parsed.ok()) {
          text.expand = std::move(parsed).value();
        } else {
          Fault(entry.second, fmt::format("{} \"{}\": {}", key, text.name, parsed.error().message));
        }
      } else {
        Fault(entry.second, fmt::format("{} \"{}\": a recording rule takes no templates", key, text.name));
      }
      texts.push_back(std::move(text));
    }
    std::sort(texts.begin(), texts.end(), [](const auto& a, const auto& b) { return a.name < b.name; });
    return texts;
  }

  Group ReadGroup(const YAML::Node& node) {
    Group group;
    group.file = file_;
    if (!CheckMap(node, "a group", {"name", "interval", "query_offset", "limit", "labels", "rules"})) return group;
    group.name = ReadText(node, "name");
    if (group.name.empty()) Fault(node, "a group needs a name");
    group.interval_ms = ReadDuration(node, "interval");
    group.query_offset_ms = ReadDuration(node, "query_offset");
    if (const std::string limit = ReadText(node, "limit"); !limit.empty()) {
      const auto [end, error] = std::from_chars(limit.data(), limit.data() + limit.size(), group.limit);
      if (error != std::errc() || end != limit.data() + limit.size()) Fault(node["limit"], "limit must be a count");
    }
    const std::vector<TemplatedText> shared = ReadTexts(node, "labels", true);
    const YAML::Node rules = node["rules"];
    if (!rules || rules.IsNull()) return group;
    if (!rules.IsSequence()) {
      Fault(rules, "rules must be a list");
      return group;
    }
    for (const YAML::Node& rule : rules) {
      Rule read = ReadRule(rule);
      for (const TemplatedText& label : shared) {
        const auto at = std::lower_bound(read.labels.begin(), read.labels.end(), label.name,
                                         [](const auto& a, const std::string& name) { return a.name < name; });
        if (at == read.labels.end() || at->name != label.name) read.labels.insert(at, label);
      }
      group.rules.push_back(std::move(read));
    }
    return group;
  }

  Rule ReadRule(const YAML::Node& node) {
    Rule rule;
    if (!CheckMap(node, "a rule", {"record", "alert", "expr", "for", "keep_firing_for", "labels", "annotations"})) {
      return rule;
    }
    const std::string record = ReadText(node, "record");
    const std::string alert = ReadText(node, "alert");
    if (!record.empty() && !alert.empty()) Fault(node, "only one of 'record' and 'alert' must be set");
    if (record.empty() && alert.empty()) Fault(node, "one of 'record' or 'alert' must be set");
    rule.alerting = !alert.empty();
    rule.name = rule.alerting ? alert : record;
    rule.expr_text = ReadText(node, "expr");
    if (rule.expr_text.empty()) {
      Fault(node, "field 'expr' must be set in rule");
    } else {
      Result<promql::ExprPtr> expr = promql::Parse(rule.expr_text, options_);
      Status resolved;
      if (expr.ok()) resolved = promql::ResolveDurations(**expr, 0, 0);
      if (!expr.ok() || !resolved.ok()) {
        Fault(node["expr"], fmt::format("could not parse expression: {}",
                                        expr.ok() ? resolved.error().message : expr.error().message));
      } else if ((*expr)->type != promql::ValueType::kScalar && (*expr)->type != promql::ValueType::kVector) {
        Fault(node["expr"], "the expression must give a scalar or an instant vector");
      } else {
        rule.expr = std::move(expr).value();
      }
    }
    rule.for_ms = ReadDuration(node, "for");
    rule.keep_firing_for_ms = ReadDuration(node, "keep_firing_for");
    rule.labels = ReadTexts(node, "labels", rule.alerting);
    rule.annotations = ReadTexts(node, "annotations", true);
    if (!rule.alerting) {
      if (node["for"]) Fault(node["for"], "invalid field 'for' in recording rule");
      if (node["keep_firing_for"]) Fault(node["keep_firing_for"], "invalid field 'keep_firing_for' in recording rule");
      if (node["annotations"]) Fault(node["annotations"], "invalid field 'annotations' in recording rule");
    }
    return rule;
  }

  std::string file_;
  promql::ParseOptions options_;
  std::string faults_;
};

}  // namespace

Result<int64_t> ParseRuleDurationMs(std::string_view text) {
  struct Unit {
    std::string_view name;
    int64_t ms;
  };
  static constexpr Unit kUnits[] = {{"y", 365LL * 86'400'000},
                                    {"w", 7LL * 86'400'000},
                                    {"d", 86'400'000},
                                    {"h", 3'600'000},
                                    {"m", 60'000},
                                    {"s", 1000},
                                    {"ms", 1}};
  const auto invalid = [text] { return InvalidArgument(fmt::format("not a valid duration string: \"{}\"", text)); };
  if (text == "0") return 0;
  if (text.empty()) return invalid();
  int64_t total = 0;
  size_t unit = 0;
  for (std::string_view rest = text; !rest.empty();) {
    int64_t count = 0;
    const auto [end, error] = std::from_chars(rest.data(), rest.data() + rest.size(), count);
    if (error != std::errc() || rest.front() == '-') return invalid();
    rest.remove_prefix(static_cast<size_t>(end - rest.data()));
    const std::string_view name = rest.substr(0, std::min(rest.find_first_of("0123456789"), rest.size()));
    while (unit < std::size(kUnits) && kUnits[unit].name != name) ++unit;
    int64_t part = 0;
    if (unit == std::size(kUnits) || __builtin_mul_overflow(count, kUnits[unit].ms, &part) ||
        __builtin_add_overflow(total, part, &total) || total > std::numeric_limits<int64_t>::max() / 1'000'000) {
      return invalid();
    }
    ++unit;
    rest.remove_prefix(name.size());
  }
  return total;
}

Result<std::vector<Group>> ParseRuleFile(std::string_view text, const std::string& file,
                                         const promql::ParseOptions& options) {
  Reader reader(file, options);
  if (text.size() > kMaxFileBytes) return LimitExceeded(fmt::format("{}: larger than {} bytes", file, kMaxFileBytes));
  std::vector<Group> groups;
  try {
    groups = reader.Groups(YAML::Load(std::string(text)));
  } catch (const YAML::Exception& error) {
    reader.Fault(error.mark, error.msg);
  }
  if (!reader.faults().empty()) return InvalidArgument(reader.faults());
  return groups;
}

Result<std::vector<Group>> LoadRuleFile(const std::string& path, const promql::ParseOptions& options) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return NotFound(fmt::format("cannot open the rule file {}", path));
  std::ostringstream text;
  text << file.rdbuf();
  if (file.bad()) return IoError(fmt::format("cannot read the rule file {}", path));
  return ParseRuleFile(text.view(), path, options);
}

}  // namespace tidemark::query::rules

#include "query/rules/rule_file.h"

#include <fmt/core.h>
#include <glob.h>
#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <charconv>
#include <optional>
#include <set>

#include "query/promql/durations.h"
#include "query/promql/parser.h"
#include "storage/base/text/duration.h"
#include "storage/base/yaml_reader.h"
#include "storage/model/limits.h"

namespace tidemark::query::rules {
namespace {

// Of what is recorded Prometheus must be able to read the name.
bool IsMetricName(std::string_view text) {
  const auto fits = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == ':';
  };
  return !text.empty() && (text.front() < '0' || text.front() > '9') && std::ranges::all_of(text, fits);
}

bool IsLabelName(std::string_view text) {
  const auto letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; };
  if (text.empty() || !letter(text.front()) || text == model::kMetricNameLabel) return false;
  return std::all_of(text.begin(), text.end(), [&](char c) { return letter(c) || (c >= '0' && c <= '9'); });
}

class Reader {
 public:
  Reader(YamlReader& yaml, const std::string& file, const promql::ParseOptions& options)
      : yaml_(yaml), file_(file), options_(options) {}

  std::vector<Group> Groups(const YAML::Node& root) {
    std::vector<Group> groups;
    if (root.IsNull()) return groups;
    if (!yaml_.CheckMap(root, "a rule file", {"groups"})) return groups;
    std::set<std::string> names;
    for (const YAML::Node& node : yaml_.List(root, "groups")) {
      Group group = ReadGroup(node);
      if (!group.name.empty() && !names.insert(group.name).second) {
        yaml_.Fault(node, fmt::format("groupname: \"{}\" is repeated in the same file", group.name));
      }
      groups.push_back(std::move(group));
    }
    return groups;
  }

  Group ReadGroup(const YAML::Node& node) {
    Group group;
    group.file = file_;
    if (!yaml_.CheckMap(node, "a group",
                        {"name", "interval", "query_offset", "limit", "labels", "database", "into", "rules"}))
      return group;
    group.name = yaml_.Text(node, "name");
    if (group.name.empty()) yaml_.Fault(node, "a group needs a name");
    group.interval_ms = ReadDurationMs(yaml_, node, "interval");
    group.query_offset_ms = ReadDurationMs(yaml_, node, "query_offset");
    if (const std::string limit = yaml_.Text(node, "limit"); !limit.empty()) {
      const auto [end, error] = std::from_chars(limit.data(), limit.data() + limit.size(), group.limit);
      if (error != std::errc() || end != limit.data() + limit.size())
        yaml_.Fault(node["limit"], "limit must be a count");
    }
    const std::string database = ReadDatabase(node, "database");
    const std::string into = ReadDatabase(node, "into");
    const std::vector<TemplatedText> shared = ReadTexts(node, "labels", true);
    for (const YAML::Node& rule : yaml_.List(node, "rules")) {
      Rule read = ReadRule(rule);
      for (const TemplatedText& label : shared) {
        const auto at = std::lower_bound(read.labels.begin(), read.labels.end(), label.name,
                                         [](const auto& a, const std::string& name) { return a.name < name; });
        if (at == read.labels.end() || at->name != label.name) read.labels.insert(at, label);
      }
      if (read.database.empty()) read.database = database;
      if (read.into.empty()) read.into = into;
      group.rules.push_back(std::move(read));
    }
    return group;
  }

 private:
  std::string ReadDatabase(const YAML::Node& map, const char* key) {
    std::string name = yaml_.Text(map, key);
    if (name.empty()) return name;
    if (const Status valid = model::CheckDatabaseName(name); !valid.ok()) {
      yaml_.Fault(map[key], fmt::format("{}: {}", key, valid.error().message));
      name.clear();
    }
    return name;
  }

  std::vector<TemplatedText> ReadTexts(const YAML::Node& map, const char* key, bool templates) {
    std::vector<TemplatedText> texts;
    const YAML::Node node = map[key];
    if (!node || node.IsNull()) return texts;
    if (!node.IsMap()) {
      yaml_.Fault(node, fmt::format("{} must be a map", key));
      return texts;
    }
    for (const auto& entry : node) {
      if (!entry.first.IsScalar() || !(entry.second.IsScalar() || entry.second.IsNull())) {
        yaml_.Fault(entry.first, fmt::format("{} are pairs of texts", key));
        continue;
      }
      TemplatedText text{entry.first.Scalar(), entry.second.IsNull() ? "" : entry.second.Scalar(), {}};
      if (!IsLabelName(text.name)) yaml_.Fault(entry.first, fmt::format("invalid name \"{}\" in {}", text.name, key));
      if (templates || text.text.find("{{") == std::string::npos) {
        Result<Template> parsed = Template::Parse(text.text);
        if (parsed.ok()) {
          text.expand = std::move(parsed).value();
        } else {
          yaml_.Fault(entry.second, fmt::format("{} \"{}\": {}", key, text.name, parsed.error().message));
        }
      } else {
        yaml_.Fault(entry.second, fmt::format("{} \"{}\": a recording rule takes no templates", key, text.name));
      }
      texts.push_back(std::move(text));
    }
    std::sort(texts.begin(), texts.end(), [](const auto& a, const auto& b) { return a.name < b.name; });
    return texts;
  }

  Rule ReadRule(const YAML::Node& node) {
    Rule rule;
    if (!yaml_.CheckMap(node, "a rule",
                        {"record", "alert", "expr", "for", "keep_firing_for", "labels", "annotations", "database",
                         "into", "no_data", "recover", "flapping"})) {
      return rule;
    }
    const std::string record = yaml_.Text(node, "record");
    const std::string alert = yaml_.Text(node, "alert");
    if (!record.empty() && !alert.empty()) yaml_.Fault(node, "only one of 'record' and 'alert' must be set");
    if (record.empty() && alert.empty()) yaml_.Fault(node, "one of 'record' or 'alert' must be set");
    rule.alerting = !alert.empty();
    rule.name = rule.alerting ? alert : record;
    rule.expr_text = yaml_.Text(node, "expr");
    if (rule.expr_text.empty()) {
      yaml_.Fault(node, "field 'expr' must be set in rule");
    } else {
      rule.expr = ReadExpr(node["expr"], rule.expr_text);
    }
    rule.database = ReadDatabase(node, "database");
    rule.into = ReadDatabase(node, "into");
    rule.for_ms = ReadDurationMs(yaml_, node, "for");
    rule.keep_firing_for_ms = ReadDurationMs(yaml_, node, "keep_firing_for");
    ReadNoData(node, &rule);
    ReadRecover(node, &rule);
    if (const std::string flapping = yaml_.Text(node, "flapping"); !flapping.empty()) {
      const Result<FlapLimit> limit = ParseFlapLimit(flapping);
      if (!limit.ok()) yaml_.Fault(node["flapping"], limit.error().message);
      rule.flapping = limit.ok() ? *limit : FlapLimit();
    }
    rule.labels = ReadTexts(node, "labels", rule.alerting);
    rule.annotations = ReadTexts(node, "annotations", true);
    if (!rule.alerting) {
      if (!record.empty() && !IsMetricName(record)) {
        yaml_.Fault(node["record"], fmt::format("invalid recording rule name: {}", record));
      }
      if (node["for"]) yaml_.Fault(node["for"], "invalid field 'for' in recording rule");
      if (node["keep_firing_for"])
        yaml_.Fault(node["keep_firing_for"], "invalid field 'keep_firing_for' in recording rule");
      for (const char* const key : {"no_data", "recover", "flapping"}) {
        if (node[key]) yaml_.Fault(node[key], fmt::format("invalid field '{}' in recording rule", key));
      }
      if (node["annotations"]) yaml_.Fault(node["annotations"], "invalid field 'annotations' in recording rule");
    }
    return rule;
  }

  // Null where it does not parse.
  std::shared_ptr<const promql::Expr> ReadExpr(const YAML::Node& node, const std::string& text) {
    Result<promql::ExprPtr> expr = promql::Parse(text, options_);
    const Status resolved = expr.ok() ? promql::ResolveDurations(**expr, 0, 0) : Status(expr.error());
    if (!resolved.ok()) {
      yaml_.Fault(node, fmt::format("could not parse expression: {}", resolved.error().message));
      return nullptr;
    }
    if ((*expr)->type != promql::ValueType::kScalar && (*expr)->type != promql::ValueType::kVector) {
      yaml_.Fault(node, "the expression must give a scalar or an instant vector");
      return nullptr;
    }
    return std::move(expr).value();
  }

  void ReadRecover(const YAML::Node& node, Rule* rule) {
    rule->recover_text = yaml_.Text(node, "recover");
    if (rule->recover_text.empty()) return;
    rule->recover = ReadExpr(node["recover"], rule->recover_text);
    if (!rule->recover || !rule->expr) return;
    if (rule->recover->type != promql::ValueType::kVector) {
      yaml_.Fault(node["recover"], "recover gives the series that have recovered: an instant vector, not a scalar");
    }
    if (rule->data.empty()) rule->data = DataOf(*rule->expr);
    if (rule->data.empty()) {
      yaml_.Fault(node["recover"],
                  "recover needs an expr that compares, so that what has recovered can be told from what is gone");
    }
  }

  void ReadNoData(const YAML::Node& node, Rule* rule) {
    const std::string text = yaml_.Text(node, "no_data");
    if (text.empty()) return;
    const std::optional<NoData> policy = ParseNoData(text);
    if (!policy) {
      yaml_.Fault(node["no_data"], fmt::format("no_data is one of keep, alert and resolve, not \"{}\"", text));
      return;
    }
    rule->no_data = *policy;
    if (*policy == NoData::kResolve || !rule->expr) return;
    rule->data = DataOf(*rule->expr);
    if (rule->data.empty()) {
      yaml_.Fault(node["no_data"],
                  "no_data needs an expression that compares, so that no data can be told from not true");
    }
  }

  YamlReader& yaml_;
  const std::string& file_;
  const promql::ParseOptions& options_;
};

}  // namespace

int64_t ReadDurationMs(YamlReader& yaml, const YAML::Node& map, const char* key) {
  const YAML::Node node = map[key];
  if (!node || node.IsNull()) return 0;
  const std::string text = yaml.Text(map, key);
  if (!node.IsScalar()) return 0;
  const Result<int64_t> ms = ParseRuleDurationMs(text);
  if (ms.ok()) return *ms;
  yaml.Fault(node, fmt::format("{}: {}", key, ms.error().message));
  return 0;
}

Result<int64_t> ParseRuleDurationMs(std::string_view text) {
  if (const auto ms = text::ParseDurationMs(text)) return *ms;
  return InvalidArgument(fmt::format("not a valid duration string: \"{}\"", text));
}

Result<std::vector<Group>> ParseRuleFile(std::string_view text, const std::string& file,
                                         const promql::ParseOptions& options) {
  YamlReader yaml(file);
  return yaml.Read(text, [&](const YAML::Node& root) { return Reader(yaml, file, options).Groups(root); });
}

Result<Group> ParseRuleGroup(std::string_view text, const std::string& file, const promql::ParseOptions& options) {
  YamlReader yaml(file);
  return yaml.Read(text, [&](const YAML::Node& root) { return Reader(yaml, file, options).ReadGroup(root); });
}

std::vector<std::string> FilesOf(const std::string& pattern) {
  if (pattern.find_first_of("*?[") == std::string::npos) return {pattern};
  std::vector<std::string> files;
  glob_t found{};
  if (::glob(pattern.c_str(), 0, nullptr, &found) == 0) files.assign(found.gl_pathv, found.gl_pathv + found.gl_pathc);
  ::globfree(&found);
  return files;
}

Result<std::vector<Group>> LoadRuleFile(const std::string& path, const promql::ParseOptions& options) {
  TM_TRY_ASSIGN(const std::string text, ReadTextFile(path, kRuleFileBytesMax));
  return ParseRuleFile(text, path, options);
}

}  // namespace tidemark::query::rules

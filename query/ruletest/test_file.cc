#include "query/ruletest/test_file.h"

#include <fmt/core.h>
#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <charconv>
#include <optional>
#include <set>
#include <utility>

#include "query/frame/go_format.h"
#include "query/rules/rule_file.h"
#include "storage/base/yaml_reader.h"

namespace tidemark::query::ruletest {
namespace {

// A whole number as YAML writes it where it is not decimal: 0x1F, 0o17, 017, 0b11, with a sign or without. Else
// nullopt.
std::optional<double> WholeOf(std::string_view text) {
  const bool negative = text.starts_with('-');
  if (negative || text.starts_with('+')) text.remove_prefix(1);
  constexpr std::pair<std::string_view, int> kBases[] = {{"0x", 16}, {"0X", 16}, {"0o", 8}, {"0b", 2}, {"0", 8}};
  for (const auto& [prefix, base] : kBases) {
    if (!text.starts_with(prefix) || text.size() == prefix.size()) continue;
    int64_t value = 0;
    const auto [end, error] = std::from_chars(text.data() + prefix.size(), text.data() + text.size(), value, base);
    if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
    return static_cast<double>(negative ? -value : value);
  }
  return std::nullopt;
}

class Reader {
 public:
  Reader(YamlReader& yaml, const std::string& file) : yaml_(yaml) { out_.file = file; }

  TestFile Read(const YAML::Node& root) {
    if (root.IsNull()) return std::move(out_);
    if (!yaml_.CheckMap(root, "a file of rule tests",
                        {"rule_files", "evaluation_interval", "group_eval_order", "tests"})) {
      return std::move(out_);
    }
    for (const YAML::Node& name : yaml_.List(root, "rule_files")) out_.rule_files.push_back(TextOf(name));
    if (const int64_t ms = rules::ReadDurationMs(yaml_, root, "evaluation_interval"); ms > 0)
      out_.evaluation_interval_ms = ms;
    std::set<std::string> ordered;
    for (const YAML::Node& name : yaml_.List(root, "group_eval_order")) {
      out_.group_eval_order.push_back(TextOf(name));
      if (!ordered.insert(out_.group_eval_order.back()).second) {
        yaml_.Fault(name, fmt::format("group name repeated in evaluation order: {}", out_.group_eval_order.back()));
      }
    }
    for (const YAML::Node& test : yaml_.List(root, "tests")) out_.tests.push_back(ReadGroup(test));
    return std::move(out_);
  }

 private:
  std::string TextOf(const YAML::Node& node) {
    if (node.IsScalar()) return node.Scalar();
    yaml_.Fault(node, "a text was expected");
    return {};
  }

  model::Labels ReadMap(const YAML::Node& map, const char* key) {
    model::Labels out;
    const YAML::Node node = map[key];
    if (!node || node.IsNull()) return out;
    if (!node.IsMap()) {
      yaml_.Fault(node, fmt::format("{} must be a map", key));
      return out;
    }
    std::set<std::string> names;
    for (const auto& entry : node) {
      if (!entry.first.IsScalar() || !(entry.second.IsScalar() || entry.second.IsNull())) {
        yaml_.Fault(entry.first, fmt::format("{} are pairs of texts", key));
        continue;
      }
      if (!names.insert(entry.first.Scalar()).second) {
        yaml_.Fault(entry.first, fmt::format("\"{}\" is there twice", entry.first.Scalar()));
      }
      out.push_back({entry.first.Scalar(), entry.second.IsNull() ? "" : entry.second.Scalar()});
    }
    std::ranges::sort(out);
    return out;
  }

  TestGroup ReadGroup(const YAML::Node& node) {
    TestGroup group;
    if (!yaml_.CheckMap(node, "a test",
                        {"name", "interval", "input_series", "alert_rule_test", "promql_expr_test", "external_labels",
                         "external_url"})) {
      return group;
    }
    group.name = yaml_.Text(node, "name");
    group.interval_ms = rules::ReadDurationMs(yaml_, node, "interval");
    for (const YAML::Node& series : yaml_.List(node, "input_series")) {
      if (!yaml_.CheckMap(series, "an input series", {"series", "values"})) continue;
      group.input_series.push_back({yaml_.Text(series, "series"), yaml_.Text(series, "values")});
    }
    for (const YAML::Node& test : yaml_.List(node, "alert_rule_test")) group.alert_tests.push_back(ReadAlertTest(test));
    for (const YAML::Node& test : yaml_.List(node, "promql_expr_test")) group.expr_tests.push_back(ReadExprTest(test));
    group.external_labels = ReadMap(node, "external_labels");
    group.external_url = yaml_.Text(node, "external_url");
    return group;
  }

  AlertTest ReadAlertTest(const YAML::Node& node) {
    AlertTest test;
    if (!yaml_.CheckMap(node, "an alert_rule_test", {"eval_time", "alertname", "exp_alerts"})) return test;
    test.eval_time_ms = rules::ReadDurationMs(yaml_, node, "eval_time");
    test.alertname = yaml_.Text(node, "alertname");
    for (const YAML::Node& alert : yaml_.List(node, "exp_alerts")) {
      ExpectedAlert& expected = test.alerts.emplace_back();
      if (alert.IsNull() || !yaml_.CheckMap(alert, "an alert", {"exp_labels", "exp_annotations"})) continue;
      expected.labels = ReadMap(alert, "exp_labels");
      expected.annotations = ReadMap(alert, "exp_annotations");
    }
    return test;
  }

  ExprTest ReadExprTest(const YAML::Node& node) {
    ExprTest test;
    if (!yaml_.CheckMap(node, "a promql_expr_test", {"expr", "eval_time", "exp_samples"})) return test;
    test.expr = yaml_.Text(node, "expr");
    test.eval_time_ms = rules::ReadDurationMs(yaml_, node, "eval_time");
    for (const YAML::Node& sample : yaml_.List(node, "exp_samples")) {
      ExpectedSample& expected = test.samples.emplace_back();
      if (sample.IsNull() || !yaml_.CheckMap(sample, "a sample", {"labels", "value"})) continue;
      expected.labels = yaml_.Text(sample, "labels");
      expected.value = ReadNumber(sample, "value");
    }
    return test;
  }

  // YAML writes .inf and .nan, and a number in quotes is a text.
  double ReadNumber(const YAML::Node& map, const char* key) {
    const YAML::Node node = map[key];
    if (!node || node.IsNull()) return 0;
    std::string text = yaml_.Text(map, key);
    const char first = text.empty() ? '\0' : text[text.front() == '-' || text.front() == '+' ? 1 : 0];
    // Quoted, or a word such as inf, which YAML writes with a point.
    const bool quoted = node.Tag() == "!" || (first >= 'A' && first <= 'Z') || (first >= 'a' && first <= 'z');
    for (const char* special : {".inf", ".Inf", ".INF", ".nan", ".NaN", ".NAN"}) {
      const size_t at = text.find(special);
      if (at != std::string::npos && at + 4 == text.size()) text.erase(at, 1);
    }
    // Between digits YAML has them for the eye.
    std::erase(text, '_');
    std::optional<double> value;
    if (!quoted) value = WholeOf(text);
    if (!quoted && !value) value = frame::ParseGoFloat(text);
    if (!value) yaml_.Fault(node, fmt::format("{}: a number was expected, not \"{}\"", key, node.Scalar()));
    return value.value_or(0);
  }

  YamlReader& yaml_;
  TestFile out_;
};

}  // namespace

Result<TestFile> ParseTestFile(std::string_view text, const std::string& file) {
  YamlReader yaml(file);
  return yaml.Read(text, [&](const YAML::Node& root) { return Reader(yaml, file).Read(root); });
}

Result<TestFile> LoadTestFile(const std::string& path) {
  TM_TRY_ASSIGN(const std::string text, ReadTextFile(path, rules::kRuleFileBytesMax));
  return ParseTestFile(text, path);
}

}  // namespace tidemark::query::ruletest

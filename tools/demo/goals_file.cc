#include <fmt/core.h>
#include <yaml-cpp/yaml.h>

#include <charconv>
#include <cmath>
#include <set>

#include "query/promql/parser.h"
#include "storage/base/yaml_reader.h"
#include "tools/demo/formula.h"
#include "tools/demo/goals.h"

namespace tidemark::demo {
namespace {

constexpr size_t kMaxFileBytes = size_t{1} << 20;

constexpr auto kRequired = YamlReader::Need::kRequired;

class Reader {
 public:
  explicit Reader(YamlReader& yaml) : yaml_(yaml) {}

  GoalFile Read(const YAML::Node& root) {
    GoalFile out;
    if (!yaml_.CheckMap(root, "a file of goals", {"database", "goals", "values", "prices", "savings"})) return out;
    database_ = yaml_.Text(root, "database");
    for (const YAML::Node& node : yaml_.List(root, "goals")) out.goals.push_back(ReadGoal(node));
    for (const YAML::Node& node : yaml_.List(root, "values")) {
      if (!yaml_.CheckMap(node, "a value", {"name", "query", "database"})) continue;
      NamedQuery value{yaml_.Text(node, "name", kRequired), Query(node), Database(node)};
      Define(node, value.name);
      out.values.push_back(std::move(value));
    }
    ReadPrices(root["prices"], &out);
    for (const YAML::Node& node : yaml_.List(root, "savings")) {
      if (!yaml_.CheckMap(node, "a saving", {"name", "formula", "unit", "as"})) continue;
      Saving saving{yaml_.Text(node, "name", kRequired), yaml_.Text(node, "formula", kRequired),
                    yaml_.Text(node, "unit"), yaml_.Text(node, "as")};
      for (const std::string& name : NamesIn(saving.formula)) {
        if (!names_.contains(name))
          yaml_.Fault(node["formula"], fmt::format("no value, price or saving above is called \"{}\"", name));
      }
      // With any number in the place of the names it must be arithmetic that the server takes.
      const auto parsed = query::promql::Parse(WithNumbers(saving.formula, [](const std::string&) { return 1.0; }));
      if (!saving.formula.empty() && !parsed.ok()) yaml_.Fault(node["formula"], parsed.error().message);
      if (!saving.as.empty()) Define(node["as"], saving.as);
      out.savings.push_back(std::move(saving));
    }
    if (out.goals.empty() && out.savings.empty() && yaml_.good())
      yaml_.Fault(root, "there are neither goals nor savings");
    return out;
  }

 private:
  std::string Query(const YAML::Node& map) {
    std::string query = yaml_.Text(map, "query", kRequired);
    if (query.empty()) return query;
    if (const auto parsed = query::promql::Parse(query); !parsed.ok())
      yaml_.Fault(map["query"], parsed.error().message);
    return query;
  }

  std::string Database(const YAML::Node& map) {
    return map["database"] ? yaml_.Text(map, "database", kRequired) : database_;
  }

  // A number, with '%' a hundredth when `percent`.
  double Number(const YAML::Node& node, std::string_view what, bool percent = false) {
    std::string text = node.IsScalar() ? node.Scalar() : "";
    const bool hundredths = percent && text.ends_with('%');
    if (hundredths) text.pop_back();
    double number = 0;
    const auto [at, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc() || at != text.data() + text.size() || !std::isfinite(number)) {
      yaml_.Fault(node, fmt::format("{} must be a number", what));
      return 0;
    }
    return hundredths ? number / 100 : number;
  }

  Goal ReadGoal(const YAML::Node& node) {
    Goal goal;
    if (!yaml_.CheckMap(node, "a goal", {"name", "query", "database", "target", "direction", "unit", "tolerance"}))
      return goal;
    goal.name = yaml_.Text(node, "name", kRequired);
    goal.query = Query(node);
    goal.database = Database(node);
    goal.unit = yaml_.Text(node, "unit");
    if (node["target"]) {
      goal.target = Number(node["target"], "target");
    } else {
      yaml_.Fault(node, "target is missing");
    }
    const std::string direction = yaml_.Text(node, "direction", kRequired);
    if (direction == "above") {
      goal.direction = Direction::kAbove;
    } else if (!direction.empty() && direction != "below") {
      yaml_.Fault(node["direction"], "direction must be below or above");
    }
    if (node["tolerance"]) goal.tolerance = Number(node["tolerance"], "tolerance", true);
    if (goal.tolerance < 0) yaml_.Fault(node["tolerance"], "tolerance must not be negative");
    if (!goal.name.empty() && !goal_names_.insert(goal.name).second) {
      yaml_.Fault(node, fmt::format("two goals are called \"{}\"", goal.name));
    }
    return goal;
  }

  void ReadPrices(const YAML::Node& node, GoalFile* out) {
    if (!node || node.IsNull()) return;
    if (!node.IsMap()) {
      yaml_.Fault(node, "prices must be a map of names and numbers");
      return;
    }
    for (const auto& entry : node) {
      const std::string name = entry.first.IsScalar() ? entry.first.Scalar() : "";
      Define(entry.first, name);
      out->prices.emplace_back(name, Number(entry.second, "a price"));
    }
  }

  void Define(const YAML::Node& node, const std::string& name) {
    if (name.empty()) return;
    if (!IsFormulaName(name)) {
      yaml_.Fault(node, fmt::format("\"{}\" is no name for a formula: letters, digits and _", name));
    } else if (!names_.insert(name).second) {
      yaml_.Fault(node, fmt::format("two values, prices or savings are called \"{}\"", name));
    }
  }

  YamlReader& yaml_;
  std::string database_;
  std::set<std::string> names_;
  std::set<std::string> goal_names_;
};

}  // namespace

Result<GoalFile> ParseGoals(std::string_view text, const std::string& file) {
  YamlReader yaml(file);
  return yaml.Read(text, [&yaml](const YAML::Node& root) { return Reader(yaml).Read(root); });
}

Result<GoalFile> LoadGoals(const std::string& file) {
  TM_TRY_ASSIGN(const std::string text, ReadTextFile(file, kMaxFileBytes));
  return ParseGoals(text, file);
}

}  // namespace tidemark::demo

#include <fmt/core.h>
#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <fstream>
#include <initializer_list>
#include <iterator>
#include <set>

#include "query/promql/parser.h"
#include "tools/demo/formula.h"
#include "tools/demo/goals.h"

namespace tidemark::demo {
namespace {

constexpr size_t kMaxFileBytes = size_t{1} << 20;

// Reads the tree and gathers what is wrong with it.
class Reader {
 public:
  explicit Reader(std::string file) : file_(std::move(file)) {}

  GoalFile Read(const YAML::Node& root) {
    GoalFile out;
    if (!CheckMap(root, "a file of goals", {"database", "goals", "values", "prices", "savings"})) return out;
    database_ = Text(root, "database", false);
    for (const YAML::Node& node : List(root, "goals")) out.goals.push_back(ReadGoal(node));
    for (const YAML::Node& node : List(root, "values")) {
      if (!CheckMap(node, "a value", {"name", "query", "database"})) continue;
      NamedQuery value{Text(node, "name", true), Query(node), Database(node)};
      Define(node, value.name);
      out.values.push_back(std::move(value));
    }
    ReadPrices(root["prices"], &out);
    for (const YAML::Node& node : List(root, "savings")) {
      if (!CheckMap(node, "a saving", {"name", "formula", "unit"})) continue;
      Saving saving{Text(node, "name", true), Text(node, "formula", true), Text(node, "unit", false)};
      for (const std::string& name : NamesIn(saving.formula)) {
        if (!names_.contains(name)) Fault(node["formula"], fmt::format("no value or price is called \"{}\"", name));
      }
      // With any number in the place of the names it must be arithmetic that the server takes.
      const auto parsed = query::promql::Parse(WithNumbers(saving.formula, [](const std::string&) { return 1.0; }));
      if (!saving.formula.empty() && !parsed.ok()) Fault(node["formula"], parsed.error().message);
      out.savings.push_back(std::move(saving));
    }
    if (out.goals.empty() && out.savings.empty() && faults_.empty()) Fault(root, "there are neither goals nor savings");
    return out;
  }

  void Fault(const YAML::Mark& mark, std::string_view reason) {
    if (!faults_.empty()) faults_ += '\n';
    faults_ += fmt::format("{}:{}:{}: {}", file_, std::max(mark.line, 0) + 1, std::max(mark.column, 0) + 1, reason);
  }
  [[nodiscard]] const std::string& faults() const { return faults_; }

 private:
  void Fault(const YAML::Node& node, std::string_view reason) {
    Fault(node.IsDefined() ? node.Mark() : YAML::Mark(), reason);
  }

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
        Fault(entry.first, fmt::format("key \"{}\" is given twice", key));
      }
    }
    return true;
  }

  std::vector<YAML::Node> List(const YAML::Node& root, const char* key) {
    const YAML::Node node = root[key];
    if (!node || node.IsNull()) return {};
    if (!node.IsSequence()) {
      Fault(node, fmt::format("{} must be a list", key));
      return {};
    }
    return {node.begin(), node.end()};
  }

  std::string Text(const YAML::Node& map, const char* key, bool needed) {
    const YAML::Node node = map[key];
    if (node && node.IsScalar() && !(needed && node.Scalar().empty())) return node.Scalar();
    if (node && !node.IsScalar()) {
      Fault(node, fmt::format("{} must be a text", key));
    } else if (needed) {
      Fault(map, fmt::format("{} is missing", key));
    }
    return {};
  }

  std::string Query(const YAML::Node& map) {
    std::string query = Text(map, "query", true);
    if (query.empty()) return query;
    if (const auto parsed = query::promql::Parse(query); !parsed.ok()) Fault(map["query"], parsed.error().message);
    return query;
  }

  std::string Database(const YAML::Node& map) { return map["database"] ? Text(map, "database", true) : database_; }

  // A number, with '%' a hundredth when `percent`.
  double Number(const YAML::Node& node, std::string_view what, bool percent = false) {
    std::string text = node.IsScalar() ? node.Scalar() : "";
    const bool hundredths = percent && text.ends_with('%');
    if (hundredths) text.pop_back();
    double number = 0;
    const auto [at, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc() || at != text.data() + text.size() || !std::isfinite(number)) {
      Fault(node, fmt::format("{} must be a number", what));
      return 0;
    }
    return hundredths ? number / 100 : number;
  }

  Goal ReadGoal(const YAML::Node& node) {
    Goal goal;
    if (!CheckMap(node, "a goal", {"name", "query", "database", "target", "direction", "unit", "tolerance"}))
      return goal;
    goal.name = Text(node, "name", true);
    goal.query = Query(node);
    goal.database = Database(node);
    goal.unit = Text(node, "unit", false);
    if (node["target"]) {
      goal.target = Number(node["target"], "target");
    } else {
      Fault(node, "target is missing");
    }
    const std::string direction = Text(node, "direction", true);
    if (direction == "above") {
      goal.direction = Direction::kAbove;
    } else if (!direction.empty() && direction != "below") {
      Fault(node["direction"], "direction must be below or above");
    }
    if (node["tolerance"]) goal.tolerance = Number(node["tolerance"], "tolerance", true);
    if (goal.tolerance < 0) Fault(node["tolerance"], "tolerance must not be negative");
    if (!goal.name.empty() && !goal_names_.insert(goal.name).second) {
      Fault(node, fmt::format("two goals are called \"{}\"", goal.name));
    }
    return goal;
  }

  void ReadPrices(const YAML::Node& node, GoalFile* out) {
    if (!node || node.IsNull()) return;
    if (!node.IsMap()) {
      Fault(node, "prices must be a map of names and numbers");
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
      Fault(node, fmt::format("\"{}\" is no name for a formula: letters, digits and _", name));
    } else if (!names_.insert(name).second) {
      Fault(node, fmt::format("two values or prices are called \"{}\"", name));
    }
  }

  const std::string file_;
  std::string database_;
  std::string faults_;
  std::set<std::string> names_;
  std::set<std::string> goal_names_;
};

}  // namespace

Result<GoalFile> ParseGoals(std::string_view text, const std::string& file) {
  Reader reader(file);
  GoalFile goals;
  try {
    goals = reader.Read(YAML::Load(std::string(text)));
  } catch (const YAML::Exception& error) {
    reader.Fault(error.mark, error.msg);
  }
  if (!reader.faults().empty()) return InvalidArgument(reader.faults());
  return goals;
}

Result<GoalFile> LoadGoals(const std::string& file) {
  std::ifstream in(file, std::ios::binary);
  if (!in) return NotFound(fmt::format("cannot read {}", file));
  std::string text;
  text.resize(kMaxFileBytes + 1);
  in.read(text.data(), static_cast<std::streamsize>(text.size()));
  if (in.bad()) return IoError(fmt::format("cannot read {}", file));
  text.resize(static_cast<size_t>(in.gcount()));
  if (text.size() > kMaxFileBytes) return LimitExceeded(fmt::format("{} is larger than 1 MiB", file));
  return ParseGoals(text, file);
}

}  // namespace tidemark::demo

#include "executor/agent/pipeline/pipeline_file.h"

#include <fmt/core.h>
#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <initializer_list>
#include <map>
#include <set>

#include "executor/agent/pipeline/progress.h"
#include "storage/base/text/duration.h"
#include "storage/base/yaml_reader.h"

namespace tidemark::executor {
namespace {

class Reader {
 public:
  explicit Reader(const std::string& file) : file_(file) {}

  Result<Pipeline> Read(const YAML::Node& root);

 private:
  [[nodiscard]] Error At(const YAML::Mark& mark, const std::string& reason) const {
    return InvalidArgument(YamlFault(file_, mark, reason));
  }
  [[nodiscard]] Error At(const YAML::Node& node, const std::string& reason) const { return At(node.Mark(), reason); }

  // `node` is a map with unique keys out of `known`.
  Result<void> CheckMap(const YAML::Node& node, const std::string& what,
                        std::initializer_list<const char*> known) const;
  Result<std::string> Text(const YAML::Node& node, const std::string& what) const;
  Result<std::string> NameOf(const YAML::Node& node, const std::string& what) const;
  Result<void> ReadEnvironment(const YAML::Node& node, Environment& into) const;
  Result<GateSpec> ReadGate(const YAML::Node& node, const std::string& task) const;
  Result<TaskSpec> ReadTask(const YAML::Node& node, size_t number) const;
  Result<std::vector<std::string>> ReadCommand(const YAML::Node& node, const std::string& task) const;
  Result<void> ResolveNeeds(const YAML::Node& tasks);
  [[nodiscard]] std::string Below(const std::string& folder, const std::string& path) const {
    std::string below = (std::filesystem::path(folder) / path).lexically_normal().string();
    // "a/b/.." becomes "a/".
    if (below.size() > 1 && below.ends_with('/')) below.pop_back();
    return below;
  }

  const std::string& file_;
  Pipeline pipeline_;
  Environment environment_;
  std::string folder_;
};

const char* TypeWord(const YAML::Node& node) {
  switch (node.Type()) {
    case YAML::NodeType::Scalar: return "text";
    case YAML::NodeType::Sequence: return "a list";
    case YAML::NodeType::Map: return "a map";
    case YAML::NodeType::Null:
    case YAML::NodeType::Undefined: return "nothing";
  }
  return "nothing";
}

Result<void> Reader::CheckMap(const YAML::Node& node, const std::string& what,
                              std::initializer_list<const char*> known) const {
  if (!node.IsMap()) return At(node, fmt::format("{} must be a map, not {}", what, TypeWord(node)));
  std::set<std::string> seen;
  for (const auto& entry : node) {
    TM_TRY_ASSIGN(const std::string key, Text(entry.first, "a key"));
    if (known.size() > 0 && std::find(known.begin(), known.end(), key) == known.end()) {
      std::string names;
      for (const char* name : known) names += (names.empty() ? "" : ", ") + std::string(name);
      return At(entry.first, fmt::format("{} has no key \"{}\"; it may have {}", what, key, names));
    }
    if (!seen.insert(key).second) return At(entry.first, fmt::format("{} has \"{}\" twice", what, key));
  }
  return {};
}

Result<std::string> Reader::Text(const YAML::Node& node, const std::string& what) const {
  if (!node.IsScalar()) return At(node, fmt::format("{} must be text, not {}", what, TypeWord(node)));
  // The operating system takes arguments and variables as strings that end at the first zero byte.
  if (node.Scalar().find('\0') != std::string::npos) return At(node, fmt::format("{} contains a zero byte", what));
  return node.Scalar();
}

Result<std::string> Reader::NameOf(const YAML::Node& node, const std::string& what) const {
  TM_TRY_ASSIGN(std::string name, Text(node, what));
  if (!IsName(name)) {
    return At(node, fmt::format("{} \"{}\" must be 1 to 100 letters, digits and _ . - / :", what, name));
  }
  return name;
}

Result<void> Reader::ReadEnvironment(const YAML::Node& node, Environment& into) const {
  TM_RETURN_IF_ERROR(CheckMap(node, "environment", {}));
  for (const auto& entry : node) {
    TM_TRY_ASSIGN(std::string name, Text(entry.first, "the name of a variable"));
    if (name.empty() || name.find('=') != std::string::npos) {
      return At(entry.first, fmt::format("\"{}\" is not a name for a variable", name));
    }
    TM_TRY_ASSIGN(std::string value, Text(entry.second, fmt::format("the value of \"{}\"", name)));
    into.emplace_back(std::move(name), std::move(value));
  }
  return {};
}

Result<std::vector<std::string>> Reader::ReadCommand(const YAML::Node& node, const std::string& task) const {
  const std::string what = fmt::format("the command of task \"{}\"", task);
  if (node.IsScalar()) {
    TM_TRY_ASSIGN(std::string line, Text(node, what));
    if (line.find_first_not_of(" \t\r\n") == std::string::npos) return At(node, what + " is empty");
    return std::vector<std::string>{"/bin/sh", "-c", std::move(line)};
  }
  if (!node.IsSequence()) return At(node, fmt::format("{} must be text or a list, not {}", what, TypeWord(node)));
  std::vector<std::string> command;
  for (const YAML::Node& part : node) {
    TM_TRY_ASSIGN(std::string text, Text(part, "an argument"));
    command.push_back(std::move(text));
  }
  if (command.empty() || command[0].empty()) return At(node, what + " is empty");
  return command;
}

Result<GateSpec> Reader::ReadGate(const YAML::Node& node, const std::string& task) const {
  TM_RETURN_IF_ERROR(
      CheckMap(node, fmt::format("the gate of task \"{}\"", task), {"regex", "json", "file", "unit", "warn", "fail"}));
  GateSpec gate;
  for (const auto& [key, into] :
       {std::pair{"regex", &gate.regex}, {"json", &gate.json}, {"file", &gate.file}, {"unit", &gate.unit}}) {
    if (!node[key]) continue;
    TM_TRY_ASSIGN(*into, Text(node[key], fmt::format("{} of a gate", key)));
  }
  for (const auto& [key, into] : {std::pair{"warn", &gate.warn}, {"fail", &gate.fail}}) {
    const YAML::Node limit = node[key];
    if (!limit) continue;
    TM_TRY_ASSIGN(const std::string text, Text(limit, "a limit"));
    const Result<Limit> parsed = ParseLimit(text);
    if (!parsed.ok()) return At(limit, fmt::format("the gate of task \"{}\": {}", task, parsed.error().message));
    *into = *parsed;
  }
  if (const Result<void> checked = gate.Check(); !checked.ok()) {
    return At(node, fmt::format("the gate of task \"{}\": {}", task, checked.error().message));
  }
  return gate;
}

Result<TaskSpec> Reader::ReadTask(const YAML::Node& node, size_t number) const {
  TM_RETURN_IF_ERROR(CheckMap(node, fmt::format("task {}", number),
                              {"name", "kind", "command", "needs", "timeout", "retries", "working_directory",
                               "environment", "inputs", "weight", "slots", "progress", "gate"}));
  TaskSpec task;
  if (!node["name"]) return At(node, fmt::format("task {} has no name", number));
  TM_TRY_ASSIGN(task.name, NameOf(node["name"], "the name of a task"));
  if (node["kind"]) {
    TM_TRY_ASSIGN(task.kind, NameOf(node["kind"], fmt::format("the kind of task \"{}\"", task.name)));
  }
  if (!node["command"]) return At(node, fmt::format("task \"{}\" has no command", task.name));
  TM_TRY_ASSIGN(task.command, ReadCommand(node["command"], task.name));
  if (const YAML::Node timeout = node["timeout"]; timeout) {
    TM_TRY_ASSIGN(const std::string text, Text(timeout, "a timeout"));
    Result<int64_t> parsed = ParseDuration(text);
    if (!parsed.ok()) return At(timeout, fmt::format("task \"{}\": {}", task.name, parsed.error().message));
    task.timeout_ns = *parsed;
  }
  if (const YAML::Node retries = node["retries"]; retries) {
    TM_TRY_ASSIGN(const std::string text, Text(retries, "the number of retries"));
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), task.retries);
    if (error != std::errc() || end != text.data() + text.size() || task.retries < 0 || task.retries > kMaxRetries) {
      return At(retries, fmt::format("task \"{}\": retries must be a whole number from 0 to {}, not \"{}\"", task.name,
                                     kMaxRetries, text));
    }
  }
  if (const YAML::Node slots = node["slots"]; slots) {
    TM_TRY_ASSIGN(const std::string text, Text(slots, "the number of slots"));
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), task.slots);
    if (error != std::errc() || end != text.data() + text.size() || task.slots < 1 || task.slots > kMaxTaskSlots) {
      return At(slots, fmt::format("task \"{}\": slots must be a whole number from 1 to {}, not \"{}\"", task.name,
                                   kMaxTaskSlots, text));
    }
  }
  if (const YAML::Node weight = node["weight"]; weight) {
    TM_TRY_ASSIGN(const std::string text, Text(weight, "a weight"));
    Result<int64_t> parsed = ParseDuration(text);
    if (!parsed.ok()) return At(weight, fmt::format("task \"{}\": weight: {}", task.name, parsed.error().message));
    task.weight_ns = *parsed;
  }
  if (const YAML::Node inputs = node["inputs"]; inputs) {
    if (!inputs.IsSequence()) {
      return At(inputs, fmt::format("the inputs of task \"{}\" must be a list, not {}", task.name, TypeWord(inputs)));
    }
    for (const YAML::Node& input : inputs) {
      TM_TRY_ASSIGN(std::string pattern, Text(input, "an input"));
      if (pattern.empty()) return At(input, fmt::format("an input of task \"{}\" is empty", task.name));
      task.inputs.push_back(std::move(pattern));
    }
  }
  if (const YAML::Node progress = node["progress"]; progress) {
    TM_TRY_ASSIGN(task.progress, Text(progress, "progress"));
    const Result<void> checked = CheckProgress(task.progress);
    if (!checked.ok()) return At(progress, fmt::format("task \"{}\": {}", task.name, checked.error().message));
  }
  if (node["gate"]) {
    TM_TRY_ASSIGN(task.gate, ReadGate(node["gate"], task.name));
  }
  task.working_directory = folder_;
  if (const YAML::Node folder = node["working_directory"]; folder) {
    TM_TRY_ASSIGN(const std::string text, Text(folder, "a working directory"));
    task.working_directory = Below(folder_, text);
  }
  task.environment = environment_;
  if (node["environment"]) TM_RETURN_IF_ERROR(ReadEnvironment(node["environment"], task.environment));
  return task;
}

Result<void> Reader::ResolveNeeds(const YAML::Node& tasks) {
  std::map<std::string, size_t> by_name;
  for (size_t i = 0; i < pipeline_.tasks.size(); ++i) {
    if (const auto [first, added] = by_name.emplace(pipeline_.tasks[i].name, i); !added) {
      return At(tasks[i]["name"], fmt::format("two tasks are named \"{}\"; the first is in line {}",
                                              pipeline_.tasks[i].name, tasks[first->second].Mark().line + 1));
    }
  }
  for (size_t i = 0; i < pipeline_.tasks.size(); ++i) {
    TaskSpec& task = pipeline_.tasks[i];
    const YAML::Node needs = tasks[i]["needs"];
    if (!needs) continue;
    if (!needs.IsSequence()) {
      return At(needs, fmt::format("the needs of task \"{}\" must be a list, not {}", task.name, TypeWord(needs)));
    }
    for (const YAML::Node& need : needs) {
      TM_TRY_ASSIGN(const std::string name, Text(need, "the name of a needed task"));
      const auto found = by_name.find(name);
      if (found == by_name.end()) {
        return At(need, fmt::format("task \"{}\" needs \"{}\", which is not a task of this pipeline", task.name, name));
      }
      if (std::find(task.needs.begin(), task.needs.end(), found->second) != task.needs.end()) {
        return At(need, fmt::format("task \"{}\" needs \"{}\" twice", task.name, name));
      }
      task.needs.push_back(found->second);
    }
  }
  if (const std::vector<size_t> cycle = FindCycle(pipeline_.tasks); !cycle.empty()) {
    std::string names;
    for (const size_t task : cycle) names += (names.empty() ? "" : " -> ") + pipeline_.tasks[task].name;
    return At(tasks[cycle[0]]["needs"], fmt::format("tasks need each other in a circle: {}", names));
  }
  return {};
}

Result<Pipeline> Reader::Read(const YAML::Node& root) {
  if (!root || root.IsNull()) return At(YAML::Mark::null_mark(), "the file is empty");
  TM_RETURN_IF_ERROR(CheckMap(root, "a pipeline", {"name", "working_directory", "environment", "tasks"}));
  const std::filesystem::path path(file_);
  pipeline_.name = path.stem().string();
  if (root["name"]) {
    TM_TRY_ASSIGN(pipeline_.name, NameOf(root["name"], "the name of a pipeline"));
  }
  if (!IsName(pipeline_.name)) {
    return At(root, fmt::format("\"{}\" cannot be the pipeline's name: give it one with name:", pipeline_.name));
  }
  folder_ = path.parent_path().string();
  if (root["working_directory"]) {
    TM_TRY_ASSIGN(const std::string text, Text(root["working_directory"], "a working directory"));
    folder_ = Below(folder_, text);
  }
  if (root["environment"]) TM_RETURN_IF_ERROR(ReadEnvironment(root["environment"], environment_));
  const YAML::Node tasks = root["tasks"];
  if (!tasks) return At(root, "a pipeline needs a list of tasks");
  if (!tasks.IsSequence()) return At(tasks, fmt::format("tasks must be a list, not {}", TypeWord(tasks)));
  if (tasks.size() == 0) return At(tasks, "a pipeline needs at least one task");
  if (tasks.size() > kMaxPipelineTasks) {
    return At(tasks, fmt::format("{} tasks are more than the {} a pipeline may have", tasks.size(), kMaxPipelineTasks));
  }
  size_t number = 0;
  for (const YAML::Node& node : tasks) {
    TM_TRY_ASSIGN(TaskSpec task, ReadTask(node, ++number));
    pipeline_.tasks.push_back(std::move(task));
  }
  TM_RETURN_IF_ERROR(ResolveNeeds(tasks));
  return std::move(pipeline_);
}

}  // namespace

Result<Pipeline> ParsePipeline(std::string_view text, const std::string& file) {
  if (text.size() > kMaxPipelineFileBytes) {
    return LimitExceeded(fmt::format("{}: {} bytes are more than the {} a pipeline file may have", file, text.size(),
                                     kMaxPipelineFileBytes));
  }
  try {
    TM_TRY_ASSIGN(const YAML::Node root, LoadDocument(text, file));
    return Reader(file).Read(root);
  } catch (const YAML::Exception& e) {
    return InvalidArgument(YamlFault(file, e.mark, e.msg));
  }
}

Result<Pipeline> LoadPipeline(const std::string& path) {
  TM_TRY_ASSIGN(const std::string text, ReadTextFile(path, kMaxPipelineFileBytes));
  return ParsePipeline(text, path);
}

Result<int64_t> ParseDuration(std::string_view text) {
  static constexpr double kMaxNs = 30 * 24 * 3600e9;
  const auto ns = text::ParseFractionalDuration(text, text::kPipelineDuration, 1);
  if (ns && *ns >= 1 && *ns <= kMaxNs) return static_cast<int64_t>(*ns);
  return InvalidArgument(
      fmt::format("\"{}\" is not a duration: 500ms, 90s, 10m, 2h or seconds, more than 0 and at most 720h", text));
}

}  // namespace tidemark::executor

#include "query/notify/config.h"

#include <fmt/core.h>

#include <algorithm>
#include <initializer_list>
#include <set>
#include <utility>

#include "query/notify/config_reader.h"
#include "storage/base/text/duration.h"

namespace tidemark::query::notify {
namespace {

using Need = YamlReader::Need;

// Where in a list of texts one of them stands, of several the last.
YAML::Node EntryOf(const YAML::Node& list, const std::string& text) {
  YAML::Node found = list;
  for (const YAML::Node& entry : list) {
    if (entry.IsScalar() && entry.Scalar() == text) found.reset(entry);
  }
  return found;
}

// Reads the tree of routes; what receivers and intervals it names is checked behind it, when all are known.
class RouteReader {
 public:
  RouteReader(YamlReader& yaml, const Config& config, std::vector<std::string>* warnings)
      : yaml_(yaml), config_(config), warnings_(warnings) {}

  Route Read(const YAML::Node& node, const Route* above, int depth) {
    Route route = Inherited(above);
    if (!yaml_.CheckMap(
            node, "a route",
            {"receiver", "group_by", "continue", "match", "match_re", "matchers", "group_wait", "group_interval",
             "repeat_interval", "mute_time_intervals", "active_time_intervals", "routes"}))
      return route;
    if (++count_ > kRoutesMax || depth > kRouteDepthMax) {
      yaml_.Fault(node, fmt::format("there may be {} routes, {} inside each other", kRoutesMax, kRouteDepthMax));
      return route;
    }
    route.matchers = ReadMatchers(yaml_, node, "matchers", "match", "match_re");
    route.continues = ReadBool(yaml_, node, "continue", false);
    ReadReceiver(node, &route);
    ReadGroupBy(node, &route);
    ReadTimes(node, &route);
    route.mute_intervals = ReadIntervalNames(node, "mute_time_intervals");
    route.active_intervals = ReadIntervalNames(node, "active_time_intervals");
    if (above == nullptr) CheckRoot(node, route);
    for (const YAML::Node& child : yaml_.List(node, "routes")) route.children.push_back(Read(child, &route, depth + 1));
    return route;
  }

 private:
  static Route Inherited(const Route* above) {
    Route route;
    if (above == nullptr) return route;
    route.receiver = above->receiver;
    route.group_by = above->group_by;
    route.group_by_all = above->group_by_all;
    route.group_wait_ns = above->group_wait_ns;
    route.group_interval_ns = above->group_interval_ns;
    route.repeat_interval_ns = above->repeat_interval_ns;
    return route;
  }

  // The value of the first of the keys that is there.
  static YAML::Node FirstOf(const YAML::Node& node, std::initializer_list<const char*> keys) {
    for (const char* const key : keys) {
      if (node[key]) return node[key];
    }
    return node;
  }

  void CheckRoot(const YAML::Node& node, const Route& route) {
    if (route.receiver.empty()) yaml_.Fault(node, "the root route needs a receiver");
    if (route.continues) yaml_.Fault(node["continue"], "the root route must not have continue: none comes after it");
    if (!route.matchers.empty()) {
      yaml_.Fault(FirstOf(node, {"matchers", "match", "match_re"}),
                  "the root route must not have any matchers: all alerts come to it");
    }
    if (!route.mute_intervals.empty() || !route.active_intervals.empty()) {
      yaml_.Fault(FirstOf(node, {"mute_time_intervals", "active_time_intervals"}),
                  "the root route must not have any mute or active time intervals: give them to a route in it");
    }
  }

  void ReadReceiver(const YAML::Node& node, Route* route) {
    const std::string receiver = yaml_.Text(node, "receiver");
    if (receiver.empty()) return;
    if (config_.FindReceiver(receiver) == nullptr) {
      yaml_.Fault(node["receiver"], fmt::format("undefined receiver \"{}\" used in route", receiver));
    }
    route->receiver = receiver;
  }

  void ReadGroupBy(const YAML::Node& node, Route* route) {
    const YAML::Node given = node["group_by"];
    if (!given || given.IsNull()) return;
    const std::vector<std::string> names = ReadTexts(yaml_, node, "group_by");
    // An empty list is that of the route above, as in Alertmanager.
    if (names.empty()) return;
    route->group_by.clear();
    route->group_by_all = false;
    for (const std::string& name : names) {
      if (name == "...") {
        route->group_by_all = true;
      } else if (!IsLabelName(name)) {
        yaml_.Fault(EntryOf(given, name), fmt::format("invalid label name \"{}\" in group_by list", name));
      } else if (!route->group_by.insert(name).second) {
        yaml_.Fault(EntryOf(given, name), fmt::format("duplicated label \"{}\" in group_by", name));
      }
    }
    if (route->group_by_all && !route->group_by.empty()) {
      yaml_.Fault(given, "cannot have wildcard group_by ('...') and other labels at the same time");
    }
  }

  void ReadTimes(const YAML::Node& node, Route* route) {
    route->group_wait_ns = ReadDurationNs(yaml_, node, "group_wait", route->group_wait_ns);
    route->group_interval_ns = ReadDurationNs(yaml_, node, "group_interval", route->group_interval_ns);
    route->repeat_interval_ns = ReadDurationNs(yaml_, node, "repeat_interval", route->repeat_interval_ns);
    if (route->group_interval_ns == 0) yaml_.Fault(node["group_interval"], "group_interval cannot be zero");
    if (route->repeat_interval_ns == 0) yaml_.Fault(node["repeat_interval"], "repeat_interval cannot be zero");
    const bool given = node["group_interval"] || node["repeat_interval"];
    if (given && route->group_interval_ns > 0 && route->repeat_interval_ns % route->group_interval_ns != 0) {
      const int64_t rounds = route->repeat_interval_ns / route->group_interval_ns + 1;
      const auto print = [](int64_t ns) {
        return text::PrintDuration(ns / 1'000'000, text::DurationStyle::kPrometheus);
      };
      warnings_->push_back(fmt::format(
          "the route at line {}: repeat_interval {} is no multiple of group_interval {}, so that it repeats every {}",
          node.Mark().line + 1, print(route->repeat_interval_ns), print(route->group_interval_ns),
          print(rounds * route->group_interval_ns)));
    }
  }

  std::vector<std::string> ReadIntervalNames(const YAML::Node& node, const char* key) {
    std::vector<std::string> names = ReadTexts(yaml_, node, key);
    for (const std::string& name : names) {
      if (!config_.intervals.contains(name)) {
        yaml_.Fault(EntryOf(node[key], name), fmt::format("undefined time interval \"{}\" used in route", name));
      }
    }
    return names;
  }

  YamlReader& yaml_;
  const Config& config_;
  std::vector<std::string>* const warnings_;
  size_t count_ = 0;
};

class Reader {
 public:
  explicit Reader(YamlReader& yaml) : yaml_(yaml) {}

  Config Read(const YAML::Node& root) {
    Config config;
    if (!yaml_.CheckMap(root, "the configuration of notifications",
                        {"global", "route", "receivers", "inhibit_rules", "time_intervals", "mute_time_intervals",
                         "alertmanagers"}))
      return config;
    const GlobalOptions global = ReadGlobal(yaml_, root["global"], &config.resolve_timeout_ns);
    ReadReceivers(root, global, &config);
    ReadAlertmanagers(root, global, &config);
    ReadIntervals(root, "time_intervals", &config);
    ReadIntervals(root, "mute_time_intervals", &config);
    if (!config.alertmanagers.empty() && !root["route"] && !root["receivers"]) {
      // Only others tell of alerts.
      Config silent = SilentConfig();
      config.receivers = std::move(silent.receivers);
      config.root = std::move(silent.root);
    } else if (!root["route"] || root["route"].IsNull()) {
      yaml_.Fault(root, "no route: write `route: {receiver: NAME}`");
    } else {
      config.root = RouteReader(yaml_, config, &config.warnings).Read(root["route"], nullptr, 1);
      NameRoutes(&config.root);
    }
    ReadInhibitRules(root, &config);
    return config;
  }

 private:
  void ReadReceivers(const YAML::Node& root, const GlobalOptions& global, Config* config) {
    std::set<std::string> names;
    for (const YAML::Node& node : yaml_.List(root, "receivers")) {
      Receiver receiver = ReadReceiver(yaml_, node, global);
      if (!receiver.name.empty() && !names.insert(receiver.name).second) {
        yaml_.Fault(node, fmt::format("notification config name \"{}\" is not unique", receiver.name));
      }
      config->receivers.push_back(std::move(receiver));
    }
    if (config->receivers.size() > kReceiversMax) {
      yaml_.Fault(root["receivers"], fmt::format("there may be {} receivers", kReceiversMax));
    }
  }

  void ReadAlertmanagers(const YAML::Node& root, const GlobalOptions& global, Config* config) {
    std::set<std::string> urls;
    for (const YAML::Node& node : yaml_.List(root, "alertmanagers")) {
      AlertmanagerTarget target = ReadAlertmanager(yaml_, node, global);
      if (!target.url.empty() && !urls.insert(target.url).second) {
        yaml_.Fault(node, fmt::format("the Alertmanager {} is there twice", target.url));
      }
      config->alertmanagers.push_back(std::move(target));
    }
    if (config->alertmanagers.size() > kAlertmanagersMax) {
      yaml_.Fault(root["alertmanagers"], fmt::format("there may be {} Alertmanagers", kAlertmanagersMax));
    }
  }

  void ReadIntervals(const YAML::Node& root, const char* key, Config* config) {
    for (const YAML::Node& node : yaml_.List(root, key)) {
      if (!yaml_.CheckMap(node, "a time interval", {"name", "time_intervals"})) continue;
      const std::string name = yaml_.Text(node, "name", Need::kRequired);
      std::vector<TimeInterval> intervals;
      for (const YAML::Node& entry : yaml_.List(node, "time_intervals")) {
        intervals.push_back(ReadTimeInterval(yaml_, entry));
      }
      if (!config->intervals.emplace(name, std::move(intervals)).second) {
        yaml_.Fault(node, fmt::format("time interval \"{}\" is not unique", name));
      }
    }
  }

  void ReadInhibitRules(const YAML::Node& root, Config* config) {
    std::vector<int> lines;
    for (const YAML::Node& node : yaml_.List(root, "inhibit_rules")) {
      if (!yaml_.CheckMap(node, "an inhibit rule",
                          {"source_match", "source_match_re", "source_matchers", "target_match", "target_match_re",
                           "target_matchers", "equal"}))
        continue;
      InhibitRule rule;
      rule.source = ReadMatchers(yaml_, node, "source_matchers", "source_match", "source_match_re");
      rule.target = ReadMatchers(yaml_, node, "target_matchers", "target_match", "target_match_re");
      rule.equal = ReadTexts(yaml_, node, "equal");
      if (rule.source.empty()) yaml_.Fault(node, "an inhibit rule without source_matchers: any alert would inhibit");
      for (const std::string& name : rule.equal) {
        if (!IsLabelName(name))
          yaml_.Fault(EntryOf(node["equal"], name), fmt::format("invalid label name \"{}\" in equal list", name));
      }
      config->inhibit_rules.push_back(std::move(rule));
      lines.push_back(node.Mark().line + 1);
    }
    for (const auto& [a, b] : InhibitionCycles(config->inhibit_rules)) {
      config->warnings.push_back(fmt::format(
          "the inhibit rules at lines {} and {}: an alert that one of them lets inhibit may be the target of "
          "the other, so that two alerts can inhibit each other and nobody is told of either",
          lines[a], lines[b]));
    }
  }

  YamlReader& yaml_;
};

}  // namespace

const Receiver* Config::FindReceiver(std::string_view name) const {
  const auto at = std::find_if(receivers.begin(), receivers.end(), [&](const Receiver& r) { return r.name == name; });
  return at == receivers.end() ? nullptr : &*at;
}

Config SilentConfig() {
  Config config;
  config.receivers.push_back({.name = "default", .integrations = {}});
  config.root.receiver = "default";
  NameRoutes(&config.root);
  return config;
}

Result<Config> ParseConfig(std::string_view text, const std::string& file) {
  YamlReader yaml(file);
  return yaml.Read(text, [&](const YAML::Node& root) { return Reader(yaml).Read(root); });
}

Result<Config> LoadConfig(const std::string& path) {
  TM_TRY_ASSIGN(const std::string text, ReadTextFile(path, kConfigBytesMax));
  return ParseConfig(text, path);
}

}  // namespace tidemark::query::notify

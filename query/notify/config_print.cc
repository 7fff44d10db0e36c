#include <yaml-cpp/yaml.h>

#include <fmt/core.h>

#include <array>
#include <utility>

#include "query/notify/config.h"
#include "storage/base/text/duration.h"

namespace tidemark::query::notify {
namespace {

constexpr const char* kHidden = "<secret>";
constexpr std::array<const char*, 7> kWeekdays{"sunday",   "monday", "tuesday", "wednesday",
                                               "thursday", "friday", "saturday"};

std::string Duration(int64_t ns) { return text::PrintDuration(ns / 1'000'000, text::DurationStyle::kPrometheus); }

template <typename T>
YAML::Node List(const T& texts) {
  YAML::Node node(YAML::NodeType::Sequence);
  for (const std::string& text : texts) node.push_back(text);
  return node;
}

YAML::Node MatcherList(const Matchers& matchers) {
  YAML::Node node(YAML::NodeType::Sequence);
  for (const Matcher& matcher : matchers) node.push_back(matcher.Text());
  return node;
}

YAML::Node RouteNode(const Route& route, bool root) {
  YAML::Node node;
  node["receiver"] = route.receiver;
  if (route.group_by_all) {
    node["group_by"].push_back("...");
  } else if (!route.group_by.empty()) {
    node["group_by"] = List(route.group_by);
  }
  if (!root) {
    if (!route.matchers.empty()) node["matchers"] = MatcherList(route.matchers);
    if (!route.mute_intervals.empty()) node["mute_time_intervals"] = List(route.mute_intervals);
    if (!route.active_intervals.empty()) node["active_time_intervals"] = List(route.active_intervals);
  }
  node["continue"] = route.continues;
  node["group_wait"] = Duration(route.group_wait_ns);
  node["group_interval"] = Duration(route.group_interval_ns);
  node["repeat_interval"] = Duration(route.repeat_interval_ns);
  for (const Route& child : route.children) node["routes"].push_back(RouteNode(child, false));
  return node;
}

void AddIntegration(const Integration& integration, YAML::Node* receiver) {
  YAML::Node node;
  node["send_resolved"] = integration.send_resolved;
  switch (integration.kind) {
    case IntegrationKind::kWebhook:
      // To `amtool` this is no secret but a URL, which it parses.
      node["url"] = "http://hidden.invalid/";
      node["max_alerts"] = integration.max_alerts;
      (*receiver)["webhook_configs"].push_back(node);
      break;
    case IntegrationKind::kSlack:
      node["api_url"] = kHidden;
      node["channel"] = integration.channel;
      (*receiver)["slack_configs"].push_back(node);
      break;
    case IntegrationKind::kEmail:
      node["to"] = integration.email.to;
      node["from"] = integration.email.from;
      node["smarthost"] = integration.email.smarthost;
      (*receiver)["email_configs"].push_back(node);
      break;
    case IntegrationKind::kTeams:
    case IntegrationKind::kCommand: break;
  }
}

// "a:b" of each range, its ends as `show` has them.
template <typename Show>
void AddRanges(YAML::Node* node, const char* key, const std::vector<IntRange>& ranges, const Show& show) {
  for (const IntRange& range : ranges) (*node)[key].push_back(fmt::format("{}:{}", show(range.begin), show(range.end)));
}

YAML::Node IntervalNode(const TimeInterval& interval) {
  YAML::Node node(YAML::NodeType::Map);
  const auto number = [](int value) { return std::to_string(value); };
  for (const IntRange& range : interval.minutes) {
    YAML::Node times;
    times["start_time"] = fmt::format("{:02}:{:02}", range.begin / 60, range.begin % 60);
    times["end_time"] = fmt::format("{:02}:{:02}", range.end / 60, range.end % 60);
    node["times"].push_back(times);
  }
  AddRanges(&node, "weekdays", interval.weekdays, [](int day) { return kWeekdays.at(static_cast<size_t>(day)); });
  AddRanges(&node, "days_of_month", interval.days, number);
  AddRanges(&node, "months", interval.months, number);
  AddRanges(&node, "years", interval.years, number);
  if (interval.zone) node["location"] = std::string(interval.zone->name());
  return node;
}

}  // namespace

std::string PrintConfig(const Config& config) {
  YAML::Node root;
  root["global"]["resolve_timeout"] = Duration(config.resolve_timeout_ns);
  root["route"] = RouteNode(config.root, true);
  for (const InhibitRule& rule : config.inhibit_rules) {
    YAML::Node node;
    node["source_matchers"] = MatcherList(rule.source);
    node["target_matchers"] = MatcherList(rule.target);
    node["equal"] = List(rule.equal);
    root["inhibit_rules"].push_back(node);
  }
  for (const Receiver& receiver : config.receivers) {
    YAML::Node node;
    node["name"] = receiver.name;
    for (const Integration& integration : receiver.integrations) AddIntegration(integration, &node);
    root["receivers"].push_back(node);
  }
  for (const auto& [name, intervals] : config.intervals) {
    YAML::Node node;
    node["name"] = name;
    node["time_intervals"] = YAML::Node(YAML::NodeType::Sequence);
    for (const TimeInterval& interval : intervals) node["time_intervals"].push_back(IntervalNode(interval));
    root["time_intervals"].push_back(node);
  }
  YAML::Emitter emitter;
  emitter << root;
  return std::string(emitter.c_str()) + "\n";
}

}  // namespace tidemark::query::notify

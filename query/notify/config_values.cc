#include <fmt/core.h>

#include <optional>
#include <string>
#include <utility>

#include "query/notify/config_reader.h"
#include "storage/base/text/duration.h"

namespace tidemark::query::notify {
namespace {

// The parts of a list of ranges, each read by `parse`.
template <typename Parse>
std::vector<IntRange> ReadRanges(YamlReader& yaml, const YAML::Node& map, const char* key, const Parse& parse) {
  std::vector<IntRange> ranges;
  for (const YAML::Node& node : yaml.List(map, key)) {
    const Result<IntRange> range = parse(node.IsScalar() ? node.Scalar() : "");
    if (range.ok()) {
      ranges.push_back(*range);
    } else {
      yaml.Fault(node, fmt::format("{}: {}", key, range.error().message));
    }
  }
  return ranges;
}

// Nothing after a fault.
std::optional<int> ReadTimeOfDay(YamlReader& yaml, const YAML::Node& map, const char* key) {
  const std::string text = yaml.Text(map, key, YamlReader::Need::kRequired);
  // That it is missing has been said.
  if (text.empty() && (!map[key] || !map[key].IsScalar())) return std::nullopt;
  const Result<int> time = ParseTimeOfDay(text);
  if (time.ok()) return *time;
  yaml.Fault(map[key], fmt::format("{}: {}", key, time.error().message));
  return std::nullopt;
}

void AddMatcher(YamlReader& yaml, const YAML::Node& node, Result<Matcher> matcher, Matchers* out) {
  if (matcher.ok()) {
    out->push_back(std::move(matcher).value());
  } else {
    yaml.Fault(node, matcher.error().message);
  }
}

void ReadMatcherMap(YamlReader& yaml, const YAML::Node& map, const char* key, model::MatchOp op, Matchers* out) {
  const YAML::Node node = map[key];
  if (!node || node.IsNull()) return;
  if (!node.IsMap()) return yaml.Fault(node, fmt::format("{} must be a map", key));
  for (const auto& entry : node) {
    if (!entry.first.IsScalar() || !entry.second.IsScalar() || !IsLabelName(entry.first.Scalar())) {
      yaml.Fault(entry.first, fmt::format("{}: pairs of a label's name and a text", key));
      continue;
    }
    std::string value = entry.second.Scalar();
    if (op == model::MatchOp::kRegex) {
      // What is wrong with it is said of what was written.
      if (const Result<Matcher> plain = Matcher::Make(entry.first.Scalar(), op, value); !plain.ok()) {
        yaml.Fault(entry.second, plain.error().message);
        continue;
      }
      // As Alertmanager has it in the keys of groups, which receivers see.
      value = "^(?:" + value + ")$";
    }
    AddMatcher(yaml, entry.second, Matcher::Make(entry.first.Scalar(), op, std::move(value)), out);
  }
}

}  // namespace

bool ReadBool(YamlReader& yaml, const YAML::Node& map, const char* key, bool otherwise) {
  const std::string text = yaml.Text(map, key);
  if (text.empty()) return otherwise;
  bool value = otherwise;
  // What stands in quotes is a text.
  if (map[key].Tag() == "!" || !YAML::convert<bool>::decode(map[key], value))
    yaml.Fault(map[key], fmt::format("{} is true or false", key));
  return value;
}

int64_t ReadDurationNs(YamlReader& yaml, const YAML::Node& map, const char* key, int64_t otherwise) {
  const std::string text = yaml.Text(map, key);
  if (text.empty() && (!map[key] || !map[key].IsScalar())) return otherwise;
  if (const auto ns = text::ParseDuration(text, text::kPrometheusDuration)) return *ns;
  yaml.Fault(map[key], fmt::format("{}: not a valid duration string: \"{}\"", key, text));
  return otherwise;
}

std::vector<std::string> ReadTexts(YamlReader& yaml, const YAML::Node& map, const char* key) {
  std::vector<std::string> texts;
  for (const YAML::Node& node : yaml.List(map, key)) {
    if (node.IsScalar()) {
      texts.push_back(node.Scalar());
    } else {
      yaml.Fault(node, fmt::format("{} is a list of texts", key));
    }
  }
  return texts;
}

Secret ReadSecret(YamlReader& yaml, const YAML::Node& map, const std::string& key) {
  const std::string file_key = key + "_file";
  Secret secret{.text = yaml.Text(map, key.c_str()), .file = yaml.Text(map, file_key.c_str())};
  if (!secret.text.empty() && !secret.file.empty()) {
    yaml.Fault(map[file_key], fmt::format("at most one of {} and {} may be given", key, file_key));
  }
  return secret;
}

Matchers ReadMatchers(YamlReader& yaml, const YAML::Node& map, const char* matchers_key, const char* equal_key,
                      const char* regex_key) {
  Matchers matchers;
  ReadMatcherMap(yaml, map, equal_key, model::MatchOp::kEqual, &matchers);
  ReadMatcherMap(yaml, map, regex_key, model::MatchOp::kRegex, &matchers);
  for (const YAML::Node& node : yaml.List(map, matchers_key)) {
    const Result<Matchers> some = ParseMatchers(node.IsScalar() ? node.Scalar() : "");
    if (!some.ok()) {
      yaml.Fault(node, some.error().message);
    } else {
      matchers.insert(matchers.end(), some->begin(), some->end());
    }
  }
  SortMatchers(&matchers);
  return matchers;
}

TimeInterval ReadTimeInterval(YamlReader& yaml, const YAML::Node& node) {
  TimeInterval interval;
  if (!yaml.CheckMap(node, "a time interval", {"times", "weekdays", "days_of_month", "months", "years", "location"}))
    return interval;
  for (const YAML::Node& times : yaml.List(node, "times")) {
    if (!yaml.CheckMap(times, "a range of times", {"start_time", "end_time"})) continue;
    const std::optional<int> begin = ReadTimeOfDay(yaml, times, "start_time");
    const std::optional<int> end = ReadTimeOfDay(yaml, times, "end_time");
    if (!begin || !end) continue;
    if (*begin >= *end) {
      yaml.Fault(times,
                 "start_time must be before end_time: a range over midnight is two, '22:00' to '24:00' and "
                 "'00:00' to '06:00'");
    } else {
      interval.minutes.push_back({*begin, *end});
    }
  }
  interval.weekdays = ReadRanges(yaml, node, "weekdays", ParseWeekdays);
  interval.days = ReadRanges(yaml, node, "days_of_month", ParseDaysOfMonth);
  interval.months = ReadRanges(yaml, node, "months", ParseMonths);
  interval.years = ReadRanges(yaml, node, "years", ParseYears);
  if (const std::string location = yaml.Text(node, "location"); !location.empty()) {
    const Result<trend::Zone> zone =
        location == "Local" ? Result<trend::Zone>(trend::Zone::OfMachine()) : trend::Zone::Find(location);
    if (zone.ok()) {
      interval.zone = *zone;
    } else {
      yaml.Fault(node["location"], zone.error().message);
    }
  }
  return interval;
}

}  // namespace tidemark::query::notify

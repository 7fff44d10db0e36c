#include "tools/bench/devops_workload.h"

#include <fmt/core.h>
#include <fmt/format.h>

#include <algorithm>
#include <iterator>

namespace tidemark::bench {
namespace {

constexpr const char* kFields[kDevopsFields] = {"usage_user",   "usage_system",    "usage_idle",    "usage_nice",
                                                "usage_iowait", "usage_irq",       "usage_softirq", "usage_steal",
                                                "usage_guest",  "usage_guest_nice"};
constexpr const char* kRegions[] = {"us-east-1",      "us-west-1",      "us-west-2",      "eu-west-1", "eu-central-1",
                                    "ap-southeast-1", "ap-southeast-2", "ap-northeast-1", "sa-east-1"};
constexpr const char* kSystems[] = {"Ubuntu16.10", "Ubuntu16.04LTS", "Ubuntu15.10"};
constexpr const char* kMachines[] = {"x64", "x86"};
constexpr const char* kTeams[] = {"SF", "NYC", "LON", "CHI"};
constexpr const char* kStages[] = {"production", "staging", "test"};

}  // namespace

const char* DevopsWorkload::FieldName(size_t index) { return kFields[index]; }

DevopsWorkload::DevopsWorkload(const DevopsOptions& options)
    : options_(options), random_(options.seed), time_s_(options.start_s) {
  const auto pick = [&](const auto& choices) { return choices[random_() % std::size(choices)]; };
  for (uint32_t host = 0; host < options.hosts; ++host) {
    const std::string region = pick(kRegions);
    heads_.push_back(fmt::format(
        "cpu,hostname=host_{},region={},datacenter={}{},rack={},os={},arch={},team={},service={},service_version={},"
        "service_environment={} ",
        host, region, region, static_cast<char>('a' + random_() % 3), random_() % 100, pick(kSystems), pick(kMachines),
        pick(kTeams), random_() % 20, random_() % 2, pick(kStages)));
  }
  values_.resize(size_t{options.hosts} * kDevopsFields);
  for (double& value : values_) value = static_cast<double>(random_() % 10'001) / 100;
}

void DevopsWorkload::AppendLine(std::string* out) {
  *out += heads_[host_];
  for (size_t f = 0; f < kDevopsFields; ++f) {
    double& value = values_[size_t{host_} * kDevopsFields + f];
    value = std::clamp(value + step_(random_), 0.0, 100.0);
    const auto at = std::back_inserter(*out);
    if (options_.decimals) {
      fmt::format_to(at, "{}{}={:.2f}", f > 0 ? "," : "", kFields[f], value);
    } else {
      fmt::format_to(at, "{}{}={}i", f > 0 ? "," : "", kFields[f], static_cast<int>(value));
    }
  }
  fmt::format_to(std::back_inserter(*out), " {}000000000\n", time_s_);
}

bool DevopsWorkload::Next(size_t lines, std::string* out) {
  out->clear();
  for (size_t i = 0; i < lines && time_s_ < options_.start_s + options_.seconds; ++i) {
    AppendLine(out);
    if (++host_ == options_.hosts) {
      host_ = 0;
      time_s_ += options_.interval_s;
    }
  }
  return !out->empty();
}

}  // namespace tidemark::bench

#include "tools/bench/devops_workload.h"

#include <fmt/core.h>

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
  const auto pick = [&](const auto& choices) { return std::string(choices[random_() % std::size(choices)]); };
  const auto number = [&](uint64_t below) { return std::to_string(random_() % below); };
  for (uint32_t host = 0; host < options.hosts; ++host) {
    const std::string region = pick(kRegions);
    tags_.push_back({{"hostname", fmt::format("host_{}", host)},
                     {"region", region},
                     {"datacenter", region + static_cast<char>('a' + random_() % 3)},
                     {"rack", number(100)},
                     {"os", pick(kSystems)},
                     {"arch", pick(kMachines)},
                     {"team", pick(kTeams)},
                     {"service", number(20)},
                     {"service_version", number(2)},
                     {"service_environment", pick(kStages)}});
  }
  values_.resize(size_t{options.hosts} * kDevopsFields);
  for (double& value : values_) value = static_cast<double>(random_() % 10'001) / 100;
}

bool DevopsWorkload::Next(DevopsRow* row) {
  if (time_s_ >= options_.start_s + options_.seconds || options_.hosts == 0) return false;
  row->host = host_;
  row->time_s = time_s_;
  for (size_t f = 0; f < kDevopsFields; ++f) {
    double& value = values_[size_t{host_} * kDevopsFields + f];
    value = std::clamp(value + step_(random_), 0.0, 100.0);
    row->values[f] = value;
  }
  if (++host_ == options_.hosts) {
    host_ = 0;
    time_s_ += options_.interval_s;
  }
  return true;
}

}  // namespace tidemark::bench

#include "storage/base/usable_cpus.h"

#include <sched.h>

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <fstream>
#include <iterator>
#include <string>
#include <thread>

namespace tidemark {
namespace {

std::string ReadAll(const std::string& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

// The tightest quota on the way from the process's control group to the root. In a container the mounted root is the
// container's own group.
std::optional<size_t> GroupQuota() {
  constexpr std::string_view kMount = "/sys/fs/cgroup";
  std::string group;  // with a leading '/'
  const std::string own = ReadAll("/proc/self/cgroup");
  if (const size_t at = own.find("0::"); at != std::string::npos)
    group = own.substr(at + 3, own.find('\n', at) - at - 3);
  std::optional<size_t> least;
  for (;;) {
    while (group.ends_with('/')) group.pop_back();
    std::string path(kMount);
    path.append(group).append("/cpu.max");
    if (const auto cpus = CpusOfQuota(ReadAll(path))) {
      least = std::min(least.value_or(*cpus), *cpus);
    }
    if (group.empty()) return least;
    group.resize(group.rfind('/') == std::string::npos ? 0 : group.rfind('/'));
  }
}

}  // namespace

std::optional<size_t> CpusOfQuota(std::string_view cpu_max) {
  uint64_t quota = 0;
  uint64_t period = 0;
  const char* const end = cpu_max.data() + cpu_max.size();
  const auto [after_quota, quota_error] = std::from_chars(cpu_max.data(), end, quota);
  if (quota_error != std::errc() || after_quota == end || *after_quota != ' ') return std::nullopt;
  const auto [after_period, period_error] = std::from_chars(after_quota + 1, end, period);
  if (period_error != std::errc() || period == 0 || quota == 0) return std::nullopt;
  return static_cast<size_t>(quota / period + (quota % period != 0 ? 1 : 0));
}

size_t UsableCpus() {
  size_t cpus = std::max<size_t>(1, std::thread::hardware_concurrency());
  cpu_set_t set;
  CPU_ZERO(&set);
  // Fails where there are more CPUs than the mask of this size holds.
  if (sched_getaffinity(0, sizeof(set), &set) == 0 && CPU_COUNT(&set) > 0) cpus = static_cast<size_t>(CPU_COUNT(&set));
  return std::min(cpus, GroupQuota().value_or(cpus));
}

}  // namespace tidemark

// UsableCpus: how many threads of this process can run at once.
#pragma once

#include <cstddef>
#include <optional>
#include <string_view>

namespace tidemark {

// CPUs in the process's affinity mask, or fewer where its control group may use less time than that: a container with
// `--cpus 2` on a machine of 64. At least 1. Looked up anew at each call: keep it.
size_t UsableCpus();

// CPUs that a `cpu.max` file of a control group allows, rounded up; none for "max" and for what is not such a file.
// Source: Linux, Documentation/admin-guide/cgroup-v2.rst, "cpu.max".
std::optional<size_t> CpusOfQuota(std::string_view cpu_max);

}  // namespace tidemark

// What the system says of this process' memory: how much it may have, and how much it has.
#pragma once

#include <cstdint>
#include <string>

#include "storage/base/result.h"

namespace tidemark::memory {

// Where the system says it. Tests have their own.
struct SystemPlaces {
  std::string proc = "/proc";
  std::string cgroup = "/sys/fs/cgroup";
};

struct Ceiling {
  uint64_t bytes = 0;
  std::string source;  // "memory.max of control group /a/b", "the machine's memory", "memory.limit"
};

// The least of: memory.max and memory.high of the control group (version 2) and of those above it,
// memory.limit_in_bytes (version 1) likewise, the machine's memory, and `setting_bytes` unless 0. What cannot be read
// does not limit. Sources: https://docs.kernel.org/admin-guide/cgroup-v2.html,
// https://docs.kernel.org/admin-guide/cgroup-v1/memory.html
Ceiling FindCeiling(uint64_t setting_bytes, const SystemPlaces& places = {});

// What a budget may hand out of a ceiling: 85 % less 64 MiB, which leaves room for what is not accounted yet, for
// fragments and for the kernel's own; at least kLeastBudgetBytes.
inline constexpr uint64_t kLeastBudgetBytes = uint64_t{64} << 20;
uint64_t BudgetOf(uint64_t ceiling_bytes);

// Resident memory that no file backs. Errors: kIo.
Result<uint64_t> AnonymousBytes(const SystemPlaces& places = {});

}  // namespace tidemark::memory

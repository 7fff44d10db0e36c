// Sizes among the settings, lowered to what the memory of the process allows.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "tools/server/config/config.h"

namespace tidemark::server {

struct LoweredSetting {
  std::string_view key;
  uint64_t from_bytes = 0;
  uint64_t to_bytes = 0;
};

// Each size is at most its share of `budget_bytes`, which is what memory::BudgetOf gives; see the table in
// memory_fit.cc. Returns those that were more. What is set to 0 for "no limit" gets one.
std::vector<LoweredSetting> FitToMemory(uint64_t budget_bytes, Config* config);

}  // namespace tidemark::server

// The limits that clients and operators meet, in one table: how much, and what happens beyond it. Those that are
// settings come with their value in a configuration; the others are constants of the folder that keeps them.
#pragma once

#include <string>
#include <vector>

#include "tools/server/config/config.h"

namespace tidemark::server {

struct Limit {
  std::string area;    // "Writing"
  std::string what;    // "bytes of a line"
  std::string value;   // "4MiB"
  std::string beyond;  // "the line is refused, the others are kept"
  std::string key{};   // of the setting; empty: it is fixed
};

// By area.
std::vector<Limit> LimitsOf(Config config);

// The table as Markdown. Of the default configuration it is LIMITS.md, which a test compares.
std::string PrintLimits(const Config& config);

}  // namespace tidemark::server

// DiskUse: what the files of a data directory take, by what they are for. Reads names and sizes alone, so that it can
// be asked of a directory whose server is at work.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "storage/base/result.h"

namespace tidemark::disk_use {

struct PartUse {
  std::string_view name;  // "tables", ...; stays
  std::string_view help;  // what it is, for people
  uint64_t files = 0;
  uint64_t bytes = 0;  // that the disk has set aside for it, which is more or less than its length
};

// All parts in the order of the table, also those that there is nothing of. Errors: kNotFound (no such folder), kIo.
Result<std::vector<PartUse>> MeasureDisk(const std::string& directory);

}  // namespace tidemark::disk_use

// What is in a directory, and what became of it.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>

#include "directory_copy.h"
#include "storage/base/hash.h"

namespace tidemark::fault {

// Each file below `root` with the hash of its bytes; directories with 0.
inline std::map<std::string, uint64_t> HashesOf(const std::filesystem::path& root) {
  std::map<std::string, uint64_t> hashes;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(root)) {
    const std::string bytes = entry.is_regular_file() ? ReadFile(entry.path()) : std::string();
    hashes[std::filesystem::relative(entry.path(), root).string()] =
        entry.is_regular_file() ? Hash64(bytes, /*seed=*/0) : 0;
  }
  return hashes;
}

// What changed from `before` to `after`; "" when nothing did.
inline std::string Changes(const std::map<std::string, uint64_t>& before,
                           const std::map<std::string, uint64_t>& after) {
  std::string text;
  for (const auto& [name, hash] : before) {
    const auto found = after.find(name);
    if (found == after.end()) text += name + " is gone; ";
    if (found != after.end() && found->second != hash) text += name + " is another; ";
  }
  for (const auto& [name, _] : after) {
    if (!before.contains(name)) text += name + " is new; ";
  }
  return text;
}

}  // namespace tidemark::fault

// A data directory as a kill would leave it: its files, copied as they are.
#pragma once

#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <system_error>

namespace tidemark::fault {

inline std::string ReadFile(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

// What is deleted meanwhile (RocksDB's own logs, in the background) is left out.
inline void CopyTo(const std::filesystem::path& from, const std::filesystem::path& to) {
  std::filesystem::remove_all(to);
  std::filesystem::create_directories(to);
  for (const auto& entry : std::filesystem::recursive_directory_iterator(from)) {
    const std::filesystem::path copied = to / entry.path().lexically_relative(from);
    std::error_code gone;
    if (entry.is_directory()) {
      std::filesystem::create_directories(copied);
    } else {
      std::filesystem::copy_file(entry.path(), copied, gone);
    }
  }
}

}  // namespace tidemark::fault

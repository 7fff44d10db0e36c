// A directory of its own for one test, which goes with it.
#pragma once

#include <stdlib.h>
#include <unistd.h>

#include <filesystem>
#include <string>
#include <system_error>

namespace tidemark {

class TempDirectory {
 public:
  enum class Place { kMemory, kDisk };

  // In memory where that is possible: syncs to a busy disk take most of the time of many tests otherwise.
  explicit TempDirectory(Place place = Place::kMemory) {
    const std::filesystem::path memory = "/dev/shm";
    const bool in_memory =
        place == Place::kMemory && std::filesystem::is_directory(memory) && access(memory.c_str(), W_OK) == 0;
    std::string pattern = ((in_memory ? memory : std::filesystem::temp_directory_path()) / "tidemark-XXXXXX").string();
    if (mkdtemp(pattern.data()) == nullptr) {
      throw std::filesystem::filesystem_error("mkdtemp", pattern, std::error_code(errno, std::generic_category()));
    }
    path_ = pattern;
  }
  ~TempDirectory() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  TempDirectory(const TempDirectory&) = delete;
  TempDirectory& operator=(const TempDirectory&) = delete;
  [[nodiscard]] const std::string& path() const { return path_; }
  // The path of a file in it.
  [[nodiscard]] std::string Below(const std::string& name) const { return path_ + "/" + name; }

 private:
  std::string path_;
};

}  // namespace tidemark

#include "storage/rocks/private_files.h"

#include <fmt/core.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <filesystem>
#include <string_view>
#include <system_error>

#include "storage/base/log.h"

namespace tidemark::storage::rocks {
namespace {

namespace fs = std::filesystem;

constexpr auto kFolders =
    std::to_array<std::string_view>({"", "/rocksdb", "/journal", "/staging", "/copy", "/copy/names", "/set-aside"});
constexpr auto kOthers = fs::perms::group_all | fs::perms::others_all;

bool OpenToOthers(const fs::path& path) {
  std::error_code error;
  const fs::file_status status = fs::status(path, error);
  return !error && (status.permissions() & kOthers) != fs::perms::none;
}

void Close(const fs::path& path) {
  std::error_code ignored;
  fs::permissions(path, kOthers, fs::perm_options::remove, ignored);
}

}  // namespace

void MakePrivate(const std::string& directory) {
  for (const std::string_view name : kFolders) {
    const fs::path folder = directory + std::string(name);
    std::error_code error;
    if (!OpenToOthers(folder)) continue;
    for (fs::directory_iterator at(folder, error), end; !error && at != end; at.increment(error)) {
      std::error_code ignored;
      if (at->is_regular_file(ignored) && OpenToOthers(at->path())) Close(at->path());
    }
    Close(folder);
    if (name.empty()) TM_LOG(kInfo, "{}: only its owner may read it from now on", directory);
  }
}

std::string WhyUnwritable(const std::string& directory) {
  for (const std::string_view name : {"", "/rocksdb", "/journal"}) {
    const std::string folder = directory + std::string(name);
    if (::access(folder.c_str(), W_OK) == 0) continue;
    if (errno == EROFS) return "it lies on a medium that is read-only";
    if (errno == EACCES) return fmt::format("this process may not write in {}", folder);
  }
  return {};
}

}  // namespace tidemark::storage::rocks

#include "tools/disk_use/disk_use.h"

#include <fmt/core.h>
#include <sys/stat.h>

#include <filesystem>
#include <system_error>

namespace tidemark::disk_use {
namespace {

struct Part {
  std::string_view name;
  std::string_view help;
  // Of the path within the directory: how it begins, and how its last name begins or ends; "" fits all. The first that
  // fits counts.
  std::string_view folder;
  std::string_view begins = {};
  std::string_view ends = {};
};
constexpr Part kParts[] = {
    {"tables", "pages, their directories, names and records", "rocksdb/", "", ".sst"},
    {"recordLog", "names and records that are not in tables yet", "rocksdb/", "", ".log"},
    {"rocksdb", "RocksDB's list of files, options and messages", "rocksdb/"},
    {"journal", "acknowledged rows that are not in pages yet, and room for the next", "journal/"},
    {"copies", "names and records a second time", "copy/"},
    {"reserve", "kept free for when the disk is full", "reserve"},
    {"audit", "who changed what", "audit/"},
    {"setAside", "what a repair has put away: look, then delete it", "set-aside/"},
    {"staging", "files on their way", "staging/"},
    {"other", "identity, watermark and the like", ""},
};

bool Fits(const Part& part, std::string_view path) {
  if (!path.starts_with(part.folder)) return false;
  const std::string_view name = path.substr(path.rfind('/') == std::string_view::npos ? 0 : path.rfind('/') + 1);
  return name.starts_with(part.begins) && name.ends_with(part.ends);
}

}  // namespace

Result<std::vector<PartUse>> MeasureDisk(const std::string& directory) {
  namespace fs = std::filesystem;
  std::vector<PartUse> out;
  for (const Part& part : kParts) out.push_back({.name = part.name, .help = part.help});
  std::error_code error;
  if (!fs::is_directory(directory, error)) return NotFound(fmt::format("there is no folder {}", directory));
  fs::recursive_directory_iterator at(directory, fs::directory_options::skip_permission_denied, error);
  for (; !error && at != fs::recursive_directory_iterator(); at.increment(error)) {
    struct stat info{};
    // One that goes meanwhile takes nothing.
    if (lstat(at->path().c_str(), &info) != 0 || !S_ISREG(info.st_mode)) continue;
    const std::string path = at->path().lexically_relative(directory).string();
    for (size_t i = 0; i < std::size(kParts); ++i) {
      if (!Fits(kParts[i], path)) continue;
      ++out[i].files;
      out[i].bytes += static_cast<uint64_t>(info.st_blocks) * 512;
      break;
    }
  }
  if (error) return IoError(fmt::format("looking through {}: {}", directory, error.message()));
  return out;
}

}  // namespace tidemark::disk_use

#include "storage/rocks/own_files.h"

#include <array>

namespace tidemark::storage::rocks {
namespace {

// Below the data directory, "" being itself. To look after one more, add it. RocksDB's CURRENT and MANIFEST are not
// among them: it puts new ones in their place.
constexpr auto kWatched = std::to_array<std::string_view>(
    {"", "/identity", "/LOCK", "/watermark", "/journal", "/staging", "/rocksdb", "/rocksdb/LOCK"});

}  // namespace

OwnFiles OwnFiles::Of(const std::string& directory) {
  OwnFiles own;
  for (const std::string_view name : kWatched) {
    std::string path = directory;
    path += name;
    if (const FileMark mark = FileMark::Of(path); mark.set()) own.files_.emplace_back(std::move(path), mark);
  }
  return own;
}

std::string OwnFiles::Missing() const {
  for (const auto& [path, mark] : files_) {
    if (!mark.Holds(path)) return path;
  }
  return {};
}

}  // namespace tidemark::storage::rocks

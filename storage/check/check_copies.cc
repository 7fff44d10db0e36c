#include "storage/check/check_copies.h"

#include <fmt/core.h>
#include <rocksdb/file_system.h>

#include <algorithm>
#include <charconv>
#include <limits>
#include <optional>

#include "storage/copy/copies.h"
#include "storage/rocks/directory.h"
#include "storage/rocks/rocks_status.h"

namespace tidemark::storage::check {
namespace {

// "" when the first `limit` bytes are whole, as far as there are so many.
Result<std::string> WhyDamaged(rocksdb::FileSystem* files, const std::string& path, uint64_t limit) {
  uint64_t bytes = 0;
  TM_RETURN_IF_ERROR(rocks::FromRocks(files->GetFileSize(path, rocksdb::IOOptions(), &bytes, nullptr), path));
  const auto whole =
      copy::ReadRecordFile(files, path, std::min(bytes, limit), [](auto, auto) { return Result<void>(); });
  if (!whole.ok()) {
    if (whole.error().code == ErrorCode::kIo) return whole.error();
    return whole.error().message;
  }
  if (*whole == std::min(bytes, limit)) return std::string();
  return fmt::format("it is damaged from byte {} on", *whole);
}

}  // namespace

Result<std::vector<DamagedCopy>> CheckCopies(rocksdb::FileSystem* files, const std::string& directory) {
  std::vector<DamagedCopy> damaged;
  const std::string folder = directory + "/copy";
  bool is_folder = true;
  if (files->IsDirectory(folder, rocksdb::IOOptions(), &is_folder, nullptr).ok() && !is_folder) {
    damaged.push_back({folder, "it is a file where the folder of the copies should be"});
    return damaged;
  }
  for (const std::string& path : {copy::MetaPath(directory), copy::OldMetaPath(directory)}) {
    TM_TRY_ASSIGN(const bool there, rocks::Exists(files, path));
    if (!there) continue;
    TM_TRY_ASSIGN(std::string why, WhyDamaged(files, path, std::numeric_limits<uint64_t>::max()));
    if (!why.empty()) damaged.push_back({path, std::move(why)});
  }
  TM_TRY_ASSIGN(const std::optional<copy::MetaCopy> meta, copy::ReadMetaCopy(files, directory));
  TM_TRY_ASSIGN(const std::vector<std::string> names, rocks::NamesIn(files, directory + "/copy/names"));
  for (const std::string& name : names) {
    uint32_t id = 0;
    const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), id);
    if (error != std::errc() || end != name.data() + name.size()) continue;  // one that was being made
    // Behind what copy/meta tells of lies what a checkpoint that was cut short has written.
    const auto told = meta ? meta->head.names.find(model::DatabaseId{id}) : decltype(meta->head.names.begin()){};
    if (!meta || told == meta->head.names.end()) continue;
    const std::string path = copy::NamesPath(directory, model::DatabaseId{id});
    TM_TRY_ASSIGN(std::string why, WhyDamaged(files, path, told->second.bytes));
    if (!why.empty()) damaged.push_back({path, std::move(why)});
  }
  return damaged;
}

}  // namespace tidemark::storage::check

#include "storage/rocks/directory.h"

#include <fmt/core.h>
#include <rocksdb/file_system.h>

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <memory>

#include "storage/journal/sync_directory.h"
#include "storage/rocks/rocks_status.h"

namespace tidemark::storage::rocks {
namespace {

constexpr std::string_view kStagingPrefix = "epoch-";
constexpr std::string_view kStagingSuffix = ".sst";

}  // namespace

Result<bool> Exists(rocksdb::FileSystem* files, const std::string& path) {
  const rocksdb::IOStatus status = files->FileExists(path, rocksdb::IOOptions(), nullptr);
  if (status.IsNotFound()) return false;
  TM_RETURN_IF_ERROR(FromRocks(status, "looking for " + path));
  return true;
}

Result<std::vector<std::string>> NamesIn(rocksdb::FileSystem* files, const std::string& directory) {
  std::vector<std::string> names;
  TM_TRY_ASSIGN(const bool there, Exists(files, directory));
  if (!there) return names;
  TM_RETURN_IF_ERROR(
      FromRocks(files->GetChildren(directory, rocksdb::IOOptions(), &names, nullptr), "listing " + directory));
  std::erase_if(names, [](const std::string& name) { return name == "." || name == ".."; });
  std::sort(names.begin(), names.end());
  return names;
}

Result<void> DeleteFilesIn(rocksdb::FileSystem* files, const std::string& directory) {
  TM_TRY_ASSIGN(const std::vector<std::string> names, NamesIn(files, directory));
  for (const std::string& name : names) {
    const std::string path = fmt::format("{}/{}", directory, name);
    TM_RETURN_IF_ERROR(FromRocks(files->DeleteFile(path, rocksdb::IOOptions(), nullptr), "deleting " + path));
  }
  return {};
}

Result<void> ReplaceFile(rocksdb::FileSystem* files, const std::string& path, const std::string& bytes,
                         std::optional<FailurePointName> written) {
  const std::string made = path + ".new";
  const rocksdb::IOOptions io;
  rocksdb::IOStatus status = rocksdb::WriteStringToFile(files, bytes, made, /*should_sync=*/true);
  if (written) FailurePoint(*written);
  if (status.ok()) status = files->RenameFile(made, path, io, nullptr);
  TM_RETURN_IF_ERROR(FromRocks(status, "writing " + path));
  return journal::SyncDirectory(files, std::filesystem::path(path).parent_path().string());
}

Result<void> RenameDurably(rocksdb::FileSystem* files, const std::string& from, const std::string& to) {
  TM_RETURN_IF_ERROR(FromRocks(files->RenameFile(from, to, rocksdb::IOOptions(), nullptr),
                               fmt::format("renaming {} to {}", from, to)));
  for (const std::string& path : {from, to}) {
    std::error_code error;
    const std::string parent = std::filesystem::absolute(path, error).parent_path().string();
    if (error) return IoError(fmt::format("{}: {}", path, error.message()));
    TM_RETURN_IF_ERROR(journal::SyncDirectory(files, parent));
  }
  return {};
}

std::string StagingName(uint64_t epoch) { return fmt::format("{}{}{}", kStagingPrefix, epoch, kStagingSuffix); }

std::optional<uint64_t> EpochOfStagingName(std::string_view name) {
  if (!name.starts_with(kStagingPrefix) || !name.ends_with(kStagingSuffix)) return std::nullopt;
  name.remove_prefix(kStagingPrefix.size());
  name.remove_suffix(kStagingSuffix.size());
  uint64_t epoch = 0;
  const auto [at, error] = std::from_chars(name.data(), name.data() + name.size(), epoch);
  if (error != std::errc() || at != name.data() + name.size()) return std::nullopt;
  return epoch;
}

}  // namespace tidemark::storage::rocks

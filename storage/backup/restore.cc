#include <fmt/core.h>
#include <rocksdb/file_system.h>
#include <sys/stat.h>

#include <filesystem>
#include <optional>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include "storage/backup.h"
#include "storage/backup/backup_note.h"
#include "storage/base/log.h"
#include "storage/rocks/backup_files.h"
#include "storage/rocks/directory.h"
#include "storage/rocks/private_files.h"
#include "storage/rocks/store_identity.h"

namespace tidemark::storage {
namespace {

namespace fs = std::filesystem;

Result<BackupInfo> Describe(const rocks::BackupFiles& files) {
  auto note = backup::DecodeNote(files.note);
  if (!note.ok()) return note.error().Within(fmt::format("backup {}", files.id));
  return BackupInfo{
      .id = files.id, .made_ns = note->made_ns, .bytes = files.bytes, .files = files.files, .store_id = note->store_id};
}

// Whether a store may be put there: nothing is, or an empty folder that a rename can take the place of.
Result<void> CheckFree(const std::string& to) {
  std::error_code error;
  if (!fs::exists(to, error) && !error) return {};
  const bool empty = fs::is_directory(to, error) && fs::is_empty(to, error);
  if (error) return IoError(fmt::format("{}: {}", to, error.message()));
  if (!empty) {
    return MakeError(ErrorCode::kAlreadyExists,
                     fmt::format("{} is not empty: name a folder that does not exist, and move it afterwards", to));
  }
  struct stat own = {};
  struct stat above = {};
  if (::stat(to.c_str(), &own) == 0 && ::stat((to + "/..").c_str(), &above) == 0 && own.st_dev != above.st_dev) {
    return InvalidArgument(
        fmt::format("{} is a mount point, which nothing can be renamed to: name a folder in it", to));
  }
  return {};
}

// Makes the whole store in `beside`, which is empty.
Result<BackupInfo> RestoreInto(const std::string& directory, uint32_t id, const std::string& beside) {
  TM_TRY_ASSIGN(const rocks::BackupFiles found, rocks::FindBackup(directory, id));
  TM_TRY_ASSIGN(BackupInfo info, Describe(found));
  TM_RETURN_IF_ERROR(rocks::CopyBackup(directory, found.id, beside + "/rocksdb"));
  rocks::StoreIdentity identity = rocks::DrawIdentity();
  identity.state = rocks::StoreIdentity::State::kReady;
  TM_RETURN_IF_ERROR(rocks::WriteIdentity(rocksdb::FileSystem::Default().get(), beside, identity));
  rocks::MakePrivate(beside);
  return info;
}

}  // namespace

Result<std::vector<BackupInfo>> ListBackups(const std::string& directory) {
  TM_TRY_ASSIGN(const std::vector<rocks::BackupFiles> all, rocks::BackupsIn(directory));
  std::vector<BackupInfo> out;
  for (const rocks::BackupFiles& files : all) {
    Result<BackupInfo> info = Describe(files);
    if (info.ok()) {
      out.push_back(std::move(info).value());
    } else {
      TM_LOG(kWarn, "{}: {}: left out", directory, info.error().message);
    }
  }
  return out;
}

Result<BackupInfo> VerifyBackup(const std::string& directory, uint32_t id) {
  TM_TRY_ASSIGN(const rocks::BackupFiles files, rocks::CheckBackup(directory, id));
  return Describe(files);
}

Result<std::string> StoreIdIn(const std::string& data_directory) {
  TM_TRY_ASSIGN(std::optional<rocks::StoreIdentity> identity,
                rocks::ReadIdentity(rocksdb::FileSystem::Default().get(), data_directory));
  if (!identity) return NotFound(fmt::format("{}: no store lies there", data_directory));
  return std::move(identity->id);
}

Result<BackupInfo> RestoreBackup(const std::string& directory, uint32_t id, const std::string& to) {
  const std::string place = fs::path(to).has_filename() ? to : fs::path(to).parent_path().string();
  if (place.empty()) return InvalidArgument("a restored store needs a folder");
  TM_RETURN_IF_ERROR(CheckFree(place));
  // It is put together beside its place and moved there when it is whole: a start never sees the half of a store.
  const std::string beside = place + ".restoring";
  std::error_code error;
  fs::remove_all(beside, error);
  if (!error) fs::create_directories(beside, error);
  if (error) return IoError(fmt::format("creating {}: {}", beside, error.message()));
  Result<BackupInfo> restored = RestoreInto(directory, id, beside);
  if (restored.ok()) {
    TM_RETURN_IF_ERROR(rocks::RenameDurably(rocksdb::FileSystem::Default().get(), beside, place));
  } else {
    fs::remove_all(beside, error);
  }
  return restored;
}

}  // namespace tidemark::storage

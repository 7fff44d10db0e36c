#include <fmt/core.h>
#include <rocksdb/file_system.h>

#include <filesystem>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include "storage/backup.h"
#include "storage/backup/backup_note.h"
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

Result<void> SyncDirectory(const std::string& directory) {
  std::unique_ptr<rocksdb::FSDirectory> opened;
  const auto files = rocksdb::FileSystem::Default();
  rocksdb::IOStatus status = files->NewDirectory(directory, rocksdb::IOOptions(), &opened, nullptr);
  if (status.ok()) status = opened->Fsync(rocksdb::IOOptions(), nullptr);
  if (!status.ok()) return IoError(fmt::format("syncing {}: {}", directory, status.ToString()));
  return {};
}

// Whether a store may be put there: nothing is, or an empty folder.
Result<void> CheckFree(const std::string& to) {
  std::error_code error;
  if (!fs::exists(to, error) && !error) return {};
  if (fs::is_directory(to, error) && fs::is_empty(to, error) && !error) return {};
  if (error) return IoError(fmt::format("{}: {}", to, error.message()));
  return MakeError(ErrorCode::kAlreadyExists,
                   fmt::format("{} is not empty: name a folder that does not exist, and move it afterwards", to));
}

}  // namespace

Result<std::vector<BackupInfo>> ListBackups(const std::string& directory) {
  TM_TRY_ASSIGN(const std::vector<rocks::BackupFiles> all, rocks::BackupsIn(directory));
  std::vector<BackupInfo> out;
  for (const rocks::BackupFiles& files : all) {
    TM_TRY_ASSIGN(BackupInfo info, Describe(files));
    out.push_back(std::move(info));
  }
  return out;
}

Result<BackupInfo> VerifyBackup(const std::string& directory, uint32_t id) {
  TM_TRY_ASSIGN(const rocks::BackupFiles files, rocks::CheckBackup(directory, id));
  return Describe(files);
}

Result<BackupInfo> RestoreBackup(const std::string& directory, uint32_t id, const std::string& to) {
  const std::string place = fs::path(to).has_filename() ? to : fs::path(to).parent_path().string();
  TM_RETURN_IF_ERROR(CheckFree(place));
  // It is put together beside its place and moved there when it is whole: a start never sees the half of a store.
  const std::string beside = place + ".restoring";
  std::error_code error;
  fs::remove_all(beside, error);
  if (!error) fs::create_directories(beside, error);
  if (error) return IoError(fmt::format("creating {}: {}", beside, error.message()));
  TM_TRY_ASSIGN(const rocks::BackupFiles files, rocks::CopyBackup(directory, id, beside + "/rocksdb"));
  TM_TRY_ASSIGN(BackupInfo info, Describe(files));
  rocks::StoreIdentity identity = rocks::DrawIdentity();
  identity.state = rocks::StoreIdentity::State::kReady;
  const auto file_system = rocksdb::FileSystem::Default();
  TM_RETURN_IF_ERROR(rocks::WriteIdentity(file_system.get(), beside, identity));
  rocks::MakePrivate(beside);
  TM_RETURN_IF_ERROR(SyncDirectory(beside));
  fs::rename(beside, place, error);
  if (error) return IoError(fmt::format("renaming {} to {}: {}", beside, place, error.message()));
  TM_RETURN_IF_ERROR(SyncDirectory(fs::absolute(place).parent_path().string()));
  return info;
}

}  // namespace tidemark::storage

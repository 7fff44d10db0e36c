#include "storage/rocks/backup_files.h"

#include <fcntl.h>
#include <fmt/core.h>
#include <rocksdb/env.h>
#include <rocksdb/file_system.h>
#include <rocksdb/utilities/backup_engine.h>
#include <sys/file.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <memory>
#include <utility>

#include "storage/base/log.h"
#include "storage/rocks/rocks_handles.h"
#include "storage/rocks/rocks_status.h"

namespace tidemark::storage::rocks {
namespace {

// How much is copied between two calls of on_progress.
constexpr uint64_t kProgressBytes = uint64_t{4} << 20;

BackupFiles Describe(const rocksdb::BackupInfo& info) {
  return {.id = info.backup_id, .bytes = info.size, .files = info.number_files, .note = info.app_metadata};
}

// A folder of backups, open for reading: nothing in it changes.
class BackupFolder {
 public:
  static Result<BackupFolder> Open(const std::string& directory) {
    std::error_code error;
    // The engine would make an empty folder of backups where there is none.
    if (!std::filesystem::is_directory(directory + "/meta", error)) {
      return NotFound(fmt::format("there are no backups in {}", directory));
    }
    rocksdb::BackupEngineReadOnly* opened = nullptr;
    const rocksdb::Status status =
        rocksdb::BackupEngineReadOnly::Open(rocksdb::BackupEngineOptions(directory), rocksdb::Env::Default(), &opened);
    TM_RETURN_IF_ERROR(FromRocks(status, "reading the backups in " + directory));
    return BackupFolder(std::unique_ptr<rocksdb::BackupEngineReadOnly>(opened), directory);
  }

  [[nodiscard]] std::vector<BackupFiles> List() const {
    std::vector<rocksdb::BackupInfo> infos;
    engine_->GetBackupInfo(&infos);
    std::vector<BackupFiles> out;
    out.reserve(infos.size());
    for (const rocksdb::BackupInfo& info : infos) out.push_back(Describe(info));
    return out;
  }

  // 0: the newest.
  [[nodiscard]] Result<BackupFiles> Find(uint32_t id) const {
    // One that could not even be opened is not in the list, and the newest that is must not pass for it.
    std::vector<rocksdb::BackupID> damaged;
    engine_->GetCorruptedBackups(&damaged);
    const std::vector<BackupFiles> all = List();
    const uint32_t newest = all.empty() ? 0 : all.back().id;
    for (const rocksdb::BackupID one : damaged) {
      if (one == id || (id == 0 && one > newest)) {
        return Corruption(
            fmt::format("backup {} in {} is not whole: files are missing or have another size", one, directory_));
      }
    }
    for (const BackupFiles& backup : all) {
      if (backup.id == (id == 0 ? newest : id)) return backup;
    }
    if (id == 0) return NotFound(fmt::format("there are no backups in {}", directory_));
    return NotFound(fmt::format("there is no backup {} in {}", id, directory_));
  }

  rocksdb::BackupEngineReadOnly* operator->() const { return engine_.get(); }

 private:
  BackupFolder(std::unique_ptr<rocksdb::BackupEngineReadOnly> engine, std::string directory)
      : engine_(std::move(engine)), directory_(std::move(directory)) {}

  std::unique_ptr<rocksdb::BackupEngineReadOnly> engine_;
  std::string directory_;
};

// What the engine writes backups with: tells when the first file is made, which it does once it has listed all of them.
class TellingFileSystem : public rocksdb::FileSystemWrapper {
 public:
  explicit TellingFileSystem(std::function<void()> on_first_file)
      : FileSystemWrapper(rocksdb::FileSystem::Default()), on_first_file_(std::move(on_first_file)) {}
  [[nodiscard]] const char* Name() const override { return "TellingFileSystem"; }
  rocksdb::IOStatus NewWritableFile(const std::string& path, const rocksdb::FileOptions& options,
                                    std::unique_ptr<rocksdb::FSWritableFile>* file,
                                    rocksdb::IODebugContext* debug) override {
    on_first_file_();
    return target()->NewWritableFile(path, options, file, debug);
  }

 private:
  const std::function<void()> on_first_file_;
};

// The folder is this process' to write to: the engine numbers files by what it saw when it was opened.
class WriterOfFolder {
 public:
  static Result<WriterOfFolder> Take(const std::string& directory) {
    std::error_code error;
    std::filesystem::create_directories(directory, error);
    if (error) return IoError(fmt::format("creating {}: {}", directory, error.message()));
    const int fd = ::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) return IoError(fmt::format("opening {}: {}", directory, std::strerror(errno)));
    WriterOfFolder taken(fd);
    if (::flock(fd, LOCK_EX | LOCK_NB) != 0) {
      return MakeError(ErrorCode::kUnavailable, fmt::format("a backup into {} is being made already", directory));
    }
    return taken;
  }
  WriterOfFolder(WriterOfFolder&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  WriterOfFolder& operator=(WriterOfFolder&&) = delete;
  ~WriterOfFolder() {
    if (fd_ >= 0) ::close(fd_);
  }

 private:
  explicit WriterOfFolder(int fd) : fd_(fd) {}
  int fd_;
};

}  // namespace

Result<std::vector<BackupFiles>> BackupsIn(const std::string& directory) {
  TM_TRY_ASSIGN(const BackupFolder folder, BackupFolder::Open(directory));
  return folder.List();
}

Result<BackupFiles> FindBackup(const std::string& directory, uint32_t id) {
  TM_TRY_ASSIGN(const BackupFolder folder, BackupFolder::Open(directory));
  return folder.Find(id);
}

Result<BackupFiles> CheckBackup(const std::string& directory, uint32_t id) {
  TM_TRY_ASSIGN(const BackupFolder folder, BackupFolder::Open(directory));
  TM_TRY_ASSIGN(BackupFiles backup, folder.Find(id));
  TM_RETURN_IF_ERROR(FromRocks(folder->VerifyBackup(backup.id, true), fmt::format("backup {}", backup.id)));
  return backup;
}

Result<void> CopyBackup(const std::string& directory, uint32_t id, const std::string& to) {
  TM_TRY_ASSIGN(const BackupFolder folder, BackupFolder::Open(directory));
  TM_TRY_ASSIGN(const BackupFiles backup, folder.Find(id));
  return FromRocks(folder->RestoreDBFromBackup(rocksdb::RestoreOptions(), backup.id, to, to),
                   fmt::format("restoring backup {}", backup.id));
}

void RocksStore::EndBackups() {
  MutexLock lock(backups_mutex_);
  end_backups_.request_stop();
  end_backups_ = std::stop_source();
}

Result<BackupFiles> RocksStore::BackUp(const BackupRequest& request) {
  std::stop_source stop;
  const auto end = [&stop] { stop.request_stop(); };
  const std::stop_callback on_caller(request.stop, end);
  std::stop_token ended;
  {
    MutexLock lock(backups_mutex_);
    ended = end_backups_.get_token();
  }
  const std::stop_callback on_end(ended, end);
  ReaderLock lock(mutex_);
  TM_RETURN_IF_ERROR(CheckOpen());
  TM_TRY_ASSIGN(const WriterOfFolder writer, WriterOfFolder::Take(request.directory));
  // Not the store's own file layer, which keeps what RocksDB deletes: backups are none of the store's files.
  const std::unique_ptr<rocksdb::Env> env =
      rocksdb::NewCompositeEnv(std::make_shared<TellingFileSystem>([this] { ingest_gate_.Open(); }));
  rocksdb::BackupEngineOptions options(request.directory, env.get());
  options.callback_trigger_interval_size = kProgressBytes;
  rocksdb::BackupEngine* opened = nullptr;
  TM_RETURN_IF_ERROR(FromRocks(rocksdb::BackupEngine::Open(rocksdb::Env::Default(), options, &opened),
                               "opening the folder of backups " + request.directory));
  const std::unique_ptr<rocksdb::BackupEngine> engine(opened);
  const std::stop_callback on_stop(stop.get_token(), [&engine] { engine->StopBackup(); });
  rocksdb::CreateBackupOptions create;
  std::atomic<uint64_t> copied = 0;
  create.progress_callback = [&] {
    const uint64_t bytes = copied.fetch_add(kProgressBytes) + kProgressBytes;
    if (request.on_progress) request.on_progress(bytes);
  };
  create.decrease_background_thread_cpu_priority = true;
  create.background_thread_cpu_priority = rocksdb::CpuPriority::kLow;
  rocksdb::BackupID id = 0;
  ingest_gate_.Shut();
  const rocksdb::Status made = engine->CreateNewBackupWithMetadata(create, handles_->db.get(), request.note, &id);
  ingest_gate_.Open();
  if (!made.ok() && stop.stop_requested()) {
    return MakeError(ErrorCode::kCancelled, "the backup was stopped; the next one goes on with what was copied");
  }
  TM_RETURN_IF_ERROR(FromRocks(made, "copying into " + request.directory));
  // The backup is made, whatever comes of the old ones: the next one tries to delete them again.
  if (request.keep != 0) {
    if (const auto purged = FromRocks(engine->PurgeOldBackups(request.keep), "deleting old backups"); !purged.ok()) {
      TM_LOG(kWarn, "{}", purged.error().message);
    }
  }
  rocksdb::BackupInfo info;
  TM_RETURN_IF_ERROR(FromRocks(engine->GetBackupInfo(id, &info), fmt::format("backup {}", id)));
  return Describe(info);
}

}  // namespace tidemark::storage::rocks

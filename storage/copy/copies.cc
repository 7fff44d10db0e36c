#include "storage/copy/copies.h"

#include <fmt/core.h>
#include <rocksdb/file_system.h>

#include <limits>
#include <memory>
#include <set>
#include <utility>

#include "storage/base/bytes.h"
#include "storage/base/failure_point.h"
#include "storage/base/log.h"
#include "storage/rocks/directory.h"
#include "storage/rocks/rocks_status.h"

namespace tidemark::storage::copy {
namespace {

// Of copy/meta, before the records: no record of a store has this key.
constexpr std::string_view kHeadKey = "copy";
// The key of an entry of an index begins with what it is; the last kind says which series have which fields.
constexpr char kFieldSeries = 6;
// A file of names grows by this before it is worth making anew.
constexpr uint64_t kLeastGrowth = uint64_t{1} << 20;
constexpr size_t kPieceBytes = size_t{4} << 20;

std::string EncodeHead(const MetaHead& head) {
  std::string out;
  PutString(&out, head.store_id);
  PutVarint(&out, head.checkpoint_sequence);
  PutVarint(&out, head.names.size());
  for (const auto& [id, file] : head.names) {
    PutVarint(&out, model::Number(id));
    PutVarint(&out, file.bytes);
    PutVarint(&out, file.made_bytes);
  }
  return out;
}

std::optional<MetaHead> DecodeHead(std::string_view bytes) {
  ByteReader reader(bytes);
  MetaHead head;
  head.store_id = reader.String();
  head.checkpoint_sequence = reader.Varint();
  const uint64_t count = reader.Varint();
  for (uint64_t i = 0; i < count && reader.ok(); ++i) {
    const auto id = static_cast<uint32_t>(reader.Varint());
    MetaHead::NameFile& file = head.names[model::DatabaseId{id}];
    file.bytes = reader.Varint();
    file.made_bytes = reader.Varint();
  }
  if (!reader.ok() || !reader.empty()) return std::nullopt;
  return head;
}

// nullopt: it is not there, or not whole.
Result<std::optional<MetaCopy>> ReadOne(rocksdb::FileSystem* files, const std::string& path) {
  uint64_t bytes = 0;
  const rocksdb::IOStatus there = files->GetFileSize(path, rocksdb::IOOptions(), &bytes, nullptr);
  if (there.IsNotFound() || there.IsPathNotFound()) return std::optional<MetaCopy>();
  TM_RETURN_IF_ERROR(rocks::FromRocks(there, path));
  MetaCopy copy;
  std::optional<MetaHead> head;
  const auto add = [&](std::string_view key, std::string_view value) -> Result<void> {
    if (key == kHeadKey) {
      head = DecodeHead(value);
    } else {
      copy.records.emplace_back(key, value);
    }
    return {};
  };
  const auto whole = ReadRecordFile(files, path, bytes, add);
  if (!whole.ok()) {
    if (whole.error().code == ErrorCode::kCorruption) return std::optional<MetaCopy>();
    return whole.error();
  }
  if (*whole != bytes || !head) return std::optional<MetaCopy>();
  copy.head = std::move(*head);
  return std::optional<MetaCopy>(std::move(copy));
}

}  // namespace

std::string MetaPath(const std::string& directory) { return directory + "/copy/meta"; }

std::string OldMetaPath(const std::string& directory) { return directory + "/copy/meta.old"; }

std::string NamesPath(const std::string& directory, model::DatabaseId database) {
  return fmt::format("{}/copy/names/{}", directory, model::Number(database));
}

bool IsCopied(std::string_view index_key) { return !index_key.empty() && index_key.front() != kFieldSeries; }

Result<std::optional<MetaCopy>> ReadMetaCopy(rocksdb::FileSystem* files, const std::string& directory) {
  TM_TRY_ASSIGN(std::optional<MetaCopy> copy, ReadOne(files, MetaPath(directory)));
  if (copy) return copy;
  return ReadOne(files, OldMetaPath(directory));
}

void CopyKeeper::Begin(uint64_t before) {
  begun_ = true;
  names_.clear();
  const auto copy = ReadMetaCopy(&files_, directory_);
  // What was made by another checkpoint than the one before lacks names, or is of another store.
  if (!copy.ok() || !*copy || (*copy)->head.store_id != store_id_ || (*copy)->head.checkpoint_sequence != before)
    return;
  for (const auto& [id, file] : (*copy)->head.names) {
    uint64_t there = 0;
    const rocksdb::IOStatus size = files_.GetFileSize(NamesPath(directory_, id), rocksdb::IOOptions(), &there, nullptr);
    if (size.ok() && there == file.bytes) names_[id] = file;
  }
}

Result<void> CopyKeeper::MakeFolders() {
  for (const std::string folder : {"/copy", "/copy/names"}) {
    TM_RETURN_IF_ERROR(rocks::FromRocks(files_.CreateDirIfMissing(directory_ + folder, rocksdb::IOOptions(), nullptr),
                                        "creating " + directory_ + folder));
  }
  return {};
}

Result<void> CopyKeeper::Keep(uint64_t before, uint64_t checkpoint,
                              const std::map<model::DatabaseId, std::vector<std::string>>& names,
                              const std::vector<model::DatabaseId>& databases, const Deadline* deadline) {
  if (!begun_) Begin(before);
  // Until this is done nobody knows what the files hold.
  begun_ = false;
  TM_RETURN_IF_ERROR(MakeFolders());
  const std::set<model::DatabaseId> living(databases.begin(), databases.end());
  for (const model::DatabaseId id : databases) {
    if (deadline != nullptr && deadline->passed()) {
      return MakeError(ErrorCode::kCancelled, "the time for copies of names is over");
    }
    const auto [file, anew] = names_.try_emplace(id);
    const auto saved = names.find(id);
    if (anew) {
      TM_RETURN_IF_ERROR(Remake(id, &file->second));
    } else if (saved != names.end()) {
      TM_RETURN_IF_ERROR(Append(id, saved->second, &file->second));
      if (file->second.bytes > 2 * file->second.made_bytes + kLeastGrowth)
        TM_RETURN_IF_ERROR(Remake(id, &file->second));
    }
  }
  FailurePoint("copy.names_synced");
  std::vector<model::DatabaseId> dropped;
  for (const auto& [id, _] : names_) {
    if (!living.contains(id)) dropped.push_back(id);
  }
  for (const model::DatabaseId id : dropped) names_.erase(id);
  TM_RETURN_IF_ERROR(WriteMeta(checkpoint));
  FailurePoint("copy.meta_written");
  for (const model::DatabaseId id : dropped) {
    const rocksdb::IOStatus gone = files_.DeleteFile(NamesPath(directory_, id), rocksdb::IOOptions(), nullptr);
    if (!gone.ok()) TM_LOG(kWarn, "deleting {}: {}", NamesPath(directory_, id), gone.ToString());
  }
  begun_ = true;
  return {};
}

// A file that grows by blocks; never more than a piece of it in memory.
class CopyKeeper::Growing {
 public:
  static Result<std::unique_ptr<Growing>> Open(rocksdb::FileSystem* files, const std::string& path, bool anew) {
    std::unique_ptr<Growing> growing(new Growing(path));
    const rocksdb::FileOptions options;
    const rocksdb::IOStatus status = anew ? files->NewWritableFile(path, options, &growing->file_, nullptr)
                                          : files->ReopenWritableFile(path, options, &growing->file_, nullptr);
    TM_RETURN_IF_ERROR(rocks::FromRocks(status, "writing " + path));
    return growing;
  }
  Result<void> Add(std::string_view key, std::string_view value) {
    writer_.Add(key, value);
    return bytes_.size() < kPieceBytes ? Result<void>() : Write();
  }
  // Durable when it returns. How many bytes were added.
  Result<uint64_t> Finish() {
    writer_.Finish();
    TM_RETURN_IF_ERROR(Write());
    rocksdb::IOStatus status = file_->Fsync(rocksdb::IOOptions(), nullptr);
    if (status.ok()) status = file_->Close(rocksdb::IOOptions(), nullptr);
    TM_RETURN_IF_ERROR(rocks::FromRocks(status, "writing " + path_));
    return written_;
  }

 private:
  explicit Growing(std::string path) : path_(std::move(path)) {}
  Result<void> Write() {
    written_ += bytes_.size();
    const rocksdb::IOStatus status = file_->Append(bytes_, rocksdb::IOOptions(), nullptr);
    bytes_.clear();
    return rocks::FromRocks(status, "writing " + path_);
  }

  const std::string path_;
  std::unique_ptr<rocksdb::FSWritableFile> file_;
  std::string bytes_;
  BlockWriter writer_{&bytes_};
  uint64_t written_ = 0;
};

Result<void> CopyKeeper::Append(model::DatabaseId database, const std::vector<std::string>& keys, NameFile* file) {
  TM_TRY_ASSIGN(const auto out, Growing::Open(&files_, NamesPath(directory_, database), /*anew=*/false));
  for (const std::string& key : keys) {
    TM_TRY_ASSIGN(const auto value, rocks_.Get(rocks::Family::kIndex, rocks::IndexKey(database, key)));
    if (value) TM_RETURN_IF_ERROR(out->Add(key, *value));
  }
  TM_TRY_ASSIGN(const uint64_t bytes, out->Finish());
  file->bytes += bytes;
  return {};
}

Result<void> CopyKeeper::Remake(model::DatabaseId database, NameFile* file) {
  const std::string path = NamesPath(directory_, database);
  const std::string made = path + ".new";
  TM_TRY_ASSIGN(const auto out, Growing::Open(&files_, made, /*anew=*/true));
  TM_RETURN_IF_ERROR(rocks_.ForEach(rocks::Family::kIndex, rocks::IndexKey(database, {}),
                                    [&](std::string_view key, std::string_view value) -> Result<void> {
                                      key.remove_prefix(rocks::kIndexKeyPrefixBytes);
                                      return IsCopied(key) ? out->Add(key, value) : Result<void>();
                                    }));
  TM_TRY_ASSIGN(const uint64_t bytes, out->Finish());
  TM_RETURN_IF_ERROR(rocks::RenameDurably(&files_, made, path));
  *file = {bytes, bytes};
  return {};
}

Result<void> CopyKeeper::WriteMeta(uint64_t checkpoint) {
  MetaHead head{store_id_, checkpoint, {}};
  head.names = names_;
  std::string bytes;
  BlockWriter writer(&bytes);
  writer.Add(kHeadKey, EncodeHead(head));
  for (const std::string_view prefix : {rocks::kStoreKey, rocks::kDatabasePrefix, rocks::kEpochPrefix,
                                        rocks::kMaskPrefix, std::string_view("document")}) {
    TM_RETURN_IF_ERROR(
        rocks_.ForEach(rocks::Family::kMeta, prefix, [&](std::string_view key, std::string_view value) -> Result<void> {
          writer.Add(key, value);
          return {};
        }));
  }
  writer.Finish();
  // Whenever the power goes one of the two is whole.
  const std::string path = MetaPath(directory_);
  TM_TRY_ASSIGN(const bool there, rocks::Exists(&files_, path));
  if (there) TM_RETURN_IF_ERROR(rocks::RenameDurably(&files_, path, OldMetaPath(directory_)));
  return rocks::ReplaceFile(&files_, path, bytes);
}

}  // namespace tidemark::storage::copy

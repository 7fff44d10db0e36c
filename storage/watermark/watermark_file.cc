#include "storage/watermark/watermark_file.h"

#include <fmt/core.h>
#include <rocksdb/file_system.h>

#include <algorithm>
#include <fstream>
#include <utility>

#include "storage/base/failure_point.h"
#include "storage/rocks/directory.h"
#include "storage/rocks/rocks_status.h"

namespace tidemark::storage::watermark {
namespace {

constexpr uint64_t kMomentsOffset = 2 * kSlotBytes;
constexpr uint64_t kFileBytes = 3 * kSlotBytes;

// A whole slot, so that nothing of another program's longer one stays behind it.
std::string SlotOf(const Watermark& watermark) {
  std::string slot = EncodeWatermark(watermark);
  slot.resize(kSlotBytes, '\0');
  return slot;
}

uint64_t OffsetOf(const Watermark& watermark) { return watermark.counter % 2 * kSlotBytes; }

}  // namespace

std::string WatermarkPath(const std::string& directory) { return directory + "/watermark"; }

Result<WatermarkSight> ReadWatermark(rocksdb::FileSystem* files, const std::string& directory) {
  WatermarkSight sight;
  const std::string path = WatermarkPath(directory);
  TM_TRY_ASSIGN(sight.there, rocks::Exists(files, path));
  if (!sight.there) return sight;
  std::string bytes;
  TM_RETURN_IF_ERROR(rocks::FromRocks(rocksdb::ReadFileToString(files, path, &bytes), "reading " + path));
  if (bytes.size() != kFileBytes) {
    sight.damage = fmt::format("it has {} bytes and not {}", bytes.size(), kFileBytes);
  }
  for (uint64_t slot = 0; slot < 2; ++slot) {
    const std::string_view all = bytes;
    const std::string_view part = all.substr(std::min<size_t>(all.size(), slot * kSlotBytes), kSlotBytes);
    auto decoded = DecodeWatermark(part);
    if (!decoded.ok() && decoded.error().code == ErrorCode::kUnsupported)
      return std::move(decoded).error().Within(path);
    if (!decoded.ok()) {
      // The second slot is empty until there is a second one to write.
      const bool empty = part.size() == kSlotBytes && part.find_first_not_of('\0') == std::string_view::npos;
      if (!empty && sight.damage.empty()) sight.damage = fmt::format("slot {}: {}", slot, decoded.error().message);
    } else if (!sight.newest || sight.newest->counter < decoded->counter) {
      sight.newest = std::move(decoded).value();
    }
  }
  if (!sight.newest && sight.damage.empty()) sight.damage = "it is empty";
  if (bytes.size() > kMomentsOffset) sight.moments = DecodeMoments(std::string_view(bytes).substr(kMomentsOffset));
  return sight;
}

std::string SystemBootId() {
  std::ifstream file("/proc/sys/kernel/random/boot_id");
  std::string id;
  std::getline(file, id);
  return id;
}

WatermarkFile::WatermarkFile(std::string path, const Watermark& first, std::vector<Moment> moments)
    : path_(std::move(path)), base_(first.durable), last_(first), moments_(std::move(moments)) {}

WatermarkFile::~WatermarkFile() = default;

Result<std::unique_ptr<WatermarkFile>> WatermarkFile::Begin(rocksdb::FileSystem* files, const std::string& directory,
                                                            const Watermark& first, std::vector<Moment> moments) {
  const std::string encoded = EncodeMoments(moments);
  std::unique_ptr<WatermarkFile> file(new WatermarkFile(WatermarkPath(directory), first, std::move(moments)));
  std::string bytes(kFileBytes, '\0');
  bytes.replace(OffsetOf(first), kSlotBytes, SlotOf(first));
  bytes.replace(kMomentsOffset, encoded.size(), encoded);
  const FailurePointName written("watermark.written");
  TM_RETURN_IF_ERROR(rocks::ReplaceFile(files, file->path_, bytes, written));
  TM_RETURN_IF_ERROR(rocks::FromRocks(
      files->NewRandomRWFile(file->path_, rocksdb::FileOptions(), &file->file_, nullptr), "opening " + file->path_));
  FailurePoint("watermark.begun");
  return file;
}

Result<void> WatermarkFile::WriteLocked() {
  ++last_.counter;
  dirty_ = true;
  const rocksdb::IOStatus status = file_->Write(OffsetOf(last_), EncodeWatermark(last_), rocksdb::IOOptions(), nullptr);
  return rocks::FromRocks(status, "writing " + path_);
}

Result<void> WatermarkFile::NoteDurable(const journal::JournalMark& mark, int64_t now_ns) {
  MutexLock lock(mutex_);
  last_.durable = {mark.sequence, base_.records + mark.records, base_.rows + mark.rows};
  last_.acknowledged_ns = now_ns;
  last_.segment = mark.segment;
  last_.salt = mark.salt;
  last_.end = mark.end;
  last_.checksum = mark.checksum;
  return WriteLocked();
}

Result<void> WatermarkFile::NoteCheckpoint(Place place) {
  MutexLock lock(mutex_);
  last_.next_checkpoint = {place.sequence, base_.records + place.records, base_.rows + place.rows};
  return WriteLocked();
}

Result<void> WatermarkFile::NoteMeta(uint64_t rocks_sequence, uint64_t epochs_hash, uint64_t checkpoint_sequence) {
  MutexLock one(sync_mutex_);
  {
    MutexLock lock(mutex_);
    last_.rocks_sequence = rocks_sequence;
    last_.epochs_hash = epochs_hash;
    if (last_.next_checkpoint.sequence == checkpoint_sequence) last_.checkpoint = last_.next_checkpoint;
    // What lies before a checkpoint is in no journal, and its moments tell of no loss.
    const auto behind = std::find_if(moments_.begin(), moments_.end(),
                                     [&](const Moment& moment) { return moment.sequence > checkpoint_sequence; });
    if (behind - moments_.begin() > 1) moments_.erase(moments_.begin(), behind - 1);
    TM_RETURN_IF_ERROR(WriteLocked());
    dirty_ = false;
  }
  FailurePoint("watermark.meta_noted");
  return SyncFile();
}

Result<void> WatermarkFile::SyncFile() {
  const rocksdb::IOStatus status = file_->Sync(rocksdb::IOOptions(), nullptr);
  if (!status.ok()) {
    MutexLock lock(mutex_);
    dirty_ = true;
  }
  return rocks::FromRocks(status, "syncing " + path_);
}

Result<void> WatermarkFile::Sync(int64_t now_ns) {
  MutexLock one(sync_mutex_);
  {
    MutexLock lock(mutex_);
    if (!dirty_) return {};
    if (moments_.empty() || moments_.back().sequence < last_.durable.sequence) {
      if (moments_.size() == kMaxMoments) {
        // Half as exact, and room for as many again.
        for (size_t i = 1; i < moments_.size() / 2; ++i) moments_[i] = moments_[2 * i];
        moments_.resize(moments_.size() / 2);
      }
      moments_.push_back({now_ns, last_.durable.sequence});
    }
    const std::string moments = EncodeMoments(moments_);
    TM_RETURN_IF_ERROR(
        rocks::FromRocks(file_->Write(kMomentsOffset, moments, rocksdb::IOOptions(), nullptr), "writing " + path_));
    dirty_ = false;
  }
  return SyncFile();
}

Result<void> WatermarkFile::Close() {
  MutexLock one(sync_mutex_);
  {
    MutexLock lock(mutex_);
    last_.clean = true;
    TM_RETURN_IF_ERROR(WriteLocked());
  }
  TM_RETURN_IF_ERROR(SyncFile());
  return rocks::FromRocks(file_->Close(rocksdb::IOOptions(), nullptr), "closing " + path_);
}

}  // namespace tidemark::storage::watermark

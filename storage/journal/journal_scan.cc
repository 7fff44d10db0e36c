#include "storage/journal/journal_scan.h"

#include <fmt/core.h>
#include <rocksdb/file_system.h>

#include <algorithm>
#include <filesystem>
#include <utility>

#include "storage/base/bytes.h"
#include "storage/journal/segment_writer.h"
#include "storage/journal/sync_directory.h"

namespace tidemark::journal {
namespace {

Result<std::string> ReadWhole(rocksdb::FileSystem* file_system, const std::string& path) {
  std::string bytes;
  const rocksdb::IOStatus status = rocksdb::ReadFileToString(file_system, path, &bytes);
  if (!status.ok()) return FromStatus(status, path);
  return bytes;
}

Result<bool> UsedBehindHeader(rocksdb::FileSystem* file_system, const std::string& path) {
  TM_TRY_ASSIGN(const std::string bytes, ReadWhole(file_system, path));
  return bytes.find_first_not_of('\0', kSegmentHeaderBytes) != std::string::npos;
}

// What stands at the place of a record, for the message.
std::string Describe(std::string_view segment, const SegmentScan& scan, uint64_t salt) {
  if (const auto sums = ChecksumsAt(segment, scan.offset, salt)) {
    return fmt::format("record {} at offset {}: checksum expected {:016x}, found {:016x}", scan.next, scan.offset,
                       sums->expected, sums->found);
  }
  return fmt::format("record {} at offset {}: it is not there", scan.next, scan.offset);
}

// The file is the old or the new one, whenever the power goes.
Result<void> Replace(rocksdb::FileSystem* file_system, const std::string& path, const std::string& bytes) {
  const std::string made = path + ".mended";
  rocksdb::IOStatus status = rocksdb::WriteStringToFile(file_system, bytes, made, /*should_sync=*/true);
  if (status.ok()) status = file_system->RenameFile(made, path, rocksdb::IOOptions(), nullptr);
  if (!status.ok()) return FromStatus(status, path);
  return SyncDirectory(file_system, std::filesystem::path(path).parent_path().string());
}

// `bytes` of a segment from its header on, with zeros up to a length that a writer leaves. What goes beyond its
// capacity is no record's.
std::string OfWholeSteps(std::string bytes) {
  uint32_t version = 0;
  const auto header = SegmentHeader::Decode(bytes, &version);
  if (!header || header->capacity == 0) return bytes;
  bytes.resize(
      static_cast<size_t>(SegmentLengthFor(std::min<uint64_t>(bytes.size(), header->capacity), header->capacity)),
      '\0');
  return bytes;
}

}  // namespace

model::Finding JournalDamage::ToFinding() const {
  model::Finding finding{.area = model::FindingArea::kJournal, .place = path, .what = what};
  finding.remedy =
      "`tidemark admin verify` lists what is damaged, and `tidemark admin repair --dry-run` what a repair would give "
      "up";
  if (length_only) finding.remedy = "`tidemark admin repair` gives it a right length again";
  // A damage with nothing behind it that is needed costs nothing.
  if (last && *last < first) return finding;
  finding.loss.emplace();
  if (last) finding.loss->records = *last - first + 1;
  return finding;
}

Result<std::vector<SegmentFile>> ListSegments(rocksdb::FileSystem* file_system, const std::string& directory) {
  const rocksdb::IOOptions io;
  std::vector<SegmentFile> files;
  std::vector<std::string> names;
  rocksdb::IOStatus status = file_system->FileExists(directory, io, nullptr);
  if (status.IsNotFound()) return files;
  if (status.ok()) status = file_system->GetChildren(directory, io, &names, nullptr);
  if (!status.ok()) return FromStatus(status, directory);
  for (const std::string& name : names) {
    if (const auto number = SegmentNumber(name)) files.push_back({*number, SegmentPath(directory, *number), {}, false});
  }
  std::sort(files.begin(), files.end(), [](const auto& a, const auto& b) { return a.number < b.number; });
  for (SegmentFile& segment : files) {
    std::unique_ptr<rocksdb::FSSequentialFile> file;
    status = file_system->NewSequentialFile(segment.path, rocksdb::FileOptions(), &file, nullptr);
    char buffer[kSegmentHeaderBytes];
    rocksdb::Slice read;
    if (status.ok()) status = file->Read(sizeof buffer, io, &read, buffer, nullptr);
    if (!status.ok()) return FromStatus(status, segment.path);
    uint32_t version = 0;
    segment.header = SegmentHeader::Decode(read.ToStringView(), &version);
    if (!segment.header && version != 0) {
      return Unsupported(fmt::format("{}: journal format version {}, this program reads version {}", segment.path,
                                     version, kJournalFormatVersion));
    }
    if (!segment.header) {
      TM_TRY_ASSIGN(segment.used, UsedBehindHeader(file_system, segment.path));
    }
  }
  return files;
}

SegmentScan ScanSegment(std::string_view segment, const SegmentHeader& header, bool newest, uint64_t limit,
                        uint64_t first_sequence, const RecordFn& apply, uint64_t watched) {
  SegmentScan scan;
  scan.next = header.first_sequence;
  scan.offset = kSegmentHeaderBytes;
  while (scan.next <= limit) {
    const std::optional<RecordView> record = ReadRecord(segment, scan.offset, header.salt);
    if (!record || record->sequence != scan.next) break;
    if (scan.next == watched) scan.watched_checksum = record->checksum;
    if (scan.next >= first_sequence) {
      if (auto applied = apply(scan.next, record->payload); !applied.ok()) {
        scan.refused = std::move(applied).error();
        return scan;
      }
    }
    scan.offset += RecordBytes(record->payload.size());
    ++scan.next;
  }
  if (newest) {
    scan.proof = FindProofOfLoss(segment, scan.offset, scan.next, header.salt);
    scan.tail = ClassifyTail(segment, header, scan.offset, scan.next);
  }
  const bool short_of_limit = !newest && scan.next <= limit;
  scan.damaged = (short_of_limit || scan.proof || scan.tail == TailKind::kDamaged) && limit >= first_sequence;
  return scan;
}

Result<JournalCheck> CheckJournal(rocksdb::FileSystem* file_system, const std::string& directory,
                                  std::optional<uint64_t> first_sequence, const RecordFn& apply, uint64_t watched) {
  const uint64_t first = first_sequence.value_or(0);
  JournalCheck check;
  TM_TRY_ASSIGN(const std::vector<SegmentFile> files, ListSegments(file_system, directory));
  // What a gap ends with: the first segment behind it that can be read.
  const auto behind = [&](size_t i) {
    while (i < files.size() && !files[i].header) ++i;
    return i;
  };
  const auto accept_gap = [&](JournalDamage* damage, size_t next, uint64_t last_good) {
    if (next == files.size()) return;
    damage->last = files[next].header->previous_durable;
    if (*damage->last <= last_good) return;
    damage->next_path = files[next].path;
    damage->next_header = *files[next].header;
    damage->next_header.previous_durable = last_good;
  };
  uint64_t good = first == 0 ? 0 : first - 1;  // the last record that there is
  const size_t front = behind(0);
  if (front == 0 && !files.empty() && first_sequence && files[0].header->previous_durable >= first) {
    JournalDamage damage{.path = files[0].path, .what = {}, .first = first};
    accept_gap(&damage, 0, good);
    damage.what = fmt::format("the journal begins with record {}, but record {} is needed: a segment is missing",
                              files[0].header->first_sequence, first);
    check.damages.push_back(std::move(damage));
  }
  for (size_t i = 0; i < files.size(); ++i) {
    const SegmentFile& file = files[i];
    ++check.segments;
    if (!file.header) {
      if (i + 1 == files.size() && !file.used) continue;
      JournalDamage damage{.path = file.path, .what = "the segment's header is damaged", .first = good + 1, .cut = 0};
      accept_gap(&damage, behind(i + 1), good);
      check.damages.push_back(std::move(damage));
      continue;
    }
    TM_TRY_ASSIGN(const std::string bytes, ReadWhole(file_system, file.path));
    check.bytes += bytes.size();
    check.headers.push_back({file.header->number, file.header->salt, file.header->capacity != 0});
    // The end of a segment before one whose header cannot be read is not known either.
    const bool newest = i + 1 == files.size() || !files[i + 1].header;
    const uint64_t limit = newest ? UINT64_MAX : files[i + 1].header->previous_durable;
    const SegmentScan scan = ScanSegment(bytes, *file.header, newest, limit, first, apply, watched);
    if (scan.watched_checksum) check.watched_checksum = scan.watched_checksum;
    check.records += scan.next - file.header->first_sequence;
    good = std::max(good, scan.next - 1);
    if (scan.refused && scan.refused->code != ErrorCode::kCorruption) return *scan.refused;
    if (!scan.refused && !scan.damaged) {
      if (!file.header->MayBeLong(bytes.size()) && limit >= first) {
        check.damages.push_back({.path = file.path,
                                 .what = fmt::format("its length of {} bytes is none that a writer leaves: it was cut, "
                                                     "or something was put behind it",
                                                     bytes.size()),
                                 .length_only = true,
                                 .first = scan.next});
      }
      continue;
    }
    JournalDamage damage{.path = file.path, .what = {}, .first = scan.next};
    damage.what = scan.refused
                      ? fmt::format("record {} at offset {}: {}", scan.next, scan.offset, scan.refused->message)
                      : Describe(bytes, scan, file.header->salt);
    if (bytes.find_first_not_of('\0', scan.offset) != std::string::npos) damage.cut = scan.offset;
    accept_gap(&damage, behind(i + 1), scan.next - 1);
    check.damages.push_back(std::move(damage));
  }
  check.last_sequence = good;
  return check;
}

Result<void> MendJournal(rocksdb::FileSystem* file_system, const JournalDamage& damage, const std::string& aside) {
  if (damage.length_only) {
    TM_TRY_ASSIGN(const std::string bytes, ReadWhole(file_system, damage.path));
    return Replace(file_system, damage.path, OfWholeSteps(bytes));
  }
  if (damage.cut) {
    TM_TRY_ASSIGN(const std::string bytes, ReadWhole(file_system, damage.path));
    const std::string name = std::filesystem::path(damage.path).filename().string();
    const std::string saved =
        *damage.cut == 0 ? fmt::format("{}/{}", aside, name) : fmt::format("{}/{}.from-{}", aside, name, *damage.cut);
    rocksdb::IOStatus status =
        rocksdb::WriteStringToFile(file_system, bytes.substr(*damage.cut), saved, /*should_sync=*/true);
    if (!status.ok()) return FromStatus(status, saved);
    TM_RETURN_IF_ERROR(SyncDirectory(file_system, aside));
    if (*damage.cut > 0) {
      TM_RETURN_IF_ERROR(Replace(file_system, damage.path, OfWholeSteps(bytes.substr(0, *damage.cut))));
    } else {
      // Its bytes have just been saved: this is the second half of a move.
      status = file_system->DeleteFile(damage.path, rocksdb::IOOptions(), nullptr);
      if (!status.ok()) return FromStatus(status, damage.path);
      TM_RETURN_IF_ERROR(SyncDirectory(file_system, std::filesystem::path(damage.path).parent_path().string()));
    }
  }
  if (damage.next_path.empty()) return {};
  TM_TRY_ASSIGN(const std::string bytes, ReadWhole(file_system, damage.next_path));
  return Replace(file_system, damage.next_path, damage.next_header.Encode() + bytes.substr(kSegmentHeaderBytes));
}

}  // namespace tidemark::journal

#include "storage/journal/local_journal.h"

#include <fmt/core.h>
#include <rocksdb/file_system.h>

#include <algorithm>
#include <deque>
#include <random>
#include <thread>
#include <utility>
#include <vector>

#include "storage/base/check.h"
#include "storage/base/failure_point.h"
#include "storage/base/log.h"
#include "storage/base/mutex.h"
#include "storage/journal/journal_scan.h"
#include "storage/journal/segment_writer.h"

namespace tidemark::journal {
namespace {

// A segment that takes no more records.
struct ClosedSegment {
  SegmentHeader header;
  std::string path;
  uint64_t last_sequence = 0;
  uint64_t bytes = 0;
  FileMark mark = {};
};

// Records that wait to be written: each kRecordHeaderBytes, payload, padding.
struct Line {
  std::string bytes;
  struct Record {
    size_t offset;
    size_t payload;
    uint64_t sequence;
    uint64_t rows;
  };
  std::vector<Record> records;

  void Clear() {
    bytes.clear();
    records.clear();
  }
};

class LocalJournal final : public Journal {
 public:
  LocalJournal(LocalJournalOptions options, std::vector<ClosedSegment> segments)
      : options_(std::move(options)), file_system_(options_.file_system.get()) {
    for (ClosedSegment& segment : segments) closed_.push_back(std::move(segment));
    if (!closed_.empty()) next_number_ = closed_.back().header.number + 1;
    if (options_.write_ahead) filler_ = std::jthread([this](std::stop_token stop) { Fill(stop); });
  }

  ~LocalJournal() override {
    filler_.request_stop();
    {
      MutexLock lock(mutex_);
      fill_.NotifyAll();
    }
  }

  Result<uint64_t> Append(const MakeRecord& make) override {
    MutexLock lock(mutex_);
    const uint64_t sequence = ++last_sequence_;
    const size_t offset = line_.bytes.size();
    line_.bytes.resize(offset + kRecordHeaderBytes);
    const uint64_t rows = make(sequence, &line_.bytes);
    const size_t payload = line_.bytes.size() - offset - kRecordHeaderBytes;
    TM_CHECK(payload <= 0xFFFFFFFF);
    line_.bytes.resize(offset + RecordBytes(payload), '\0');
    line_.records.push_back({offset, payload, sequence, rows});
    return sequence;
  }

  Result<void> WaitDurable(uint64_t sequence) override {
    MutexLock lock(mutex_);
    TM_CHECK(sequence <= last_sequence_);
    for (;;) {
      for (const Failure& failure : failures_) {
        if (failure.first <= sequence && sequence <= failure.last) return failure.error;
      }
      if (sequence <= durable_) return {};
      if (writing_) {
        changed_.Wait(mutex_);
      } else {
        WriteLine();
      }
    }
  }

  Result<void> Sync() override {
    uint64_t last = 0;
    {
      MutexLock lock(mutex_);
      // What failed earlier was reported to those who waited for it; only what is in line now counts.
      if (!writing_ && line_.records.empty()) return {};
      last = last_sequence_;
    }
    return WaitDurable(last);
  }

  Result<void> Replay(uint64_t first_sequence, const std::function<Result<void>(uint64_t, std::string_view)>& apply)
      override TM_NO_THREAD_SAFETY_ANALYSIS {
    TM_CHECK(last_sequence_ == 0 && line_.records.empty());
    if (!closed_.empty() && closed_.front().header.previous_durable >= first_sequence) {
      return Corruption(fmt::format(
          "the journal begins with record {} in {}, but record {} is needed: a segment is missing; `tidemark admin "
          "repair` would give up records {} to {}",
          closed_.front().header.first_sequence, closed_.front().path, first_sequence, first_sequence,
          closed_.front().header.previous_durable));
    }
    uint64_t last = first_sequence - 1;
    for (size_t i = 0; i < closed_.size(); ++i) {
      const bool newest = i + 1 == closed_.size();
      const uint64_t limit = newest ? UINT64_MAX : closed_[i + 1].header.previous_durable;
      TM_RETURN_IF_ERROR(ReplaySegment(&closed_[i], newest, limit, first_sequence, &last, apply));
    }
    last_sequence_ = durable_ = last;
    return {};
  }

  Result<void> Trim(uint64_t sequence) override {
    std::vector<std::string> paths;
    {
      MutexLock lock(mutex_);
      std::swap(paths, undeleted_);
      // The segment in use goes too when all of it may, so that an idle store keeps no journal.
      if (!writing_ && current_ && durable_ <= sequence && current_->offset() > kSegmentHeaderBytes) {
        CloseCurrent(durable_);
      }
      while (!closed_.empty() && closed_.front().last_sequence <= sequence) {
        paths.push_back(closed_.front().path);
        closed_.pop_front();
      }
    }
    Result<void> result;
    for (const std::string& path : paths) {
      const rocksdb::IOStatus status = file_system_->DeleteFile(path, rocksdb::IOOptions(), nullptr);
      if (status.ok() || status.IsNotFound() || status.IsPathNotFound()) {
        FailurePoint("journal.segment_deleted");
        continue;
      }
      if (result.ok()) result = FromStatus(status, path);
      MutexLock lock(mutex_);
      undeleted_.push_back(path);
    }
    return result;
  }

  [[nodiscard]] JournalFailures FailuresUpTo(uint64_t sequence) const override {
    MutexLock lock(mutex_);
    JournalFailures sum;
    for (const Failure& failure : failures_) {
      if (failure.first > sequence) continue;
      sum.records += failure.lost.records;
      sum.rows += failure.lost.rows;
    }
    return sum;
  }

  [[nodiscard]] std::string MissingFile() const override {
    std::vector<std::pair<std::string, FileMark>> files;
    {
      MutexLock lock(mutex_);
      for (const ClosedSegment& segment : closed_) files.emplace_back(segment.path, segment.mark);
      if (current_) files.emplace_back(current_->path(), current_->mark());
    }
    for (const auto& [path, mark] : files) {
      if (mark.Holds(path)) continue;
      // Unless it was let go of meanwhile.
      MutexLock lock(mutex_);
      const auto same = [&](const ClosedSegment& segment) { return segment.path == path; };
      if ((current_ && current_->path() == path) || std::any_of(closed_.begin(), closed_.end(), same)) return path;
    }
    return {};
  }

  [[nodiscard]] JournalStats Stats() const override {
    MutexLock lock(mutex_);
    JournalStats stats = stats_;
    stats.segments = closed_.size() + (current_ ? 1 : 0);
    stats.live_bytes = current_ ? current_->offset() : 0;
    for (const ClosedSegment& segment : closed_) stats.live_bytes += segment.bytes;
    stats.last_sequence = last_sequence_;
    stats.durable_sequence = durable_;
    stats.first_sequence = last_sequence_ + 1;
    if (!closed_.empty()) {
      stats.first_sequence = closed_.front().header.first_sequence;
    } else if (current_) {
      stats.first_sequence = current_->header().first_sequence;
    }
    return stats;
  }

 private:
  // Records that were not written although somebody may wait for them.
  struct Failure {
    uint64_t first;
    uint64_t last;
    Error error;
    JournalFailures lost;
  };

  // Writes and syncs what is in line, as the one writer; others wait or put more in line meanwhile.
  void WriteLine() TM_REQUIRES(mutex_) {
    writing_ = true;
    busy_.Clear();
    std::swap(line_, busy_);
    const uint64_t before = durable_;
    mutex_.Unlock();
    uint64_t synced = before;
    uint64_t syncs = 0;
    const Result<void> done = WriteRecords(&synced, &syncs);
    mutex_.Lock();
    writing_ = false;
    stats_.syncs += syncs;
    if (!busy_.records.empty()) {
      const uint64_t last = busy_.records.back().sequence;
      if (done.ok()) {
        durable_ = last;
        stats_.records += busy_.records.size();
        stats_.bytes_written += busy_.bytes.size();
      } else {
        durable_ = std::max(durable_, synced);
        JournalFailures lost;
        for (const Line::Record& record : busy_.records) {
          if (record.sequence <= durable_) continue;
          ++lost.records;
          lost.rows += record.rows;
        }
        RecordFailure({durable_ + 1, last, done.error(), lost});
        if (current_) CloseCurrent(durable_);
      }
    }
    changed_.NotifyAll();
  }

  void RecordFailure(Failure failure) TM_REQUIRES(mutex_) {
    TM_LOG(kError, "journal: records {} to {} were not written: {}", failure.first, failure.last,
           failure.error.message);
    if (!failures_.empty() && failures_.back().last + 1 == failure.first) {
      failures_.back().last = failure.last;
      failures_.back().error = std::move(failure.error);
      failures_.back().lost.records += failure.lost.records;
      failures_.back().lost.rows += failure.lost.rows;
    } else {
      failures_.push_back(std::move(failure));
    }
  }

  // Runs without the lock, as the only writer. `synced`: the last sequence that is on disk.
  Result<void> WriteRecords(uint64_t* synced, uint64_t* syncs) TM_NO_THREAD_SAFETY_ANALYSIS {
    size_t begin = 0;  // of the records that are not yet in the file
    JournalMark mark = mark_;
    const auto write_up_to = [&](size_t end) -> Result<void> {
      if (end == begin) return {};
      TM_RETURN_IF_ERROR(current_->Write({busy_.bytes.data() + begin, end - begin}));
      FailurePoint("journal.written");
      ++*syncs;
      TM_RETURN_IF_ERROR(current_->Sync());
      FailurePoint("journal.synced");
      mark.segment = current_->header().number;
      mark.salt = current_->header().salt;
      mark.end = current_->offset();
      if (options_.on_durable) TM_RETURN_IF_ERROR(options_.on_durable(mark));
      FailurePoint("journal.marked");
      mark_ = mark;
      begin = end;
      *synced = mark.sequence;
      return {};
    };
    const uint64_t durable = *synced;
    for (const Line::Record& record : busy_.records) {
      const size_t bytes = RecordBytes(record.payload);
      if (!current_ || !current_->Fits(record.offset - begin + bytes)) {
        if (current_) {
          TM_RETURN_IF_ERROR(write_up_to(record.offset));
          MutexLock lock(mutex_);
          CloseCurrent(*synced);
        }
        TM_RETURN_IF_ERROR(StartSegment(record.sequence, *synced, bytes));
      }
      mark.checksum = SealRecord(busy_.bytes.data() + record.offset, record.payload, record.sequence, durable,
                                 current_->header().salt);
      mark.sequence = record.sequence;
      ++mark.records;
      mark.rows += record.rows;
    }
    TM_RETURN_IF_ERROR(write_up_to(busy_.bytes.size()));
    if (options_.write_ahead && current_ && current_->WantsWriteAhead()) {
      MutexLock lock(mutex_);
      fill_.NotifyOne();
    }
    return {};
  }

  Result<void> StartSegment(uint64_t first_sequence, uint64_t synced, size_t needed) TM_EXCLUDES(mutex_) {
    SegmentHeader header;
    header.number = next_number_;
    header.first_sequence = first_sequence;
    header.previous_durable = synced;
    header.salt = (uint64_t{random_()} << 32) | random_();
    header.capacity = std::max<uint64_t>(options_.segment_bytes, kSegmentHeaderBytes + needed);
    auto made = SegmentWriter::Create(file_system_, options_.directory, header);
    if (!made.ok()) {
      // No record is in it. The next try takes the same number, and with it the same file.
      for (const std::string& path :
           {SegmentPath(options_.directory, header.number), UnfinishedSegmentPath(options_.directory, header.number)}) {
        (void)file_system_->DeleteFile(path, rocksdb::IOOptions(), nullptr);
      }
      return std::move(made).error();
    }
    FailurePoint("journal.segment_created");
    ++next_number_;
    MutexLock lock(mutex_);
    current_ = std::move(made).value();
    return {};
  }

  // `last_sequence`: of the records in it that are on disk.
  void CloseCurrent(uint64_t last_sequence) TM_REQUIRES(mutex_) {
    closed_.push_back({current_->header(), current_->path(), last_sequence, current_->offset(), current_->mark()});
    current_.reset();
  }

  Result<void> ReplaySegment(ClosedSegment* segment, bool newest, uint64_t limit, uint64_t first_sequence,
                             uint64_t* last, const std::function<Result<void>(uint64_t, std::string_view)>& apply) {
    std::string bytes;
    const rocksdb::IOStatus status = rocksdb::ReadFileToString(file_system_, segment->path, &bytes);
    if (!status.ok()) return FromStatus(status, segment->path);
    segment->bytes = bytes.size();
    const SegmentScan scan = ScanSegment(bytes, segment->header, newest, limit, first_sequence, apply);
    if (scan.refused) return *scan.refused;
    segment->last_sequence = scan.next - 1;
    if (scan.next > segment->header.first_sequence) *last = std::max(*last, segment->last_sequence);
    if (scan.tail == TailKind::kTorn) {
      TM_LOG(kWarn, "{}: the write of record {} at offset {} did not get to its end and is cut; {}", segment->path,
             scan.next, scan.offset,
             options_.acknowledged && *options_.acknowledged < scan.next
                 ? "it had not been acknowledged"
                 : "it may have been acknowledged only if the disk lost what it had confirmed");
    }
    if (scan.damaged) {
      return Corruption(
          fmt::format("{}: record {} at offset {} is damaged although it was written whole{}; `tidemark admin repair` "
                      "would give up "
                      "this record and what follows it in this segment",
                      segment->path, scan.next, scan.offset,
                      scan.proof ? fmt::format(" (the record at offset {} says so)", *scan.proof) : ""));
    }
    return {};
  }

  // Keeps zeros ahead of the records.
  void Fill(const std::stop_token& stop) {
    while (!stop.stop_requested()) {
      std::shared_ptr<SegmentWriter> segment;
      {
        MutexLock lock(mutex_);
        while (!stop.stop_requested() && !(current_ && current_->WantsWriteAhead())) {
          fill_.Wait(mutex_);
        }
        segment = current_;
      }
      if (segment && !stop.stop_requested()) segment->WriteAhead();
    }
  }

  const LocalJournalOptions options_;
  rocksdb::FileSystem* const file_system_;
  std::random_device random_;

  mutable Mutex mutex_;
  CondVar changed_;  // durable_, failures_ or writing_
  CondVar fill_;     // the segment in use wants zeros ahead
  Line line_ TM_GUARDED_BY(mutex_);
  bool writing_ TM_GUARDED_BY(mutex_) = false;
  // Touched without the lock by the one writer (writing_), and under it otherwise.
  Line busy_;
  std::shared_ptr<SegmentWriter> current_;
  uint64_t next_number_ = 1;
  JournalMark mark_;  // of the last group that got to the disk; touched by the one writer
  std::vector<std::string> undeleted_ TM_GUARDED_BY(mutex_);  // segments that were let go of, and are still there
  std::deque<ClosedSegment> closed_ TM_GUARDED_BY(mutex_);
  std::vector<Failure> failures_ TM_GUARDED_BY(mutex_);
  uint64_t last_sequence_ TM_GUARDED_BY(mutex_) = 0;
  uint64_t durable_ TM_GUARDED_BY(mutex_) = 0;
  JournalStats stats_ TM_GUARDED_BY(mutex_);
  std::jthread filler_;  // last: it uses all of the above
};

// The segments of a directory with their headers, by number. A newest file without a valid header and without
// records was being created when the machine stopped: nothing in it was acknowledged, and it goes.
Result<std::vector<ClosedSegment>> FindSegments(rocksdb::FileSystem* file_system, const std::string& directory) {
  TM_TRY_ASSIGN(const std::vector<SegmentFile> files, ListSegments(file_system, directory));
  std::vector<ClosedSegment> segments;
  for (size_t i = 0; i < files.size(); ++i) {
    const SegmentFile& file = files[i];
    if (file.header) {
      segments.push_back({*file.header, file.path, 0, 0, FileMark::Of(file.path)});
      continue;
    }
    if (file.used || i + 1 < files.size()) {
      return Corruption(fmt::format(
          "{}: the segment's header is damaged; `tidemark admin repair` would give up its records", file.path));
    }
    const rocksdb::IOStatus status = file_system->DeleteFile(file.path, rocksdb::IOOptions(), nullptr);
    if (!status.ok()) return FromStatus(status, file.path);
  }
  return segments;
}

// Segments that were being made when the process ended.
Result<void> DeleteUnfinished(rocksdb::FileSystem* file_system, const std::string& directory) {
  std::vector<std::string> names;
  rocksdb::IOStatus status = file_system->GetChildren(directory, rocksdb::IOOptions(), &names, nullptr);
  for (size_t i = 0; status.ok() && i < names.size(); ++i) {
    const std::string path = directory + "/" + names[i];
    const auto number = SegmentNumber(std::string_view(names[i]).substr(0, names[i].rfind(".new")));
    if (!number || path != UnfinishedSegmentPath(directory, *number)) continue;
    status = file_system->DeleteFile(path, rocksdb::IOOptions(), nullptr);
  }
  if (!status.ok()) return FromStatus(status, directory);
  return {};
}

}  // namespace

Result<std::unique_ptr<Journal>> OpenLocalJournal(LocalJournalOptions options) {
  if (!options.file_system) options.file_system = rocksdb::FileSystem::Default();
  const rocksdb::IOStatus status =
      options.file_system->CreateDirIfMissing(options.directory, rocksdb::IOOptions(), nullptr);
  if (!status.ok()) return FromStatus(status, options.directory);
  TM_TRY_ASSIGN(std::vector<ClosedSegment> segments, FindSegments(options.file_system.get(), options.directory));
  TM_RETURN_IF_ERROR(DeleteUnfinished(options.file_system.get(), options.directory));
  return std::make_unique<LocalJournal>(std::move(options), std::move(segments));
}

}  // namespace tidemark::journal

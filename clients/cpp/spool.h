// Spool: a bounded queue of batches on disk, which outlives the process.
//
// A folder of segments, 00000000000000000001.spool and so on. Each begins with the 8 bytes "TMSPOOL1"; records follow.
// All numbers are little-endian:
//
//   u64 XXH3-64 of what follows | u32 bytes of lines | u16 bytes of database | u16 bytes of write id | u32 points
//   database | write id | lines
//
// A segment is deleted once all of its records have been taken, so after a crash records of at most one segment are
// delivered again. A record that does not carry its checksum ends its segment: what follows it there is given up and
// counted. When the folder would grow over its limit, the oldest segment goes.
#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <filesystem>
#include <memory>
#include <mutex>
#include <string>

#include "clients/cpp/batch.h"
#include "clients/cpp/result.h"

namespace tidemark::client {

struct SpoolOptions {
  std::string directory{};
  uint64_t max_bytes = uint64_t{1} << 30;
  // Segments are closed at this size, or at a quarter of max_bytes when that is less.
  uint64_t segment_bytes = uint64_t{8} << 20;
  // fdatasync after each record: it then survives a power cut, and not only the end of the process.
  bool sync = false;
};

struct SpoolStats {
  uint64_t bytes = 0;          // in the folder now
  uint64_t batches = 0;        // still to be taken
  uint64_t points = 0;         // in them
  uint64_t damaged_bytes = 0;  // given up: torn, or not what was written
  uint64_t damaged_batches = 0;
};

// Thread-safe. One process at a time may have a folder open.
class Spool {
 public:
  // What was dropped to make room.
  struct Dropped {
    uint64_t batches = 0;
    uint64_t points = 0;
  };

  // Creates the folder when it is missing and counts what an earlier process left there: those batches get the
  // sequences 1, 2, ... Errors: kInvalidArgument, kIo, kUnavailable (another process has it open).
  static Result<std::unique_ptr<Spool>> Open(const SpoolOptions& options);
  ~Spool();
  Spool(const Spool&) = delete;
  Spool& operator=(const Spool&) = delete;

  // Appends behind all others; its sequence follows theirs. Errors: kIo (then nothing was appended; what was dropped
  // for it stays dropped), kInvalidArgument (larger than the spool).
  Result<Dropped> Append(const Batch& batch);

  // The sequence of the oldest batch; 0 when empty. Does not wait for a disk that another thread waits for.
  [[nodiscard]] uint64_t FrontSequence() const { return visible_front_.load(std::memory_order_acquire); }
  // The oldest batch; null when empty. Damaged ones are passed over.
  std::shared_ptr<const Batch> Front();
  // Takes the oldest batch away if it still is `sequence`.
  void Pop(uint64_t sequence);

  [[nodiscard]] SpoolStats stats() const;

 private:
  struct Segment {
    uint64_t number = 0;
    uint64_t bytes = 0;
    uint64_t batches = 0;  // not taken yet
    uint64_t points = 0;   // in those
  };

  explicit Spool(const SpoolOptions& options) : options_(options) {}
  [[nodiscard]] std::filesystem::path PathOf(uint64_t number) const;
  Status Lock();
  Status Scan();
  Status ScanSegment(uint64_t number);
  Status StartSegment();
  void DropFront();
  void GiveUpFront();
  std::shared_ptr<const Batch> ReadFront();
  void ShowFront() { visible_front_.store(stats_.batches == 0 ? 0 : front_sequence_, std::memory_order_release); }

  const SpoolOptions options_;
  mutable std::mutex mutex_;
  int lock_fd_ = -1;
  int write_fd_ = -1;  // the last segment, when it is open for writing
  int read_fd_ = -1;   // the first segment, once it is being read
  uint64_t read_offset_ = 0;
  uint64_t front_size_ = 0;    // of the record that Front returned last
  uint64_t front_points_ = 0;  // in it
  uint64_t next_number_ = 1;
  uint64_t front_sequence_ = 1;
  std::deque<Segment> segments_;
  SpoolStats stats_;
  std::atomic<uint64_t> visible_front_{0};
};

}  // namespace tidemark::client

// JournalScan: which records a journal directory holds, and where it is damaged. One reading of the rules for the
// replay at the start, and for those who only look (storage/verify.h). Changes nothing.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "storage/base/result.h"
#include "storage/journal/segment_format.h"
#include "storage/model/finding.h"

namespace rocksdb {
class FileSystem;
}

namespace tidemark::journal {

struct SegmentFile {
  uint64_t number = 0;
  std::string path;
  std::optional<SegmentHeader> header;  // nullopt: its bytes are no header
  // Something stands behind the header's place. Records are written only once the header has been synced, so that a
  // file with something and without a header is damaged; one with nothing was being created when the machine stopped.
  bool used = false;
};

// The segments of a directory by number; none when there is no such directory. Errors: kIo, kUnsupported (format
// version).
Result<std::vector<SegmentFile>> ListSegments(rocksdb::FileSystem* file_system, const std::string& directory);

using RecordFn = std::function<Result<void>(uint64_t sequence, std::string_view record)>;

struct SegmentScan {
  uint64_t next = 0;                  // the sequence that was not found, one more than the last that was
  size_t offset = 0;                  // where it should be
  std::optional<size_t> proof;        // where a record stands that says that it was written
  TailKind tail = TailKind::kEnd;     // of the newest segment
  bool damaged = false;               // a record that was acknowledged is not there
  std::optional<Error> refused = {};  // what `apply` said to record `next`; the scan ended there
  std::optional<uint64_t> watched_checksum = {};
};

// Reads the records of a segment up to sequence `limit`; those from `first_sequence` on go to `apply`. `newest`: no
// later segment says how far this one goes (`limit` is UINT64_MAX).
SegmentScan ScanSegment(std::string_view segment, const SegmentHeader& header, bool newest, uint64_t limit,
                        uint64_t first_sequence, const RecordFn& apply, uint64_t watched = 0);

// One place where the journal is damaged, and what mends it.
struct JournalDamage {
  std::string path;
  std::string what;
  // The records are whole as far as they go, but the file has a length that no writer leaves: something was cut off.
  bool length_only = false;
  // The records given up: `first` to `last`, both included; nullopt: how far it went is not known.
  uint64_t first = 0;
  std::optional<uint64_t> last = {};
  // What is set aside: the file from this byte on (0: all of it); nullopt: nothing.
  std::optional<size_t> cut = {};
  // A gap is accepted when the header of the segment behind it says so.
  std::string next_path = {};  // "": there is no segment behind it
  SegmentHeader next_header{};

  [[nodiscard]] model::Finding ToFinding() const;
};

struct JournalCheck {
  struct Segment {
    uint64_t number = 0;
    uint64_t salt = 0;
    bool sized = false;  // written by a program that says how long segments may be, and keeps a watermark
  };
  std::vector<Segment> headers;  // of those that have one
  // The last record that is there, none before it missing but those that damages name; 0: none.
  uint64_t last_sequence = 0;
  std::optional<uint64_t> watched_checksum;  // of the record that was asked for, when it is there
  uint64_t segments = 0;
  uint64_t records = 0;
  uint64_t bytes = 0;
  std::vector<JournalDamage> damages;
};

// Finds all damage that Replay(first_sequence, apply) would refuse. first_sequence nullopt: not known, whatever is
// there is needed. watched: a record of which the checksum is wanted; 0: none. Errors: kIo, kUnsupported, and those of
// `apply` other than kCorruption, which is damage.
Result<JournalCheck> CheckJournal(rocksdb::FileSystem* file_system, const std::string& directory,
                                  std::optional<uint64_t> first_sequence, const RecordFn& apply, uint64_t watched = 0);

// Saves what is cut off, under the segment's name, in the directory `aside` (which exists), and mends the place.
// Whatever it is interrupted at, checking and mending again finishes the work. Errors: kIo, kResourceExhausted.
Result<void> MendJournal(rocksdb::FileSystem* file_system, const JournalDamage& damage, const std::string& aside);

}  // namespace tidemark::journal

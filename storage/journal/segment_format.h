// SegmentFormat: how records lie in a segment file of the local journal. Format: storage/FORMAT.md, "Journal".
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace tidemark::journal {

inline constexpr size_t kSegmentHeaderBytes = 64;
inline constexpr size_t kRecordHeaderBytes = 32;

struct SegmentHeader {
  uint64_t number = 0;
  uint64_t first_sequence = 0;
  // The last sequence that was on disk when this segment was begun. Records with greater sequences in segments before
  // this one were never acknowledged: they are passed over.
  uint64_t previous_durable = 0;
  // Mixed into every checksum, so that bytes of another file are never taken for records of this one.
  uint64_t salt = 0;
  // The length of the file when it is full. 0: written by a program of version 0.1 or before, which let a file have
  // any length and a record no sum of its header.
  uint64_t capacity = 0;

  // Whether a file of `bytes` was left so by a writer. They grow in steps, each of them whole.
  [[nodiscard]] bool MayBeLong(uint64_t bytes) const;
  // kSegmentHeaderBytes bytes.
  [[nodiscard]] std::string Encode() const;
  // nullopt for bytes that are no header; `version` gets the version that they name, when they name one.
  static std::optional<SegmentHeader> Decode(std::string_view bytes, uint32_t* version);
};

inline constexpr uint32_t kJournalFormatVersion = 1;

// A segment begins with so many bytes (or its capacity), and grows by so many up to its capacity.
inline constexpr uint64_t kFirstSegmentBytes = uint64_t{1} << 20;
inline constexpr uint64_t kSegmentStepBytes = uint64_t{4} << 20;
// The least length of a segment of `capacity` that has room for `bytes` <= capacity.
uint64_t SegmentLengthFor(uint64_t bytes, uint64_t capacity);

// Bytes that a record takes in a segment.
constexpr size_t RecordBytes(size_t payload) { return kRecordHeaderBytes + ((payload + 7) & ~size_t{7}); }

// Fills in the header in front of a record: `record` is kRecordHeaderBytes to be filled, the payload, and zeros up to
// RecordBytes(payload). `durable`: the greatest sequence known to be on disk when this is written. Returns its
// checksum.
uint64_t SealRecord(char* record, size_t payload, uint64_t sequence, uint64_t durable, uint64_t salt);

struct RecordView {
  uint64_t sequence = 0;
  uint64_t durable = 0;
  uint64_t checksum = 0;
  std::string_view payload;
};

// The record at `offset` of a segment's bytes; nullopt when there is none or its checksum fails.
std::optional<RecordView> ReadRecord(std::string_view segment, size_t offset, uint64_t salt);

// The checksum that the record at `offset` carries, and that of its bytes; nullopt when there is no record's header, or
// one whose size goes beyond the segment.
struct Checksums {
  uint64_t expected = 0;
  uint64_t found = 0;
};
std::optional<Checksums> ChecksumsAt(std::string_view segment, size_t offset, uint64_t salt);

// Looks behind `offset`, where no valid record with sequence `expected` was found, for proof that one had been synced:
// a valid record that says so. Returns the offset of that proof.
std::optional<size_t> FindProofOfLoss(std::string_view segment, size_t offset, uint64_t expected, uint64_t salt);

// What stands at `offset`, where no valid record with sequence `expected` was found.
enum class TailKind {
  kEnd,      // nothing was written there: zeros, or the end of the file
  kTorn,     // a write that did not get to its end: a part of the record is missing
  kDamaged,  // a whole record whose bytes have changed since
};

// Segments are filled with zeros ahead of the records and disks write sectors whole, so a record that lacks nothing
// but its checksum was once written to its end. A record with a sector of zeros in it counts as torn. A header that has
// no zeros where a write could have ended, but a wrong sum, is damaged: what it says of the record's size is not
// believed.
TailKind ClassifyTail(std::string_view segment, const SegmentHeader& header, size_t offset, uint64_t expected);

}  // namespace tidemark::journal

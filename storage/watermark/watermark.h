// Watermark: how far a store had come when it last gave an answer, as it is known beside the files that hold it. What
// is found at a start must be at least that; less is a loss, and this says of how much.
//
// Every value is a lower bound: it is written after what it speaks of is on disk. After a stop of the process alone
// (same boot id) or a clean one it is exact. Format: storage/FORMAT.md, "Watermark".
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "storage/base/result.h"

namespace tidemark::storage::watermark {

// A place in the journal, and how much lies before it: counted from a place that is the same for all counts of one
// watermark.
struct Place {
  uint64_t sequence = 0;
  uint64_t records = 0;
  uint64_t rows = 0;
  friend bool operator==(const Place&, const Place&) = default;
};

struct Watermark {
  std::string store_id;  // 32 hexadecimal digits; "": of a store without one
  std::string boot_id;   // of the machine's run in which it was written
  bool clean = false;    // written by a store that was closed, after everything was synced
  uint64_t counter = 0;  // one more with each that is written
  // The last record that was acknowledged, or could have been; the segment in which it ends; its checksum. Segment 0:
  // nothing has been written since the watermark was begun.
  Place durable;
  int64_t acknowledged_ns = 0;  // when, by the server's clock
  uint64_t segment = 0;
  uint64_t salt = 0;
  uint64_t end = 0;
  uint64_t checksum = 0;
  // The checkpoint that meta has, and one that is under way: meta has the one or the other.
  Place checkpoint;
  Place next_checkpoint;
  // RocksDB's sequence number after a change of meta, and the hash of the live epochs then (MetaStore::epochs_hash).
  uint64_t rocks_sequence = 0;
  uint64_t epochs_hash = 0;
  friend bool operator==(const Watermark&, const Watermark&) = default;
};

// When the journal had come how far, for the times of a loss.
struct Moment {
  int64_t ns = 0;
  uint64_t sequence = 0;
  friend bool operator==(const Moment&, const Moment&) = default;
};

inline constexpr uint64_t kSlotBytes = 4096;    // the file: two slots in turn, then the moments
inline constexpr size_t kWatermarkBytes = 232;  // of a slot, the rest is zeros
inline constexpr size_t kMaxMoments = 128;

// kWatermarkBytes bytes.
[[nodiscard]] std::string EncodeWatermark(const Watermark& watermark);
// Errors: kCorruption, kUnsupported (format).
[[nodiscard]] Result<Watermark> DecodeWatermark(std::string_view slot);
// At most kMaxMoments, ascending. Decode: {} for bytes that are none.
[[nodiscard]] std::string EncodeMoments(const std::vector<Moment>& moments);
[[nodiscard]] std::vector<Moment> DecodeMoments(std::string_view bytes);

}  // namespace tidemark::storage::watermark

// The values of column family `meta`: what databases there are and which epochs of their partitions are live. It is
// the only truth about what readers see. storage/FORMAT.md, "meta", has every byte.
//
// Each value starts with the number of its layout and ends with a 64-bit checksum, so that damage is found and a later
// version is refused instead of misread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "storage/base/bytes.h"
#include "storage/base/result.h"
#include "storage/model/ids.h"
#include "storage/model/timestamp.h"
#include "storage/rocks/keys.h"
#include "storage/storage.h"

namespace tidemark::storage::meta {

// The version of everything on disk. Checked before anything else is read. A store begins with the first and gets a
// later one when it first holds what programs of the earlier one cannot read.
inline constexpr uint32_t kFormatVersion = 1;
// A name may have several fields: definitions of kind 6.
inline constexpr uint32_t kFieldChainVersion = 2;
// Pages with frames of codecs that were added then (codec::Since::kStore3).
inline constexpr uint32_t kNewFramesVersion = 3;
inline constexpr uint32_t kNewestFormatVersion = kNewFramesVersion;

struct StoreRecord {
  uint32_t format_version = kFormatVersion;
  // The next number of a database and of an epoch; neither is ever reused.
  uint32_t next_database = 1;
  uint64_t next_epoch = 1;
  // Every journal record up to and including this one is in live epochs.
  uint64_t checkpoint_sequence = 0;
  friend bool operator==(const StoreRecord&, const StoreRecord&) = default;
};

struct DatabaseRecord {
  model::DatabaseId id{};
  std::string name;
  DatabaseOptions options;
  friend bool operator==(const DatabaseRecord&, const DatabaseRecord&) = default;
};

// One epoch of one partition: one SST, or a few values of `meta`.
struct EpochRecord {
  model::DatabaseId database{};
  // The partition: times from partition_start_ns to partition_start_ns + partition_ns - 1, both included.
  int64_t partition_start_ns = 0;
  int64_t partition_ns = 0;
  uint64_t epoch = 0;
  // Of two epochs with the same series, field and time, the one with the higher precedence wins. A fold inherits the
  // highest of what it replaces, so it is not always the epoch's number.
  uint64_t precedence = 0;
  uint64_t pages = 0;  // the directory apart
  uint64_t bytes = 0;
  uint64_t rows = 0;  // values of columns
  model::TimeRange range;
  // Every deletion (Mask) with a number up to this one has been applied to its rows.
  uint64_t masked_through = 0;
  // Written with codec::Effort::kNewest (kSmallest by programs before store version 3) when its partition was past.
  bool sealed = false;
  // Its raw rows have been dropped and rollup tiers are what is left; `rows` is 0, `range` that of the rows that were.
  bool tiers_only = false;
  // Its pages are values of `meta` instead of a file of `data`: there are too few for one.
  bool in_meta = false;
  friend bool operator==(const EpochRecord&, const EpochRecord&) = default;
};

// A deletion whose points have not all been rewritten away: see Mask.
struct MaskRecord {
  model::DatabaseId database{};
  uint64_t number = 0;
  std::string spec;  // EncodeMaskSpec
  friend bool operator==(const MaskRecord&, const MaskRecord&) = default;
};

// Where its pages and their directory are.
rocks::KeyRange KeysOf(const EpochRecord& record);

std::string Encode(const StoreRecord& record);
std::string Encode(const DatabaseRecord& record);
std::string Encode(const EpochRecord& record);
std::string Encode(const MaskRecord& record);
// Errors: kUnsupported for a format version other than ours (naming both), kCorruption for damage.
Result<StoreRecord> DecodeStoreRecord(std::string_view bytes);
Result<DatabaseRecord> DecodeDatabaseRecord(std::string_view bytes);
Result<EpochRecord> DecodeEpochRecord(std::string_view bytes);
Result<MaskRecord> DecodeMaskRecord(std::string_view bytes);

// The bytes with an 8-byte checksum (XXH3, seed 0) behind them, and back. `what` is for the message.
void Seal(std::string* bytes);
Result<std::string_view> Unseal(std::string_view bytes, std::string_view what);

// A record whose checksum holds, read up to its layout.
struct OpenedRecord {
  ByteReader reader;
  uint8_t layout;
};
// Errors: kCorruption, and kUnsupported for a layout above `newest`.
Result<OpenedRecord> OpenRecord(std::string_view bytes, std::string_view what, uint8_t newest);
// An error when `reader` has not read all of it, or more than there is.
Result<void> CheckEnd(const ByteReader& reader, std::string_view what);

}  // namespace tidemark::storage::meta

// Keys of the column families `data`, `index` and `meta`. Big-endian, so that bytes sort as the numbers do.
// storage/FORMAT.md, "Keys", has every byte.
#pragma once

#include <compare>
#include <cstdint>
#include <string>
#include <string_view>

#include "storage/base/result.h"
#include "storage/model/ids.h"

namespace tidemark::storage::rocks {

// Raw rows and their timelines; rollup tiers are 1, 2, ... in the order of their widths.
inline constexpr uint8_t kRawTier = 0;
// The sketches of the buckets of tier n are under tier n + kSketchTiers.
inline constexpr uint8_t kSketchTiers = 0x80;
constexpr uint8_t TierOfPage(uint8_t tier) { return tier & (kSketchTiers - 1U); }
// The list of an epoch's pages: one key per epoch, after all of its pages.
inline constexpr uint8_t kDirectoryTier = 255;
// The part under which the list of the epoch's series stands beside it.
inline constexpr uint32_t kSeriesPart = 1;

// Names one page in `data`. An SST holds all keys of one (database, partition, epoch) and no others.
struct PageKey {
  model::DatabaseId database{};
  int64_t partition_start_ns = 0;
  uint64_t epoch = 0;
  uint8_t tier = kRawTier;
  model::MeasurementId measurement{};
  model::FieldId field{};
  model::SeriesId first_series{};
  uint32_t part = 0;
  friend constexpr auto operator<=>(const PageKey&, const PageKey&) = default;
};

inline constexpr size_t kPageKeyBytes = 37;

std::string EncodePageKey(const PageKey& key);
// Errors: kCorruption when it is not kPageKeyBytes long.
Result<PageKey> DecodePageKey(std::string_view bytes);
// For messages: "page 1/1700000000000000000/12/0/3/7/99/0".
std::string Describe(const PageKey& key);

// The keys of one epoch of a partition are those in [first, end).
struct KeyRange {
  std::string first;
  std::string end;
  bool in_meta = false;  // of an epoch whose pages lie in `meta`
};
KeyRange EpochKeys(model::DatabaseId database, int64_t partition_start_ns, uint64_t epoch);
// The same of an epoch whose pages lie in `meta`.
KeyRange EpochKeysInMeta(model::DatabaseId database, int64_t partition_start_ns, uint64_t epoch);
// All page keys of a database.
KeyRange DatabaseKeys(model::DatabaseId database);

// In `index`: the database, then the index's own key. DatabaseKeys gives their range too.
std::string IndexKey(model::DatabaseId database, std::string_view key);
Result<model::DatabaseId> DatabaseOfIndexKey(std::string_view bytes);
// What follows the database.
inline constexpr size_t kIndexKeyPrefixBytes = 4;

// In `meta`.
inline constexpr std::string_view kStoreKey = "store";
inline constexpr std::string_view kDatabasePrefix = "database/";
inline constexpr std::string_view kEpochPrefix = "epoch/";
inline constexpr std::string_view kMaskPrefix = "mask/";
// Pages of small epochs: the page's key behind it.
inline constexpr std::string_view kPagePrefix = "page/";
// Of documents; their keys are made in storage/documents.
inline constexpr std::string_view kDocumentPrefix = "document/";
inline constexpr std::string_view kDocumentBytesPrefix = "document_bytes/";
inline constexpr std::string_view kDocumentKindPrefix = "document_kind/";
std::string DatabaseMetaKey(model::DatabaseId database);
std::string EpochMetaKey(model::DatabaseId database, uint64_t epoch);
std::string PageMetaKey(const PageKey& key);
std::string MaskMetaKey(model::DatabaseId database, uint64_t number);
// Of all epochs of a database.
std::string EpochMetaPrefix(model::DatabaseId database);

}  // namespace tidemark::storage::rocks

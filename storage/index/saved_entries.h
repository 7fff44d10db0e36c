// Saved entries: the catalog as keys and values for RocksDB, in chunks, so that a checkpoint writes only what has
// grown. Format: storage/FORMAT.md, "Index". Postings are not saved: they are rebuilt from the series.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "storage/base/result.h"
#include "storage/index/catalog.h"
#include "storage/index/definitions.h"

namespace tidemark::index {

// What a chunk holds. The first byte of its key; on disk, never change or reuse one. The order is that of reference:
// later kinds refer to earlier ones.
enum class ChunkKind : uint8_t {
  kMeasurements = 1,
  kLabels = 2,
  kPairs = 3,
  kFields = 4,
  kSeries = 5,
  kFieldSeries = 6,
};
inline constexpr size_t kCountedKinds = 5;  // those whose chunks are runs of kChunkIds dense ids
inline constexpr uint32_t kChunkIds = 1024;

// How many of each counted kind there are; [kind - 1].
using Counts = std::array<uint32_t, kCountedKinds>;
Counts CountsOf(const Catalog& catalog);

// The key of chunk `number` (ids number * kChunkIds + 1 and following) of a counted kind.
std::string ChunkKey(ChunkKind kind, uint32_t number);
// The value of that chunk, as far as `counts` goes.
std::string ChunkValue(const Catalog& catalog, const Counts& counts, ChunkKind kind, uint32_t number);

// The series of one field in [block * 65,536, (block + 1) * 65,536), as far as `series_count` goes.
std::string FieldSeriesKey(uint32_t field, uint32_t block);
std::string FieldSeriesValue(const Catalog& catalog, uint32_t field, uint32_t block, uint32_t series_count);

// Every entry of a catalog, as key and value.
std::vector<std::pair<std::string, std::string>> AllEntries(const Catalog& catalog);

// What a key says that an entry is: its kind, and the number of its chunk (of kFieldSeries: field << 16 | block).
struct EntryPlace {
  ChunkKind kind{};
  uint64_t position = 0;
};
// Errors: kCorruption for a key that is none of ours.
Result<EntryPlace> ReadEntryKey(std::string_view key);
// Calls `visit` with each name of a chunk of a counted kind, valid for the call. Errors: kCorruption; those of `visit`.
Result<void> ReadChunk(ChunkKind kind, uint64_t number, std::string_view value, const DefinitionFn& visit);
// Adds the series of an entry of kFieldSeries to its field; both must be there. Errors: kCorruption.
Result<void> LoadFieldSeries(uint64_t position, std::string_view value, Catalog* catalog);

// Loader puts saved entries, in any order, back into an empty catalog.
class Loader {
 public:
  // Keeps an entry for Finish. Errors: kCorruption for a key that is none of ours.
  Result<void> Add(std::string_view key, std::string_view value);
  // Decodes everything and builds the postings. Errors: kCorruption; the catalog is of no use then.
  Result<void> Finish(Catalog* catalog);

 private:
  using Chunk = std::pair<uint64_t, std::string>;  // position, value
  std::array<std::vector<Chunk>, kCountedKinds + 1> chunks_;
};

}  // namespace tidemark::index

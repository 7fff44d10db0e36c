// Block: a folder of Prometheus' time series database with the samples of some hours or days: index, chunks,
// tombstones. Format: prometheus/tsdb/docs/format/{index,chunks,tombstones}.md.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "storage/base/result.h"
#include "storage/model/labels.h"
#include "tools/cli/transfer/prometheus/chunk.h"
#include "tools/cli/transfer/prometheus/mapped_file.h"

namespace tidemark::cli::prometheus {

// Both ends included.
struct Interval {
  int64_t first_ms = 0;
  int64_t last_ms = 0;
};
// By the number of a series.
using Tombstones = std::map<uint64_t, std::vector<Interval>>;
bool Hides(const std::vector<Interval>& intervals, int64_t time_ms);

// What of a block, or of a log, is not taken, in samples.
struct NotTaken {
  uint64_t histograms = 0;
  uint64_t unknown = 0;     // of encodings or kinds that this program does not know: chunks or records
  uint64_t deleted = 0;     // by tombstones
  uint64_t torn_bytes = 0;  // of a log, at its end: no samples
  uint64_t in_blocks = 0;   // of a log, older than the newest block, which has them
};

// Not thread-safe.
class Block {
 public:
  // Reads the table of contents and checks sums. Errors: kNotFound, kCorruption, kUnsupported (index format 1).
  static Result<std::unique_ptr<Block>> Open(const std::string& folder);

  [[nodiscard]] const std::string& name() const { return name_; }
  // The time behind its last sample, of meta.json.
  [[nodiscard]] int64_t end_ms() const { return end_ms_; }

  // Its series are in the order of their labels.
  [[nodiscard]] size_t size() const { return series_.size(); }
  Status ReadLabels(size_t at, model::Labels* labels) const;
  // Replaces `samples` by those of a series, ascending, without those that are deleted.
  Status ReadSamples(size_t at, std::vector<Sample>* samples, NotTaken* not_taken) const;

 private:
  Block() = default;
  Status ReadMeta(const std::string& folder);
  Status ReadIndex(const std::string& folder);
  Status ReadSymbols(uint64_t offset);
  // The offsets of all series, out of the postings of the label "" with the value "".
  Status ReadAllPostings(uint64_t table);
  Status OpenChunks(const std::string& folder);
  // The bytes of an entry that has its length as a varint in front and a checksum behind.
  Result<std::string_view> Entry(uint64_t offset) const;
  // `ref`: the number of the file, and the place in it in the lower 32 bits.
  Status ReadChunk(uint64_t ref, std::vector<Sample>* samples, NotTaken* not_taken) const;

  std::string name_;
  int64_t end_ms_ = 0;
  std::unique_ptr<MappedFile> index_;
  std::vector<std::string_view> symbols_;
  std::vector<uint32_t> series_;  // offsets in the index, in units of 16 bytes
  Tombstones tombstones_;
  std::vector<std::unique_ptr<MappedFile>> chunks_;
};

// What stands in `folder`/tombstones. Without the file: nothing.
Result<Tombstones> ReadTombstoneFile(const std::string& folder);

}  // namespace tidemark::cli::prometheus

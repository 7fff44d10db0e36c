// Wal: the records of Prometheus' write-ahead log, from the newest checkpoint on.
// Format: prometheus/tsdb/docs/format/wal.md; the framing is that of tsdb/wlog (LevelDB's, with pages of 32 KiB).
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "storage/base/result.h"
#include "storage/model/labels.h"
#include "tools/cli/transfer/prometheus/block.h"
#include "tools/cli/transfer/prometheus/chunk.h"

namespace tidemark::cli::prometheus {

// The files of the log in `folder` in the order in which they are read: those of the newest checkpoint, and those
// behind it. Empty without a log. Errors: kIo, kCorruption (one is missing between others).
Result<std::vector<std::string>> WalFiles(const std::string& folder);

// What a log says. Called in the order of the records.
struct WalSink {
  std::function<void(uint64_t series, model::Labels labels)> on_series = {};
  std::function<Status(uint64_t series, Sample sample)> on_sample = {};
  std::function<void(uint64_t series, Interval deleted)> on_tombstone = {};
  NotTaken* not_taken = nullptr;
};

// Reads the records of one file. A record that is torn at the end of the last file was never acknowledged, and ends the
// reading without an error when `last`; its bytes are counted. Errors: kCorruption with the place, kIo, and those of
// the sink.
Status ReadWalFile(const std::string& path, bool last, const WalSink& sink);

}  // namespace tidemark::cli::prometheus

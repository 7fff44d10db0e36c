// TsdbReader: a data directory of Prometheus as pieces: its blocks, series by series over all of them, and then its
// log.
#pragma once

#include <memory>
#include <string>

#include "storage/base/result.h"
#include "tools/cli/transfer/piece_reader.h"

namespace tidemark::cli::prometheus {

// `folder`: that of --storage.tsdb.path, or one block. A series is the measurement of its __name__ with the field
// "value", as remote write stores it. Where blocks overlap and differ, the value of the block with the later name
// counts, and the other is counted. Errors: kUnavailable (a Prometheus is at work in
// it), kNotFound (neither a block nor a log is there), kCorruption, kIo.
Result<std::unique_ptr<PieceReader>> OpenTsdb(const std::string& folder);

// What the folder is known by: its blocks, and the files of its log.
Result<std::string> NameTsdb(const std::string& folder);

}  // namespace tidemark::cli::prometheus

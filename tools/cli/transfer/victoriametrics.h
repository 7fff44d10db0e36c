// What VictoriaMetrics' /api/v1/export gives: a line of JSON for some samples of one series.
//
//   {"metric":{"__name__":"up","job":"node"},"values":[1,0],"timestamps":[1700000000000,1700000015000]}
//
// Times are milliseconds. Values that are not finite come bare (+Inf, -Inf) or as null, which is NaN; in quotes they
// are taken too. Source: https://docs.victoriametrics.com/#how-to-export-data-in-json-line-format
#pragma once

#include <memory>

#include "tools/cli/transfer/piece_reader.h"

namespace tidemark::cli {

// A series is the measurement of its __name__ with the field "value", as remote write stores it.
std::unique_ptr<PieceReader> MakeVictoriametricsReader(std::unique_ptr<InFile> file);

}  // namespace tidemark::cli

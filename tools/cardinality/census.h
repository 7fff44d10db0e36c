// Census: which measurements, labels, label pairs and sources of a database have most series, and what they cost.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "storage/base/result.h"
#include "storage/storage.h"

namespace tidemark::cardinality {

struct CensusOptions {
  size_t limit = 10;  // rows of each table
  // The label whose values are the sources; "": the first of kSourceLabels that the database has.
  std::string source_label = {};
  // Asked every few thousand series whether to go on.
  std::function<Status()> look = {};
};
inline constexpr std::string_view kSourceLabels[] = {"instance", "host", "hostname", "agent", "source"};

// Series here are measurements with tags, which is what the limit counts; columns are fields of them, which is what
// Prometheus calls series.
struct CensusRow {
  std::string name;
  uint64_t series = 0;
  uint64_t columns = 0;
  uint64_t values = 0;        // of a label: different ones
  uint64_t memory_bytes = 0;  // of their names, about
  uint64_t disk_bytes = 0;    // their part of the pages, by columns, about
};

struct CensusResult {
  uint64_t series = 0;
  uint64_t columns = 0;
  uint64_t memory_bytes = 0;
  uint64_t disk_bytes = 0;
  std::string source_label;
  std::vector<CensusRow> measurements;
  std::vector<CensusRow> labels;
  std::vector<CensusRow> pairs;  // name=value
  std::vector<CensusRow> sources;
  // A name of so many series, or fewer, may be missing where others are there. 0: none is.
  uint64_t missed_below = 0;
};

// Reads the names of all series that the database knows, deleted ones too, since they count against the limit; no rows.
// Memory: 8 bytes for each series of one measurement, a bit for each series, and 30 MB at most. Errors: kNotFound,
// those of `look`.
Result<CensusResult> TakeCensus(const storage::Store& store, const std::string& database, const CensusOptions& options);

// As an object of JSON, with "database" and, when it is not 0, "seriesLimit".
std::string ToJson(const CensusResult& result, const std::string& database, uint64_t series_limit);

}  // namespace tidemark::cardinality

// Comparison: whether what a source gave is in a database, point by point.
//
// First the logical hash of each series tells which ones are the same: one reading of both, 200 bytes a series. Only of
// those that are not, the points are held against each other, which names what is different.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <set>
#include <string>
#include <unordered_set>
#include <vector>

#include "storage/base/result.h"
#include "tools/cli/transfer/piece_reader.h"
#include "tools/cli/transfer/target.h"
#include "tools/transfer/logical_hash.h"

namespace tidemark::cli {

// What a source gave for one database. Not thread-safe.
class SourceSums {
 public:
  void Add(const transfer::Piece& piece);
  [[nodiscard]] const transfer::SeriesSums& sums() const { return sums_; }
  // The times from the first to the last.
  [[nodiscard]] int64_t first_ns() const { return first_ns_; }
  [[nodiscard]] int64_t last_ns() const { return last_ns_; }
  // Selectors that find all of its series, and few others.
  [[nodiscard]] std::vector<std::string> Selectors() const;

 private:
  transfer::SeriesSums sums_;
  int64_t first_ns_ = INT64_MAX;
  int64_t last_ns_ = INT64_MIN;
  std::set<std::string> metrics_;
  bool many_metrics_ = false;
};

struct Compared {
  uint64_t points = 0;     // of the source, each time of a series once
  uint64_t missing = 0;    // of them not in the database
  uint64_t different = 0;  // of them there with another value
  uint64_t retyped = 0;    // of them there with the same value as another type
  uint64_t repeated = 0;   // given again by the source, with the same value
  uint64_t ambiguous = 0;  // given again by the source, with another value; the last one counts
  uint64_t others = 0;     // in the database, of these series and times, and not of the source
  uint64_t unseen = 0;     // points of series that were too many to be looked at closely
};

// Which database, of all that a source goes into.
struct ComparedDatabase {
  std::string wanted;  // as in PieceReader::DatabaseFor
  std::string name;
};

// Reads the database and compares. `name` is called with a sentence for each conflict, kNamedMax at most.
inline constexpr size_t kNamedMax = 100;
// Points of series that are different that are held in memory at once.
inline constexpr uint64_t kHeldMax = 1'000'000;
Result<Compared> Compare(const SourceSums& source, const ComparedDatabase& database, Target* target,
                         const Reopen& reopen, const std::function<void(const std::string&)>& name);

}  // namespace tidemark::cli

// Lists of label names and values that cost what is shown of them: series are looked at part by part, those whose name
// is known already are passed over, and a list with a limit ends with it.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "query/names/names_watch.h"
#include "storage/base/result.h"
#include "storage/model/matcher.h"
#include "storage/model/timestamp.h"
#include "storage/storage.h"

namespace tidemark::query::names {

// Whose names are wanted: of series that satisfy all matchers of any of the sets, and are present in the range.
struct Wanted {
  std::span<const std::vector<model::Matcher>> sets;
  model::TimeRange range{};
};

// Each once.
struct Names {
  // Sorted where there was no limit, else in the order in which their series stand in storage: so that the first ten
  // and the next ten have none in common.
  std::vector<std::string> names;
  // Whether there are no others.
  bool all = true;
};

// With as few names as this a list is read to its end whatever its limit, since those of further series are mostly
// known.
inline constexpr uint64_t kFewNames = 64;

// The values of a label; with a limit (0: none) more than so many, and more than kFewNames, are not looked for. `watch`
// is asked with what is held. Errors: those of the watch, kInvalidArgument for a bad regular expression.
Result<Names> LabelValues(const storage::View& view, std::string_view label, const Wanted& wanted, uint64_t limit,
                          NamesWatch* watch);

// The names of labels, __name__ included, sorted. Errors: as above.
Result<std::vector<std::string>> LabelNames(const storage::View& view, const Wanted& wanted, NamesWatch* watch);

// What the watch is told of a list.
uint64_t BytesOf(const std::vector<std::string>& names);

}  // namespace tidemark::query::names

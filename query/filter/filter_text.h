// A filter of series as people write it: selectors, of which a series satisfies one. Between several stands a newline,
// which a selector has not.
//
//   TM_TRY_ASSIGN(const storage::SeriesFilter filter, ParseFilterText("{team=\"a\"}\n{team=\"b\",env!=\"prod\"}"));
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "storage/base/result.h"
#include "storage/series_filter.h"

namespace tidemark::query::filter {

inline constexpr size_t kMaxSelectorBytes = 4'096;

// The filter that `text` names, and the name of the filter of some selectors. kInvalidArgument names the selector that
// is wrong, and why: it does not parse, has no matcher, is too long or has a control character.
Result<storage::SeriesFilter> ParseFilterText(std::string_view text);
Result<storage::SeriesFilter> FilterOfSelectors(std::span<const std::string> selectors);

// The selectors of a filter that one of these made; none of one that lets everything through.
std::vector<std::string> SelectorsOf(const storage::SeriesFilter& filter);

}  // namespace tidemark::query::filter

// Lists of the names of labels and of their values, sorted, each once. Not thread-safe; see Catalog.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "storage/index/catalog.h"
#include "storage/model/ids.h"

namespace tidemark::index {

// Of all series that have a field; __name__ included.
std::vector<std::string> AllLabelNames(const Catalog& catalog);
std::vector<std::string> AllLabelValues(const Catalog& catalog, std::string_view name);
// Of `ids`, the series of `refs` (sorted by field), each once.
std::vector<std::string> LabelNamesOf(const Catalog& catalog, std::span<const uint32_t> ids);
std::vector<std::string> LabelValuesOf(const Catalog& catalog, std::string_view name,
                                       std::span<const model::SeriesRef> refs, std::span<const uint32_t> ids);

}  // namespace tidemark::index

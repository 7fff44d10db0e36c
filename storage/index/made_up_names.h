// The names that stand for lost ones. A series whose labels are not all known has those that are, and a label with its
// own number: unknown{id="7"}.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "storage/index/catalog.h"

namespace tidemark::index {

// Of a measurement, of a label and of a pair's value.
inline constexpr std::string_view kUnknown = "unknown";
// The label of such a series; with "_" and a number behind it where the database has one of that name.
inline constexpr std::string_view kNumberLabel = "id";

// Whether series `id` has the label of a series whose definition is lost.
[[nodiscard]] inline bool IsMadeUp(const Catalog& catalog, uint32_t id) {
  const std::string number = std::to_string(id);
  for (const uint32_t pair : catalog.series.pairs(id)) {
    const std::string_view label = catalog.LabelNameOf(pair);
    if (catalog.pairs.Text(pair) != number || !label.starts_with(kNumberLabel)) continue;
    if (label.size() == kNumberLabel.size() || label[kNumberLabel.size()] == '_') return true;
  }
  return false;
}

}  // namespace tidemark::index

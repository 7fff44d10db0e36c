#include "storage/model/finding_warnings.h"

#include <fmt/core.h>

namespace tidemark::model {

std::vector<std::string> WarningsOf(std::span<const Finding> findings) {
  std::vector<std::string> warnings;
  size_t more = 0;
  for (const Finding& finding : findings) {
    const bool of_rows = finding.area == FindingArea::kJournal || finding.area == FindingArea::kMeta ||
                         finding.area == FindingArea::kIndex || finding.area == FindingArea::kPages;
    if (!of_rows || !finding.stops_writes || finding.accepted) continue;
    if (warnings.size() == kMaxWarnings) {
      ++more;
    } else {
      warnings.push_back("the store is damaged and served read-only: " + Describe(finding));
    }
  }
  if (more > 0) warnings.push_back(fmt::format("{} more places of the store are damaged: see /health", more));
  return warnings;
}

}  // namespace tidemark::model

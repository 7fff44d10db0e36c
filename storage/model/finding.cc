#include "storage/model/finding.h"

#include <fmt/core.h>

#include <array>
#include <utility>

#include "storage/base/check.h"
#include "storage/base/text/instant.h"

namespace tidemark::model {
namespace {

constexpr auto kAreas = std::to_array<std::pair<FindingArea, std::string_view>>({
    {FindingArea::kFiles, "files"},
    {FindingArea::kJournal, "journal"},
    {FindingArea::kWatermark, "watermark"},
    {FindingArea::kMeta, "meta"},
    {FindingArea::kIndex, "index"},
    {FindingArea::kPages, "pages"},
    {FindingArea::kDocuments, "documents"},
    {FindingArea::kMedium, "medium"},
    {FindingArea::kClock, "clock"},
});

std::string Count(uint64_t count, std::string_view noun) {
  return fmt::format("{} {}{}", count, noun, count == 1 ? "" : "s");
}

}  // namespace

std::string_view NameOf(FindingArea area) {
  for (const auto& [known, name] : kAreas) {
    if (known == area) return name;
  }
  TM_CHECK(false);
  return {};
}

std::string Describe(const Loss& loss) {
  std::string text;
  if (loss.rows) {
    text = Count(*loss.rows, "row");
    if (loss.records) text += fmt::format(" ({})", Count(*loss.records, "journal record"));
  } else {
    text = loss.records ? Count(*loss.records, "journal record") : "rows, nobody can tell how many,";
  }
  const bool one = loss.rows.value_or(loss.records.value_or(0)) == 1;
  text += !loss.proven ? " that may have been acknowledged"
          : one        ? " that was acknowledged"
                       : " that were acknowledged";
  if (loss.since && loss.until) {
    text += fmt::format(" between {} and {}", text::PrintSecond(loss.since->ns), text::PrintSecond(loss.until->ns));
  } else if (loss.until) {
    text += fmt::format(" until {}", text::PrintSecond(loss.until->ns));
  } else if (loss.since) {
    text += fmt::format(" after {}", text::PrintSecond(loss.since->ns));
  }
  return text + (one ? " is missing" : " are missing");
}

std::string Describe(const Finding& finding) {
  std::string text = finding.place.empty() ? finding.what : fmt::format("{}: {}", finding.place, finding.what);
  if (!finding.expected.empty()) text += fmt::format(" (expected {}", finding.expected);
  if (!finding.found.empty()) {
    text += fmt::format("{}found {}", finding.expected.empty() ? " (" : ", ", finding.found);
  }
  if (!finding.expected.empty() || !finding.found.empty()) text += ")";
  if (finding.loss) text += "; " + Describe(*finding.loss);
  if (finding.accepted) text += fmt::format("; accepted by a repair at {}", text::PrintSecond(finding.accepted->ns));
  return text;
}

}  // namespace tidemark::model

#include "storage/page/page_builder.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "storage/base/check.h"
#include "storage/codec/ints.h"
#include "storage/page/page_format.h"

namespace tidemark::page {
namespace {

// Zones take up to four bytes an entry. For entries of fewer rows on average they would cost more than a look at the
// rows.
constexpr uint64_t kMinRowsForZones = 64;

int64_t Difference(int64_t a, int64_t b) {
  return static_cast<int64_t>(static_cast<uint64_t>(a) - static_cast<uint64_t>(b));
}

bool AllZero(const std::vector<int64_t>& values) {
  return std::all_of(values.begin(), values.end(), [](int64_t value) { return value == 0; });
}

}  // namespace

void PageBuilder::Add(const Entry& entry, std::string_view frame, codec::Since since) {
  TM_CHECK(frames_.size() + frame.size() <= std::numeric_limits<uint32_t>::max() / 2);
  frames_ += frame;
  column(DirectoryColumn::kSeries).push_back(model::Number(entry.series));
  column(DirectoryColumn::kRows).push_back(entry.rows);
  column(DirectoryColumn::kFirst).push_back(entry.range.first.ns);
  column(DirectoryColumn::kSpan).push_back(Difference(entry.range.last.ns, entry.range.first.ns));
  column(DirectoryColumn::kTimeline).push_back(entry.timeline);
  column(DirectoryColumn::kFrameEnd).push_back(static_cast<int64_t>(frames_.size()));
  column(DirectoryColumn::kScale).push_back(entry.scale);
  column(DirectoryColumn::kZoneMin).push_back(entry.zone.known ? entry.zone.min : 1);
  column(DirectoryColumn::kZoneWidth).push_back(entry.zone.known ? Difference(entry.zone.max, entry.zone.min) : -1);
  range_.first = std::min(range_.first, entry.range.first);
  range_.last = std::max(range_.last, entry.range.last);
  rows_ += entry.rows;
  since_ = std::max(since_, since);
}

EncodedPage PageBuilder::Seal() {
  TM_CHECK(!empty());
  const size_t entries = series().size();
  const auto& zone_widths = column(DirectoryColumn::kZoneWidth);
  const bool zones = rows_ / entries >= kMinRowsForZones &&
                     std::any_of(zone_widths.begin(), zone_widths.end(), [](int64_t width) { return width != -1; });
  if (!zones) {
    std::fill(column(DirectoryColumn::kZoneMin).begin(), column(DirectoryColumn::kZoneMin).end(), 0);
    std::fill(column(DirectoryColumn::kZoneWidth).begin(), column(DirectoryColumn::kZoneWidth).end(), 0);
  }
  std::array<std::string, kDirectoryColumns> encoded;
  std::array<std::string_view, kDirectoryColumns> views;
  for (size_t i = 0; i < kDirectoryColumns; ++i) {
    if (!AllZero(columns_[i])) codec::EncodeInts(columns_[i], &encoded[i]);
    views[i] = encoded[i];
  }
  std::string directory;
  AppendColumns(views.data(), views.size(), &directory);

  EncodedPage page;
  page.kind = kind_;
  page.field = field_;
  page.first_series = model::SeriesId{static_cast<uint32_t>(series().front())};
  page.last_series = model::SeriesId{static_cast<uint32_t>(series().back())};
  page.range = range_;
  page.rows = rows_;
  page.store_version = static_cast<uint32_t>(since_);
  page.bytes = SealPage({.kind = kind_,
                         .type = type_,
                         .flags = zones ? kHasZones : uint8_t{0},
                         .field = field_,
                         .entries = static_cast<uint32_t>(entries)},
                        directory, frames_);
  *this = PageBuilder(kind_, type_, field_);
  return page;
}

}  // namespace tidemark::page

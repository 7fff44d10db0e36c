// The directory in front of a page's frames: one column of integers per property, each an integer frame with one value
// per entry. Pages mostly hold series that were written alike, so most columns are constant or regular and take a few
// bytes for the whole page.
#pragma once

#include <cstddef>
#include <cstdint>

namespace tidemark::page {

// In this order on disk.
enum class DirectoryColumn : uint8_t {
  kSeries,     // series or timeline number, ascending
  kRows,       // 1 to kMaxFrameRows
  kFirst,      // time of the first row
  kSpan,       // time of the last row less that of the first one, as uint64
  kTimeline,   // 0: regular, its step is span / (rows - 1)
  kFrameEnd,   // where the frame ends, from the first frame on; it begins where the one before it ends
  kScale,      // of floats: the scale of the frame
  kZoneMin,    // smallest number; 1 with kZoneWidth = -1: not known
  kZoneWidth,  // largest less smallest; wraps around
};
inline constexpr size_t kDirectoryColumns = 9;

// Header flag: the zone columns say something. Without it no zone of the page is known.
inline constexpr uint8_t kHasZones = 0x01;

}  // namespace tidemark::page

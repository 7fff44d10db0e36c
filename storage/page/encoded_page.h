// EncodedPage: one page as it lies in a RAM slab or in an SST, with what its key needs. storage/FORMAT.md has every
// byte.
#pragma once

#include <cstdint>
#include <string>

#include "storage/model/ids.h"
#include "storage/model/timestamp.h"

namespace tidemark::page {

// The numbers are stored on disk: never change or reuse one.
enum class PageKind : uint8_t {
  kValues = 1,     // entries are runs of rows of series
  kTimelines = 2,  // entries are irregular timelines; the "series" of an entry is its timeline number
  kTier = 3,       // entries are runs of rollup buckets of series (storage/rollup)
  kSketch = 4,     // entries are sketches of such buckets
};

// Timeline pages are stored under this field.
inline constexpr model::FieldId kTimelineField{0};

// Pages of one field are ordered by (first_series, part), and a key must hold both.
//
// A series lies whole in one page, unless it alone fills more than one: then it starts a page of its own, and goes on
// in pages with the same first_series and part = 1, 2, ... So to find series s: take the last page with
// (first_series, part) <= (s, 0), and then all that follow it with first_series == s.
struct EncodedPage {
  PageKind kind = PageKind::kValues;
  model::FieldId field{};          // kTimelineField for timelines
  model::SeriesId first_series{};  // timeline number for timelines
  model::SeriesId last_series{};
  uint32_t part = 0;
  model::TimeRange range;  // both ends included; of a tier page: all times that its buckets cover
  uint64_t rows = 0;       // of a tier page: buckets
  // The version of the store whose programs are the first to read it.
  uint32_t store_version = 1;
  std::string bytes;
};

}  // namespace tidemark::page

// Columns that own their rows, random ones, and reading pages as an engine does: what the tests of pages share.
#pragma once

#include <cstdint>
#include <random>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "storage/base/result.h"
#include "storage/model/column.h"
#include "storage/page/encoded_page.h"
#include "storage/page/page_reader.h"

namespace tidemark::page {

struct SourceColumn {
  uint32_t field = 1;
  model::FieldType type = model::FieldType::kInt;
  uint8_t scale = 0;
  std::vector<int64_t> times{};
  std::vector<int64_t> ints{};
  std::vector<double> floats{};
  std::vector<std::string> strings{};

  // Points into this column; good until the next call.
  [[nodiscard]] model::Column view() const;

  mutable std::vector<std::string_view> string_views{};  // what view() points to
};

struct Pages {
  std::vector<EncodedPage> values{};
  std::vector<EncodedPage> timelines{};
};

std::vector<int64_t> RegularTimes(int64_t first_ns, int64_t step_ns, size_t rows);

// A value as text that is different for different bits (doubles by their bits, whatever form they are stored in).
std::string WordOf(const model::Column& column, size_t row);

// The columns of a series: several types over one or two timelines, of every shape that the codecs know.
std::vector<SourceColumn> RandomRow(std::mt19937_64& random);

// All rows of a column inside a range, found by the order of the pages as their keys give it.
Result<std::vector<std::pair<int64_t, std::string>>> ReadAll(const Pages& pages, model::FieldId field,
                                                             model::SeriesId series, model::TimeRange range);

}  // namespace tidemark::page

#include "tests/unit/storage/page/page_data.h"

#include <algorithm>
#include <bit>
#include <optional>
#include <tuple>

#include "storage/model/batch.h"

namespace tidemark::page {
namespace {

using model::FieldType;

std::vector<int64_t> RandomTimes(std::mt19937_64& random, size_t rows) {
  int64_t time = static_cast<int64_t>(random() % 4'000'000'000'000'000'000) - 2'000'000'000'000'000'000;
  const uint64_t shape = random() % 4;
  const auto step = static_cast<int64_t>(1 + random() % 20'000'000'000);
  std::vector<int64_t> times;
  for (size_t i = 0; i < rows; ++i) {
    times.push_back(time);
    switch (shape) {
      case 0: time += step; break;
      case 1: time += 10'000'000'000 + static_cast<int64_t>(random() % 9) * 1'000'000; break;
      case 2: time += 1 + static_cast<int64_t>(random() % 1'000'000'000'000); break;
      default: time += random() % 50 == 0 ? 3'600'000'000'000 : step; break;
    }
  }
  return times;
}

int64_t NextInt(std::mt19937_64& random, uint64_t shape, int64_t before) {
  const auto wrapping_add = [](int64_t a, int64_t b) {
    return static_cast<int64_t>(static_cast<uint64_t>(a) + static_cast<uint64_t>(b));
  };
  switch (shape) {
    case 0: return before;
    case 1: return wrapping_add(before, static_cast<int64_t>(random() % 7) - 3);
    case 2: return static_cast<int64_t>(random());
    case 3: return random() % 60 == 0 ? static_cast<int64_t>(random()) : wrapping_add(before, 1);
    case 4: return wrapping_add(before, static_cast<int64_t>(random() % 100) * 4096);
    case 5: return static_cast<int64_t>(random() % 1000);
    default: return wrapping_add(before, 17);
  }
}

double NextFloat(std::mt19937_64& random, uint64_t shape) {
  switch (shape) {
    case 0: return static_cast<double>(random() % 100'000) / 100;
    case 1: return std::bit_cast<double>(random());
    case 2: return random() % 40 == 0 ? std::bit_cast<double>(random()) : static_cast<double>(random() % 1000) / 8;
    default: return static_cast<double>(random() % 1'000'000) / 3e7;
  }
}

std::string NextString(std::mt19937_64& random, uint64_t shape) {
  if (shape == 0) return "state-" + std::to_string(random() % 5);
  std::string out(random() % 60, '\0');
  for (char& byte : out) byte = static_cast<char>(shape == 1 ? 'a' + random() % 26 : random());
  return out;
}

void Fill(SourceColumn* column, std::mt19937_64& random) {
  const uint64_t shape = random() % 8;
  auto before = static_cast<int64_t>(random() % 1000);
  if (column->type == FieldType::kFloat) column->scale = shape < 4 ? model::kBinaryScale : static_cast<uint8_t>(shape);
  for (size_t i = 0; i < column->times.size(); ++i) {
    switch (column->type) {
      case FieldType::kFloat:
        if (column->scale == model::kBinaryScale) {
          column->floats.push_back(NextFloat(random, shape));
        } else {
          before += static_cast<int64_t>(random() % 300) * 10 - 1500;
          column->ints.push_back(before);
        }
        break;
      case FieldType::kInt:
      case FieldType::kUInt:
        before = NextInt(random, shape, before);
        column->ints.push_back(before);
        break;
      case FieldType::kBool: column->ints.push_back(random() % (shape + 1) == 0 ? 1 : 0); break;
      case FieldType::kString: column->strings.push_back(NextString(random, shape % 3)); break;
    }
  }
}

}  // namespace

model::Column SourceColumn::view() const {
  model::Column column{.ref = {model::FieldId{field}, {}}, .type = type, .scale = scale};
  column.times.size = times.size();
  column.times.explicit_ns = times.data();
  if (!ints.empty()) column.ints = ints.data();
  if (!floats.empty()) column.floats = floats.data();
  if (type == FieldType::kString) {
    string_views.assign(strings.begin(), strings.end());
    column.strings = string_views.data();
  }
  return column;
}

std::vector<int64_t> RegularTimes(int64_t first_ns, int64_t step_ns, size_t rows) {
  std::vector<int64_t> times;
  for (size_t i = 0; i < rows; ++i) times.push_back(first_ns + static_cast<int64_t>(i) * step_ns);
  return times;
}

std::string WordOf(const model::Column& column, size_t row) {
  if (column.strings != nullptr) return std::string(column.strings[row]);
  if (column.type == FieldType::kFloat) {
    return std::to_string(
        std::bit_cast<uint64_t>(column.scaled() ? model::FloatOf(column.ints[row], column.scale) : column.floats[row]));
  }
  return std::to_string(column.ints[row]);
}

std::vector<SourceColumn> RandomRow(std::mt19937_64& random) {
  const std::vector<int64_t> shared = RandomTimes(random, random() % 2500);
  std::vector<SourceColumn> columns;
  for (uint32_t field = 1; field <= 10; ++field) {
    if (random() % 3 == 0) continue;
    SourceColumn column{.field = field, .type = FieldType{static_cast<uint8_t>(1 + field % 5)}};
    column.times = random() % 4 == 0 ? RandomTimes(random, random() % 600) : shared;
    Fill(&column, random);
    columns.push_back(std::move(column));
  }
  return columns;
}

Result<std::vector<std::pair<int64_t, std::string>>> ReadAll(const Pages& pages, model::FieldId field,
                                                             model::SeriesId series, model::TimeRange range) {
  std::optional<PageReader> timeline_page;
  const TimelineSource timelines = [&](uint32_t timeline) -> Result<const PageReader*> {
    for (const EncodedPage& page : pages.timelines) {
      if (model::Number(page.first_series) <= timeline && timeline <= model::Number(page.last_series)) {
        TM_TRY_ASSIGN(timeline_page, PageReader::Open(page.bytes, Checksum::kVerify));
        return &*timeline_page;
      }
    }
    return NotFound("timeline " + std::to_string(timeline));
  };
  // As an engine does: the last page with (first_series, part) <= (series, 0), and the parts behind it.
  const auto key = [](const EncodedPage& page) { return std::tuple(page.field, page.first_series, page.part); };
  auto page = std::upper_bound(pages.values.begin(), pages.values.end(), std::tuple(field, series, 0u),
                               [&](const auto& wanted, const EncodedPage& p) { return wanted < key(p); });
  std::vector<std::pair<int64_t, std::string>> rows;
  if (page == pages.values.begin()) return rows;
  model::ColumnBuffer buffer;
  for (--page; page != pages.values.end() && page->field == field && page->first_series <= series; ++page) {
    TM_TRY_ASSIGN(const PageReader reader, PageReader::Open(page->bytes, Checksum::kVerify));
    TM_TRY_ASSIGN(const EntryRange found, reader.Find(series));
    std::vector<Entry> entries;
    TM_RETURN_IF_ERROR(reader.ReadEntries(found, &entries));
    for (const Entry& entry : entries) {
      TM_TRY_ASSIGN(const model::Column column, reader.Read(entry, range, timelines, &buffer));
      for (size_t row = 0; row < column.size(); ++row) rows.emplace_back(column.times[row], WordOf(column, row));
    }
  }
  return rows;
}

}  // namespace tidemark::page

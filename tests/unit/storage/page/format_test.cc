// The worked example of storage/FORMAT.md: the writer must make exactly these bytes. They are on people's disks: if
// this test fails, the format has changed and needs a new version.
#include <fmt/core.h>
#include <gtest/gtest.h>

#include <fstream>
#include <sstream>

#include "storage/page/page_reader.h"
#include "storage/page/page_writer.h"
#include "tests/unit/storage/page/page_data.h"

namespace tidemark::page {
namespace {

std::string HexOf(std::string_view bytes) {
  std::string out;
  for (size_t i = 0; i < bytes.size(); ++i) {
    if (i % 16 == 0) out += fmt::format("{}{:04x} ", i == 0 ? "" : "\n", i);
    out += fmt::format(" {:02x}", static_cast<uint8_t>(bytes[i]));
  }
  return out + "\n";
}

// Two series of field 7, two rows each, 10 s apart from 1700000000 s on: 1.5, 2.25 and 3.5, 3.75.
std::string ExamplePage() {
  TimelineWriter timelines;
  MeasurementWriter writer(&timelines);
  for (uint32_t series = 1; series <= 2; ++series) {
    SourceColumn column{.field = 7, .type = model::FieldType::kFloat, .scale = 2};
    column.times = RegularTimes(1'700'000'000'000'000'000, 10'000'000'000, 2);
    column.ints = series == 1 ? std::vector<int64_t>{150, 225} : std::vector<int64_t>{350, 375};
    const model::Column views[] = {column.view()};
    writer.Add(model::SeriesId{series}, views);
  }
  return writer.Finish().at(0).bytes;
}

TEST(Format, TheWriterReproducesTheExample) {
  std::ifstream file(TM_FORMAT_MD);
  ASSERT_TRUE(file.is_open()) << TM_FORMAT_MD;
  std::stringstream text;
  text << file.rdbuf();
  const std::string document = text.str();
  const size_t begin = document.find("<!-- example page -->\n```\n");
  ASSERT_NE(begin, std::string::npos);
  const size_t start = document.find('\n', begin + 24) + 1;
  const std::string example = document.substr(start, document.find("```", start) - start);
  EXPECT_EQ(HexOf(ExamplePage()), example);
}

}  // namespace
}  // namespace tidemark::page

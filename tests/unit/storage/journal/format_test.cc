// The worked example of storage/FORMAT.md, "Journal": the writer must make exactly these bytes, and the reader take
// them apart. They are on people's disks: if this test fails, the format has changed and needs a new version.
#include <fmt/core.h>
#include <gtest/gtest.h>

#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "storage/journal/batch_record.h"
#include "storage/journal/segment_format.h"

namespace tidemark::journal {
namespace {

constexpr int64_t kSecond = 1'000'000'000;

std::string HexOf(std::string_view bytes) {
  std::string out;
  for (size_t i = 0; i < bytes.size(); ++i) {
    if (i % 16 == 0) out += fmt::format("{}{:04x} ", i == 0 ? "" : "\n", i);
    out += fmt::format(" {:02x}", static_cast<uint8_t>(bytes[i]));
  }
  return out + "\n";
}

SegmentHeader ExampleHeader() {
  SegmentHeader header;
  header.number = 3;
  header.first_sequence = 17;
  header.previous_durable = 16;
  header.salt = 0x1122334455667788;
  header.capacity = uint64_t{64} << 20;
  return header;
}

// Series 1 and 2 of measurement 1, its integer field 1: 58 at 1700000000 s and 60 10 s later, into database 1.
std::string ExamplePayload() {
  const std::vector<model::ResolvedShape> shapes = {
      {model::MeasurementId{1}, {{model::FieldId{1}, model::FieldType::kInt}}}};
  const std::vector<model::ResolvedRow> rows = {{model::SeriesId{1}, 0, {1'700'000'000 * kSecond}, 0, 0},
                                                {model::SeriesId{2}, 0, {1'700'000'010 * kSecond}, 1, 0}};
  const std::vector<int64_t> values = {58, 60};
  const std::vector<uint8_t> scales = {0, 0};
  // A write into database 1 without definitions.
  std::string payload("\x01\x01\x00", 3);
  EncodeBatch({model::DatabaseId{1}, shapes, rows, values, scales, {}}, &payload);
  return payload;
}

TEST(JournalFormat, TheWriterReproducesTheExample) {
  const std::string payload = ExamplePayload();
  std::string record(RecordBytes(payload.size()), '\0');
  payload.copy(record.data() + kRecordHeaderBytes, payload.size());
  SealRecord(record.data(), payload.size(), 17, 16, ExampleHeader().salt);
  const std::string segment = ExampleHeader().Encode() + record;

  std::ifstream file(TM_FORMAT_MD);
  ASSERT_TRUE(file.is_open()) << TM_FORMAT_MD;
  const std::string document{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  constexpr std::string_view kMark = "<!-- example segment -->\n```\n";
  const size_t begin = document.find(kMark);
  ASSERT_NE(begin, std::string::npos);
  const size_t start = begin + kMark.size();
  EXPECT_EQ(HexOf(segment), document.substr(start, document.find("```", start) - start));

  uint32_t version = 0;
  const auto header = SegmentHeader::Decode(segment, &version);
  ASSERT_TRUE(header.has_value());
  EXPECT_EQ(header->previous_durable, 16U);
  const auto read = ReadRecord(segment, kSegmentHeaderBytes, header->salt);
  ASSERT_TRUE(read.has_value());
  EXPECT_EQ(read->sequence, 17U);
  EXPECT_EQ(read->payload, payload);
  // Another salt is another segment's: what is left in reused blocks is no record.
  EXPECT_FALSE(ReadRecord(segment, kSegmentHeaderBytes, header->salt + 1).has_value());
}

}  // namespace
}  // namespace tidemark::journal

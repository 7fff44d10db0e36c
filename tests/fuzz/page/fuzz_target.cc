// libFuzzer target: hostile pages and frames. Nothing may read or write out of bounds, allocate without bound or
// hang; what is encoded must come back. The first byte chooses what the others are:
//   p  a page, whose magic, version and length are put right first, so that the fuzzer gets past the header
//   i  a frame of integers, f of doubles, s of strings: count (2 bytes), first row (2), rows (2), the frame
//   e  8-byte values to encode as integers and as doubles
#include <algorithm>
#include <bit>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <optional>
#include <string>
#include <vector>

#include "storage/base/bytes.h"
#include "storage/codec/doubles/floats.h"
#include "storage/codec/ints.h"
#include "storage/codec/strings.h"
#include "storage/model/batch.h"
#include "storage/page/page_reader.h"
#include "storage/page/page_writer.h"
#include "storage/rollup/tier_reader.h"

namespace tidemark {
namespace {

constexpr std::string_view kPageStart("TMP\x01", 4);

void Require(bool condition) {
  if (!condition) std::abort();
}

// A good page with timelines 1 to 3 for value pages to lean on.
const page::PageReader& Timelines() {
  static const std::string bytes = [] {
    page::TimelineWriter writer;
    writer.Intern(std::vector<int64_t>{1, 2, 4});
    writer.Intern(std::vector<int64_t>{-5, 10, 11, 12, 900});
    std::vector<int64_t> times;
    for (int64_t i = 0; i < 600; ++i) times.push_back(i * i);
    writer.Intern(times);
    return writer.Finish().at(0).bytes;
  }();
  static const page::PageReader reader = *page::PageReader::Open(bytes, page::Checksum::kVerify);
  return reader;
}

void ReadValues(const page::PageReader& reader) {
  std::vector<model::SeriesId> series;
  (void)reader.ReadSeries(&series).ok();
  (void)reader.Find(model::SeriesId{2}).ok();
  std::vector<page::Entry> entries;
  if (!reader.ReadEntries({0, std::min<size_t>(reader.entries(), 64)}, &entries).ok()) return;
  const page::TimelineSource timelines = [](uint32_t) -> Result<const page::PageReader*> { return &Timelines(); };
  model::ColumnBuffer buffer;
  std::vector<int64_t> times;
  for (const page::Entry& entry : entries) {
    for (const model::TimeRange& range : {model::TimeRange{}, model::TimeRange{{0}, {1000}}}) {
      if (reader.kind() == page::PageKind::kTimelines) {
        const auto rows = reader.ReadTimeline(model::Number(entry.series), range, &times);
        Require(!rows.ok() || rows->at + rows->rows <= times.size());
        continue;
      }
      const auto column = reader.Read(entry, range, timelines, &buffer);
      if (!column.ok()) continue;
      for (size_t row = 0; row < column->size(); ++row) {
        Require(range.Contains({column->times[row]}));
        if (column->strings != nullptr)
          Require(std::string(column->strings[row]).size() == column->strings[row].size());
      }
    }
  }
}

void ReadTier(std::string_view bytes) {
  const auto reader = rollup::TierReader::Open(bytes, page::Checksum::kTrusted);
  if (!reader.ok()) return;
  rollup::BucketArrays buckets;
  for (size_t i = 0; i < std::min<size_t>(reader->series().size(), 16); ++i) {
    if (!reader->Read(reader->series()[i], {{0}, {1'000'000}}, &buckets).ok()) continue;
    Require(buckets.count.size() == buckets.size() && buckets.max.size() == buckets.size());
  }
}

void FuzzPage(std::string bytes) {
  if (bytes.size() < page::kHeaderBytes) return;
  bytes.replace(0, kPageStart.size(), kPageStart);
  std::string size;
  PutLittle(&size, static_cast<uint32_t>(bytes.size()));
  bytes.replace(20, size.size(), size);
  const std::vector<char> exact(bytes.begin(), bytes.end());
  const std::string_view view(exact.data(), exact.size());
  (void)page::PageReader::Open(view, page::Checksum::kVerify).ok();
  if (const auto reader = page::PageReader::Open(view, page::Checksum::kTrusted); reader.ok()) ReadValues(*reader);
  ReadTier(view);
}

void FuzzFrame(char kind, std::string_view input) {
  ByteReader head(input);
  const size_t count = head.Little<uint16_t>();
  codec::RowRange rows;
  rows.begin = std::min<size_t>(head.Little<uint16_t>(), count);
  rows.end = std::min(rows.begin + head.Little<uint16_t>(), count);
  const std::string_view rest = head.Bytes(head.remaining());
  const std::vector<char> exact(rest.begin(), rest.end());
  const std::string_view frame(exact.data(), exact.size());
  std::vector<int64_t> ints;
  std::vector<double> floats;
  std::vector<std::string_view> strings;
  std::vector<char> text;
  if (kind == 'f') {
    (void)codec::DecodeFloats(frame, count, rows, &ints, &floats).ok();
  } else if (kind == 's') {
    (void)codec::DecodeStrings(frame, count, rows, &strings, &text).ok();
  } else {
    ints.resize(rows.end - rows.begin);
    const auto used = codec::DecodeInts(frame, count, rows, ints.data());
    Require(!used.ok() || *used <= frame.size());
    // A slice is what the whole frame has there; but damaged skips of a delta frame, which may be inside another one,
    // lead slices astray.
    const auto id = static_cast<codec::CodecId>(frame.empty() ? 0 : frame[0]);
    std::vector<int64_t> whole(count);
    if (used.ok() && id != codec::CodecId::kDelta && id != codec::CodecId::kMultiple &&
        id != codec::CodecId::kDistinct && codec::DecodeInts(frame, count, whole.data()).ok()) {
      Require(std::equal(ints.begin(), ints.end(), whole.begin() + static_cast<std::ptrdiff_t>(rows.begin)));
    }
    const auto near = codec::NarrowInts(frame, count, -5, 1000);
    Require(!near.ok() || (near->begin <= near->end && near->end <= count));
  }
}

void FuzzEncodingWith(codec::Effort effort, const std::vector<int64_t>& values) {
  std::string frame;
  codec::EncodeInts(values, &frame, effort);
  std::vector<int64_t> back(values.size());
  const auto used = codec::DecodeInts(frame, values.size(), back.data());
  Require(used.ok() && *used == frame.size() && back == values);

  std::vector<double> doubles;
  for (const int64_t value : values) doubles.push_back(std::bit_cast<double>(value));
  frame.clear();
  codec::EncodeFloats(doubles, static_cast<uint8_t>(values[0] & 15), &frame, effort);
  std::vector<double> floats;
  const auto decoded = codec::DecodeFloats(frame, doubles.size(), {0, doubles.size()}, &back, &floats);
  Require(decoded.ok() && decoded->bytes == frame.size());
  for (size_t i = 0; i < doubles.size(); ++i) {
    const double value = decoded->scale == model::kBinaryScale ? floats[i] : model::FloatOf(back[i], decoded->scale);
    Require(std::bit_cast<int64_t>(value) == values[i]);
  }
}

void FuzzEncoding(std::string_view input) {
  std::vector<int64_t> values(input.size() / sizeof(int64_t));
  if (values.empty()) return;
  std::memcpy(values.data(), input.data(), values.size() * sizeof(int64_t));
  for (const codec::Effort effort : {codec::Effort::kFast, codec::Effort::kSmallest, codec::Effort::kNewest}) {
    FuzzEncodingWith(effort, values);
  }
}

}  // namespace
}  // namespace tidemark

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  const std::string_view input(reinterpret_cast<const char*>(data) + 1, size - 1);
  switch (data[0]) {
    case 'p': tidemark::FuzzPage(std::string(input)); break;
    case 'i':
    case 'f':
    case 's': tidemark::FuzzFrame(static_cast<char>(data[0]), input); break;
    case 'e': tidemark::FuzzEncoding(input); break;
    default: break;
  }
  return 0;
}

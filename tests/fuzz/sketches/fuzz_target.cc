// Sketches. The first byte says what the others are:
//   p  a page of sketches, whose magic, version, kind and length are put right first
//   v  8-byte doubles: quantiles keep their error, and a page of them comes back
#include <algorithm>
#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

#include "storage/base/bytes.h"
#include "storage/base/check.h"
#include "storage/model/quantile_sketch.h"
#include "storage/page/page_format.h"
#include "storage/rollup/sketch_page.h"
#include "storage/rollup/sketches.h"

namespace tidemark::rollup {
namespace {

constexpr std::string_view kPageStart("TMP\x01\x04\x01\0\0", 8);

void RunPage(std::string bytes) {
  if (bytes.size() < page::kHeaderBytes) return;
  bytes.replace(0, kPageStart.size(), kPageStart);
  std::string size;
  PutLittle(&size, static_cast<uint32_t>(bytes.size()));
  bytes.replace(20, size.size(), size);
  // On the heap and no longer than it is, so that reading past its end is seen.
  const std::vector<char> exact(bytes.begin(), bytes.end());
  const auto reader = SketchReader::Open({exact.data(), exact.size()}, page::Checksum::kTrusted);
  if (!reader.ok()) return;
  SketchArrays sketches;
  for (size_t i = 0; i < std::min<size_t>(reader->series().size(), 16); ++i) {
    if (!reader->Read(reader->series()[i], {}, &sketches).ok()) continue;
    TM_CHECK(sketches.end.size() == sketches.size());
    model::QuantileSketch sketch;
    for (size_t b = 0; b < sketches.size(); ++b) {
      TM_CHECK(sketches.end[b] <= sketches.bins.size());
      sketch.Merge(sketches.BinsOf(b));
    }
    static_cast<void>(sketch.Quantile(0.5));
  }
}

void RunValues(std::string_view input) {
  std::vector<double> values(std::min<size_t>(input.size() / sizeof(double), 512));
  if (values.empty()) return;
  std::memcpy(values.data(), input.data(), values.size() * sizeof(double));
  model::QuantileSketch all;
  SketchArrays arrays;
  arrays.ref.series = model::SeriesId{1};
  arrays.width_ns = 1'000'000'000;
  int64_t bucket = 0;
  for (const double value : values) {
    const int32_t key = model::QuantileSketch::KeyOf(value);
    if (std::isfinite(value) && std::abs(value) > 1e-300) {
      // Half of an ulp more: the key is found by logarithms.
      TM_CHECK(std::abs(model::QuantileSketch::ValueOf(key) - value) <= 0.0100001 * std::abs(value));
    }
    all.Add(value);
    model::QuantileSketch one;
    one.Add(value);
    arrays.Append(bucket++, one.bins());
  }
  TM_CHECK(all.count() == values.size());

  SketchWriter writer(arrays.width_ns);
  writer.Add(arrays);
  model::QuantileSketch back;
  for (const page::EncodedPage& encoded : writer.Finish()) {
    const auto reader = SketchReader::Open(encoded.bytes, page::Checksum::kVerify);
    TM_CHECK(reader.ok());
    SketchArrays read;
    TM_CHECK(reader->Read(arrays.ref.series, {}, &read).ok());
    for (size_t b = 0; b < read.size(); ++b) back.Merge(read.BinsOf(b));
  }
  TM_CHECK(std::ranges::equal(back.bins(), all.bins()));
}

}  // namespace
}  // namespace tidemark::rollup

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  const std::string_view input(reinterpret_cast<const char*>(data) + 1, size - 1);
  if (data[0] == 'p') tidemark::rollup::RunPage(std::string(input));
  if (data[0] == 'v') tidemark::rollup::RunValues(input);
  return 0;
}

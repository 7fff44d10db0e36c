// Pages of the walks that TSBS' devops workload makes: bytes per point, directory included, and speed of writing,
// reading whole and reading a narrow range. CPU time.
//
//   ninja page_bench && bin/page_bench
#include <benchmark/benchmark.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <optional>
#include <random>

#include "storage/codec/doubles/float_codec.h"
#include "storage/codec/doubles/floats.h"
#include "storage/codec/ints.h"
#include "storage/model/batch.h"
#include "storage/page/page_reader.h"
#include "storage/page/page_writer.h"
#include "storage/rollup/buckets.h"
#include "storage/rollup/tier_writer.h"
#include "tests/unit/storage/codec/double_data.h"

namespace tidemark {
namespace {

constexpr int64_t kSecond = 1'000'000'000;
constexpr int64_t kStart = 1'700'000'000 * kSecond;

using enum codec::Effort;

enum class Shape { kInt, kTwoDecimals, kBinaryDecimals, kDoubles, kCounter, kSparse };

// Series as columns, all on one timeline.
struct Source {
  std::vector<int64_t> times;  // empty: regular
  std::vector<std::vector<int64_t>> ints;
  std::vector<std::vector<double>> floats;
  std::vector<model::Column> columns;
  [[nodiscard]] size_t points() const { return columns.size() * columns[0].size(); }
};

Source MakeSource(Shape shape, size_t series, size_t rows, bool jitter) {
  std::mt19937_64 random(42);
  std::normal_distribution<double> step(0, 1);
  std::uniform_real_distribution<double> start(0, 100);
  Source source;
  for (size_t row = 0; jitter && row < rows; ++row) {
    source.times.push_back(kStart + static_cast<int64_t>(row) * 10 * kSecond +
                           static_cast<int64_t>(random() % 5) * 1'000'000);
  }
  source.ints.resize(series);
  source.floats.resize(series);
  for (size_t i = 0; i < series; ++i) {
    double value = start(random);
    int64_t count = 0;
    for (size_t row = 0; row < rows; ++row) {
      value = std::clamp(value + step(random), 0.0, 100.0);
      count += static_cast<int64_t>(random() % 2000);
      switch (shape) {
        case Shape::kInt: source.ints[i].push_back(static_cast<int64_t>(value)); break;
        case Shape::kTwoDecimals: source.ints[i].push_back(std::llround(value * 100)); break;
        case Shape::kBinaryDecimals: source.floats[i].push_back(std::round(value * 100) / 100); break;
        case Shape::kDoubles: source.floats[i].push_back(std::bit_cast<double>(random())); break;
        case Shape::kCounter: source.ints[i].push_back(count); break;
        case Shape::kSparse: source.ints[i].push_back(count / 500'000); break;
      }
    }
    model::Column column{.ref = {model::FieldId{1}, {}}};
    column.type = shape == Shape::kInt || shape == Shape::kCounter || shape == Shape::kSparse
                      ? model::FieldType::kInt
                      : model::FieldType::kFloat;
    column.scale = shape == Shape::kTwoDecimals ? 2 : 0;
    column.times = {.size = rows, .first_ns = kStart, .step_ns = 10 * kSecond};
    if (jitter) column.times = {.size = rows, .explicit_ns = source.times.data()};
    if (source.floats[i].empty()) {
      column.ints = source.ints[i].data();
    } else {
      column.floats = source.floats[i].data();
    }
    source.columns.push_back(column);
  }
  return source;
}

struct Written {
  std::vector<page::EncodedPage> values;
  std::vector<page::EncodedPage> timelines;
  [[nodiscard]] size_t bytes() const {
    size_t bytes = 0;
    for (const auto* pages : {&values, &timelines}) {
      for (const page::EncodedPage& page : *pages) bytes += page.bytes.size();
    }
    return bytes;
  }
};

Written Write(const Source& source, codec::Effort effort = kFast) {
  page::WriterOptions options;
  options.effort = effort;
  page::TimelineWriter timelines(options);
  page::MeasurementWriter writer(&timelines, options);
  uint32_t series = 1;
  for (const model::Column& column : source.columns) writer.Add(model::SeriesId{series++}, {&column, 1});
  Written written;
  written.values = writer.Finish();
  written.timelines = timelines.Finish();
  return written;
}

void SetPoints(benchmark::State& state, size_t points) {
  state.counters["points/s"] =
      benchmark::Counter(static_cast<double>(points), benchmark::Counter::kIsIterationInvariantRate);
}

void BM_Write(benchmark::State& state, Shape shape, size_t rows, bool jitter, codec::Effort effort = kFast) {
  const Source source = MakeSource(shape, 400'000 / rows + 1, rows, jitter);
  size_t bytes = 0;
  for (auto _ : state) bytes = Write(source, effort).bytes();
  state.counters["bytes/point"] = static_cast<double>(bytes) / static_cast<double>(source.points());
  SetPoints(state, source.points());
}

// Opens every page and reads the rows of every series in a range of `hours`, from the second hour on; 0: all rows.
void BM_Read(benchmark::State& state, Shape shape, size_t rows, bool jitter, int64_t hours,
             codec::Effort effort = kFast) {
  const Source source = MakeSource(shape, 400'000 / rows + 1, rows, jitter);
  const Written written = Write(source, effort);
  model::TimeRange range;
  if (hours > 0) range = {{kStart + 3600 * kSecond}, {kStart + (3600 + hours * 3600) * kSecond}};
  std::optional<page::PageReader> timelines;
  if (jitter) timelines = *page::PageReader::Open(written.timelines[0].bytes, page::Checksum::kTrusted);
  const page::TimelineSource timeline_source = [&](uint32_t) -> Result<const page::PageReader*> { return &*timelines; };
  model::ColumnBuffer buffer;
  std::vector<page::Entry> entries;
  size_t points = 0;
  for (auto _ : state) {
    points = 0;
    for (const page::EncodedPage& page : written.values) {
      const auto reader = page::PageReader::Open(page.bytes, page::Checksum::kTrusted);
      entries.clear();
      if (!reader->ReadEntries({0, reader->entries()}, &entries).ok()) return state.SkipWithError("entries");
      for (const page::Entry& entry : entries) {
        const auto column = reader->Read(entry, range, timeline_source, &buffer);
        if (!column.ok()) return state.SkipWithError("read");
        points += column->size();
        benchmark::DoNotOptimize(column->ints);
      }
    }
  }
  SetPoints(state, points);
}

// One series of a page: open, find, read an hour.
void BM_ReadOneSeries(benchmark::State& state) {
  const Source source = MakeSource(Shape::kInt, 200, 2160, false);
  const Written written = Write(source);
  const std::string& bytes = written.values[0].bytes;
  const model::TimeRange range{{kStart + 7200 * kSecond}, {kStart + 10'800 * kSecond}};
  model::ColumnBuffer buffer;
  std::vector<page::Entry> entries;
  for (auto _ : state) {
    const auto reader = page::PageReader::Open(bytes, page::Checksum::kTrusted);
    const auto found = reader->Find(model::SeriesId{20});
    entries.clear();
    if (!reader->ReadEntries(*found, &entries).ok()) return state.SkipWithError("entries");
    const auto column = reader->Read(entries[0], range, nullptr, &buffer);
    benchmark::DoNotOptimize(column->ints);
  }
}

void BM_Checksum(benchmark::State& state) {
  const Written written = Write(MakeSource(Shape::kInt, 200, 2160, false));
  for (auto _ : state) {
    benchmark::DoNotOptimize(page::PageReader::Open(written.values[0].bytes, page::Checksum::kVerify).ok());
  }
  state.SetBytesProcessed(state.iterations() * static_cast<int64_t>(written.values[0].bytes.size()));
}

void BM_DecodeFrame(benchmark::State& state, Shape shape, codec::Effort effort = kFast) {
  const Source source = MakeSource(shape, 1, 2000, false);
  std::string frame;
  codec::EncodeInts(source.ints[0], &frame, effort);
  std::vector<int64_t> out(2000);
  for (auto _ : state) {
    benchmark::DoNotOptimize(codec::DecodeInts(frame, 2000, out.data()).ok());
    benchmark::ClobberMemory();
  }
  SetPoints(state, 2000);
}

void BM_EncodeFrame(benchmark::State& state, Shape shape, codec::Effort effort = kFast) {
  const Source source = MakeSource(shape, 1, 2000, false);
  std::string frame;
  for (auto _ : state) {
    frame.clear();
    codec::EncodeInts(source.ints[0], &frame, effort);
    benchmark::DoNotOptimize(frame.data());
  }
  state.counters["bytes/point"] = static_cast<double>(frame.size()) / 2000;
  SetPoints(state, 2000);
}

// Doubles of one kind (tests/unit/storage/codec/double_data.h), as sealed pages have them. The label says by which
// codec.
void BM_DecodeDoubles(benchmark::State& state, const codec::DoubleKind& kind) {
  constexpr size_t kCount = 2000;
  std::mt19937_64 random(42);
  const std::vector<double> values = kind.make(random, kCount);
  std::string frame;
  codec::EncodeFloats(values, 0, &frame, codec::Effort::kNewest);
  std::vector<int64_t> ints;
  std::vector<double> floats;
  for (auto _ : state) {
    benchmark::DoNotOptimize(codec::DecodeFloats(frame, kCount, {0, kCount}, &ints, &floats).ok());
    benchmark::ClobberMemory();
  }
  const auto head = static_cast<uint8_t>(frame[0]);
  std::string label = head == model::kBinaryScale ? "bits" : "decimals";
  for (const codec::FloatCodec& codec : codec::FloatCodecs()) {
    if (static_cast<uint8_t>(codec.head) == head) label = codec.name;
  }
  state.SetLabel(label);
  state.counters["bytes/point"] = static_cast<double>(frame.size()) / kCount;
  SetPoints(state, kCount);
}

void RegisterDoubles() {
  static const std::vector<codec::DoubleKind> kinds = codec::DoubleKinds();
  for (const codec::DoubleKind& kind : kinds) {
    std::string name = "BM_DecodeDoubles/" + std::string(kind.name);
    std::replace(name.begin(), name.end(), ' ', '_');
    benchmark::RegisterBenchmark(name.c_str(), BM_DecodeDoubles, kind);
  }
}

// Buckets of an hour, and their page.
void BM_Rollup(benchmark::State& state, Shape shape) {
  const Source source = MakeSource(shape, 200, 2160, false);
  size_t bytes = 0;
  for (auto _ : state) {
    rollup::TierWriter writer(3600 * kSecond);
    uint32_t series = 1;
    for (model::Column column : source.columns) {
      column.ref = {model::FieldId{1}, model::SeriesId{series++}};
      writer.Add(rollup::Build(column, 3600 * kSecond));
    }
    bytes = 0;
    for (const page::EncodedPage& page : writer.Finish()) bytes += page.bytes.size();
  }
  state.counters["bytes/point"] = static_cast<double>(bytes) / static_cast<double>(source.points());
  SetPoints(state, source.points());
}

BENCHMARK_CAPTURE(BM_EncodeFrame, int, Shape::kInt);
BENCHMARK_CAPTURE(BM_EncodeFrame, two_decimals, Shape::kTwoDecimals);
BENCHMARK_CAPTURE(BM_DecodeFrame, int, Shape::kInt);
BENCHMARK_CAPTURE(BM_DecodeFrame, two_decimals, Shape::kTwoDecimals);
BENCHMARK_CAPTURE(BM_EncodeFrame, int_sealed, Shape::kInt, kSmallest);
BENCHMARK_CAPTURE(BM_EncodeFrame, two_decimals_sealed, Shape::kTwoDecimals, kSmallest);
BENCHMARK_CAPTURE(BM_DecodeFrame, int_sealed, Shape::kInt, kSmallest);
BENCHMARK_CAPTURE(BM_DecodeFrame, two_decimals_sealed, Shape::kTwoDecimals, kSmallest);
BENCHMARK_CAPTURE(BM_Write, int_2160_sealed, Shape::kInt, 2160, false, kSmallest);
BENCHMARK_CAPTURE(BM_Write, int_8640_sealed, Shape::kInt, 8640, false, kSmallest);
BENCHMARK_CAPTURE(BM_Write, int_120_sealed, Shape::kInt, 120, false, kSmallest);
BENCHMARK_CAPTURE(BM_Write, two_decimals_2160_sealed, Shape::kTwoDecimals, 2160, false, kSmallest);
BENCHMARK_CAPTURE(BM_Write, two_decimals_8640_sealed, Shape::kTwoDecimals, 8640, false, kSmallest);
BENCHMARK_CAPTURE(BM_Write, counter_2160_sealed, Shape::kCounter, 2160, false, kSmallest);
BENCHMARK_CAPTURE(BM_Write, sparse_counter_2160_sealed, Shape::kSparse, 2160, false, kSmallest);
BENCHMARK_CAPTURE(BM_Write, int_2160, Shape::kInt, 2160, false);
BENCHMARK_CAPTURE(BM_Write, int_8640, Shape::kInt, 8640, false);
BENCHMARK_CAPTURE(BM_Write, int_120, Shape::kInt, 120, false);
BENCHMARK_CAPTURE(BM_Write, int_12, Shape::kInt, 12, false);
BENCHMARK_CAPTURE(BM_Write, int_2160_jitter, Shape::kInt, 2160, true);
BENCHMARK_CAPTURE(BM_Write, two_decimals_2160, Shape::kTwoDecimals, 2160, false);
BENCHMARK_CAPTURE(BM_Write, two_decimals_120, Shape::kTwoDecimals, 120, false);
BENCHMARK_CAPTURE(BM_Write, binary_decimals_2160, Shape::kBinaryDecimals, 2160, false);
BENCHMARK_CAPTURE(BM_Write, doubles_2160, Shape::kDoubles, 2160, false);
BENCHMARK_CAPTURE(BM_Write, counter_2160, Shape::kCounter, 2160, false);
BENCHMARK_CAPTURE(BM_Write, sparse_counter_2160, Shape::kSparse, 2160, false);
BENCHMARK_CAPTURE(BM_Read, int_2160, Shape::kInt, 2160, false, 0);
BENCHMARK_CAPTURE(BM_Read, int_2160_sealed, Shape::kInt, 2160, false, 0, kSmallest);
BENCHMARK_CAPTURE(BM_Read, int_2160_sealed_one_hour, Shape::kInt, 2160, false, 1, kSmallest);
BENCHMARK_CAPTURE(BM_Read, two_decimals_2160_sealed, Shape::kTwoDecimals, 2160, false, 0, kSmallest);
BENCHMARK_CAPTURE(BM_Read, int_2160_jitter, Shape::kInt, 2160, true, 0);
BENCHMARK_CAPTURE(BM_Read, int_2160_one_hour, Shape::kInt, 2160, false, 1);
BENCHMARK_CAPTURE(BM_Read, int_2160_jitter_one_hour, Shape::kInt, 2160, true, 1);
BENCHMARK_CAPTURE(BM_Read, int_12, Shape::kInt, 12, false, 0);
BENCHMARK_CAPTURE(BM_Read, two_decimals_2160, Shape::kTwoDecimals, 2160, false, 0);
BENCHMARK_CAPTURE(BM_Read, doubles_2160, Shape::kDoubles, 2160, false, 0);
BENCHMARK(BM_ReadOneSeries);
BENCHMARK(BM_Checksum);
BENCHMARK_CAPTURE(BM_Rollup, int, Shape::kInt);
BENCHMARK_CAPTURE(BM_Rollup, counter, Shape::kCounter);

}  // namespace
}  // namespace tidemark

int main(int argc, char** argv) {
  benchmark::Initialize(&argc, argv);
  tidemark::RegisterDoubles();
  benchmark::RunSpecifiedBenchmarks();
}

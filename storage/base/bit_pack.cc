#include "storage/base/bit_pack.h"

#include <algorithm>
#include <bit>

namespace tidemark {
namespace {

// The forms of a block. Stored in journals: never change or reuse a number.
enum class Form : uint8_t { kConstant = 0, kProgression = 1, kFrame = 2, kRuns = 3 };

uint64_t Mask(unsigned width) { return width == 64 ? ~uint64_t{0} : (uint64_t{1} << width) - 1; }

// A stretch of values with one difference, as the series ids and times of rows written host after host have.
struct Run {
  int64_t first;
  uint64_t step;
  size_t count;
};

// Cuts values into runs; empty when there are so many that packing is smaller.
std::vector<Run> RunsOf(std::span<const int64_t> values) {
  constexpr size_t kValuesPerRun = 32;
  std::vector<Run> runs;
  for (size_t begin = 0; begin < values.size();) {
    if (runs.size() > values.size() / kValuesPerRun) return {};
    const auto difference = [&](size_t i) {
      return static_cast<uint64_t>(values[i]) - static_cast<uint64_t>(values[i - 1]);
    };
    size_t end = begin + 1;
    const uint64_t step = end < values.size() ? difference(end) : 0;
    while (end < values.size() && difference(end) == step) ++end;
    runs.push_back({values[begin], step, end - begin});
    begin = end;
  }
  return runs;
}

}  // namespace

void PackBits(std::span<const uint64_t> values, unsigned width, std::string* out) {
  if (width == 0 || values.empty()) return;
  const size_t begin = out->size();
  const size_t bytes = PackedBytes(values.size(), width);
  out->resize(begin + bytes + 8);
  char* at = out->data() + begin;
  const uint64_t mask = Mask(width);
  uint64_t word = 0;
  unsigned filled = 0;
  for (const uint64_t raw : values) {
    const uint64_t value = raw & mask;
    word |= value << filled;
    filled += width;
    if (filled >= 64) {
      std::memcpy(at, &word, 8);
      at += 8;
      filled -= 64;
      word = filled == 0 ? 0 : value >> (width - filled);
    }
  }
  std::memcpy(at, &word, 8);
  out->resize(begin + bytes);
}

void UnpackBits(std::string_view bytes, size_t count, unsigned width, uint64_t* out) {
  if (width == 0) {
    std::fill(out, out + count, uint64_t{0});
    return;
  }
  const uint64_t mask = Mask(width);
  const auto load = [&](size_t at) {
    uint64_t word = 0;
    if (at < bytes.size()) std::memcpy(&word, bytes.data() + at, std::min<size_t>(8, bytes.size() - at));
    return word;
  };
  for (size_t i = 0; i < count; ++i) {
    const size_t bit = i * width;
    const size_t byte = bit / 8;
    const auto shift = static_cast<unsigned>(bit % 8);
    uint64_t value = load(byte) >> shift;
    if (shift + width > 64) value |= load(byte + 8) << (64 - shift);
    out[i] = value & mask;
  }
}

void PutIntBlock(std::span<const int64_t> values, std::vector<uint64_t>* scratch, std::string* out) {
  if (values.empty()) return;
  // Unsigned arithmetic throughout: differences of int64 may wrap, and unwrap again when read.
  const auto unsigned_of = [](int64_t value) { return static_cast<uint64_t>(value); };
  const uint64_t step = values.size() > 1 ? unsigned_of(values[1]) - unsigned_of(values[0]) : 0;
  int64_t low = values[0];
  int64_t high = values[0];
  uint64_t off_step = 0;
  for (size_t i = 1; i < values.size(); ++i) {
    low = std::min(low, values[i]);
    high = std::max(high, values[i]);
    off_step |= (unsigned_of(values[i]) - unsigned_of(values[i - 1])) ^ step;
  }
  if (low == high) {
    out->push_back(static_cast<char>(Form::kConstant));
    PutSignedVarint(out, low);
    return;
  }
  if (off_step == 0) {
    out->push_back(static_cast<char>(Form::kProgression));
    PutSignedVarint(out, values[0]);
    PutSignedVarint(out, static_cast<int64_t>(step));
    return;
  }
  if (const std::vector<Run> runs = RunsOf(values); !runs.empty()) {
    out->push_back(static_cast<char>(Form::kRuns));
    PutSignedVarint(out, 0);
    for (const Run& run : runs) {
      PutVarint(out, run.count);
      PutSignedVarint(out, run.first);
      PutSignedVarint(out, static_cast<int64_t>(run.step));
    }
    return;
  }
  const auto width = static_cast<unsigned>(std::bit_width(unsigned_of(high) - unsigned_of(low)));
  out->push_back(static_cast<char>(Form::kFrame));
  PutSignedVarint(out, low);
  out->push_back(static_cast<char>(width));
  scratch->resize(values.size());
  for (size_t i = 0; i < values.size(); ++i) (*scratch)[i] = unsigned_of(values[i]) - unsigned_of(low);
  PackBits(*scratch, width, out);
}

bool GetIntBlock(ByteReader* reader, size_t count, std::vector<uint64_t>* scratch, int64_t* out) {
  if (count == 0) return true;
  const auto form = static_cast<Form>(reader->Little<uint8_t>());
  const int64_t base = reader->SignedVarint();
  switch (form) {
    case Form::kConstant: std::fill(out, out + count, base); return reader->ok();
    case Form::kProgression: {
      const auto step = static_cast<uint64_t>(reader->SignedVarint());
      uint64_t value = static_cast<uint64_t>(base);
      for (size_t i = 0; i < count; ++i, value += step) out[i] = static_cast<int64_t>(value);
      return reader->ok();
    }
    case Form::kRuns:
      for (size_t done = 0; done < count;) {
        const uint64_t run = reader->Varint();
        auto value = static_cast<uint64_t>(reader->SignedVarint());
        const auto step = static_cast<uint64_t>(reader->SignedVarint());
        if (!reader->ok() || run == 0 || run > count - done) break;
        for (uint64_t i = 0; i < run; ++i, value += step) out[done++] = static_cast<int64_t>(value);
        if (done == count) return true;
      }
      break;
    case Form::kFrame: {
      const unsigned width = reader->Little<uint8_t>();
      if (!reader->ok() || width > 64 || count > reader->remaining() * 8) break;
      const std::string_view bytes = reader->Bytes(PackedBytes(count, width));
      if (!reader->ok()) return false;
      scratch->resize(count);
      UnpackBits(bytes, count, width, scratch->data());
      for (size_t i = 0; i < count; ++i) out[i] = static_cast<int64_t>(static_cast<uint64_t>(base) + (*scratch)[i]);
      return true;
    }
  }
  reader->Bytes(reader->remaining() + 1);  // an unknown form: the reader fails
  return false;
}

}  // namespace tidemark

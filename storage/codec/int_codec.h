// IntCodec: what an encoding of integers offers, and the table of them. To add one, see README.md.
#pragma once

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "storage/base/result.h"
#include "storage/codec/codec_id.h"

namespace tidemark::codec {

// Rows [begin, end).
struct RowRange {
  size_t begin = 0;
  size_t end = 0;
  friend bool operator==(const RowRange&, const RowRange&) = default;
};

// One way to write given values; analysed, not written yet.
class Candidate {
 public:
  virtual ~Candidate() = default;
  // Bytes of the frame without the byte of its CodecId; exact.
  [[nodiscard]] virtual size_t bytes() const = 0;
  virtual void Append(std::string* out) const = 0;
  // Of what is inside of it; of the codec itself the table says it.
  [[nodiscard]] virtual Since since() const { return Since::kStore1; }
};

// How much time writing may take. All of them are read by the same code.
enum class Effort : uint8_t {
  kFast,      // recent data: what is quickest to read and to write
  kSmallest,  // data that is past: the fewest bytes
  kNewest,    // the same, and codecs are used that programs of store version 3 were the first to read
  kPart,      // the same, of one of several frames of the same rows: what is slow to read must save more
};

// A frame that is slow to read must be smaller than the next best one by one in so many bytes.
constexpr size_t LeastGain(Effort effort) { return effort == Effort::kPart ? 10 : 32; }
// How many of `limit` bytes such a frame may have.
constexpr size_t MostBytes(size_t limit, Effort effort) { return limit - limit / LeastGain(effort); }

struct IntCodec {
  CodecId id;
  std::string_view name;
  // Analyses at least one value, which must outlive the candidate. nullptr: not for these values, or not in fewer than
  // `limit` bytes, as far as is known early.
  std::unique_ptr<Candidate> (*plan)(std::span<const int64_t> values, size_t limit, Effort effort);
  // Decodes rows of a frame of `count` values to `out`, which has room for them. `bytes` begins behind the CodecId and
  // may go on behind the frame; returns how many belong to the frame. kCorruption for bytes that cannot be.
  Result<size_t> (*decode)(std::string_view bytes, size_t count, RowRange rows, int64_t* out);
  // For ascending values: rows outside which no value lies in [low, high], found without decoding; may be wider than
  // needed. nullptr: the codec cannot tell.
  Result<RowRange> (*narrow)(std::string_view bytes, size_t count, int64_t low, int64_t high);
  // Written only with this effort or more.
  Effort effort = Effort::kFast;
  Since since = Since::kStore1;
};

// In the order in which they are tried.
std::span<const IntCodec> IntCodecs();
// nullptr when there is none with this number.
const IntCodec* FindIntCodec(CodecId id);
// The candidate with the fewest bytes, without the codecs of `except`.
struct Choice {
  CodecId id{};
  std::unique_ptr<Candidate> candidate;
  Since since = Since::kStore1;
};
Choice ChooseIntCodec(std::span<const int64_t> values, Effort effort, std::initializer_list<CodecId> except = {});

}  // namespace tidemark::codec

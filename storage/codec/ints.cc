#include "storage/codec/ints.h"

#include <algorithm>
#include <array>
#include <limits>

#include "storage/base/check.h"
#include "storage/codec/constant.h"
#include "storage/codec/delta.h"
#include "storage/codec/distinct.h"
#include "storage/codec/entropy.h"
#include "storage/codec/multiple.h"
#include "storage/codec/pairs.h"
#include "storage/codec/raw.h"
#include "storage/codec/reference.h"
#include "storage/codec/regular.h"
#include "storage/codec/runs.h"

namespace tidemark::codec {
namespace {

// Frames this small are taken at once: nothing behind them in the table can save more than a few bytes.
constexpr size_t kSmallEnough = 20;

constexpr std::array<IntCodec, 10> kIntCodecs = {{
    {CodecId::kConstant, "constant", &PlanConstant, &DecodeConstant, nullptr},
    {CodecId::kRegular, "regular", &PlanRegular, &DecodeRegular, &NarrowRegular},
    {CodecId::kRuns, "runs", &PlanRuns, &DecodeRuns, nullptr},
    {CodecId::kMultiple, "multiple", &PlanMultiple, &DecodeMultiple, &NarrowMultiple},
    {CodecId::kDelta, "delta", &PlanDelta, &DecodeDelta, &NarrowDelta},
    {CodecId::kReference, "reference", &PlanReference, &DecodeReference, nullptr},
    {CodecId::kEntropy, "entropy", &PlanEntropy, &DecodeEntropy, nullptr, Effort::kSmallest},
    {CodecId::kDistinct, "distinct", &PlanDistinct, &DecodeDistinct, nullptr, Effort::kNewest, Since::kStore3},
    {CodecId::kPairs, "pairs", &PlanPairs, &DecodePairs, nullptr, Effort::kNewest, Since::kStore3},
    {CodecId::kRaw, "raw", &PlanRaw, &DecodeRaw, nullptr},
}};

}  // namespace

std::span<const IntCodec> IntCodecs() { return kIntCodecs; }

const IntCodec* FindIntCodec(CodecId id) {
  const auto found = std::find_if(kIntCodecs.begin(), kIntCodecs.end(), [&](const auto& row) { return row.id == id; });
  return found == kIntCodecs.end() ? nullptr : &*found;
}

Choice ChooseIntCodec(std::span<const int64_t> values, Effort effort, std::initializer_list<CodecId> except) {
  Choice best;
  size_t best_bytes = std::numeric_limits<size_t>::max();
  for (const IntCodec& codec : kIntCodecs) {
    if (codec.effort > effort || std::find(except.begin(), except.end(), codec.id) != except.end()) continue;
    std::unique_ptr<Candidate> candidate = codec.plan(values, best_bytes, effort);
    if (candidate == nullptr || candidate->bytes() >= best_bytes) continue;
    best_bytes = candidate->bytes();
    const Since since = std::max(codec.since, candidate->since());
    best = {codec.id, std::move(candidate), since};
    if (best_bytes <= kSmallEnough) break;
  }
  return best;
}

Since EncodeInts(std::span<const int64_t> values, std::string* out, Effort effort) {
  if (values.empty()) return Since::kStore1;
  const Choice choice = ChooseIntCodec(values, effort);
  out->push_back(static_cast<char>(choice.id));
  choice.candidate->Append(out);
  return choice.since;
}

Result<size_t> DecodeInts(std::string_view bytes, size_t count, int64_t* out) {
  return DecodeInts(bytes, count, {0, count}, out);
}

Result<size_t> DecodeInts(std::string_view bytes, size_t count, RowRange rows, int64_t* out) {
  TM_CHECK(rows.begin <= rows.end && rows.end <= count);
  if (count == 0) return size_t{0};
  if (bytes.empty()) return Corruption("integer frame: no bytes");
  const auto id = static_cast<uint8_t>(bytes[0]);
  const IntCodec* const codec = FindIntCodec(CodecId{id});
  if (codec == nullptr) return Corruption("integer frame: unknown codec " + std::to_string(id));
  TM_TRY_ASSIGN(const size_t used, codec->decode(bytes.substr(1), count, rows, out));
  return used + 1;
}

Result<RowRange> NarrowInts(std::string_view bytes, size_t count, int64_t low, int64_t high) {
  if (count == 0 || bytes.empty()) return RowRange{0, count};
  const IntCodec* const codec = FindIntCodec(CodecId{static_cast<uint8_t>(bytes[0])});
  if (codec == nullptr || codec->narrow == nullptr) return RowRange{0, count};
  return codec->narrow(bytes.substr(1), count, low, high);
}

}  // namespace tidemark::codec

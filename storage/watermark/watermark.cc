#include "storage/watermark/watermark.h"

#include <fmt/core.h>

#include <algorithm>

#include "storage/base/bytes.h"
#include "storage/base/check.h"
#include "storage/base/hash.h"

namespace tidemark::storage::watermark {
namespace {

constexpr std::string_view kMagic = "TMWMARK1";
constexpr std::string_view kMomentsMagic = "TMWTIMES";
constexpr size_t kIdBytes = 32;
constexpr size_t kBootBytes = 40;
constexpr uint32_t kClean = 1;

void PutText(std::string* out, std::string_view text, size_t bytes) {
  out->append(text.substr(0, bytes));
  out->append(bytes - std::min(bytes, text.size()), '\0');
}

std::string TakeText(ByteReader* in, size_t bytes) {
  const std::string_view text = in->Bytes(bytes);
  return std::string(text.substr(0, text.find('\0')));
}

void PutPlace(std::string* out, const Place& place) {
  PutLittle(out, place.sequence);
  PutLittle(out, place.records);
  PutLittle(out, place.rows);
}

Place TakePlace(ByteReader* in) {
  Place place;
  place.sequence = in->Little<uint64_t>();
  place.records = in->Little<uint64_t>();
  place.rows = in->Little<uint64_t>();
  return place;
}

}  // namespace

std::string EncodeWatermark(const Watermark& watermark) {
  std::string out(kMagic);
  PutLittle<uint32_t>(&out, kWatermarkBytes);
  PutLittle<uint32_t>(&out, watermark.clean ? kClean : 0);
  PutText(&out, watermark.store_id, kIdBytes);
  PutText(&out, watermark.boot_id, kBootBytes);
  PutLittle(&out, watermark.counter);
  PutPlace(&out, watermark.durable);
  PutLittle(&out, watermark.acknowledged_ns);
  PutLittle(&out, watermark.segment);
  PutLittle(&out, watermark.salt);
  PutLittle(&out, watermark.end);
  PutLittle(&out, watermark.checksum);
  PutPlace(&out, watermark.checkpoint);
  PutPlace(&out, watermark.next_checkpoint);
  PutLittle(&out, watermark.rocks_sequence);
  PutLittle(&out, watermark.epochs_hash);
  PutLittle(&out, Hash64(out, /*seed=*/0));
  TM_CHECK(out.size() == kWatermarkBytes);
  return out;
}

Result<Watermark> DecodeWatermark(std::string_view slot) {
  if (slot.size() < kWatermarkBytes) return Corruption(fmt::format("{} bytes are no slot", slot.size()));
  const uint64_t expected = LoadLittle<uint64_t>(slot.data() + kWatermarkBytes - 8);
  const uint64_t found = Hash64(slot.substr(0, kWatermarkBytes - 8), /*seed=*/0);
  if (expected != found) return Corruption(fmt::format("checksum expected {:016x}, found {:016x}", expected, found));
  ByteReader in(slot.substr(0, kWatermarkBytes - 8));
  if (in.Bytes(kMagic.size()) != kMagic || in.Little<uint32_t>() != kWatermarkBytes) {
    return Unsupported("the watermark is of a format that this program does not read");
  }
  Watermark watermark;
  watermark.clean = (in.Little<uint32_t>() & kClean) != 0;
  watermark.store_id = TakeText(&in, kIdBytes);
  watermark.boot_id = TakeText(&in, kBootBytes);
  watermark.counter = in.Little<uint64_t>();
  watermark.durable = TakePlace(&in);
  watermark.acknowledged_ns = in.Little<int64_t>();
  watermark.segment = in.Little<uint64_t>();
  watermark.salt = in.Little<uint64_t>();
  watermark.end = in.Little<uint64_t>();
  watermark.checksum = in.Little<uint64_t>();
  watermark.checkpoint = TakePlace(&in);
  watermark.next_checkpoint = TakePlace(&in);
  watermark.rocks_sequence = in.Little<uint64_t>();
  watermark.epochs_hash = in.Little<uint64_t>();
  return watermark;
}

std::string EncodeMoments(const std::vector<Moment>& moments) {
  TM_CHECK(moments.size() <= kMaxMoments);
  std::string out(kMomentsMagic);
  PutLittle<uint64_t>(&out, moments.size());
  for (const Moment& moment : moments) {
    PutLittle(&out, moment.ns);
    PutLittle(&out, moment.sequence);
  }
  PutLittle(&out, Hash64(out, /*seed=*/0));
  return out;
}

std::vector<Moment> DecodeMoments(std::string_view bytes) {
  ByteReader in(bytes);
  if (in.Bytes(kMomentsMagic.size()) != kMomentsMagic) return {};
  const auto count = in.Little<uint64_t>();
  if (count > kMaxMoments) return {};
  std::vector<Moment> moments;
  for (uint64_t i = 0; i < count; ++i) {
    Moment moment;
    moment.ns = in.Little<int64_t>();
    moment.sequence = in.Little<uint64_t>();
    moments.push_back(moment);
  }
  const size_t summed = bytes.size() - in.remaining();
  if (in.Little<uint64_t>() != Hash64(bytes.substr(0, summed), /*seed=*/0) || !in.ok()) return {};
  return moments;
}

}  // namespace tidemark::storage::watermark

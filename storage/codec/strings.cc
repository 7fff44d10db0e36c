#include "storage/codec/strings.h"

#include <zstd.h>

#include <unordered_map>

#include "storage/base/bytes.h"
#include "storage/base/check.h"
#include "storage/codec/ints.h"

namespace tidemark::codec {
namespace {

constexpr int kFastLevel = 3;
constexpr int kSmallestLevel = 12;
// Shorter text does not repay zstd's frame header.
constexpr size_t kMinCompressedText = 64;

void AppendText(std::span<const std::string_view> values, Effort effort, std::string* out) {
  std::string raw;
  for (const std::string_view value : values) raw += value;
  PutVarint(out, raw.size());
  if (raw.size() >= kMinCompressedText && raw.size() <= kMaxCompressedText) {
    std::string packed(ZSTD_compressBound(raw.size()), '\0');
    const size_t size = ZSTD_compress(packed.data(), packed.size(), raw.data(), raw.size(),
                                      effort == Effort::kFast ? kFastLevel : kSmallestLevel);
    // Reading compressed text costs a copy: it must save at least an eighth.
    if (ZSTD_isError(size) == 0 && size < raw.size() - raw.size() / 8) {
      packed.resize(size);
      PutString(out, packed);
      return;
    }
  }
  PutString(out, raw);
}

void AppendLengths(std::span<const std::string_view> values, Effort effort, std::string* out) {
  std::vector<int64_t> lengths;
  lengths.reserve(values.size());
  for (const std::string_view value : values) lengths.push_back(static_cast<int64_t>(value.size()));
  EncodeInts(lengths, out, effort);
}

std::string EncodePlain(std::span<const std::string_view> values, Effort effort) {
  std::string out(1, static_cast<char>(CodecId::kStrings));
  AppendLengths(values, effort, &out);
  AppendText(values, effort, &out);
  return out;
}

// Empty when the values repeat too little.
std::string EncodeDictionary(std::span<const std::string_view> values, Effort effort) {
  std::unordered_map<std::string_view, int64_t> places;
  std::vector<std::string_view> distinct;
  std::vector<int64_t> indexes;
  indexes.reserve(values.size());
  for (const std::string_view value : values) {
    const auto [place, added] = places.try_emplace(value, static_cast<int64_t>(distinct.size()));
    if (added) distinct.push_back(value);
    if (distinct.size() > values.size() / 2 + 1) return {};
    indexes.push_back(place->second);
  }
  std::string out(1, static_cast<char>(CodecId::kDictionary));
  PutVarint(&out, distinct.size());
  AppendLengths(distinct, effort, &out);
  AppendText(distinct, effort, &out);
  EncodeInts(indexes, &out, effort);
  return out;
}

struct Text {
  std::string_view raw;
  size_t bytes = 0;  // of the section
};

Result<Text> DecodeText(std::string_view bytes, std::vector<char>* buffer) {
  ByteReader reader(bytes);
  const uint64_t raw_bytes = reader.Varint();
  const std::string_view stored = reader.String();
  if (!reader.ok()) return Corruption("string frame: text is cut short");
  const size_t used = bytes.size() - reader.remaining();
  if (raw_bytes == stored.size()) return Text{stored, used};
  if (raw_bytes > kMaxCompressedText) {
    return Corruption("string frame: compressed text of " + std::to_string(raw_bytes) + " bytes");
  }
  buffer->resize(raw_bytes);
  const size_t size = ZSTD_decompress(buffer->data(), buffer->size(), stored.data(), stored.size());
  if (ZSTD_isError(size) != 0 || size != raw_bytes) return Corruption("string frame: text does not decompress");
  return Text{{buffer->data(), buffer->size()}, used};
}

// Splits text into strings of the given lengths, which must fill it.
Result<void> Cut(std::string_view text, std::span<const int64_t> lengths, RowRange rows, std::string_view* out) {
  size_t at = 0;
  for (size_t i = 0; i < lengths.size(); ++i) {
    if (lengths[i] < 0 || static_cast<uint64_t>(lengths[i]) > text.size() - at) {
      return Corruption("string frame: lengths and text disagree");
    }
    const auto length = static_cast<size_t>(lengths[i]);
    if (i >= rows.begin && i < rows.end) out[i - rows.begin] = text.substr(at, length);
    at += length;
  }
  return {};
}

Result<size_t> DecodePlain(std::string_view bytes, size_t count, RowRange rows, std::string_view* out,
                           std::vector<char>* text_buffer) {
  // Strings behind the rows do not matter, those in front of them say where they begin.
  std::vector<int64_t> lengths(rows.end);
  TM_TRY_ASSIGN(size_t used, DecodeInts(bytes, count, {0, rows.end}, lengths.data()));
  TM_TRY_ASSIGN(const Text text, DecodeText(bytes.substr(used), text_buffer));
  TM_RETURN_IF_ERROR(Cut(text.raw, lengths, rows, out));
  return used + text.bytes;
}

Result<size_t> DecodeDictionary(std::string_view bytes, size_t count, RowRange rows, std::string_view* out,
                                std::vector<char>* text_buffer) {
  ByteReader reader(bytes);
  const uint64_t size = reader.Varint();
  if (!reader.ok() || size == 0 || size > count) return Corruption("string frame: size of the dictionary");
  size_t used = bytes.size() - reader.remaining();
  std::vector<int64_t> lengths(size);
  TM_TRY_ASSIGN(const size_t lengths_bytes, DecodeInts(bytes.substr(used), size, lengths.data()));
  used += lengths_bytes;
  TM_TRY_ASSIGN(const Text text, DecodeText(bytes.substr(used), text_buffer));
  used += text.bytes;
  std::vector<std::string_view> distinct(size);
  TM_RETURN_IF_ERROR(Cut(text.raw, lengths, {0, size}, distinct.data()));
  std::vector<int64_t> indexes(rows.end - rows.begin);
  TM_TRY_ASSIGN(const size_t indexes_bytes, DecodeInts(bytes.substr(used), count, rows, indexes.data()));
  for (size_t i = 0; i < indexes.size(); ++i) {
    if (std::cmp_greater_equal(indexes[i], size) || indexes[i] < 0) {
      return Corruption("string frame: index outside the dictionary");
    }
    out[i] = distinct[static_cast<size_t>(indexes[i])];
  }
  return used + indexes_bytes;
}

}  // namespace

void EncodeStrings(std::span<const std::string_view> values, std::string* out, Effort effort) {
  if (values.empty()) return;
  const std::string plain = EncodePlain(values, effort);
  const std::string dictionary = EncodeDictionary(values, effort);
  *out += !dictionary.empty() && dictionary.size() < plain.size() ? dictionary : plain;
}

Result<size_t> DecodeStrings(std::string_view bytes, size_t count, RowRange rows, std::vector<std::string_view>* values,
                             std::vector<char>* text) {
  TM_CHECK(rows.begin <= rows.end && rows.end <= count);
  if (count == 0) return size_t{0};
  if (bytes.empty()) return Corruption("string frame: no bytes");
  if (values->size() < rows.end - rows.begin) values->resize(rows.end - rows.begin);
  const auto id = static_cast<uint8_t>(bytes[0]);
  Result<size_t> used = Corruption("string frame: unknown codec " + std::to_string(id));
  if (CodecId{id} == CodecId::kStrings) used = DecodePlain(bytes.substr(1), count, rows, values->data(), text);
  if (CodecId{id} == CodecId::kDictionary) used = DecodeDictionary(bytes.substr(1), count, rows, values->data(), text);
  if (!used.ok()) return used;
  return *used + 1;
}

}  // namespace tidemark::codec

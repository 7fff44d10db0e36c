#include "storage/model/series_key.h"

#include <fmt/core.h>

#include <algorithm>
#include <utility>

#include "storage/base/bytes.h"

namespace tidemark::model {
namespace {

Error Malformed(std::string_view what) { return InvalidArgument(fmt::format("malformed series key: {}", what)); }

// Sorts the tags and drops the empty ones.
Status Normalise(LabelViews* tags) {
  const auto by_name = [](const LabelView& a, const LabelView& b) { return a.name < b.name; };
  if (!std::is_sorted(tags->begin(), tags->end(), by_name)) std::sort(tags->begin(), tags->end(), by_name);
  const auto same_name = [](const LabelView& a, const LabelView& b) { return a.name == b.name; };
  const auto twice = std::adjacent_find(tags->begin(), tags->end(), same_name);
  if (twice != tags->end()) return InvalidArgument(fmt::format("duplicate tag \"{}\"", twice->name));
  std::erase_if(*tags, [](const LabelView& tag) { return tag.value.empty(); });
  return {};
}

// The position of the first of `stops` in text[at..] that is not escaped, or text.size().
size_t FindUnescaped(std::string_view text, size_t at, std::string_view stops, std::string_view escapable) {
  for (; at < text.size(); ++at) {
    if (text[at] == '\\' && at + 1 < text.size() && escapable.contains(text[at + 1])) {
      ++at;
    } else if (stops.contains(text[at])) {
      break;
    }
  }
  return at;
}

Result<ParsedKey> ParseLineProtocol(std::string_view bytes, Arena* arena) {
  ParsedKey key;
  size_t at = FindUnescaped(bytes, 0, kMeasurementEscapes, kMeasurementEscapes);
  if (at == 0) return Malformed("missing measurement");
  key.measurement = UnescapeLineProtocol(bytes.substr(0, at), kMeasurementEscapes, arena);
  while (at < bytes.size()) {
    if (bytes[at] != ',') return Malformed("unescaped space");
    const size_t name = at + 1;
    const size_t equals = FindUnescaped(bytes, name, kTagEscapes, kTagEscapes);
    if (equals == name) return Malformed("missing tag key");
    if (equals == bytes.size() || bytes[equals] != '=') return Malformed("missing tag value");
    const size_t value = equals + 1;
    at = FindUnescaped(bytes, value, kTagEscapes, kTagEscapes);
    if (at == value) return Malformed("missing tag value");
    key.tags.push_back({UnescapeLineProtocol(bytes.substr(name, equals - name), kTagEscapes, arena),
                        UnescapeLineProtocol(bytes.substr(value, at - value), kTagEscapes, arena)});
  }
  TM_RETURN_IF_ERROR(Normalise(&key.tags));
  return key;
}

Result<ParsedKey> ParseCanonical(std::string_view bytes) {
  ParsedKey key;
  ByteReader reader(bytes);
  key.measurement = reader.String();
  while (reader.ok() && !reader.empty()) {
    const std::string_view name = reader.String();
    key.tags.push_back({name, reader.String()});
  }
  if (!reader.ok()) return Malformed("truncated");
  TM_RETURN_IF_ERROR(Normalise(&key.tags));
  return key;
}

// Wire types of protobuf: https://protobuf.dev/programming-guides/encoding/
constexpr uint64_t kWireVarint = 0;
constexpr uint64_t kWireFixed64 = 1;
constexpr uint64_t kWireBytes = 2;
constexpr uint64_t kWireFixed32 = 5;

constexpr uint64_t FieldTag(uint64_t number, uint64_t wire_type) { return number << 3 | wire_type; }

Result<LabelView> ParseLabelMessage(std::string_view message) {
  LabelView label;
  ByteReader reader(message);
  while (reader.ok() && !reader.empty()) {
    const uint64_t tag = reader.Varint();
    if (tag == FieldTag(1, kWireBytes)) {
      label.name = reader.String();
    } else if (tag == FieldTag(2, kWireBytes)) {
      label.value = reader.String();
    } else if ((tag & 7) == kWireVarint) {
      reader.Varint();
    } else if ((tag & 7) == kWireFixed64) {
      reader.Bytes(8);
    } else if ((tag & 7) == kWireBytes) {
      reader.String();
    } else if ((tag & 7) == kWireFixed32) {
      reader.Bytes(4);
    } else {
      return Malformed("unknown wire type in a label");
    }
  }
  if (!reader.ok()) return Malformed("truncated label");
  return label;
}

Result<ParsedKey> ParseRemoteWrite(std::string_view bytes) {
  ParsedKey key;
  ByteReader reader(bytes);
  while (reader.ok() && !reader.empty()) {
    if (reader.Varint() != FieldTag(1, kWireBytes)) return Malformed("not a run of labels");
    const std::string_view message = reader.String();
    if (!reader.ok()) break;
    TM_TRY_ASSIGN(const LabelView label, ParseLabelMessage(message));
    if (label.name.empty()) return Malformed("a label without a name");
    key.tags.push_back(label);
  }
  if (!reader.ok()) return Malformed("truncated");
  TM_RETURN_IF_ERROR(Normalise(&key.tags));
  const auto name =
      std::find_if(key.tags.begin(), key.tags.end(), [](const LabelView& tag) { return tag.name == kMetricNameLabel; });
  if (name != key.tags.end()) {
    key.measurement = name->value;
    key.tags.erase(name);
  }
  return key;
}

}  // namespace

std::string_view UnescapeLineProtocol(std::string_view text, std::string_view escapable, Arena* arena) {
  size_t at = text.find('\\');
  while (at != text.npos && (at + 1 == text.size() || !escapable.contains(text[at + 1]))) at = text.find('\\', at + 1);
  if (at == text.npos) return text;
  char* const out = arena->Allocate(text.size());
  size_t size = 0;
  for (at = 0; at < text.size(); ++at) {
    if (text[at] == '\\' && at + 1 < text.size() && escapable.contains(text[at + 1])) ++at;
    out[size++] = text[at];
  }
  return {out, size};
}

Result<ParsedKey> ParseSeriesKey(KeyFormat format, std::string_view bytes, Arena* arena) {
  switch (format) {
    case KeyFormat::kLineProtocol: return ParseLineProtocol(bytes, arena);
    case KeyFormat::kRemoteWrite: return ParseRemoteWrite(bytes);
    case KeyFormat::kCanonical: return ParseCanonical(bytes);
  }
  return Malformed("unknown format");
}

}  // namespace tidemark::model

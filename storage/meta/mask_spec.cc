#include "storage/meta/mask_spec.h"

#include <limits>

namespace tidemark::storage::meta {
namespace {

// Numbers on disk, apart from those of the enum.
constexpr uint8_t kEqual = 0;
constexpr uint8_t kNotEqual = 1;
constexpr uint8_t kRegex = 2;
constexpr uint8_t kNotRegex = 3;

uint8_t NumberOf(model::MatchOp op) {
  switch (op) {
    case model::MatchOp::kEqual: return kEqual;
    case model::MatchOp::kNotEqual: return kNotEqual;
    case model::MatchOp::kRegex: return kRegex;
    case model::MatchOp::kNotRegex: break;
  }
  return kNotRegex;
}

}  // namespace

void PutMatchers(std::string* out, const std::vector<model::Matcher>& matchers) {
  PutVarint(out, matchers.size());
  for (const model::Matcher& matcher : matchers) {
    out->push_back(static_cast<char>(NumberOf(matcher.op)));
    PutString(out, matcher.name);
    PutString(out, matcher.value);
  }
}

std::vector<model::Matcher> ReadMatchers(ByteReader* reader) {
  std::vector<model::Matcher> matchers;
  const uint64_t count = reader->Varint();
  for (uint64_t i = 0; i < count && reader->ok(); ++i) {
    model::Matcher& matcher = matchers.emplace_back();
    switch (reader->Little<uint8_t>()) {
      case kEqual: matcher.op = model::MatchOp::kEqual; break;
      case kNotEqual: matcher.op = model::MatchOp::kNotEqual; break;
      case kRegex: matcher.op = model::MatchOp::kRegex; break;
      case kNotRegex: matcher.op = model::MatchOp::kNotRegex; break;
      default: reader->Bytes(std::numeric_limits<size_t>::max()); break;
    }
    matcher.name = std::string(reader->String());
    matcher.value = std::string(reader->String());
  }
  return matchers;
}

std::string EncodeMaskSpec(const MaskSpec& spec) {
  std::string out;
  PutSignedVarint(&out, spec.range.first.ns);
  PutSignedVarint(&out, spec.range.last.ns);
  PutVarint(&out, spec.fields.size());
  for (const std::string& field : spec.fields) PutString(&out, field);
  PutVarint(&out, spec.selectors.size());
  for (const auto& matchers : spec.selectors) PutMatchers(&out, matchers);
  return out;
}

Result<MaskSpec> DecodeMaskSpec(std::string_view bytes) {
  ByteReader reader(bytes);
  MaskSpec spec;
  spec.range.first.ns = reader.SignedVarint();
  spec.range.last.ns = reader.SignedVarint();
  const uint64_t fields = reader.Varint();
  for (uint64_t i = 0; i < fields && reader.ok(); ++i) spec.fields.emplace_back(reader.String());
  const uint64_t selectors = reader.Varint();
  for (uint64_t i = 0; i < selectors && reader.ok(); ++i) spec.selectors.push_back(ReadMatchers(&reader));
  if (!reader.ok() || !reader.empty()) return Corruption("a deletion has a length that does not fit its content");
  return spec;
}

}  // namespace tidemark::storage::meta

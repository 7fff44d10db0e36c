#include "tools/transfer/piece_batch.h"

#include <fmt/core.h>

#include <bit>
#include <vector>

#include "storage/base/utf8.h"
#include "storage/model/limits.h"
#include "storage/model/timestamp.h"

namespace tidemark::transfer {
namespace {

Status CheckName(std::string_view what, std::string_view text) {
  if (text.empty()) return InvalidArgument(fmt::format("{} is empty", what));
  if (!IsUtf8(text)) return InvalidArgument(fmt::format("{} is not UTF-8", what));
  return {};
}

Status Check(const Piece& piece) {
  TM_RETURN_IF_ERROR(CheckName("the measurement", piece.measurement));
  TM_RETURN_IF_ERROR(CheckName("the field", piece.field));
  size_t key_bytes = piece.measurement.size() + piece.field.size();
  for (const model::Label& tag : piece.tags) {
    TM_RETURN_IF_ERROR(CheckName("the name of a tag", tag.name));
    TM_RETURN_IF_ERROR(CheckName("the value of the tag " + tag.name, tag.value));
    key_bytes += tag.name.size() + tag.value.size() + 2;
  }
  if (key_bytes > model::kSeriesKeyBytesMax) {
    return InvalidArgument(
        fmt::format("measurement, tags and field have {} bytes, above {}", key_bytes, model::kSeriesKeyBytesMax));
  }
  for (const int64_t ns : piece.times_ns) {
    if (ns < model::kMinTime.ns || ns > model::kMaxTime.ns) {
      return InvalidArgument(fmt::format("the time {} is outside of those that can be stored", ns));
    }
  }
  for (const std::string& text : piece.strings) {
    if (!IsUtf8(text)) return InvalidArgument("a string is not UTF-8");
  }
  return {};
}

}  // namespace

Status AddTo(const Piece& piece, model::BatchBuilder* batch) {
  if (const Status good = Check(piece); !good.ok()) return good.error().Within(Describe(piece));
  std::vector<model::LabelView> tags;
  tags.reserve(piece.tags.size());
  for (const model::Label& tag : piece.tags) tags.push_back({tag.name, tag.value});
  for (size_t row = 0; row < piece.size(); ++row) {
    batch->Row(piece.measurement, tags, {piece.times_ns[row]});
    switch (piece.type) {
      case model::FieldType::kFloat: batch->Field(piece.field, std::bit_cast<double>(piece.bits[row])); break;
      case model::FieldType::kInt: batch->Field(piece.field, std::bit_cast<int64_t>(piece.bits[row])); break;
      case model::FieldType::kUInt: batch->Field(piece.field, piece.bits[row]); break;
      case model::FieldType::kBool: batch->Field(piece.field, piece.bits[row] != 0); break;
      case model::FieldType::kString: batch->Field(piece.field, std::string_view(piece.strings[row])); break;
    }
  }
  return {};
}

}  // namespace tidemark::transfer

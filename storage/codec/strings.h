// Frames of strings.
//
//   codec      kStrings or kDictionary
//   kStrings:    lengths  integer frame of `count` lengths
//                text     the strings one after the other
//   kDictionary: size     varint, distinct strings, at least 1
//                lengths  integer frame of `size` lengths
//                text     the distinct strings in order of first use
//                indexes  integer frame of `count` indexes into them
//   where text is
//     raw_bytes     varint
//     stored_bytes  varint
//     bytes         as they are when raw_bytes == stored_bytes, otherwise one zstd frame
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "storage/base/result.h"
#include "storage/codec/int_codec.h"

namespace tidemark::codec {

// Text of more bytes is not compressed, so that damaged bytes cannot ask for more memory than this.
inline constexpr size_t kMaxCompressedText = 16 * 1024 * 1024;

// Appends a frame of whichever form is smaller. No values: no bytes.
void EncodeStrings(std::span<const std::string_view> values, std::string* out, Effort effort = Effort::kFast);

// Decodes rows of a frame of `count` values; returns the bytes of the frame. The views are at the beginning of
// `values` (which grows as needed) and point into `bytes`, or into `text`, whose content is replaced, when the text is
// compressed. kCorruption for bytes that cannot be.
Result<size_t> DecodeStrings(std::string_view bytes, size_t count, RowRange rows, std::vector<std::string_view>* values,
                             std::vector<char>* text);

}  // namespace tidemark::codec

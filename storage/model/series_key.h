// ParseSeriesKey: from the raw bytes that name a series to its measurement and tags. The store calls it once per new
// spelling of a series; from then on the hash of the bytes is enough.
#pragma once

#include <string_view>

#include "storage/base/arena.h"
#include "storage/base/result.h"
#include "storage/model/batch.h"
#include "storage/model/labels.h"

namespace tidemark::model {

// The views point into the key's bytes or, where something was escaped, into the arena.
struct ParsedKey {
  std::string_view measurement;
  LabelViews tags;  // sorted by name (bytewise), names unique, no empty values
};

// Reads a series key of any format. Two spellings of one series (tag order, escapes, format) give the same result.
//   kLineProtocol   `\,` and `\ ` are escapes in the measurement, `\,` `\ ` `\=` in tag names and values; any other
//                   backslash is itself. A tag without a name or a value is an error.
//   kRemoteWrite    the measurement is the value of __name__, "" when there is none; unknown fields of a Label message
//                   are skipped, as protobuf asks.
// Bytes are not checked for UTF-8: that is the parser's duty. Errors, all kInvalidArgument: bytes that are not such a
// key, or two tags of one name (whatever their values).
Result<ParsedKey> ParseSeriesKey(KeyFormat format, std::string_view bytes, Arena* arena);

// `text` without its line-protocol escapes: a backslash before one of `escapable` is dropped. Returns `text` itself
// when there is nothing to drop, else a copy in the arena.
std::string_view UnescapeLineProtocol(std::string_view text, std::string_view escapable, Arena* arena);

// What a backslash may escape in line protocol outside of string fields.
inline constexpr std::string_view kMeasurementEscapes = ", ";
inline constexpr std::string_view kTagEscapes = ",= ";  // tag names, tag values and field names

}  // namespace tidemark::model

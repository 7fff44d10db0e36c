// The header that all kinds of pages begin with, and their checksum. FORMAT.md has the picture.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "storage/base/result.h"
#include "storage/model/field.h"
#include "storage/model/ids.h"
#include "storage/page/encoded_page.h"

namespace tidemark::page {

enum class Checksum : uint8_t {
  kVerify,   // about 0.1 us per KiB
  kTrusted,  // the caller has verified these bytes before
};

inline constexpr uint8_t kFormatVersion = 1;
inline constexpr size_t kHeaderBytes = 32;
// Rows of one frame at most: what damaged bytes can make a reader allocate.
inline constexpr uint32_t kMaxFrameRows = 65536;

struct Header {
  PageKind kind = PageKind::kValues;
  model::FieldType type = model::FieldType::kFloat;
  uint8_t flags = 0;
  model::FieldId field{};
  uint32_t entries = 0;
  uint32_t directory_bytes = 0;
};

// Header, directory and frames as one page with its checksum.
std::string SealPage(const Header& header, std::string_view directory, std::string_view frames);

struct ParsedPage {
  Header header;
  std::string_view directory;
  std::string_view frames;
};
// Errors: kUnsupported for another format version (naming both), kCorruption for a length, checksum or header that is
// wrong (naming expected and found).
Result<ParsedPage> ParsePage(std::string_view bytes, Checksum checksum);

// Directory columns: the length of each as a varint, then one after the other. A column of zeros alone is left out
// (length 0).
void AppendColumns(const std::string_view* columns, size_t count, std::string* out);
Result<void> ParseColumns(std::string_view bytes, std::string_view* columns, size_t count);

}  // namespace tidemark::page

#include "storage/page/page_format.h"

#include <fmt/core.h>

#include <limits>

#include "storage/base/bytes.h"
#include "storage/base/check.h"
#include "storage/base/hash.h"

namespace tidemark::page {
namespace {

constexpr std::string_view kMagic = "TMP";
constexpr size_t kChecksumAt = 24;

// The header's own hash is the seed of that of the rest, so that one number covers both.
uint64_t ChecksumOf(std::string_view bytes) {
  return Hash64(bytes.substr(kHeaderBytes), Hash64(bytes.substr(0, kChecksumAt), 0));
}

bool Known(PageKind kind) {
  return kind == PageKind::kValues || kind == PageKind::kTimelines || kind == PageKind::kTier ||
         kind == PageKind::kSketch;
}
bool Known(model::FieldType type) { return type >= model::FieldType::kFloat && type <= model::FieldType::kString; }

}  // namespace

std::string SealPage(const Header& header, std::string_view directory, std::string_view frames) {
  const size_t size = kHeaderBytes + directory.size() + frames.size();
  TM_CHECK(size <= std::numeric_limits<uint32_t>::max());
  std::string out;
  out.reserve(size);
  out += kMagic;
  PutLittle(&out, kFormatVersion);
  PutLittle(&out, static_cast<uint8_t>(header.kind));
  PutLittle(&out, static_cast<uint8_t>(header.type));
  PutLittle(&out, header.flags);
  PutLittle(&out, uint8_t{0});
  PutLittle(&out, model::Number(header.field));
  PutLittle(&out, header.entries);
  PutLittle(&out, static_cast<uint32_t>(directory.size()));
  PutLittle(&out, static_cast<uint32_t>(size));
  PutLittle(&out, uint64_t{0});
  out += directory;
  out += frames;
  std::string checksum;
  PutLittle(&checksum, ChecksumOf(out));
  out.replace(kChecksumAt, checksum.size(), checksum);
  return out;
}

Result<ParsedPage> ParsePage(std::string_view bytes, Checksum checksum) {
  ByteReader reader(bytes);
  const std::string_view magic = reader.Bytes(kMagic.size());
  const auto version = reader.Little<uint8_t>();
  if (magic != kMagic) return Corruption("page: does not begin with \"TMP\"");
  if (version != kFormatVersion) {
    return Unsupported(fmt::format("page: format version {}, this program reads {}", version, kFormatVersion));
  }
  ParsedPage page;
  page.header.kind = PageKind{reader.Little<uint8_t>()};
  page.header.type = model::FieldType{reader.Little<uint8_t>()};
  page.header.flags = reader.Little<uint8_t>();
  const auto reserved = reader.Little<uint8_t>();
  page.header.field = model::FieldId{reader.Little<uint32_t>()};
  page.header.entries = reader.Little<uint32_t>();
  page.header.directory_bytes = reader.Little<uint32_t>();
  const auto size = reader.Little<uint32_t>();
  const auto expected = reader.Little<uint64_t>();
  if (!reader.ok() || size != bytes.size()) {
    return Corruption(fmt::format("page: {} bytes, header says {}", bytes.size(), size));
  }
  if (checksum == Checksum::kVerify) {
    if (const uint64_t found = ChecksumOf(bytes); found != expected) {
      return Corruption(fmt::format("page: checksum expected {:016x}, found {:016x}", expected, found));
    }
  }
  if (!Known(page.header.kind) || !Known(page.header.type) || reserved != 0) {
    return Corruption("page: unknown kind or type in the header");
  }
  page.directory = reader.Bytes(page.header.directory_bytes);
  page.frames = reader.Bytes(reader.remaining());
  if (!reader.ok()) return Corruption("page: directory is longer than the page");
  return page;
}

void AppendColumns(const std::string_view* columns, size_t count, std::string* out) {
  for (size_t i = 0; i < count; ++i) PutVarint(out, columns[i].size());
  for (size_t i = 0; i < count; ++i) *out += columns[i];
}

Result<void> ParseColumns(std::string_view bytes, std::string_view* columns, size_t count) {
  ByteReader lengths(bytes);
  uint64_t total = 0;
  ByteReader ahead = lengths;
  for (size_t i = 0; i < count; ++i) ahead.Varint();
  ByteReader content = ahead;
  for (size_t i = 0; i < count; ++i) {
    const uint64_t length = lengths.Varint();
    total += length;
    columns[i] = content.Bytes(length);
  }
  if (!ahead.ok() || !content.ok() || !content.empty()) {
    return Corruption(fmt::format("page: directory columns of {} bytes do not fill {}", total, bytes.size()));
  }
  return {};
}

}  // namespace tidemark::page

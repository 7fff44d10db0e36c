#include "storage/copy/record_file.h"

#include <rocksdb/file_system.h>
#include <zstd.h>

#include <algorithm>
#include <limits>
#include <memory>

#include "storage/base/bytes.h"
#include "storage/base/check.h"
#include "storage/base/hash.h"
#include "storage/rocks/rocks_status.h"

namespace tidemark::storage::copy {
namespace {

constexpr std::string_view kMagic = "TMCOPY1\n";
constexpr size_t kHeaderBytes = 24;
// A block is closed when its records have so many bytes; one record may be longer.
constexpr size_t kBlockBytes = size_t{1} << 20;
// What a header may say at most: more is damage.
constexpr uint32_t kMaxBytes = uint32_t{64} << 20;
constexpr int kLevel = 3;

uint64_t ChecksumOf(std::string_view header, std::string_view stored) {
  return Hash64(stored, Hash64(header.substr(0, kHeaderBytes - sizeof(uint64_t)), 0));
}

Result<void> VisitRecords(std::string_view raw, const VisitFn& visit) {
  ByteReader reader(raw);
  while (!reader.empty()) {
    const std::string_view key = reader.String();
    const std::string_view value = reader.String();
    if (!reader.ok()) return Corruption("a record that does not end");
    TM_RETURN_IF_ERROR(visit(key, value));
  }
  return {};
}

}  // namespace

void BlockWriter::Add(std::string_view key, std::string_view value) {
  PutString(&raw_, key);
  PutString(&raw_, value);
  if (raw_.size() >= kBlockBytes) Finish();
}

void BlockWriter::Finish() {
  if (raw_.empty()) return;
  std::string packed(ZSTD_compressBound(raw_.size()), '\0');
  const size_t size = ZSTD_compress(packed.data(), packed.size(), raw_.data(), raw_.size(), kLevel);
  TM_CHECK(ZSTD_isError(size) == 0);  // the bound is kept, and nothing else can be wrong
  packed.resize(size);
  std::string header(kMagic);
  PutLittle(&header, static_cast<uint32_t>(raw_.size()));
  PutLittle(&header, static_cast<uint32_t>(packed.size()));
  PutLittle(&header, ChecksumOf(header + std::string(sizeof(uint64_t), '\0'), packed));
  out_ += header;
  out_ += packed;
  raw_.clear();
}

Result<uint64_t> ReadRecordFile(rocksdb::FileSystem* files, const std::string& path, uint64_t limit,
                                const VisitFn& visit) {
  std::unique_ptr<rocksdb::FSSequentialFile> file;
  TM_RETURN_IF_ERROR(rocks::FromRocks(files->NewSequentialFile(path, rocksdb::FileOptions(), &file, nullptr), path));
  // Exactly so many bytes; fewer only at the end.
  const auto read = [&](size_t bytes, std::string* out) -> Result<std::string_view> {
    out->resize(bytes);
    rocksdb::Slice got;
    TM_RETURN_IF_ERROR(
        rocks::FromRocks(file->Read(bytes, rocksdb::IOOptions(), &got, out->data(), nullptr), "reading " + path));
    return std::string_view(got.data(), got.size());
  };
  uint64_t whole = 0;
  std::string header_buffer;
  std::string stored_buffer;
  std::string raw;
  while (whole < limit) {
    TM_TRY_ASSIGN(const std::string_view header, read(kHeaderBytes, &header_buffer));
    if (header.size() < kHeaderBytes || !header.starts_with(kMagic)) break;
    const auto raw_bytes = LoadLittle<uint32_t>(header.data() + 8);
    const auto stored_bytes = LoadLittle<uint32_t>(header.data() + 12);
    if (raw_bytes > kMaxBytes || stored_bytes > kMaxBytes || whole + kHeaderBytes + stored_bytes > limit) break;
    TM_TRY_ASSIGN(const std::string_view stored, read(stored_bytes, &stored_buffer));
    if (stored.size() < stored_bytes || ChecksumOf(header, stored) != LoadLittle<uint64_t>(header.data() + 16)) break;
    raw.resize(raw_bytes);
    const size_t size = ZSTD_decompress(raw.data(), raw.size(), stored.data(), stored.size());
    if (ZSTD_isError(size) != 0 || size != raw_bytes) break;
    TM_RETURN_IF_ERROR(VisitRecords(raw, visit));
    whole += kHeaderBytes + stored_bytes;
  }
  return whole;
}

}  // namespace tidemark::storage::copy

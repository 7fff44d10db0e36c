#include "tools/cli/transfer/prometheus/block.h"

#include <fmt/core.h>
#include <simdjson.h>

#include <algorithm>
#include <filesystem>
#include <utility>

#include "storage/base/bytes.h"
#include "tools/cli/transfer/prometheus/crc32c.h"

namespace tidemark::cli::prometheus {
namespace {

constexpr uint32_t kIndexMagic = 0xbaaad700;
constexpr uint32_t kChunksMagic = 0x85bd40dd;
constexpr uint32_t kTombstonesMagic = 0x0130ba30;
constexpr size_t kIndexVersionAt = 4;
constexpr size_t kTocBytes = 6 * 8;
constexpr size_t kCrcBytes = 4;
constexpr size_t kSeriesAlign = 16;

// A section that has its length in four bytes in front and its checksum behind.
Result<std::string_view> Section(std::string_view file, uint64_t offset) {
  if (offset > file.size() || file.size() - offset < 4) return Corruption("a section lies behind the end");
  const uint64_t size = LoadBig<uint32_t>(file.data() + offset);
  if (size + kCrcBytes > file.size() - offset - 4) return Corruption("a section lies behind the end");
  const std::string_view bytes = file.substr(offset + 4, size);
  if (Crc32c(bytes) != LoadBig<uint32_t>(bytes.data() + size)) return Corruption("a checksum does not agree");
  return bytes;
}

}  // namespace

bool Hides(const std::vector<Interval>& intervals, int64_t time_ms) {
  return std::any_of(intervals.begin(), intervals.end(), [time_ms](const Interval& interval) {
    return interval.first_ms <= time_ms && time_ms <= interval.last_ms;
  });
}

Result<Tombstones> ReadTombstoneFile(const std::string& folder) {
  Tombstones out;
  const std::string path = folder + "/tombstones";
  Result<std::unique_ptr<MappedFile>> file = MappedFile::Open(path);
  if (!file.ok() && file.error().code == ErrorCode::kNotFound) return out;
  if (!file.ok()) return file.error();
  const std::string_view bytes = (*file)->bytes();
  constexpr size_t kHead = 5;
  if (bytes.size() < kHead + kCrcBytes || LoadBig<uint32_t>(bytes.data()) != kTombstonesMagic || bytes[4] != 1) {
    return Corruption(fmt::format("{}: it is no file of tombstones of format 1", path));
  }
  const std::string_view body = bytes.substr(kHead, bytes.size() - kHead - kCrcBytes);
  if (Crc32c(body) != LoadBig<uint32_t>(body.data() + body.size())) {
    return Corruption(fmt::format("{}: the checksum does not agree", path));
  }
  ByteReader in(body);
  while (!in.empty()) {
    const uint64_t series = in.Varint();
    const int64_t first = in.SignedVarint();
    const int64_t last = in.SignedVarint();
    out[series].push_back({first, last});
  }
  if (!in.ok()) return Corruption(fmt::format("{}: it ends early", path));
  return out;
}

Result<std::unique_ptr<Block>> Block::Open(const std::string& folder) {
  std::unique_ptr<Block> block(new Block());
  block->name_ = std::filesystem::path(folder).filename();
  const auto read = [&]() -> Status {
    TM_RETURN_IF_ERROR(block->ReadMeta(folder));
    TM_RETURN_IF_ERROR(block->ReadIndex(folder));
    TM_TRY_ASSIGN(block->tombstones_, ReadTombstoneFile(folder));
    return block->OpenChunks(folder);
  };
  if (const Status good = read(); !good.ok()) return good.error().Within(folder);
  return block;
}

Status Block::ReadMeta(const std::string& folder) {
  simdjson::dom::parser parser;
  simdjson::dom::element meta;
  if (parser.load(folder + "/meta.json").get(meta) != simdjson::SUCCESS ||
      meta["maxTime"].get(end_ms_) != simdjson::SUCCESS) {
    return Corruption("meta.json is missing, or says no maxTime");
  }
  return {};
}

Status Block::ReadIndex(const std::string& folder) {
  TM_TRY_ASSIGN(index_, MappedFile::Open(folder + "/index"));
  const std::string_view bytes = index_->bytes();
  if (bytes.size() < kIndexVersionAt + 1 + kTocBytes + kCrcBytes || LoadBig<uint32_t>(bytes.data()) != kIndexMagic) {
    return Corruption("index: it is no index");
  }
  if (bytes[kIndexVersionAt] != 2) {
    return Unsupported(fmt::format("index: it has format {}, this program reads 2, which Prometheus writes since 2.1",
                                   static_cast<int>(bytes[kIndexVersionAt])));
  }
  const std::string_view toc = bytes.substr(bytes.size() - kTocBytes - kCrcBytes, kTocBytes);
  if (Crc32c(toc) != LoadBig<uint32_t>(toc.data() + kTocBytes)) {
    return Corruption("index: the checksum of its table of contents does not agree");
  }
  // Symbols, series, label indices, their table, postings, their table.
  TM_RETURN_IF_ERROR(ReadSymbols(LoadBig<uint64_t>(toc.data())));
  return ReadAllPostings(LoadBig<uint64_t>(toc.data() + 5 * sizeof(uint64_t)));
}

Status Block::ReadSymbols(uint64_t offset) {
  TM_TRY_ASSIGN(const std::string_view section, Section(index_->bytes(), offset));
  ByteReader in(section);
  const auto count = in.Big<uint32_t>();
  symbols_.reserve(std::min<size_t>(count, section.size()));
  for (uint32_t i = 0; i < count && in.ok(); ++i) symbols_.push_back(in.String());
  return in.ok() ? Status() : Corruption("index: the symbols end early");
}

Status Block::ReadAllPostings(uint64_t table) {
  TM_TRY_ASSIGN(const std::string_view section, Section(index_->bytes(), table));
  ByteReader in(section);
  const auto entries = in.Big<uint32_t>();
  for (uint32_t i = 0; i < entries && in.ok(); ++i) {
    const uint64_t names = in.Varint();
    const std::string_view name = in.String();
    const std::string_view value = in.String();
    const uint64_t offset = in.Varint();
    if (names != 2 || !name.empty() || !value.empty()) continue;
    TM_TRY_ASSIGN(const std::string_view list, Section(index_->bytes(), offset));
    ByteReader postings(list);
    const auto count = postings.Big<uint32_t>();
    for (uint32_t one = 0; one < count && postings.ok(); ++one) series_.push_back(postings.Big<uint32_t>());
    return postings.ok() ? Status() : Corruption("index: the list of series ends early");
  }
  return in.ok() ? Status() : Corruption("index: the table of postings ends early");
}

Status Block::OpenChunks(const std::string& folder) {
  for (int number = 1;; ++number) {
    Result<std::unique_ptr<MappedFile>> file = MappedFile::Open(fmt::format("{}/chunks/{:06}", folder, number));
    if (!file.ok() && file.error().code == ErrorCode::kNotFound) return {};
    if (!file.ok()) return file.error();
    const std::string_view bytes = (*file)->bytes();
    if (bytes.size() < 8 || LoadBig<uint32_t>(bytes.data()) != kChunksMagic || bytes[4] != 1) {
      return Corruption(fmt::format("chunks/{:06}: it is no file of chunks of format 1", number));
    }
    chunks_.push_back(std::move(file).value());
  }
}

Result<std::string_view> Block::Entry(uint64_t offset) const {
  const std::string_view bytes = index_->bytes();
  if (offset >= bytes.size()) return Corruption("index: a series lies behind the end");
  ByteReader in(bytes.substr(offset));
  const std::string_view entry = in.String();
  const auto crc = in.Big<uint32_t>();
  if (!in.ok() || Crc32c(entry) != crc) return Corruption("index: the checksum of a series does not agree");
  return entry;
}

namespace {

Status TakeLabels(ByteReader* in, const std::vector<std::string_view>& symbols, model::Labels* labels) {
  const uint64_t count = in->Varint();
  for (uint64_t i = 0; i < count && in->ok(); ++i) {
    const uint64_t name = in->Varint();
    const uint64_t value = in->Varint();
    if (name >= symbols.size() || value >= symbols.size())
      return Corruption("index: a series has a symbol that is none");
    if (labels != nullptr) labels->push_back({std::string(symbols[name]), std::string(symbols[value])});
  }
  return {};
}

}  // namespace

Status Block::ReadLabels(size_t at, model::Labels* labels) const {
  labels->clear();
  TM_TRY_ASSIGN(const std::string_view entry, Entry(uint64_t{series_[at]} * kSeriesAlign));
  ByteReader in(entry);
  TM_RETURN_IF_ERROR(TakeLabels(&in, symbols_, labels));
  return in.ok() ? Status() : Corruption("index: a series ends early");
}

Status Block::ReadSamples(size_t at, std::vector<Sample>* samples, NotTaken* not_taken) const {
  samples->clear();
  TM_TRY_ASSIGN(const std::string_view entry, Entry(uint64_t{series_[at]} * kSeriesAlign));
  ByteReader in(entry);
  TM_RETURN_IF_ERROR(TakeLabels(&in, symbols_, nullptr));
  const uint64_t count = in.Varint();
  uint64_t ref = 0;
  for (uint64_t i = 0; i < count && in.ok(); ++i) {
    // The first and the last time, which its samples tell too: as they are, then as differences.
    static_cast<void>(in.Varint());
    static_cast<void>(in.Varint());
    ref = i == 0 ? in.Varint() : ref + static_cast<uint64_t>(in.SignedVarint());
    if (in.ok()) TM_RETURN_IF_ERROR(ReadChunk(ref, samples, not_taken));
  }
  if (!in.ok()) return Corruption("index: a series ends early");
  const auto hidden = tombstones_.find(series_[at]);
  if (hidden == tombstones_.end()) return {};
  not_taken->deleted +=
      std::erase_if(*samples, [&](const Sample& sample) { return Hides(hidden->second, sample.time_ms); });
  return {};
}

Status Block::ReadChunk(uint64_t ref, std::vector<Sample>* samples, NotTaken* not_taken) const {
  const uint64_t file = ref >> 32U;
  const uint64_t offset = ref & 0xffffffffU;
  if (file >= chunks_.size()) return NotFound(fmt::format("chunks/{:06}: it is missing", file + 1));
  const std::string_view bytes = chunks_[file]->bytes();
  const auto damaged = [&](std::string_view what) {
    return Corruption(fmt::format("chunks/{:06}: the chunk at {} {}", file + 1, offset, what));
  };
  if (offset >= bytes.size()) return damaged("lies behind the end");
  ByteReader in(bytes.substr(offset));
  const uint64_t size = in.Varint();
  if (size >= bytes.size()) return damaged("lies behind the end");
  const std::string_view chunk = in.Bytes(size + 1);
  const auto crc = in.Big<uint32_t>();
  if (!in.ok()) return damaged("lies behind the end");
  if (Crc32c(chunk) != crc) return damaged("is damaged: its checksum does not agree");
  const std::string_view data = chunk.substr(1);
  switch (static_cast<Encoding>(chunk[0])) {
    case Encoding::kXor:
      if (const Status read = ReadXorChunk(data, samples); !read.ok())
        return damaged("is damaged: " + read.error().message);
      return {};
    case Encoding::kHistogram:
    case Encoding::kFloatHistogram: not_taken->histograms += SamplesIn(data); return {};
    case Encoding::kNone: break;
  }
  ++not_taken->unknown;
  return {};
}

}  // namespace tidemark::cli::prometheus

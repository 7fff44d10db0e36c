#include "tools/cli/transfer/prometheus/wal.h"

#include <fmt/core.h>
#include <snappy.h>
#include <zstd.h>

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <optional>
#include <system_error>
#include <utility>

#include "storage/base/bytes.h"
#include "tools/cli/transfer/prometheus/crc32c.h"
#include "tools/cli/transfer/prometheus/mapped_file.h"

namespace tidemark::cli::prometheus {
namespace {

namespace fs = std::filesystem;

constexpr size_t kPageBytes = 32 << 10;
constexpr size_t kHeadBytes = 7;  // type, length, checksum
constexpr uint8_t kPartMask = 7;
constexpr uint8_t kSnappy = 8;
constexpr uint8_t kZstd = 16;
constexpr size_t kRecordBytesMax = size_t{256} << 20;
constexpr std::string_view kCheckpoint = "checkpoint.";

// What part of a record a fragment is.
enum Part : uint8_t { kPageEnd = 0, kFull = 1, kFirst = 2, kMiddle = 3, kLast = 4 };
// Of records, in their first byte.
enum Record : uint8_t {
  kSeries = 1,
  kSamples = 2,
  kTombstones = 3,
  kExemplars = 4,
  kMmapMarkers = 5,
  kMetadata = 6,
  kHistograms = 7,
  kFloatHistograms = 8,
};

// Files named by a number alone, ascending.
Result<std::vector<std::pair<uint64_t, std::string>>> Numbered(const std::string& folder) {
  std::vector<std::pair<uint64_t, std::string>> out;
  std::error_code error;
  for (fs::directory_iterator at(folder, error), end; !error && at != end; at.increment(error)) {
    const std::string name = at->path().filename();
    uint64_t number = 0;
    const auto [stop, failed] = std::from_chars(name.data(), name.data() + name.size(), number);
    if (failed == std::errc() && stop == name.data() + name.size()) out.emplace_back(number, at->path());
  }
  if (error) return IoError(fmt::format("{}: {}", folder, error.message()));
  std::sort(out.begin(), out.end());
  for (size_t i = 1; i < out.size(); ++i) {
    if (out[i].first != out[i - 1].first + 1) {
      return Corruption(fmt::format("{}: the file in front of {:08} is missing", folder, out[i].first));
    }
  }
  return out;
}

Status ReadSamples(ByteReader* in, const WalSink& sink) {
  if (in->empty()) return {};
  // Differences, which may go down: sums modulo 2^64.
  const auto series = in->Big<uint64_t>();
  const auto time_ms = in->Big<uint64_t>();
  while (!in->empty()) {
    const uint64_t own = series + static_cast<uint64_t>(in->SignedVarint());
    const uint64_t own_ms = time_ms + static_cast<uint64_t>(in->SignedVarint());
    const auto bits = in->Big<uint64_t>();
    if (in->ok() && sink.on_sample) {
      TM_RETURN_IF_ERROR(sink.on_sample(own, {static_cast<int64_t>(own_ms), bits}));
    }
  }
  return {};
}

void ReadSeries(ByteReader* in, const WalSink& sink) {
  while (!in->empty()) {
    const auto series = in->Big<uint64_t>();
    model::Labels labels;
    const uint64_t count = in->Varint();
    for (uint64_t i = 0; i < count && in->ok(); ++i) {
      std::string name(in->String());
      labels.push_back({std::move(name), std::string(in->String())});
    }
    if (in->ok() && sink.on_series) sink.on_series(series, std::move(labels));
  }
}

// Histogram records begin as those of samples; how many there are is not told without reading them, so each record
// counts.
Status TakeRecord(std::string_view record, const WalSink& sink) {
  ByteReader in(record.substr(1));
  switch (static_cast<Record>(record[0])) {
    case kSeries: ReadSeries(&in, sink); break;
    case kSamples: TM_RETURN_IF_ERROR(ReadSamples(&in, sink)); break;
    case kTombstones:
      while (!in.empty()) {
        const auto series = in.Big<uint64_t>();
        const int64_t first = in.SignedVarint();
        const int64_t last = in.SignedVarint();
        if (in.ok() && sink.on_tombstone) sink.on_tombstone(series, {first, last});
      }
      break;
    // What belongs to samples and is none, and marks of other files.
    case kExemplars:
    case kMmapMarkers:
    case kMetadata: break;
    case kHistograms:
    case kFloatHistograms:
      if (sink.not_taken != nullptr) ++sink.not_taken->histograms;
      break;
    default:
      if (sink.not_taken != nullptr) ++sink.not_taken->unknown;
  }
  return in.ok() ? Status() : Corruption("a record ends early");
}

// Puts the fragments of records together.
class Reader {
 public:
  explicit Reader(std::string_view bytes) : bytes_(bytes) {}

  // The next record, valid until the next call; nothing at the end.
  Result<std::optional<std::string_view>> Next() {
    whole_.clear();
    bool within = false;
    while (bytes_.size() - at_ >= kHeadBytes) {
      const auto head = static_cast<uint8_t>(bytes_[at_]);
      const uint8_t part = head & kPartMask;
      if (part == kPageEnd) {
        // The rest of the page is empty.
        at_ = std::min(bytes_.size(), (at_ / kPageBytes + 1) * kPageBytes);
        continue;
      }
      const size_t size = LoadBig<uint16_t>(bytes_.data() + at_ + 1);
      const auto crc = LoadBig<uint32_t>(bytes_.data() + at_ + 3);
      if (size > bytes_.size() - at_ - kHeadBytes) return Torn("a record reaches behind the end");
      const std::string_view data = bytes_.substr(at_ + kHeadBytes, size);
      if (Crc32c(data) != crc) return Torn("a checksum does not agree");
      const bool begins = part == kFull || part == kFirst;
      if (part > kLast || begins == within) return Torn("a part of a record is missing");
      at_ += kHeadBytes + size;
      whole_ += data;
      if (whole_.size() > kRecordBytesMax) return Torn("a record is too long");
      within = true;
      if (part == kFull || part == kLast) return Unpack(head);
    }
    if (within) return Torn("the last record is not whole");
    return std::nullopt;
  }
  [[nodiscard]] size_t at() const { return at_; }
  // Bytes from there on, without the zeros at the end of the file.
  [[nodiscard]] size_t BytesFrom(size_t at) const {
    const size_t last = bytes_.find_last_not_of('\0');
    return last == std::string_view::npos || last < at ? 0 : last + 1 - at;
  }
  [[nodiscard]] bool at_end() const { return torn_at_end_; }

 private:
  // Whether nothing but zeros follows the page at hand, so that it is what a crash leaves.
  Error Torn(std::string_view what) {
    torn_at_end_ = bytes_.find_first_not_of('\0', std::min(bytes_.size(), (at_ / kPageBytes + 1) * kPageBytes)) ==
                   std::string_view::npos;
    return Corruption(std::string(what));
  }

  Result<std::optional<std::string_view>> Unpack(uint8_t head) {
    if ((head & kSnappy) != 0) {
      if (!snappy::Uncompress(whole_.data(), whole_.size(), &unpacked_))
        return Corruption("a record cannot be unpacked");
      return unpacked_;
    }
    if ((head & kZstd) == 0) return whole_;
    const unsigned long long size = ZSTD_getFrameContentSize(whole_.data(), whole_.size());
    if (size > kRecordBytesMax) return Corruption("a record cannot be unpacked");
    unpacked_.resize(size);
    const size_t got = ZSTD_decompress(unpacked_.data(), unpacked_.size(), whole_.data(), whole_.size());
    if (ZSTD_isError(got) != 0) return Corruption("a record cannot be unpacked");
    unpacked_.resize(got);
    return unpacked_;
  }

  const std::string_view bytes_;
  size_t at_ = 0;
  std::string whole_;
  std::string unpacked_;
  bool torn_at_end_ = false;
};

}  // namespace

Result<std::vector<std::string>> WalFiles(const std::string& folder) {
  std::vector<std::string> out;
  std::error_code error;
  if (!fs::is_directory(folder, error)) return out;
  std::optional<uint64_t> newest;
  std::string checkpoint;
  for (fs::directory_iterator at(folder, error), end; !error && at != end; at.increment(error)) {
    const std::string name = at->path().filename();
    uint64_t number = 0;
    if (!name.starts_with(kCheckpoint)) continue;
    const char* const begin = name.data() + kCheckpoint.size();
    // One that is being made has .tmp behind it.
    const auto [stop, failed] = std::from_chars(begin, name.data() + name.size(), number);
    if (failed != std::errc() || stop != name.data() + name.size() || (newest && number < *newest)) continue;
    newest = number;
    checkpoint = at->path();
  }
  if (error) return IoError(fmt::format("{}: {}", folder, error.message()));
  if (newest) {
    TM_TRY_ASSIGN(const auto files, Numbered(checkpoint));
    for (const auto& [number, path] : files) out.push_back(path);
  }
  TM_TRY_ASSIGN(const auto files, Numbered(folder));
  for (const auto& [number, path] : files) {
    if (!newest || number > *newest) out.push_back(path);
  }
  return out;
}

Status ReadWalFile(const std::string& path, bool last, const WalSink& sink) {
  TM_TRY_ASSIGN(const std::unique_ptr<MappedFile> file, MappedFile::Open(path));
  Reader reader(file->bytes());
  for (;;) {
    const size_t at = reader.at();
    const Result<std::optional<std::string_view>> record = reader.Next();
    const auto here = [&](const Error& error) { return error.Within(fmt::format("{}: at byte {}", path, at)); };
    if (!record.ok()) {
      if (!last || !reader.at_end()) return here(record.error());
      if (sink.not_taken != nullptr) sink.not_taken->torn_bytes += reader.BytesFrom(at);
      return {};
    }
    if (!record->has_value()) {
      // Less than the head of a record.
      const size_t rest = reader.BytesFrom(reader.at());
      if (rest > 0 && !last) return here(Corruption("a record ends early"));
      if (sink.not_taken != nullptr) sink.not_taken->torn_bytes += rest;
      return {};
    }
    if ((*record)->empty()) return here(Corruption("a record is empty"));
    if (const Status taken = TakeRecord(**record, sink); !taken.ok()) return here(taken.error());
  }
}

}  // namespace tidemark::cli::prometheus

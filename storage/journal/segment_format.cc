#include "storage/journal/segment_format.h"

#include <algorithm>
#include <cstring>

#include "storage/base/bytes.h"
#include "storage/base/hash.h"

namespace tidemark::journal {
namespace {

constexpr std::string_view kMagic = "TMJOURNL";

// Of the fields of a record's header that stand before its checksum. Never 0, which old records have.
uint32_t HeaderSum(uint32_t size, uint64_t sequence, uint64_t durable, uint64_t salt) {
  char fields[20];
  std::memcpy(fields, &size, 4);
  std::memcpy(fields + 4, &sequence, 8);
  std::memcpy(fields + 12, &durable, 8);
  const auto sum = static_cast<uint32_t>(Hash64({fields, sizeof fields}, salt));
  return sum == 0 ? 1 : sum;
}

bool HeaderIsWhole(const char* record, uint64_t salt) {
  return LoadLittle<uint32_t>(record + 4) == HeaderSum(LoadLittle<uint32_t>(record), LoadLittle<uint64_t>(record + 8),
                                                       LoadLittle<uint64_t>(record + 16), salt);
}

}  // namespace

uint64_t SegmentLengthFor(uint64_t bytes, uint64_t capacity) {
  if (bytes <= kFirstSegmentBytes) return std::min(kFirstSegmentBytes, capacity);
  const uint64_t steps = (bytes - kFirstSegmentBytes + kSegmentStepBytes - 1) / kSegmentStepBytes;
  return std::min(kFirstSegmentBytes + steps * kSegmentStepBytes, capacity);
}

bool SegmentHeader::MayBeLong(uint64_t bytes) const {
  return capacity == 0 || (bytes <= capacity && SegmentLengthFor(bytes, capacity) == bytes);
}

std::string SegmentHeader::Encode() const {
  std::string out(kMagic);
  PutLittle<uint32_t>(&out, kJournalFormatVersion);
  PutLittle<uint32_t>(&out, kSegmentHeaderBytes);
  PutLittle<uint64_t>(&out, number);
  PutLittle<uint64_t>(&out, first_sequence);
  PutLittle<uint64_t>(&out, previous_durable);
  PutLittle<uint64_t>(&out, salt);
  PutLittle<uint64_t>(&out, capacity);
  PutLittle<uint64_t>(&out, Hash64(out, 0));
  return out;
}

std::optional<SegmentHeader> SegmentHeader::Decode(std::string_view bytes, uint32_t* version) {
  *version = 0;
  if (bytes.size() < kSegmentHeaderBytes || !bytes.starts_with(kMagic)) return std::nullopt;
  if (LoadLittle<uint64_t>(bytes.data() + 56) != Hash64(bytes.substr(0, 56), 0)) return std::nullopt;
  *version = LoadLittle<uint32_t>(bytes.data() + 8);
  if (*version != kJournalFormatVersion) return std::nullopt;
  SegmentHeader header;
  header.number = LoadLittle<uint64_t>(bytes.data() + 16);
  header.first_sequence = LoadLittle<uint64_t>(bytes.data() + 24);
  header.previous_durable = LoadLittle<uint64_t>(bytes.data() + 32);
  header.salt = LoadLittle<uint64_t>(bytes.data() + 40);
  header.capacity = LoadLittle<uint64_t>(bytes.data() + 48);
  return header;
}

uint64_t SealRecord(char* record, size_t payload, uint64_t sequence, uint64_t durable, uint64_t salt) {
  const auto size = static_cast<uint32_t>(payload);
  const uint32_t sum = HeaderSum(size, sequence, durable, salt);
  std::memcpy(record, &size, 4);
  std::memcpy(record + 4, &sum, 4);
  std::memcpy(record + 8, &sequence, 8);
  std::memcpy(record + 16, &durable, 8);
  // The checksum covers the header before it and the payload; hashing it last keeps one pass over the bytes.
  const uint64_t of_payload = Hash64({record + kRecordHeaderBytes, payload}, salt);
  const uint64_t checksum = Hash64({record, 24}, of_payload);
  std::memcpy(record + 24, &checksum, 8);
  return checksum;
}

std::optional<RecordView> ReadRecord(std::string_view segment, size_t offset, uint64_t salt) {
  if (offset > segment.size() || segment.size() - offset < kRecordHeaderBytes) return std::nullopt;
  const char* const record = segment.data() + offset;
  const auto size = LoadLittle<uint32_t>(record);
  RecordView view{
      LoadLittle<uint64_t>(record + 8), LoadLittle<uint64_t>(record + 16), LoadLittle<uint64_t>(record + 24), {}};
  if (view.sequence == 0 || size > segment.size() - offset - kRecordHeaderBytes) return std::nullopt;
  view.payload = {record + kRecordHeaderBytes, size};
  if (view.checksum != Hash64({record, 24}, Hash64(view.payload, salt))) return std::nullopt;
  return view;
}

std::optional<Checksums> ChecksumsAt(std::string_view segment, size_t offset, uint64_t salt) {
  if (offset > segment.size() || segment.size() - offset < kRecordHeaderBytes) return std::nullopt;
  const char* const record = segment.data() + offset;
  const auto size = LoadLittle<uint32_t>(record);
  if (LoadLittle<uint64_t>(record + 8) == 0 || size > segment.size() - offset - kRecordHeaderBytes) return std::nullopt;
  const uint64_t of_payload = Hash64({record + kRecordHeaderBytes, size}, salt);
  return Checksums{LoadLittle<uint64_t>(record + 24), Hash64({record, 24}, of_payload)};
}

std::optional<size_t> FindProofOfLoss(std::string_view segment, size_t offset, uint64_t expected, uint64_t salt) {
  for (size_t at = offset; at + kRecordHeaderBytes <= segment.size(); at += 8) {
    // Cheap tests first: nearly all of what lies behind the end is zeros.
    const auto sequence = LoadLittle<uint64_t>(segment.data() + at + 8);
    if (sequence <= expected || LoadLittle<uint64_t>(segment.data() + at + 16) < expected) continue;
    const std::optional<RecordView> record = ReadRecord(segment, at, salt);
    if (record) return at;
  }
  return std::nullopt;
}

TailKind ClassifyTail(std::string_view segment, const SegmentHeader& header, size_t offset, uint64_t expected) {
  constexpr size_t kSectorBytes = 512;
  constexpr size_t kChecksumOffset = 24;
  const auto zeros = [&](size_t begin, size_t end) {
    return segment.substr(begin, end - begin).find_first_not_of('\0') == std::string_view::npos;
  };
  if (offset >= segment.size()) return TailKind::kEnd;
  const size_t header_end = std::min(segment.size(), offset + kRecordHeaderBytes);
  if (zeros(offset, header_end)) return TailKind::kEnd;
  if (header_end - offset < kRecordHeaderBytes) return TailKind::kTorn;
  if (header.capacity != 0 && !HeaderIsWhole(segment.data() + offset, header.salt)) {
    // A write that ended within the header left no checksum; one of which a sector is missing left that empty.
    const size_t border = (offset / kSectorBytes + 1) * kSectorBytes;
    const bool half_gone = border < header_end && (zeros(offset, border) || zeros(border, header_end));
    return half_gone || zeros(offset + kChecksumOffset, header_end) ? TailKind::kTorn : TailKind::kDamaged;
  }
  const auto size = LoadLittle<uint32_t>(segment.data() + offset);
  const bool right_place = LoadLittle<uint64_t>(segment.data() + offset + 8) == expected;
  // A size that is wrong says nothing of where the record ends; its header is all that can be looked at then.
  const bool ends_inside = size <= segment.size() - header_end;
  const size_t end = right_place && ends_inside ? header_end + size : header_end;
  if (right_place && !ends_inside) return TailKind::kTorn;
  for (size_t at = offset; at < end;) {
    const size_t next = std::min(end, (at / kSectorBytes + 1) * kSectorBytes);
    if (zeros(at, next)) return TailKind::kTorn;
    at = next;
  }
  // Where writes end within sectors, the last byte is what is missing first.
  if (zeros(end - 1, end)) return TailKind::kTorn;
  return TailKind::kDamaged;
}

}  // namespace tidemark::journal

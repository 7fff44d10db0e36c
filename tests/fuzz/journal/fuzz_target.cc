// What a start reads of the journal. The first byte says what the others are:
//   h  a segment's header, whose checksum is put right first
//   s  the records of a segment, as they are; S with their checksums put right, so that the fuzzer gets past them
//   b  the rows of a record (EncodeBatch)
// A scan stays inside the segment, counts without gaps, and finds what reading record by record finds; rows that decode
// are the same when they are encoded again.
#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "storage/base/bytes.h"
#include "storage/base/check.h"
#include "storage/base/hash.h"
#include "storage/journal/batch_record.h"
#include "storage/journal/journal_scan.h"
#include "storage/journal/segment_format.h"
#include "storage/model/batch.h"

namespace tidemark::journal {
namespace {

constexpr uint64_t kSalt = 0x5a17;

void RunHeader(std::string bytes) {
  bytes.resize(std::max<size_t>(bytes.size(), kSegmentHeaderBytes));
  bytes.replace(0, 8, "TMJOURNL");
  std::string checksum;
  PutLittle<uint64_t>(&checksum, Hash64(std::string_view(bytes).substr(0, 56), 0));
  bytes.replace(56, 8, checksum);
  uint32_t version = 0;
  const auto header = SegmentHeader::Decode(bytes, &version);
  TM_CHECK(header.has_value() == (version == kJournalFormatVersion));
  if (!header) return;
  const auto again = SegmentHeader::Decode(header->Encode(), &version);
  TM_CHECK(again && again->number == header->number && again->first_sequence == header->first_sequence);
  TM_CHECK(again->previous_durable == header->previous_durable && again->salt == header->salt);
  TM_CHECK(again->capacity == header->capacity);
}

// Puts right the checksum of every record that fits, from the first on.
void SealAll(std::string* segment) {
  for (size_t at = kSegmentHeaderBytes; at + kRecordHeaderBytes <= segment->size();) {
    const auto payload = LoadLittle<uint32_t>(segment->data() + at);
    if (payload > segment->size() - at - kRecordHeaderBytes) return;
    const auto sequence = LoadLittle<uint64_t>(segment->data() + at + 8);
    const auto durable = LoadLittle<uint64_t>(segment->data() + at + 16);
    SealRecord(segment->data() + at, payload, sequence, durable, kSalt);
    at += RecordBytes(payload);
  }
}

void RunSegment(std::string_view records, bool sealed) {
  SegmentHeader header;
  header.number = 1;
  header.first_sequence = 1;
  header.salt = kSalt;
  header.capacity = sealed ? kFirstSegmentBytes : 0;
  std::string segment = header.Encode() + std::string(records);
  if (sealed) SealAll(&segment);

  size_t at = kSegmentHeaderBytes;
  uint64_t next = 1;
  for (;; ++next) {
    const auto record = ReadRecord(segment, at, kSalt);
    if (!record || record->sequence != next) break;
    at += RecordBytes(record->payload.size());
  }
  for (const bool newest : {true, false}) {
    uint64_t applied = 0;
    const RecordFn count = [&](uint64_t sequence, std::string_view payload) -> Result<void> {
      TM_CHECK(sequence == ++applied && payload.data() >= segment.data());
      TM_CHECK(payload.data() + payload.size() <= segment.data() + segment.size());
      return {};
    };
    const SegmentScan scan = ScanSegment(segment, header, newest, newest ? UINT64_MAX : next + 1, 1, count);
    TM_CHECK(applied == scan.next - 1 && scan.next == next && scan.offset == at);
    TM_CHECK(!scan.proof || *scan.proof < segment.size());
  }
  for (size_t offset = 0; offset <= segment.size(); offset += 8) {
    static_cast<void>(ClassifyTail(segment, header, offset, next));
    static_cast<void>(ChecksumsAt(segment, offset, kSalt));
  }
}

bool SameValue(const DecodedBatch& a, size_t at, const DecodedBatch& b, size_t b_at, model::FieldType type) {
  if (type == model::FieldType::kString) {
    return a.strings[static_cast<size_t>(a.values[at])] == b.strings[static_cast<size_t>(b.values[b_at])];
  }
  if (type != model::FieldType::kFloat) return a.values[at] == b.values[b_at];
  return std::bit_cast<int64_t>(model::FloatOf(a.values[at], a.scales[at])) ==
         std::bit_cast<int64_t>(model::FloatOf(b.values[b_at], b.scales[b_at]));
}

// Whether all floats with a scale are mantissas, as in a batch that somebody wrote.
bool HasMantissas(const DecodedBatch& batch) {
  for (size_t i = 0; i < batch.values.size(); ++i) {
    if (batch.scales[i] == 0 || batch.scales[i] == model::kBinaryScale) continue;
    if (batch.values[i] >= int64_t{1} << 53 || batch.values[i] <= -(int64_t{1} << 53)) return false;
  }
  return true;
}

void RunBatch(std::string_view bytes) {
  DecodedBatch batch;
  if (!DecodeBatch(bytes, &batch).ok()) return;
  for (const model::ResolvedRow& row : batch.rows) {
    TM_CHECK(row.shape < batch.shapes.size());
    TM_CHECK(row.first_value + batch.shapes[row.shape].fields.size() <= batch.values.size());
  }
  if (!HasMantissas(batch)) return;
  std::string encoded;
  EncodeBatch(batch.View(), &encoded);
  DecodedBatch again;
  TM_CHECK(DecodeBatch(encoded, &again).ok());
  TM_CHECK(again.rows.size() == batch.rows.size() && again.database == batch.database);
  for (size_t i = 0; i < batch.rows.size(); ++i) {
    const model::ResolvedRow& row = batch.rows[i];
    TM_CHECK(again.rows[i].series == row.series && again.rows[i].time == row.time && again.rows[i].shape == row.shape);
    const auto& fields = batch.shapes[row.shape].fields;
    for (size_t f = 0; f < fields.size(); ++f) {
      TM_CHECK(SameValue(batch, row.first_value + f, again, again.rows[i].first_value + f, fields[f].type));
    }
  }
}

}  // namespace
}  // namespace tidemark::journal

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace tidemark::journal;
  if (size == 0) return 0;
  const std::string_view input(reinterpret_cast<const char*>(data) + 1, size - 1);
  switch (data[0]) {
    case 'h': RunHeader(std::string(input)); break;
    case 's': RunSegment(input, false); break;
    case 'S': RunSegment(input, true); break;
    case 'b': RunBatch(input); break;
    default: break;
  }
  return 0;
}

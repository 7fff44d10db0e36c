// What a start reads of `meta`, and the journal's records. The first byte says which: s store, d database, e epoch,
// m mask, p page directory, l series list, each with its checksum put right first; k what a deletion says, j a record
// of the journal. What decodes is encoded to what decodes to the same.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "storage/base/check.h"
#include "storage/database/journal_record.h"
#include "storage/meta/mask_spec.h"
#include "storage/meta/meta_records.h"
#include "storage/partition/page_directory.h"
#include "storage/partition/series_list.h"

namespace tidemark::storage {
namespace {

template <typename Decode, typename EncodeAgain, typename Same>
void RoundTrip(std::string_view bytes, const Decode& decode, const EncodeAgain& encode, const Same& same) {
  const auto record = decode(bytes);
  if (!record.ok()) {
    TM_CHECK(!record.error().message.empty());
    return;
  }
  const std::string encoded = encode(*record);
  const auto again = decode(encoded);
  TM_CHECK(again.ok() && same(*again, *record));
}

constexpr auto kEqual = [](const auto& a, const auto& b) { return a == b; };
constexpr auto kEncode = [](const auto& record) { return Encode(record); };
constexpr auto kEncodeMember = [](const auto& record) { return record.Encode(); };
// For what has no comparison: its bytes.
constexpr auto kSameBytes = [](const auto& a, const auto& b) { return a.Encode() == b.Encode(); };

void Run(char kind, std::string_view input) {
  std::string sealed(input);
  meta::Seal(&sealed);
  switch (kind) {
    case 's': return RoundTrip(sealed, meta::DecodeStoreRecord, kEncode, kEqual);
    case 'd': return RoundTrip(sealed, meta::DecodeDatabaseRecord, kEncode, kEqual);
    case 'e': return RoundTrip(sealed, meta::DecodeEpochRecord, kEncode, kEqual);
    case 'm': return RoundTrip(sealed, meta::DecodeMaskRecord, kEncode, kEqual);
    case 'p': return RoundTrip(sealed, partition::PageDirectory::Decode, kEncodeMember, kSameBytes);
    case 'l': return RoundTrip(sealed, partition::SeriesList::Decode, kEncodeMember, kSameBytes);
    case 'k': return RoundTrip(input, meta::DecodeMaskSpec, meta::EncodeMaskSpec, kEqual);
    case 'j': {
      const auto encode = [](const database::JournalRecord& record) {
        std::string out;
        database::EncodeRecord(record, &out);
        return out;
      };
      return RoundTrip(input, database::DecodeRecord, encode, kEqual);
    }
    default: break;
  }
}

}  // namespace
}  // namespace tidemark::storage

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  tidemark::storage::Run(static_cast<char>(data[0]), {reinterpret_cast<const char*>(data) + 1, size - 1});
  return 0;
}

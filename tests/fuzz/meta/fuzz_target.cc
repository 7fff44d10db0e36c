// What a start reads of `meta`, and the journal's records. The first byte says which: s store, d database, e epoch,
// m mask, p page directory, l series list, each with its checksum put right first; k what a deletion says, j a record
// of the journal. What decodes is encoded to what decodes to the same.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "storage/base/check.h"
#include "storage/engine/journal_record.h"
#include "storage/engine/mask_spec.h"
#include "storage/engine/meta_records.h"
#include "storage/engine/page_directory.h"
#include "storage/engine/series_list.h"

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
  Seal(&sealed);
  switch (kind) {
    case 's': return RoundTrip(sealed, DecodeStoreRecord, kEncode, kEqual);
    case 'd': return RoundTrip(sealed, DecodeDatabaseRecord, kEncode, kEqual);
    case 'e': return RoundTrip(sealed, DecodeEpochRecord, kEncode, kEqual);
    case 'm': return RoundTrip(sealed, DecodeMaskRecord, kEncode, kEqual);
    case 'p': return RoundTrip(sealed, PageDirectory::Decode, kEncodeMember, kSameBytes);
    case 'l': return RoundTrip(sealed, SeriesList::Decode, kEncodeMember, kSameBytes);
    case 'k': return RoundTrip(input, DecodeMaskSpec, EncodeMaskSpec, kEqual);
    case 'j': {
      const auto encode = [](const JournalRecord& record) {
        std::string out;
        EncodeRecord(record, &out);
        return out;
      };
      return RoundTrip(input, DecodeRecord, encode, kEqual);
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

#include "storage/meta/meta_records.h"

#include <fmt/core.h>

#include "storage/base/hash.h"
#include "storage/meta/mask_spec.h"

namespace tidemark::storage::meta {
namespace {

// Layout 1 of databases had no byte limit, selectors and tiers; layout 1 of epochs no deletions and no sealing. Layout
// 3 of databases says what becomes of type conflicts; where that is the default, layout 2 is written, which earlier
// programs can read.
constexpr uint8_t kDatabaseLayout = 3;
constexpr uint8_t kPlainDatabaseLayout = 2;
// Layout 3 says that an epoch has tiers only, layout 4 that its pages lie in meta. The others stay in layout 2, which
// earlier programs can read.
constexpr uint8_t kEpochLayout = 4;
constexpr uint8_t kTierEpochLayout = 3;
constexpr uint8_t kPlainEpochLayout = 2;

uint8_t LayoutOf(const EpochRecord& record) {
  if (record.in_meta) return kEpochLayout;
  return record.tiers_only ? kTierEpochLayout : kPlainEpochLayout;
}
constexpr uint8_t kMaskLayout = 1;

}  // namespace

rocks::KeyRange KeysOf(const EpochRecord& record) {
  const auto keys = record.in_meta ? rocks::EpochKeysInMeta : rocks::EpochKeys;
  return keys(record.database, record.partition_start_ns, record.epoch);
}

void Seal(std::string* bytes) { PutLittle(bytes, Hash64(*bytes, 0)); }

Result<std::string_view> Unseal(std::string_view bytes, std::string_view what) {
  if (bytes.size() < sizeof(uint64_t)) {
    return Corruption(fmt::format("{} has {} bytes, too few for its checksum", what, bytes.size()));
  }
  const std::string_view body = bytes.substr(0, bytes.size() - sizeof(uint64_t));
  const auto expected = LoadLittle<uint64_t>(bytes.data() + body.size());
  const uint64_t found = Hash64(body, 0);
  if (expected != found) {
    return Corruption(fmt::format("{}: checksum expected {:016x}, found {:016x}", what, expected, found));
  }
  return body;
}

Result<OpenedRecord> OpenRecord(std::string_view bytes, std::string_view what, uint8_t newest) {
  TM_TRY_ASSIGN(const std::string_view body, Unseal(bytes, what));
  ByteReader reader(body);
  const uint8_t layout = reader.Little<uint8_t>();
  if (layout == 0 || layout > newest) {
    return Unsupported(
        fmt::format("{} in meta has layout {}, this version reads layouts 1 to {}", what, layout, newest));
  }
  return OpenedRecord{reader, layout};
}

Result<void> CheckEnd(const ByteReader& reader, std::string_view what) {
  if (reader.ok() && reader.empty()) return {};
  return Corruption(fmt::format("{} in meta has a length that does not fit its content", what));
}

std::string Encode(const StoreRecord& record) {
  std::string out;
  // The version comes first and fixed in width: every version must be able to read it.
  PutLittle(&out, record.format_version);
  PutVarint(&out, record.next_database);
  PutVarint(&out, record.next_epoch);
  PutVarint(&out, record.checkpoint_sequence);
  Seal(&out);
  return out;
}

Result<StoreRecord> DecodeStoreRecord(std::string_view bytes) {
  TM_TRY_ASSIGN(const std::string_view body, Unseal(bytes, "the store record"));
  ByteReader reader(body);
  StoreRecord record;
  record.format_version = reader.Little<uint32_t>();
  if (record.format_version < kFormatVersion || record.format_version > kNewestFormatVersion) {
    return Unsupported(fmt::format("the data directory has format version {}, this program reads version {} to {}",
                                   record.format_version, kFormatVersion, kNewestFormatVersion));
  }
  record.next_database = static_cast<uint32_t>(reader.Varint());
  record.next_epoch = reader.Varint();
  record.checkpoint_sequence = reader.Varint();
  TM_RETURN_IF_ERROR(CheckEnd(reader, "the store record"));
  return record;
}

std::string Encode(const DatabaseRecord& record) {
  const bool plain = record.options.type_conflicts == model::TypeConflicts::kWiden;
  std::string out(1, static_cast<char>(plain ? kPlainDatabaseLayout : kDatabaseLayout));
  PutVarint(&out, model::Number(record.id));
  PutString(&out, record.name);
  PutSignedVarint(&out, record.options.partition_ns);
  PutSignedVarint(&out, record.options.retention_ns);
  PutSignedVarint(&out, record.options.sync_interval_ns);
  PutVarint(&out, record.options.max_bytes);
  PutVarint(&out, record.options.selectors.size());
  for (const SelectorRetention& selector : record.options.selectors) {
    PutMatchers(&out, selector.matchers);
    PutSignedVarint(&out, selector.keep_ns);
  }
  PutVarint(&out, record.options.tiers.size());
  for (const RollupTier& tier : record.options.tiers) {
    PutSignedVarint(&out, tier.width_ns);
    PutSignedVarint(&out, tier.keep_ns);
  }
  if (!plain) PutVarint(&out, static_cast<uint64_t>(record.options.type_conflicts));
  Seal(&out);
  return out;
}

Result<DatabaseRecord> DecodeDatabaseRecord(std::string_view bytes) {
  TM_TRY_ASSIGN(OpenedRecord opened, OpenRecord(bytes, "a database record", kDatabaseLayout));
  ByteReader& reader = opened.reader;
  DatabaseRecord record;
  record.id = model::DatabaseId{static_cast<uint32_t>(reader.Varint())};
  record.name = std::string(reader.String());
  record.options.partition_ns = reader.SignedVarint();
  record.options.retention_ns = reader.SignedVarint();
  record.options.sync_interval_ns = reader.SignedVarint();
  if (opened.layout >= 2) {
    record.options.max_bytes = reader.Varint();
    const uint64_t selectors = reader.Varint();
    for (uint64_t i = 0; i < selectors && reader.ok(); ++i) {
      SelectorRetention& selector = record.options.selectors.emplace_back();
      selector.matchers = ReadMatchers(&reader);
      selector.keep_ns = reader.SignedVarint();
    }
    const uint64_t tiers = reader.Varint();
    for (uint64_t i = 0; i < tiers && reader.ok(); ++i) {
      RollupTier& tier = record.options.tiers.emplace_back();
      tier.width_ns = reader.SignedVarint();
      tier.keep_ns = reader.SignedVarint();
    }
  }
  if (opened.layout >= 3) {
    const uint64_t conflicts = reader.Varint();
    if (conflicts > static_cast<uint64_t>(model::TypeConflicts::kRefuse)) {
      return Corruption(
          fmt::format("a database record in meta treats type conflicts in the unknown way {}", conflicts));
    }
    record.options.type_conflicts = static_cast<model::TypeConflicts>(conflicts);
  }
  TM_RETURN_IF_ERROR(CheckEnd(reader, "a database record"));
  if (record.options.partition_ns <= 0) return Corruption("a database record in meta has no partition length");
  return record;
}

std::string Encode(const EpochRecord& record) {
  const uint8_t layout = LayoutOf(record);
  std::string out(1, static_cast<char>(layout));
  PutVarint(&out, model::Number(record.database));
  PutSignedVarint(&out, record.partition_start_ns);
  PutSignedVarint(&out, record.partition_ns);
  PutVarint(&out, record.epoch);
  PutVarint(&out, record.precedence);
  PutVarint(&out, record.pages);
  PutVarint(&out, record.bytes);
  PutVarint(&out, record.rows);
  PutSignedVarint(&out, record.range.first.ns);
  PutSignedVarint(&out, record.range.last.ns);
  PutVarint(&out, record.masked_through);
  PutVarint(&out, record.sealed ? 1 : 0);
  if (layout >= 3) PutVarint(&out, record.tiers_only ? 1 : 0);
  if (layout >= 4) PutVarint(&out, record.in_meta ? 1 : 0);
  Seal(&out);
  return out;
}

Result<EpochRecord> DecodeEpochRecord(std::string_view bytes) {
  TM_TRY_ASSIGN(OpenedRecord opened, OpenRecord(bytes, "an epoch record", kEpochLayout));
  ByteReader& reader = opened.reader;
  EpochRecord record;
  record.database = model::DatabaseId{static_cast<uint32_t>(reader.Varint())};
  record.partition_start_ns = reader.SignedVarint();
  record.partition_ns = reader.SignedVarint();
  record.epoch = reader.Varint();
  record.precedence = reader.Varint();
  record.pages = reader.Varint();
  record.bytes = reader.Varint();
  record.rows = reader.Varint();
  record.range.first.ns = reader.SignedVarint();
  record.range.last.ns = reader.SignedVarint();
  if (opened.layout >= 2) {
    record.masked_through = reader.Varint();
    record.sealed = reader.Varint() != 0;
  }
  if (opened.layout >= 3) record.tiers_only = reader.Varint() != 0;
  if (opened.layout >= 4) record.in_meta = reader.Varint() != 0;
  TM_RETURN_IF_ERROR(CheckEnd(reader, "an epoch record"));
  if (record.partition_ns <= 0) return Corruption("an epoch record in meta has no partition length");
  return record;
}

std::string Encode(const MaskRecord& record) {
  std::string out(1, static_cast<char>(kMaskLayout));
  PutVarint(&out, model::Number(record.database));
  PutVarint(&out, record.number);
  PutString(&out, record.spec);
  Seal(&out);
  return out;
}

Result<MaskRecord> DecodeMaskRecord(std::string_view bytes) {
  TM_TRY_ASSIGN(OpenedRecord opened, OpenRecord(bytes, "a deletion", kMaskLayout));
  MaskRecord record;
  record.database = model::DatabaseId{static_cast<uint32_t>(opened.reader.Varint())};
  record.number = opened.reader.Varint();
  record.spec = std::string(opened.reader.String());
  TM_RETURN_IF_ERROR(CheckEnd(opened.reader, "a deletion"));
  return record;
}

}  // namespace tidemark::storage::meta

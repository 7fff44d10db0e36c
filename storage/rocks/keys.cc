#include "storage/rocks/keys.h"

#include <fmt/core.h>

#include "storage/base/bytes.h"

namespace tidemark::storage::rocks {
namespace {

// Flips the sign bit, so that negative starts sort before positive ones.
uint64_t Sortable(int64_t value) { return static_cast<uint64_t>(value) ^ (uint64_t{1} << 63); }
int64_t FromSortable(uint64_t value) { return static_cast<int64_t>(value ^ (uint64_t{1} << 63)); }

void PutEpoch(std::string* out, model::DatabaseId database, int64_t partition_start_ns) {
  PutBig(out, model::Number(database));
  PutBig(out, Sortable(partition_start_ns));
}

}  // namespace

std::string EncodePageKey(const PageKey& key) {
  std::string out;
  out.reserve(kPageKeyBytes);
  PutEpoch(&out, key.database, key.partition_start_ns);
  PutBig(&out, key.epoch);
  out.push_back(static_cast<char>(key.tier));
  PutBig(&out, model::Number(key.measurement));
  PutBig(&out, model::Number(key.field));
  PutBig(&out, model::Number(key.first_series));
  PutBig(&out, key.part);
  return out;
}

Result<PageKey> DecodePageKey(std::string_view bytes) {
  if (bytes.size() != kPageKeyBytes) {
    return Corruption(fmt::format("a page key has {} bytes, expected {}", bytes.size(), kPageKeyBytes));
  }
  ByteReader reader(bytes);
  PageKey key;
  key.database = model::DatabaseId{reader.Big<uint32_t>()};
  key.partition_start_ns = FromSortable(reader.Big<uint64_t>());
  key.epoch = reader.Big<uint64_t>();
  key.tier = reader.Big<uint8_t>();
  key.measurement = model::MeasurementId{reader.Big<uint32_t>()};
  key.field = model::FieldId{reader.Big<uint32_t>()};
  key.first_series = model::SeriesId{reader.Big<uint32_t>()};
  key.part = reader.Big<uint32_t>();
  return key;
}

std::string Describe(const PageKey& key) {
  return fmt::format("page {}/{}/{}/{}/{}/{}/{}/{}", model::Number(key.database), key.partition_start_ns, key.epoch,
                     key.tier, model::Number(key.measurement), model::Number(key.field),
                     model::Number(key.first_series), key.part);
}

KeyRange EpochKeys(model::DatabaseId database, int64_t partition_start_ns, uint64_t epoch) {
  KeyRange range;
  PutEpoch(&range.first, database, partition_start_ns);
  range.end = range.first;
  PutBig(&range.first, epoch);
  PutBig(&range.end, epoch + 1);
  return range;
}

KeyRange EpochKeysInMeta(model::DatabaseId database, int64_t partition_start_ns, uint64_t epoch) {
  KeyRange range = EpochKeys(database, partition_start_ns, epoch);
  range.first.insert(0, kPagePrefix);
  range.end.insert(0, kPagePrefix);
  range.in_meta = true;
  return range;
}

std::string PageMetaKey(const PageKey& key) { return std::string(kPagePrefix) + EncodePageKey(key); }

KeyRange DatabaseKeys(model::DatabaseId database) {
  KeyRange range;
  PutBig(&range.first, model::Number(database));
  PutBig(&range.end, model::Number(database) + 1);
  return range;
}

std::string IndexKey(model::DatabaseId database, std::string_view key) {
  std::string out;
  out.reserve(kIndexKeyPrefixBytes + key.size());
  PutBig(&out, model::Number(database));
  out.append(key);
  return out;
}

Result<model::DatabaseId> DatabaseOfIndexKey(std::string_view bytes) {
  if (bytes.size() < kIndexKeyPrefixBytes) return Corruption("an index key is shorter than its database number");
  return model::DatabaseId{LoadBig<uint32_t>(bytes.data())};
}

std::string DatabaseMetaKey(model::DatabaseId database) {
  std::string out(kDatabasePrefix);
  PutBig(&out, model::Number(database));
  return out;
}

std::string EpochMetaPrefix(model::DatabaseId database) {
  std::string out(kEpochPrefix);
  PutBig(&out, model::Number(database));
  return out;
}

std::string EpochMetaKey(model::DatabaseId database, uint64_t epoch) {
  std::string out = EpochMetaPrefix(database);
  PutBig(&out, epoch);
  return out;
}

std::string MaskMetaKey(model::DatabaseId database, uint64_t number) {
  std::string out(kMaskPrefix);
  PutBig(&out, model::Number(database));
  PutBig(&out, number);
  return out;
}

}  // namespace tidemark::storage::rocks

// What a start reads of the index. The first byte says what the others are:
//   d  definitions, as in a journal record
//   e  saved entries: key length (1 byte), key, value length (2 bytes), value, again and again
// Definitions that apply apply again and add nothing; a catalog that was made is saved and loaded to the same bytes.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "storage/base/bytes.h"
#include "storage/base/check.h"
#include "storage/index/catalog.h"
#include "storage/index/definitions.h"
#include "storage/index/saved_entries.h"

namespace tidemark::index {
namespace {

using Entries = std::vector<std::pair<std::string, std::string>>;

Entries Save(const Catalog& catalog) {
  Entries entries;
  const Counts counts = CountsOf(catalog);
  for (size_t kind = 1; kind <= kCountedKinds; ++kind) {
    for (uint32_t first = 0, number = 0; first < counts[kind - 1]; first += kChunkIds, ++number) {
      const auto chunk = static_cast<ChunkKind>(kind);
      entries.emplace_back(ChunkKey(chunk, number), ChunkValue(catalog, counts, chunk, number));
    }
  }
  const uint32_t series = catalog.series.size();
  for (uint32_t field = 1; field <= catalog.fields.size(); ++field) {
    for (uint32_t block = 0; block <= series / 65536; ++block) {
      if (catalog.field(field).series.size() == 0) continue;
      entries.emplace_back(FieldSeriesKey(field, block), FieldSeriesValue(catalog, field, block, series));
    }
  }
  return entries;
}

bool Load(const Entries& entries, Catalog* catalog) {
  Loader loader;
  for (const auto& [key, value] : entries) {
    if (!loader.Add(key, value).ok()) return false;
  }
  return loader.Finish(catalog).ok();
}

void CheckSaved(const Catalog& catalog) {
  const Entries entries = Save(catalog);
  Catalog loaded(7);
  TM_CHECK(Load(entries, &loaded));
  TM_CHECK(Save(loaded) == entries);
}

void RunDefinitions(std::string_view definitions) {
  Catalog catalog(3);
  if (!Apply(definitions, &catalog).ok()) return;
  const Entries once = Save(catalog);
  TM_CHECK(Apply(definitions, &catalog).ok());
  TM_CHECK(Save(catalog) == once);
  CheckSaved(catalog);
}

void RunEntries(std::string_view input) {
  Entries entries;
  ByteReader reader(input);
  while (!reader.empty() && reader.ok()) {
    const std::string_view key = reader.Bytes(reader.Little<uint8_t>());
    const std::string_view value = reader.Bytes(reader.Little<uint16_t>());
    if (reader.ok()) entries.emplace_back(key, value);
  }
  Catalog catalog(3);
  if (Load(entries, &catalog)) CheckSaved(catalog);
}

}  // namespace
}  // namespace tidemark::index

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  const std::string_view input(reinterpret_cast<const char*>(data) + 1, size - 1);
  if (data[0] == 'd') tidemark::index::RunDefinitions(input);
  if (data[0] == 'e') tidemark::index::RunEntries(input);
  return 0;
}

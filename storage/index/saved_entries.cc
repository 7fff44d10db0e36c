#include "storage/index/saved_entries.h"

#include <fmt/core.h>

#include <algorithm>
#include <numeric>

#include "storage/base/bytes.h"

namespace tidemark::index {
namespace {

constexpr uint32_t kBlockIds = 1 << 16;  // of a field's series

// How the series of a block are written; on disk.
enum class SetForm : uint8_t { kRuns = 1, kBits = 2 };
constexpr size_t kBitsBytes = kBlockIds / 8;
// In the type byte of a field that has a predecessor, whose number follows; since store version 2.
constexpr uint8_t kHasPredecessor = 0x80;

size_t Index(ChunkKind kind) { return static_cast<size_t>(kind) - 1; }

Error Damaged(std::string_view what) { return Corruption(fmt::format("index: {}", what)); }

// A series as differences to the one before it in the chunk: neighbours share most of their tags, or differ by one.
void PutSeries(const Catalog& catalog, uint32_t id, std::span<const uint32_t> before, std::string* out) {
  const std::span<const uint32_t> pairs = catalog.series.pairs(id);
  PutVarint(out, catalog.series.measurement(id));
  PutVarint(out, pairs.size());
  for (size_t i = 0; i < pairs.size(); ++i) {
    PutSignedVarint(out, int64_t{pairs[i]} - (i < before.size() ? int64_t{before[i]} : 0));
  }
}

void PutFieldType(const FieldEntry& field, std::string* out) {
  const auto type = static_cast<uint8_t>(field.type);
  out->push_back(static_cast<char>(field.predecessor == 0 ? type : type | kHasPredecessor));
  if (field.predecessor != 0) PutVarint(out, field.predecessor);
}

// The series `id` behind `pairs` of the one before it, which it replaces.
Result<void> ReadPairs(ByteReader* reader, std::vector<uint32_t>* pairs) {
  const uint64_t count = reader->Varint();
  if (count > reader->remaining()) return Damaged("a chunk of series is cut off");
  pairs->resize(count);  // keeps the pairs of the series before, for the differences
  for (uint32_t& pair : *pairs) {
    // Unsigned, as a hostile difference may overflow; what is no pair becomes 0, which no series has.
    const uint64_t sum = uint64_t{pair} + static_cast<uint64_t>(reader->SignedVarint());
    pair = sum > UINT32_MAX ? 0 : static_cast<uint32_t>(sum);
  }
  return {};
}

}  // namespace

Result<EntryPlace> ReadEntryKey(std::string_view key) {
  ByteReader reader(key);
  const uint8_t kind = reader.Little<uint8_t>();
  EntryPlace place{static_cast<ChunkKind>(kind), reader.Big<uint32_t>()};
  if (place.kind == ChunkKind::kFieldSeries) place.position = place.position << 16 | reader.Big<uint16_t>();
  if (!reader.ok() || !reader.empty() || kind == 0 || kind > kCountedKinds + 1) {
    return Damaged("an entry with an unknown key");
  }
  return place;
}

Result<void> ReadChunk(ChunkKind kind, uint64_t number, std::string_view value, const DefinitionFn& visit) {
  ByteReader reader(value);
  std::vector<uint32_t> pairs;
  Definition definition{.kind = static_cast<NameKind>(kind), .id = number * kChunkIds};
  while (!reader.empty()) {
    ++definition.id;
    const bool has_scope = kind != ChunkKind::kMeasurements && kind != ChunkKind::kLabels;
    if (has_scope) definition.scope = reader.Varint();
    if (kind == ChunkKind::kFields) {
      definition.type = reader.Little<uint8_t>();
      definition.predecessor = 0;
      if ((definition.type & kHasPredecessor) != 0) {
        definition.type &= static_cast<uint8_t>(~kHasPredecessor);
        definition.predecessor = reader.Varint();
        if (definition.predecessor == 0) return Damaged("a next field follows no field");
      }
      definition.kind = definition.predecessor == 0 ? NameKind::kField : NameKind::kNextField;
    }
    if (kind == ChunkKind::kSeries) {
      TM_RETURN_IF_ERROR(ReadPairs(&reader, &pairs));
      definition.pairs = pairs;
    } else {
      definition.text = reader.String();
    }
    if (!reader.ok()) return Damaged(fmt::format("chunk {} of kind {} is cut off", number, static_cast<int>(kind)));
    TM_RETURN_IF_ERROR(visit(definition));
  }
  return {};
}

Result<void> LoadFieldSeries(uint64_t position, std::string_view value, Catalog* catalog) {
  const auto field = static_cast<uint32_t>(position >> 16);
  const uint32_t base = static_cast<uint32_t>(position & 0xFFFF) << 16;
  const auto bad = [&](std::string_view what) {
    return Damaged(fmt::format("the series of field {}: {}", field, what));
  };
  if (field == 0 || field > catalog->fields.size()) return bad("there is no such field");
  ByteReader reader(value);
  const auto form = static_cast<SetForm>(reader.Little<uint8_t>());
  std::vector<uint32_t> ids;
  if (form == SetForm::kRuns) {
    uint64_t next = 0;  // the first id after the runs so far, less base
    while (!reader.empty()) {
      const uint64_t gap = reader.Varint();
      const uint64_t length = reader.Varint();
      if (!reader.ok() || gap >= kBlockIds || length >= kBlockIds || next + gap + length >= kBlockIds) {
        return bad("a run does not fit into its block");
      }
      const size_t before = ids.size();
      ids.resize(before + length + 1);
      std::iota(ids.begin() + static_cast<ptrdiff_t>(before), ids.end(), base + static_cast<uint32_t>(next + gap));
      next += gap + length + 1;
    }
  } else if (form == SetForm::kBits) {
    const std::string_view bits = reader.Bytes(kBitsBytes);
    if (!reader.ok() || !reader.empty()) return bad("bits of the wrong length");
    for (uint32_t i = 0; i < kBlockIds; ++i) {
      if ((static_cast<uint8_t>(bits[i / 8]) >> (i % 8) & 1) != 0) ids.push_back(base + i);
    }
  } else {
    return bad("an unknown form");
  }
  if (ids.empty()) return {};
  if (ids.front() == 0 || ids.back() > catalog->series.size()) return bad("a series that does not exist");
  catalog->field(field).series.AddMany(ids);
  return {};
}

Counts CountsOf(const Catalog& catalog) {
  return {catalog.measurements.size(), catalog.labels.size(), catalog.pairs.size(), catalog.fields.size(),
          catalog.series.size()};
}

std::string ChunkKey(ChunkKind kind, uint32_t number) {
  std::string key(1, static_cast<char>(kind));
  PutBig(&key, number);
  return key;
}

std::string ChunkValue(const Catalog& catalog, const Counts& counts, ChunkKind kind, uint32_t number) {
  std::string out;
  const uint32_t first = number * kChunkIds + 1;
  const uint32_t last = std::min(counts[Index(kind)], first + kChunkIds - 1);
  std::span<const uint32_t> before;
  for (uint32_t id = first; id <= last; ++id) {
    switch (kind) {
      case ChunkKind::kMeasurements: PutString(&out, catalog.measurements.Text(id)); break;
      case ChunkKind::kLabels: PutString(&out, catalog.labels.Text(id)); break;
      case ChunkKind::kPairs:
        PutVarint(&out, catalog.pairs.Scope(id));
        PutString(&out, catalog.pairs.Text(id));
        break;
      case ChunkKind::kFields:
        PutVarint(&out, catalog.fields.Scope(id));
        PutFieldType(catalog.field(id), &out);
        PutString(&out, catalog.fields.Text(id));
        break;
      case ChunkKind::kSeries:
        PutSeries(catalog, id, before, &out);
        before = catalog.series.pairs(id);
        break;
      case ChunkKind::kFieldSeries: break;
    }
  }
  return out;
}

std::string FieldSeriesKey(uint32_t field, uint32_t block) {
  std::string key(1, static_cast<char>(ChunkKind::kFieldSeries));
  PutBig(&key, field);
  PutBig(&key, static_cast<uint16_t>(block));
  return key;
}

std::string FieldSeriesValue(const Catalog& catalog, uint32_t field, uint32_t block, uint32_t series_count) {
  const uint32_t base = block << 16;
  const uint64_t end = std::min(uint64_t{base} + kBlockIds, uint64_t{series_count} + 1);
  std::vector<uint32_t> ids;
  catalog.field(field).series.AppendRange(base, end, &ids);
  std::string out(1, static_cast<char>(SetForm::kRuns));
  uint32_t next = base;
  for (size_t i = 0; i < ids.size() && out.size() <= kBitsBytes;) {
    size_t run_end = i + 1;
    while (run_end < ids.size() && ids[run_end] == ids[run_end - 1] + 1) ++run_end;
    PutVarint(&out, ids[i] - next);
    PutVarint(&out, run_end - i - 1);
    next = ids[run_end - 1] + 1;
    i = run_end;
  }
  if (out.size() <= kBitsBytes) return out;
  out.assign(1 + kBitsBytes, '\0');
  out[0] = static_cast<char>(SetForm::kBits);
  for (const uint32_t id : ids) {
    char& byte = out[1 + (id - base) / 8];
    byte = static_cast<char>(static_cast<uint8_t>(byte) | 1U << (id % 8));
  }
  return out;
}

std::vector<std::pair<std::string, std::string>> AllEntries(const Catalog& catalog) {
  const Counts counts = CountsOf(catalog);
  std::vector<std::pair<std::string, std::string>> entries;
  for (size_t i = 0; i < kCountedKinds; ++i) {
    const auto kind = static_cast<ChunkKind>(i + 1);
    for (uint32_t number = 0; uint64_t{number} * kChunkIds < counts[i]; ++number) {
      entries.emplace_back(ChunkKey(kind, number), ChunkValue(catalog, counts, kind, number));
    }
  }
  const uint32_t series = catalog.series.size();
  for (uint32_t field = 1; field <= catalog.fields.size(); ++field) {
    for (uint32_t block = 0; block <= series / kBlockIds; ++block) {
      std::vector<uint32_t> any;
      catalog.field(field).series.AppendRange(block * kBlockIds, (uint64_t{block} + 1) * kBlockIds, &any);
      if (any.empty()) continue;
      entries.emplace_back(FieldSeriesKey(field, block), FieldSeriesValue(catalog, field, block, series));
    }
  }
  return entries;
}

Result<void> Loader::Add(std::string_view key, std::string_view value) {
  TM_TRY_ASSIGN(const EntryPlace place, ReadEntryKey(key));
  chunks_[Index(place.kind)].emplace_back(place.position, value);
  return {};
}

Result<void> Loader::Finish(Catalog* catalog) {
  for (std::vector<Chunk>& chunks : chunks_) {
    std::sort(chunks.begin(), chunks.end(), [](const Chunk& a, const Chunk& b) { return a.first < b.first; });
  }
  catalog->pairs.Reserve(chunks_[Index(ChunkKind::kPairs)].size() * kChunkIds);
  catalog->series.Reserve(chunks_[Index(ChunkKind::kSeries)].size() * kChunkIds);
  for (size_t i = 0; i < kCountedKinds; ++i) {
    const auto kind = static_cast<ChunkKind>(i + 1);
    for (size_t number = 0; number < chunks_[i].size(); ++number) {
      if (chunks_[i][number].first != number) {
        return Damaged(fmt::format("chunk {} of kind {} is missing", number, i + 1));
      }
      TM_RETURN_IF_ERROR(ReadChunk(kind, number, chunks_[i][number].second, [catalog](const Definition& definition) {
        return index::Add(definition, Postings::kLater, catalog);
      }));
      if (number + 1 < chunks_[i].size() && CountsOf(*catalog)[i] != (number + 1) * kChunkIds) {
        return Damaged(fmt::format("chunk {} of kind {} is not full", number, i + 1));
      }
    }
    chunks_[i] = {};
  }
  catalog->AddPostings(1, catalog->series.size() + 1);
  for (const auto& [position, value] : chunks_[kCountedKinds]) {
    TM_RETURN_IF_ERROR(LoadFieldSeries(position, value, catalog));
  }
  chunks_[kCountedKinds] = {};
  return {};
}

}  // namespace tidemark::index

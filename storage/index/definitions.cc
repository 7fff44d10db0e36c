#include "storage/index/definitions.h"

#include <fmt/core.h>

#include <algorithm>
#include <vector>

#include "storage/base/bytes.h"
#include "storage/index/made_up_names.h"

namespace tidemark::index {
namespace {

void Begin(NameKind kind, uint32_t id, std::string* out) {
  out->push_back(static_cast<char>(kind));
  PutVarint(out, id);
}

Error Damaged(std::string_view what) { return Corruption(fmt::format("index: {}", what)); }

// Whether `id` is the next after `size` (true) or known (false).
Result<bool> IsNext(std::string_view kind, uint64_t id, uint64_t size) {
  if (id == 0 || id > size + 1) {
    return Damaged(fmt::format("{} {} is defined where {} is the next", kind, id, size + 1));
  }
  return id == size + 1;
}

Error Differs(std::string_view kind, uint64_t id) {
  return Damaged(fmt::format("{} {} is defined twice, differently", kind, id));
}

Error Repeated(std::string_view kind, uint64_t id, uint64_t known) {
  return Damaged(fmt::format("{} {} is the same as {}", kind, id, known));
}

Error Missing(std::string_view kind, uint64_t id, std::string_view missing, uint64_t missing_id) {
  return Damaged(fmt::format("{} {} refers to {} {}, which does not exist", kind, id, missing, missing_id));
}

Error Truncated() { return Damaged("a definition is cut off"); }

bool SortedByLabel(std::span<const uint32_t> pairs, const Catalog& catalog) {
  return std::adjacent_find(pairs.begin(), pairs.end(), [&](uint32_t a, uint32_t b) {
           return catalog.LabelNameOf(a) >= catalog.LabelNameOf(b);
         }) == pairs.end();
}

}  // namespace

void DefineMeasurement(const Catalog& catalog, uint32_t id, std::string* out) {
  Begin(NameKind::kMeasurement, id, out);
  PutString(out, catalog.measurements.Text(id));
}

void DefineLabel(const Catalog& catalog, uint32_t id, std::string* out) {
  Begin(NameKind::kLabel, id, out);
  PutString(out, catalog.labels.Text(id));
}

void DefinePair(const Catalog& catalog, uint32_t id, std::string* out) {
  Begin(NameKind::kPair, id, out);
  PutVarint(out, catalog.pairs.Scope(id));
  PutString(out, catalog.pairs.Text(id));
}

void DefineField(const Catalog& catalog, uint32_t id, std::string* out) {
  const FieldEntry& field = catalog.field(id);
  Begin(field.predecessor == 0 ? NameKind::kField : NameKind::kNextField, id, out);
  PutVarint(out, catalog.fields.Scope(id));
  out->push_back(static_cast<char>(field.type));
  if (field.predecessor != 0) PutVarint(out, field.predecessor);
  PutString(out, catalog.fields.Text(id));
}

void DefineSeries(const Catalog& catalog, uint32_t id, std::string* out) {
  Begin(NameKind::kSeries, id, out);
  PutVarint(out, catalog.series.measurement(id));
  const std::span<const uint32_t> pairs = catalog.series.pairs(id);
  PutVarint(out, pairs.size());
  for (const uint32_t pair : pairs) PutVarint(out, pair);
}

namespace {

Result<void> AddMeasurement(const Definition& definition, Catalog* catalog) {
  const uint64_t id = definition.id;
  TM_TRY_ASSIGN(const bool next, IsNext("measurement", id, catalog->measurements.size()));
  const uint32_t known = catalog->measurements.Find(0, definition.text);
  if (!next) return known == id ? Status() : Differs("measurement", id);
  if (known != 0) return Repeated("measurement", id, known);
  catalog->AddMeasurement(definition.text);
  return {};
}

Result<void> AddLabel(const Definition& definition, Catalog* catalog) {
  const uint64_t id = definition.id;
  TM_TRY_ASSIGN(const bool next, IsNext("label", id, catalog->labels.size()));
  const uint32_t known = catalog->labels.Find(0, definition.text);
  if (!next) return known == id ? Status() : Differs("label", id);
  if (known != 0) return Repeated("label", id, known);
  catalog->AddLabel(definition.text);
  return {};
}

Result<void> AddPair(const Definition& definition, Catalog* catalog) {
  const auto& [kind, id, label, type, predecessor, value, pairs] = definition;
  TM_TRY_ASSIGN(const bool next, IsNext("label pair", id, catalog->pairs.size()));
  if (label == 0 || label > catalog->labels.size()) return Missing("label pair", id, "label", label);
  const uint32_t known = catalog->pairs.Find(static_cast<uint32_t>(label), value);
  if (!next) return known == id ? Status() : Differs("label pair", id);
  if (known != 0) return Repeated("label pair", id, known);
  catalog->AddPair(static_cast<uint32_t>(label), value);
  return {};
}

Result<void> AddField(const Definition& definition, Catalog* catalog) {
  const auto& [kind, id, measurement, type, predecessor, name, pairs] = definition;
  TM_TRY_ASSIGN(const bool next, IsNext("field", id, catalog->fields.size()));
  if (measurement == 0 || measurement > catalog->measurements.size()) {
    return Missing("field", id, "measurement", measurement);
  }
  if (type < static_cast<uint8_t>(model::FieldType::kFloat) || type > static_cast<uint8_t>(model::FieldType::kString)) {
    return Damaged(fmt::format("field {} has the unknown type {}", id, type));
  }
  const auto field_type = static_cast<model::FieldType>(type);
  if (!next) {
    const FieldEntry& known = catalog->field(static_cast<uint32_t>(id));
    const bool same = catalog->fields.Scope(static_cast<uint32_t>(id)) == measurement &&
                      catalog->fields.Text(static_cast<uint32_t>(id)) == name && known.type == field_type &&
                      known.predecessor == predecessor;
    return same ? Status() : Differs("field", id);
  }
  const uint32_t known = catalog->fields.Find(static_cast<uint32_t>(measurement), name);
  if (known != predecessor) {
    if (known == 0) return Missing("field", id, "the field of the same name with the number", predecessor);
    if (predecessor == 0) return Repeated("field", id, known);
    return Damaged(fmt::format("field {} follows field {}, but the field of its name is {}", id, predecessor, known));
  }
  catalog->AddField(static_cast<uint32_t>(measurement), field_type, name);
  return {};
}

Result<void> AddSeries(const Definition& definition, Postings postings, Catalog* catalog) {
  const auto& [kind, id, measurement, type, predecessor, text, pairs] = definition;
  TM_TRY_ASSIGN(const bool next, IsNext("series", id, catalog->series.size()));
  if (measurement == 0 || measurement > catalog->measurements.size()) {
    return Missing("series", id, "measurement", measurement);
  }
  for (const uint32_t pair : pairs) {
    if (pair == 0 || pair > catalog->pairs.size()) return Missing("series", id, "label pair", pair);
  }
  // A record of the journal may speak of pairs that were lost since.
  if (!next && IsMadeUp(*catalog, static_cast<uint32_t>(id))) return {};
  if (pairs.size() > SeriesTable::kMaxTags || !SortedByLabel(pairs, *catalog)) {
    return Damaged(fmt::format("series {} has tags out of order", id));
  }
  const uint32_t known = catalog->series.Find(static_cast<uint32_t>(measurement), pairs);
  if (!next) return known == id ? Status() : Differs("series", id);
  if (known != 0) return Repeated("series", id, known);
  catalog->AddSeries(static_cast<uint32_t>(measurement), pairs, postings == Postings::kAtOnce);
  return {};
}

Result<Definition> ReadDefinition(ByteReader* reader, std::vector<uint32_t>* pairs) {
  const uint8_t kind = reader->Little<uint8_t>();
  Definition definition{.kind = static_cast<NameKind>(kind), .id = reader->Varint()};
  switch (definition.kind) {
    case NameKind::kMeasurement:
    case NameKind::kLabel: definition.text = reader->String(); break;
    case NameKind::kPair:
      definition.scope = reader->Varint();
      definition.text = reader->String();
      break;
    case NameKind::kField:
    case NameKind::kNextField:
      definition.scope = reader->Varint();
      definition.type = reader->Little<uint8_t>();
      if (definition.kind == NameKind::kNextField) {
        definition.predecessor = reader->Varint();
        // A field without one has a kind of its own.
        if (definition.predecessor == 0 && reader->ok()) return Damaged("a next field follows no field");
      }
      definition.text = reader->String();
      break;
    case NameKind::kSeries: {
      definition.scope = reader->Varint();
      const uint64_t count = reader->Varint();
      if (count > reader->remaining()) return Truncated();
      pairs->clear();
      for (uint64_t i = 0; i < count; ++i) {
        // An id beyond 32 bits becomes 0, which no pair has.
        const uint64_t pair = reader->Varint();
        pairs->push_back(pair > UINT32_MAX ? 0 : static_cast<uint32_t>(pair));
      }
      definition.pairs = *pairs;
      break;
    }
    default: return Damaged(fmt::format("unknown kind of definition {}", kind));
  }
  if (!reader->ok()) return Truncated();
  return definition;
}

}  // namespace

Result<void> ReadDefinitions(std::string_view definitions, const DefinitionFn& visit) {
  ByteReader reader(definitions);
  std::vector<uint32_t> pairs;
  while (!reader.empty()) {
    TM_TRY_ASSIGN(const Definition definition, ReadDefinition(&reader, &pairs));
    TM_RETURN_IF_ERROR(visit(definition));
  }
  return {};
}

Result<void> Add(const Definition& definition, Postings postings, Catalog* catalog) {
  switch (definition.kind) {
    case NameKind::kMeasurement: return AddMeasurement(definition, catalog);
    case NameKind::kLabel: return AddLabel(definition, catalog);
    case NameKind::kPair: return AddPair(definition, catalog);
    case NameKind::kField:
    case NameKind::kNextField: return AddField(definition, catalog);
    case NameKind::kSeries: return AddSeries(definition, postings, catalog);
  }
  return Damaged("a definition of an unknown kind");
}

Result<void> Apply(std::string_view definitions, Catalog* catalog) {
  return ReadDefinitions(
      definitions, [catalog](const Definition& definition) { return Add(definition, Postings::kAtOnce, catalog); });
}

}  // namespace tidemark::index

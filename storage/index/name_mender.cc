#include "storage/index/name_mender.h"

#include <fmt/core.h>

#include <algorithm>
#include <numeric>

#include "storage/index/catalog.h"
#include "storage/index/definitions.h"
#include "storage/index/made_up_names.h"
#include "storage/index/saved_entries.h"
#include "storage/model/labels.h"
#include "storage/model/series_key.h"

namespace tidemark::index {
namespace {

// Ids have 32 bits; what says more is not one.
bool IsId(uint64_t id) { return id != 0 && id < UINT32_MAX; }

template <typename T>
T& Grown(std::vector<T>* values, uint64_t id) {
  if (values->size() <= id) values->resize(id + 1);
  return (*values)[id];
}

bool IsFieldType(uint8_t type) {
  return type >= static_cast<uint8_t>(model::FieldType::kFloat) &&
         type <= static_cast<uint8_t>(model::FieldType::kString);
}

}  // namespace

void NameMender::Names::Need(uint64_t id) {
  if (IsId(id)) Grown(&texts_, id);
}

void NameMender::Names::Add(uint64_t id, uint64_t scope, std::string_view text) {
  if (!IsId(id) || Knows(id)) return;
  Need(id);
  const auto [found, is_new] = dictionary_.Intern(static_cast<uint32_t>(scope), text);
  if (is_new) texts_[id] = found;
}

void NameMender::Names::AddShared(uint64_t id, uint64_t scope, std::string_view text) {
  if (!IsId(id) || Knows(id)) return;
  Need(id);
  texts_[id] = dictionary_.Intern(static_cast<uint32_t>(scope), text).first;
}

void NameMender::Names::MakeUp(uint32_t id, uint32_t scope, const std::string& text) {
  std::string free = text;
  for (uint64_t number = id; Has(scope, free); ++number) free = fmt::format("{}_{}", text, number);
  Grown(&texts_, id) = dictionary_.Intern(scope, free).first;
}

NameMender::NameMender()
    : measurements_(model::SeriesHashSeed()),
      labels_(model::SeriesHashSeed()),
      pairs_(model::SeriesHashSeed()),
      fields_(model::SeriesHashSeed()) {}

void NameMender::AddEntry(std::string_view key, std::string_view value) {
  const auto place = ReadEntryKey(key);
  if (!place.ok()) return;
  if (place->kind == ChunkKind::kFieldSeries) {
    fields_.Need(place->position >> 16);
    field_series_.emplace_back(place->position, value);
    return;
  }
  // What stands before a damage counts: these are names as they were given.
  const auto read = ReadChunk(place->kind, place->position, value, [this](const Definition& definition) {
    Add(definition);
    return Result<void>();
  });
  if (!read.ok()) return;
}

void NameMender::AddDefinitions(std::string_view definitions) {
  const auto read = ReadDefinitions(definitions, [this](const Definition& definition) {
    Add(definition);
    return Result<void>();
  });
  if (!read.ok()) return;
}

void NameMender::Add(const Definition& definition) {
  const auto& [kind, id, scope, type, predecessor, text, pairs] = definition;
  if (!IsId(id)) return;
  switch (kind) {
    case NameKind::kMeasurement: measurements_.Add(id, 0, text); break;
    case NameKind::kLabel: labels_.Add(id, 0, text); break;
    case NameKind::kPair:
      labels_.Need(scope);
      pairs_.Need(id);
      if (IsId(scope)) pairs_.Add(id, scope, text);
      break;
    case NameKind::kField:
    case NameKind::kNextField: AddField(definition); break;
    case NameKind::kSeries: {
      measurements_.Need(scope);
      Series& series = SeriesOf(id);
      if (series.known || !IsId(scope)) break;
      series = {true, static_cast<uint32_t>(scope), pairs_of_series_.size(), static_cast<uint32_t>(pairs.size())};
      for (const uint32_t pair : pairs) pairs_.Need(pair);
      pairs_of_series_.insert(pairs_of_series_.end(), pairs.begin(), pairs.end());
      break;
    }
  }
}

void NameMender::AddField(const Definition& definition) {
  const uint64_t id = definition.id;
  const uint64_t scope = definition.scope;
  measurements_.Need(scope);
  fields_.Need(id);
  if (!IsId(scope) || !IsFieldType(definition.type) || fields_.Knows(id)) return;
  Grown(&types_, id) = definition.type;
  if (definition.predecessor == 0) {
    fields_.Add(id, scope, definition.text);
    return;
  }
  // Its predecessor had the same name, whatever has become of the definition of that.
  fields_.AddShared(id, scope, definition.text);
  if (!IsId(definition.predecessor) || definition.predecessor >= id) return;
  fields_.Need(definition.predecessor);
  predecessors_.emplace(static_cast<uint32_t>(id), static_cast<uint32_t>(definition.predecessor));
}

NameMender::Series& NameMender::SeriesOf(uint64_t id) { return Grown(&series_, id); }

bool NameMender::NoteField(model::MeasurementId measurement, model::FieldId field) {
  const uint32_t id = model::Number(field);
  if (!IsId(id) || !IsId(model::Number(measurement))) return true;
  measurements_.Need(model::Number(measurement));
  fields_.Need(id);
  Grown(&measurements_of_fields_, id) = model::Number(measurement);
  return Grown(&types_, id) != 0;
}

void NameMender::NoteType(model::FieldId field, model::FieldType type) {
  uint8_t& known = Grown(&types_, model::Number(field));
  if (known == 0) known = static_cast<uint8_t>(type);
}

void NameMender::NoteSeries(model::FieldId field, model::SeriesId first, model::SeriesId last) {
  if (!IsId(model::Number(first)) || !IsId(model::Number(last)) || first > last) return;
  SeriesOf(model::Number(last));
  rows_[model::Number(field)].push_back({model::Number(first), model::Number(last)});
}

void NameMender::NoteRow(model::MeasurementId measurement, model::SeriesId series) {
  if (!IsId(model::Number(series)) || !IsId(model::Number(measurement))) return;
  measurements_.Need(model::Number(measurement));
  Series& noted = SeriesOf(model::Number(series));
  if (!noted.known) noted.measurement = model::Number(measurement);
}

uint32_t NameMender::SpareMeasurement() {
  if (spare_measurement_ == 0) {
    spare_measurement_ = measurements_.size() + 1;
    measurements_.MakeUp(spare_measurement_, 0, std::string(kUnknown));
  }
  return spare_measurement_;
}

uint32_t NameMender::NumberLabel() {
  if (number_label_ == 0) {
    number_label_ = labels_.size() + 1;
    labels_.MakeUp(number_label_, 0, std::string(kNumberLabel));
  }
  return number_label_;
}

uint64_t NameMender::NameMeasurements() {
  lost_measurements_.resize(size_t{measurements_.size()} + 1);
  uint64_t made_up = 0;
  for (uint32_t id = 1; id < lost_measurements_.size(); ++id) {
    if (measurements_.Knows(id)) continue;
    measurements_.MakeUp(id, 0, std::string(kUnknown));
    lost_measurements_[id] = true;
    if (spare_measurement_ == 0) spare_measurement_ = id;
    ++made_up;
  }
  return made_up;
}

uint64_t NameMender::NameFields() {
  uint64_t made_up = 0;
  // From the youngest on: one predecessor gives its name to the one before it.
  for (auto next = predecessors_.rbegin(); next != predecessors_.rend(); ++next) {
    fields_.AddShared(next->second, fields_.Scope(next->first), fields_.Text(next->first));
  }
  for (uint32_t id = 1; id <= fields_.size(); ++id) {
    if (fields_.Knows(id)) continue;
    const uint32_t noted = Grown(&measurements_of_fields_, id);
    const uint32_t measurement = noted != 0 ? noted : SpareMeasurement();
    // The field "value" leaves the metric the measurement's own name.
    const bool plain = measurement == spare_measurement_ ||
                       (measurement < lost_measurements_.size() && lost_measurements_[measurement]);
    const std::string value(model::kValueField);
    fields_.MakeUp(id, measurement, plain && !fields_.Has(measurement, value) ? value : fmt::format("field_{}", id));
    ++made_up;
  }
  return made_up;
}

// Texts that nobody sees: a series has no label of which the name or the value is not known.
void NameMender::NameLabels() {
  lost_pairs_.resize(size_t{pairs_.size()} + 1);
  std::vector<bool> lost_labels(size_t{labels_.size()} + 1);
  for (uint32_t id = 1; id < lost_labels.size(); ++id) {
    if (labels_.Knows(id)) continue;
    lost_labels[id] = true;
    labels_.MakeUp(id, 0, fmt::format("{}_label_{}", kUnknown, id));
  }
  for (uint32_t id = 1; id < lost_pairs_.size(); ++id) {
    lost_pairs_[id] = !pairs_.Knows(id) || lost_labels[pairs_.Scope(id)];
    if (!pairs_.Knows(id)) pairs_.MakeUp(id, NumberLabel(), fmt::format("{}_{}", kUnknown, id));
  }
}

// What no definition says of a series, its rows do.
void NameMender::PlaceSeries() {
  for (const auto& [field, runs] : rows_) {
    if (field > fields_.size()) continue;
    for (const Run& run : runs) {
      for (uint32_t id = run.first; id <= run.last; ++id) {
        if (series_[id].measurement == 0) series_[id].measurement = fields_.Scope(field);
      }
    }
  }
  for (size_t id = 1; id < series_.size(); ++id) {
    if (series_[id].measurement == 0) series_[id].measurement = SpareMeasurement();
  }
}

void NameMender::AddTexts(Catalog* catalog) {
  for (uint32_t id = 1; id <= measurements_.size(); ++id) catalog->AddMeasurement(measurements_.Text(id));
  for (uint32_t id = 1; id <= labels_.size(); ++id) catalog->AddLabel(labels_.Text(id));
  for (uint32_t id = 1; id <= pairs_.size(); ++id) catalog->AddPair(pairs_.Scope(id), pairs_.Text(id));
  for (uint32_t id = 1; id <= fields_.size(); ++id) {
    const uint8_t type = Grown(&types_, id);
    catalog->AddField(fields_.Scope(id), type != 0 ? static_cast<model::FieldType>(type) : model::FieldType::kFloat,
                      fields_.Text(id));
  }
}

uint64_t NameMender::AddSeries(Catalog* catalog) {
  uint64_t made_up = 0;
  std::vector<uint32_t> left;
  const auto by_label = [&](uint32_t a, uint32_t b) { return catalog->LabelNameOf(a) < catalog->LabelNameOf(b); };
  const auto misplaced = [&](uint32_t a, uint32_t b) { return !by_label(a, b); };
  for (uint32_t id = 1; id < series_.size(); ++id) {
    const Series& series = series_[id];
    left.clear();
    for (uint32_t i = 0; i < series.pairs; ++i) {
      const uint32_t pair = pairs_of_series_[series.first_pair + i];
      if (pair != 0 && !lost_pairs_[pair]) left.push_back(pair);
    }
    const bool whole = series.known && left.size() == series.pairs &&
                       catalog->series.Find(series.measurement, left) == 0 &&
                       std::adjacent_find(left.begin(), left.end(), misplaced) == left.end();
    if (!whole) {
      ++made_up;
      const uint32_t label = catalog->AddLabel(labels_.Text(NumberLabel()));
      left.push_back(catalog->AddPair(label, std::to_string(id)));
      std::sort(left.begin(), left.end(), by_label);
      left.erase(std::unique(left.begin(), left.end(), misplaced), left.end());
    }
    catalog->AddSeries(series.measurement, left, /*postings=*/false);
  }
  return made_up;
}

void NameMender::AddRows(Catalog* catalog) const {
  for (const auto& [position, value] : field_series_) {
    // What it cannot say, the rows do.
    if (auto loaded = LoadFieldSeries(position, value, catalog); !loaded.ok()) continue;
  }
  std::vector<uint32_t> ids;
  for (const auto& [field, runs] : rows_) {
    if (field > fields_.size()) continue;
    for (const Run& run : runs) {
      ids.resize(run.last - run.first + 1);
      std::iota(ids.begin(), ids.end(), run.first);
      catalog->NoteField(field, ids);
    }
  }
}

MendedNames NameMender::Finish() {
  MendedNames mended;
  mended.measurements = NameMeasurements();
  mended.fields = NameFields();
  NameLabels();
  PlaceSeries();
  Catalog catalog(model::SeriesHashSeed());
  AddTexts(&catalog);
  mended.series = AddSeries(&catalog);
  AddRows(&catalog);
  mended.entries = AllEntries(catalog);
  return mended;
}

}  // namespace tidemark::index

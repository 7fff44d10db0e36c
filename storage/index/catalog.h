// Catalog: all names of one database and what they are to each other, without locks: the part of the index that is
// saved, and what is derived from it. Ids are dense from 1 on, in order of creation, and never change. Not thread-safe;
// several threads may read at once while nobody adds.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "storage/index/chunked_vector.h"
#include "storage/index/dictionary.h"
#include "storage/index/id_set.h"
#include "storage/index/series_table.h"
#include "storage/model/field.h"
#include "storage/model/series_key.h"

namespace tidemark::index {

// A label name.
struct LabelEntry {
  std::vector<uint32_t> pairs;  // one for each distinct value, ascending
  IdSet series;                 // that have this label
};

// One field of one measurement. A name whose type has changed has several, a chain: the youngest is found by the name.
struct FieldEntry {
  model::FieldType type = model::FieldType::kFloat;
  uint32_t predecessor = 0;  // the field that had the name before; 0: none
  uint32_t successor = 0;    // the one that has it after it; 0: this is the youngest
  uint32_t metric = 0;
  IdSet series;                        // that have this field
  std::vector<uint32_t> dirty_blocks;  // of 65,536 ids of `series` that differ from what is saved; ascending
};

class Catalog {
 public:
  explicit Catalog(uint64_t seed)
      : measurements(seed), labels(seed), pairs(seed), fields(seed), metrics(seed), series(seed) {}

  // What exists is found again; what is new is added. A returned id equal to the size afterwards need not be new:
  // compare the sizes.
  uint32_t AddMeasurement(std::string_view name) { return measurements.Intern(0, name).first; }
  uint32_t AddLabel(std::string_view name);
  uint32_t AddPair(uint32_t label, std::string_view value);
  // A name that has a field gets a new one behind it.
  uint32_t AddField(uint32_t measurement, model::FieldType type, std::string_view name);
  // The series with these names; 0: none. Makes no name.
  [[nodiscard]] uint32_t FindSeries(const model::ParsedKey& key) const;
  // The series must not exist. `pair_ids` sorted by label name. With `postings` it is entered into the postings of its
  // pairs at once; without, AddPostings must follow.
  uint32_t AddSeries(uint32_t measurement, std::span<const uint32_t> pair_ids, bool postings);
  // Enters the series [first, end) into postings, all at once.
  void AddPostings(uint32_t first, uint32_t end);

  // The youngest field of the chain that `field` is in.
  [[nodiscard]] uint32_t NewestField(uint32_t field) const;

  // Records that `ids`, which exist, have `field`. Returns whether anything is new.
  void NoteField(uint32_t field, std::span<const uint32_t> ids);

  // The pair of `label` that a series has, 0 when it has none.
  [[nodiscard]] uint32_t PairOf(uint32_t series_id, uint32_t label) const;

  [[nodiscard]] std::string_view LabelNameOf(uint32_t pair) const { return labels.Text(pairs.Scope(pair)); }
  [[nodiscard]] const LabelEntry& label(uint32_t id) const { return label_entries_[id - 1]; }
  [[nodiscard]] const IdSet& postings(uint32_t pair) const { return postings_[pair - 1]; }
  [[nodiscard]] const FieldEntry& field(uint32_t id) const { return field_entries_[id - 1]; }
  [[nodiscard]] FieldEntry& field(uint32_t id) { return field_entries_[id - 1]; }
  // Names that fields have, each chain once.
  [[nodiscard]] uint32_t field_names() const { return field_names_; }
  // The fields that give a metric name; more than one when cpu + usage_user and cpu_usage + user both exist.
  [[nodiscard]] std::span<const uint32_t> FieldsOfMetric(uint32_t metric) const { return metric_fields_[metric - 1]; }

  [[nodiscard]] size_t memory_bytes() const;

  Dictionary measurements;
  Dictionary labels;
  Dictionary pairs;   // scope: label
  Dictionary fields;  // scope: measurement
  Dictionary metrics;
  SeriesTable series;

 private:
  ChunkedVector<LabelEntry, 64> label_entries_;
  ChunkedVector<IdSet> postings_;  // by pair
  ChunkedVector<FieldEntry, 64> field_entries_;
  uint32_t field_names_ = 0;
  ChunkedVector<std::vector<uint32_t>, 64> metric_fields_;
};

}  // namespace tidemark::index

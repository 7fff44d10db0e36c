// Index: the names of one database. It maps raw series keys to series ids, measurements and fields to ids, and answers
// which series match a set of label matchers.
//
// Everything lives in memory; what is new since the last checkpoint is handed out twice: as definitions, which go into
// the journal record of the next write (so that a record never names an id that the journal has not defined), and as
// key-value entries, which go into RocksDB at the checkpoint.
//
// Thread-safe. Label bytes that it hands out live as long as the index.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "storage/base/result.h"
#include "storage/model/batch.h"
#include "storage/model/ids.h"
#include "storage/model/labels.h"
#include "storage/model/matcher.h"
#include "storage/model/resolved_batch.h"
#include "storage/model/series_part.h"

namespace tidemark::memory {
class Budget;
}

namespace tidemark::model {
class NameQuota;
}

namespace tidemark::index {

struct FieldInfo {
  model::FieldId id{};
  model::MeasurementId measurement{};
  model::FieldType type = model::FieldType::kFloat;
  std::string_view measurement_name;
  std::string_view name;
  std::string_view metric;                 // model::MetricName
  model::FieldId newest = {};              // of its name; itself where the name has not changed its type since
  std::vector<model::FieldId> older = {};  // that had its name before it
};

struct IndexOptions {
  uint64_t max_series = 50'000'000;
  // Names of fields of all measurements together; one that changes its type counts once.
  uint64_t max_fields = 1'000'000;
  // Where names are paid for; outlives the index. Null: nowhere, and nothing but the limits above is a wall.
  memory::Budget* memory = nullptr;
};

// A key and value for the checkpoint; an empty value is stored as such (nothing is deleted this way).
struct Entry {
  std::string key;
  std::string value;
};

struct IndexStats {
  uint64_t series = 0;
  uint64_t measurements = 0;
  uint64_t fields = 0;
  uint64_t raw_keys = 0;      // spellings known
  uint64_t memory_bytes = 0;  // estimate
};

// One row of "which label has the most values" tables (/api/v1/status/tsdb).
struct Cardinality {
  std::string name;
  uint64_t count = 0;
};

// How many series a writer has made, and who says whether he may make another; null: he may.
struct NewSeries {
  uint64_t made = 0;
  model::NameQuota* quota = nullptr;
  model::DatabaseId database{};  // for the quota
};

class Index {
 public:
  static std::unique_ptr<Index> Create(const IndexOptions& options);
  virtual ~Index() = default;

  // Tells this index from every other that there is or was in this process: ids that somebody remembers mean something
  // in one only.
  [[nodiscard]] uint64_t instance() const { return instance_; }

  // ---- Writing ----

  // ids[i] = the id of rows[i].key, or 0 when that spelling is unknown. Prefetches in groups of 16; takes one shared
  // lock for the whole call. Consecutive rows with the same key cost one probe.
  virtual void Lookup(std::span<const model::Row> rows, model::SeriesId* ids) const = 0;

  // The id of a key that Lookup did not know: parses it (model::ParseSeriesKey), finds the series under its canonical
  // spelling or creates it, and remembers this spelling. Errors: kInvalidArgument (the key does not parse),
  // kLimitExceeded (max_series), kResourceExhausted (the quota). A quota that admitted a series is told its id.
  virtual Result<model::SeriesId> FindOrCreate(const model::SeriesKey& key, NewSeries* made) = 0;
  Result<model::SeriesId> FindOrCreate(const model::SeriesKey& key) {
    NewSeries any;
    return FindOrCreate(key, &any);
  }

  // The ids and stored types that the names of a shape have; nothing is created. A field that does not exist has id 0
  // and the type that the shape says.
  [[nodiscard]] virtual model::ResolvedShape FindShape(const model::Shape& shape) const = 0;

  // The ids and stored types of a shape, creating what is new. Integers (kInt, kUInt) sent to a float field become
  // floats (the resolved type is kFloat). A field of another type than that of its name gives the name a new field
  // when `ending` has the one that it has now; else it is kConflict in the words of InfluxDB 1.x: field type conflict:
  // input field "v" on measurement "m" is type string, already exists as type float. kLimitExceeded (max_fields):
  // nothing of the shape is created. `made`, unless null, gets how many names of fields this call made.
  virtual Result<model::ResolvedShape> ResolveShape(const model::Shape& shape, std::span<const model::FieldId> ending,
                                                    uint64_t* made) = 0;
  Result<model::ResolvedShape> ResolveShape(const model::Shape& shape, std::span<const model::FieldId> ending = {}) {
    return ResolveShape(shape, ending, nullptr);
  }

  // kLimitExceeded when so many new names of fields are too many (max_fields).
  [[nodiscard]] virtual Result<void> CheckRoom(uint64_t fields) const = 0;

  // Changes whenever a name gets a new field in the place of one that it has: what was resolved before may be of the
  // older one. Rows of that must not follow rows of the new one.
  [[nodiscard]] virtual uint64_t types_version() const = 0;

  // Records that `series` have (or are about to get) rows with `fields`. Cheap when already known. Heads call it when
  // the shape of a series changes; recovery calls it again, so it needs no journal of its own.
  virtual void NoteFields(std::span<const model::SeriesId> series, std::span<const model::ResolvedField> fields) = 0;

  // ---- Durability ----

  // Definitions made since the last call, encoded; empty when there are none. Called under the journal's lock, so
  // that each lands in the journal before the first record that uses it.
  virtual std::string TakeDefinitions() = 0;
  // Puts back definitions whose journal write failed, in front of newer ones.
  virtual void ReturnDefinitions(std::string definitions) = 0;
  // Replays definitions. Applying the same ones again changes nothing. Errors: kCorruption.
  virtual Result<void> ApplyDefinitions(std::string_view definitions) = 0;

  // Entries that are new or changed since the last SaveSucceeded. Keys are unique within the database; the caller
  // puts its own prefix in front. At most one save is under way at a time.
  virtual std::vector<Entry> BeginSave() = 0;
  virtual void SaveSucceeded() = 0;
  virtual void SaveFailed() = 0;
  // Loads one saved entry, before anything else is called; any order of keys. FinishLoad builds what is derived.
  virtual Result<void> Load(std::string_view key, std::string_view value) = 0;
  virtual Result<void> FinishLoad() = 0;

  // ---- Reading ----

  // The series and fields that satisfy all matchers, sorted by (field, series). `numeric` and `strings` say which
  // field types count; more than max_series (0: no limit) is kLimitExceeded; a bad expression kInvalidArgument.
  [[nodiscard]] virtual Result<std::vector<model::SeriesRef>> Select(std::span<const model::Matcher> matchers,
                                                                     bool numeric, bool strings,
                                                                     size_t max_series) const = 0;
  // The part of it that is wanted, at the price of that part; `refs` has at least `enough` where `next` is set.
  [[nodiscard]] virtual Result<model::SeriesPart> SelectPart(std::span<const model::Matcher> matchers,
                                                             const model::PartWanted& wanted) const = 0;
  virtual void LabelsOf(model::SeriesRef ref, model::LabelViews* labels) const = 0;
  [[nodiscard]] virtual model::MeasurementId MeasurementOf(model::SeriesId series) const = 0;
  [[nodiscard]] virtual FieldInfo Field(model::FieldId field) const = 0;
  // Whether the name of the field has had integers, as this field or an older one.
  [[nodiscard]] virtual bool HadIntegers(model::FieldId field) const = 0;
  // The newest of each name.
  [[nodiscard]] virtual std::vector<FieldInfo> Fields() const = 0;
  [[nodiscard]] virtual uint64_t SeriesCountOf(model::FieldId field) const = 0;
  // The series of a name: of `newest` or of a field that had its name before.
  [[nodiscard]] virtual uint64_t SeriesCountOfName(model::FieldId newest) const = 0;
  // All series of one field, ascending.
  [[nodiscard]] virtual std::vector<model::SeriesRef> SeriesOf(model::FieldId field) const = 0;
  [[nodiscard]] virtual Result<std::vector<std::string>> LabelNames(std::span<const model::Matcher> matchers) const = 0;
  [[nodiscard]] virtual Result<std::vector<std::string>> LabelValues(
      std::string_view name, std::span<const model::Matcher> matchers) const = 0;
  // The same of series that were selected before; sorted by (field, series).
  [[nodiscard]] virtual std::vector<std::string> LabelNamesOf(std::span<const model::SeriesRef> refs) const = 0;
  [[nodiscard]] virtual std::vector<std::string> LabelValuesOf(std::string_view name,
                                                               std::span<const model::SeriesRef> refs) const = 0;
  // Labels with the most distinct values, most first, at most `limit`.
  [[nodiscard]] virtual std::vector<Cardinality> TopLabels(size_t limit) const = 0;
  [[nodiscard]] virtual IndexStats Stats() const = 0;
  // Changes whenever the answer of a Select may.
  [[nodiscard]] virtual uint64_t version() const = 0;

 protected:
  Index();

 private:
  const uint64_t instance_;
};

}  // namespace tidemark::index

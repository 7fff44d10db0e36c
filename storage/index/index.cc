#include "storage/index/index.h"

#include <fmt/core.h>

#include <algorithm>
#include <atomic>
#include <optional>
#include <random>
#include <utility>

#include "storage/base/arena.h"
#include "storage/base/check.h"
#include "storage/base/mutex.h"
#include "storage/index/catalog.h"
#include "storage/index/definitions.h"
#include "storage/index/field_facts.h"
#include "storage/index/label_lists.h"
#include "storage/index/name_charge.h"
#include "storage/index/raw_key_table.h"
#include "storage/index/regex_cache.h"
#include "storage/index/saved_entries.h"
#include "storage/index/selection.h"
#include "storage/index/shape_lookup.h"
#include "storage/model/name_quota.h"
#include "storage/model/series_key.h"

namespace tidemark::index {
namespace {

using model::FieldId;
using model::MeasurementId;
using model::Number;
using model::SeriesId;
using model::SeriesRef;

constexpr size_t kRegexCacheBytes = size_t{64} << 20;
// Values that an expression is run over before writers get a turn: about a millisecond.
constexpr uint32_t kValuesPerTurn = 8192;

// Locks: `mutex_` guards the names, `keys_mutex_` the spellings, so that looking up known series never waits for a
// query or for new names; `definitions_mutex_` what goes into the journal. Taken in this order.
//
// A series is defined (definitions_) before its spelling can be found (keys_), so whoever has its id has its definition
// in the journal, or takes it there with TakeDefinitions.
class IndexImpl final : public Index {
 public:
  explicit IndexImpl(const IndexOptions& options) : options_(options) {}

  void Lookup(std::span<const model::Row> rows, SeriesId* ids) const override {
    ReaderLock lock(keys_mutex_);
    keys_.Lookup(rows, ids);
  }

  using Index::FindOrCreate;
  using Index::ResolveShape;
  Result<SeriesId> FindOrCreate(const model::SeriesKey& key, NewSeries* made) override;
  model::ResolvedShape FindShape(const model::Shape& shape) const override {
    ReaderLock lock(mutex_);
    return index::FindShape(catalog_, shape);
  }
  Result<model::ResolvedShape> ResolveShape(const model::Shape& shape, std::span<const FieldId> ending,
                                            uint64_t* made) override;
  Result<void> CheckRoom(uint64_t fields) const override {
    ReaderLock lock(mutex_);
    return CheckRoomLocked(fields, fields);
  }
  uint64_t types_version() const override { return types_version_.load(std::memory_order_acquire); }
  void NoteFields(std::span<const SeriesId> series, std::span<const model::ResolvedField> fields) override;

  std::string TakeDefinitions() override {
    MutexLock lock(definitions_mutex_);
    return std::exchange(definitions_, {});
  }
  void ReturnDefinitions(std::string definitions) override {
    MutexLock lock(definitions_mutex_);
    definitions_.insert(0, definitions);
  }
  Result<void> ApplyDefinitions(std::string_view definitions) override {
    WriterLock lock(mutex_);
    auto applied = Apply(definitions, &catalog_);
    CountNames();
    return applied;
  }

  std::vector<Entry> BeginSave() override;
  void SaveSucceeded() override;
  void SaveFailed() override;
  Result<void> Load(std::string_view key, std::string_view value) override {
    WriterLock lock(mutex_);
    if (!loader_) loader_.emplace();
    return loader_->Add(key, value);
  }
  Result<void> FinishLoad() override;
  uint64_t version() const override { return version_.load(std::memory_order_acquire); }

  Result<std::vector<SeriesRef>> Select(std::span<const model::Matcher> matchers, bool numeric, bool strings,
                                        size_t max_series) const override;
  Result<model::SeriesPart> SelectPart(std::span<const model::Matcher> matchers,
                                       const model::PartWanted& wanted) const override;
  void LabelsOf(SeriesRef ref, model::LabelViews* labels) const override;
  MeasurementId MeasurementOf(SeriesId series) const override {
    ReaderLock lock(mutex_);
    return MeasurementId{catalog_.series.measurement(Number(series))};
  }
  FieldInfo Field(FieldId field) const override {
    ReaderLock lock(mutex_);
    return InfoOf(catalog_, Number(field));
  }
  bool HadIntegers(FieldId field) const override {
    ReaderLock lock(mutex_);
    return index::HadIntegers(catalog_, Number(field));
  }
  std::vector<FieldInfo> Fields() const override;
  uint64_t SeriesCountOf(FieldId field) const override {
    ReaderLock lock(mutex_);
    return catalog_.field(Number(field)).series.size();
  }
  uint64_t SeriesCountOfName(FieldId newest) const override {
    ReaderLock lock(mutex_);
    return index::SeriesCountOfName(catalog_, Number(newest));
  }
  std::vector<SeriesRef> SeriesOf(FieldId field) const override {
    ReaderLock lock(mutex_);
    return index::SeriesOf(catalog_, Number(field));
  }
  Result<std::vector<std::string>> LabelNames(std::span<const model::Matcher> matchers) const override;
  Result<std::vector<std::string>> LabelValues(std::string_view name,
                                               std::span<const model::Matcher> matchers) const override;
  std::vector<std::string> LabelNamesOf(std::span<const SeriesRef> refs) const override {
    const std::vector<uint32_t> ids = DistinctSeries(refs);
    ReaderLock lock(mutex_);
    return index::LabelNamesOf(catalog_, ids);
  }
  std::vector<std::string> LabelValuesOf(std::string_view name, std::span<const SeriesRef> refs) const override {
    const std::vector<uint32_t> ids = DistinctSeries(refs);
    ReaderLock lock(mutex_);
    return index::LabelValuesOf(catalog_, name, refs, ids);
  }
  std::vector<Cardinality> TopLabels(size_t limit) const override;
  IndexStats Stats() const override;

 private:
  // A save under way: what it covers.
  struct Save {
    Counts counts{};
    std::vector<std::pair<uint32_t, std::vector<uint32_t>>> blocks;  // field, blocks of its series
  };

  template <typename Define>
  void AddDefinition(const Define& define, uint32_t id) TM_REQUIRES(mutex_) {
    MutexLock lock(definitions_mutex_);
    define(catalog_, id, &definitions_);
  }

  uint32_t InternMeasurement(std::string_view name) TM_REQUIRES(mutex_);
  uint32_t InternPair(const model::LabelView& tag) TM_REQUIRES(mutex_);
  Result<uint32_t> InternSeries(const model::ParsedKey& key, NewSeries* made) TM_REQUIRES(mutex_);
  Result<void> CheckRoomLocked(uint64_t names, uint64_t fields) const TM_REQUIRES_SHARED(mutex_) {
    if (names == 0 || catalog_.field_names() + names <= options_.max_fields) {  // it may have been lowered
      return charge_.Admit(fmt::format("new fields ({})", fields), fields * memory::kFieldBytes);
    }
    return LimitExceeded(fmt::format("max-fields-per-database limit exceeded: ({})", options_.max_fields));
  }
  // Runs the expressions over the values that they have not seen, in turns with writers.
  void Evaluate(std::span<const Condition> conditions, const SelectionLimits& limits) const;
  // After any names were added.
  void CountNames() TM_REQUIRES(mutex_) {
    charge_.Set(catalog_.series.size(), catalog_.pairs.size(), catalog_.fields.size());
  }

  const IndexOptions options_;

  mutable SharedMutex mutex_;
  NameCharge charge_ TM_GUARDED_BY(mutex_){options_.memory};
  std::atomic<uint64_t> version_ = 1;
  std::atomic<uint64_t> types_version_ = 1;
  Catalog catalog_ TM_GUARDED_BY(mutex_){model::SeriesHashSeed()};
  std::optional<Loader> loader_ TM_GUARDED_BY(mutex_);
  Counts saved_ TM_GUARDED_BY(mutex_){};
  std::optional<Save> save_ TM_GUARDED_BY(mutex_);
  std::vector<uint32_t> pair_ids_ TM_GUARDED_BY(mutex_);  // scratch of InternSeries

  mutable SharedMutex keys_mutex_;
  RawKeyTable keys_ TM_GUARDED_BY(keys_mutex_);

  Mutex definitions_mutex_;
  std::string definitions_ TM_GUARDED_BY(definitions_mutex_);

  mutable RegexCache regex_cache_{kRegexCacheBytes};
};

// ---- Writing ----

uint32_t IndexImpl::InternMeasurement(std::string_view name) {
  if (const uint32_t known = catalog_.measurements.Find(0, name); known != 0) return known;
  const uint32_t id = catalog_.AddMeasurement(name);
  AddDefinition(DefineMeasurement, id);
  return id;
}

uint32_t IndexImpl::InternPair(const model::LabelView& tag) {
  uint32_t label = catalog_.labels.Find(0, tag.name);
  if (label == 0) {
    label = catalog_.AddLabel(tag.name);
    AddDefinition(DefineLabel, label);
  }
  const uint32_t before = catalog_.pairs.size();
  const uint32_t pair = catalog_.AddPair(label, tag.value);
  if (pair > before) AddDefinition(DefinePair, pair);
  return pair;
}

Result<uint32_t> IndexImpl::InternSeries(const model::ParsedKey& key, NewSeries* made) {
  if (key.tags.size() > SeriesTable::kMaxTags) {
    return LimitExceeded(fmt::format("more than {} tags", SeriesTable::kMaxTags));
  }
  // A series that would be one too many must not leave its names behind: look first.
  const bool full = catalog_.series.size() >= options_.max_series || !catalog_.series.HasRoom();
  const Result<void> admitted = charge_.Admit("a new series", memory::kSeriesBytes);
  if (full || !admitted.ok() || made->quota != nullptr) {
    const uint32_t known = catalog_.FindSeries(key);
    if (known != 0) return known;
    if (!admitted.ok()) return admitted.error();
    if (full) return LimitExceeded(fmt::format("max-series-per-database limit exceeded: ({})", options_.max_series));
    TM_RETURN_IF_ERROR(made->quota->AdmitNewSeries());
  }
  const uint32_t measurement = InternMeasurement(key.measurement);
  pair_ids_.clear();
  for (const model::LabelView& tag : key.tags) pair_ids_.push_back(InternPair(tag));
  if (const uint32_t known = catalog_.series.Find(measurement, pair_ids_); known != 0) return known;
  const uint32_t id = catalog_.AddSeries(measurement, pair_ids_, true);
  ++made->made;
  if (made->quota != nullptr) made->quota->Made(made->database, SeriesId{id});
  AddDefinition(DefineSeries, id);
  CountNames();
  return id;
}

Result<SeriesId> IndexImpl::FindOrCreate(const model::SeriesKey& key, NewSeries* made) {
  Arena arena;
  TM_TRY_ASSIGN(const model::ParsedKey parsed, model::ParseSeriesKey(key.format, key.bytes, &arena));
  WriterLock lock(mutex_);
  TM_TRY_ASSIGN(const uint32_t id, InternSeries(parsed, made));
  // A series has as many spellings as its tags have orders. One that is not remembered is looked up like this again.
  if (!charge_.Admit("a spelling", 0).ok()) return SeriesId{id};
  WriterLock keys_lock(keys_mutex_);
  keys_.Insert(key.hash, SeriesId{id});
  return SeriesId{id};
}

Result<model::ResolvedShape> IndexImpl::ResolveShape(const model::Shape& shape, std::span<const FieldId> ending,
                                                     uint64_t* made) {
  model::ResolvedShape out;
  if (made != nullptr) *made = 0;
  {
    ReaderLock lock(mutex_);
    TM_TRY_ASSIGN(const MissingFields missing, ResolveKnown(catalog_, shape, ending, &out));
    if (missing.size() == 0) return out;
  }
  WriterLock lock(mutex_);
  TM_TRY_ASSIGN(const MissingFields missing, ResolveKnown(catalog_, shape, ending, &out));
  if (missing.size() == 0) return out;
  TM_RETURN_IF_ERROR(CheckRoomLocked(missing.places_new.size(), missing.size()));
  const uint32_t measurement = InternMeasurement(shape.measurement);
  out.measurement = MeasurementId{measurement};
  if (made != nullptr) *made = missing.places_new.size();
  // Before anybody can find a next field: see types_version.
  if (!missing.places_next.empty()) types_version_.fetch_add(1, std::memory_order_release);
  for (const std::vector<size_t>* places : {&missing.places_new, &missing.places_next}) {
    for (const size_t place : *places) {
      const model::ShapeField& field = shape.fields[place];
      const uint32_t id = catalog_.AddField(measurement, field.type, field.name);
      AddDefinition(DefineField, id);
      out.fields[place] = {FieldId{id}, field.type};
    }
  }
  CountNames();
  return out;
}

void IndexImpl::NoteFields(std::span<const SeriesId> series, std::span<const model::ResolvedField> fields) {
  static_assert(sizeof(SeriesId) == sizeof(uint32_t));
  const std::span<const uint32_t> ids(reinterpret_cast<const uint32_t*>(series.data()), series.size());
  {
    ReaderLock lock(mutex_);
    const bool known =
        std::all_of(fields.begin(), fields.end(), [&](const model::ResolvedField& field) TM_NO_THREAD_SAFETY_ANALYSIS {
          const IdSet& set = catalog_.field(Number(field.id)).series;
          return std::all_of(ids.rbegin(), ids.rend(), [&](uint32_t id) { return set.Contains(id); });
        });
    if (known) return;
  }
  WriterLock lock(mutex_);
  for (const model::ResolvedField& field : fields) catalog_.NoteField(Number(field.id), ids);
  version_.fetch_add(1, std::memory_order_release);
}

// ---- Durability ----

std::vector<Entry> IndexImpl::BeginSave() {
  Save save;
  Counts saved{};
  {
    WriterLock lock(mutex_);
    TM_CHECK(!save_);
    save.counts = CountsOf(catalog_);
    saved = saved_;
    for (uint32_t field = 1; field <= catalog_.fields.size(); ++field) {
      std::vector<uint32_t>& dirty = catalog_.field(field).dirty_blocks;
      if (!dirty.empty()) save.blocks.emplace_back(field, std::exchange(dirty, {}));
    }
    save_ = save;
  }
  // What is covered by `counts` does not change any more, so the lock is taken for one entry at a time.
  std::vector<Entry> entries;
  for (size_t i = 0; i < kCountedKinds; ++i) {
    const auto kind = static_cast<ChunkKind>(i + 1);
    if (saved[i] == save.counts[i]) continue;
    for (uint32_t number = saved[i] / kChunkIds; number <= (save.counts[i] - 1) / kChunkIds; ++number) {
      ReaderLock lock(mutex_);
      entries.push_back({ChunkKey(kind, number), ChunkValue(catalog_, save.counts, kind, number)});
    }
  }
  for (const auto& [field, blocks] : save.blocks) {
    for (const uint32_t block : blocks) {
      ReaderLock lock(mutex_);
      entries.push_back(
          {FieldSeriesKey(field, block), FieldSeriesValue(catalog_, field, block, save.counts[kCountedKinds - 1])});
    }
  }
  return entries;
}

void IndexImpl::SaveSucceeded() {
  WriterLock lock(mutex_);
  TM_CHECK(save_);
  saved_ = save_->counts;
  save_.reset();
}

void IndexImpl::SaveFailed() {
  WriterLock lock(mutex_);
  TM_CHECK(save_);
  for (const auto& [field, blocks] : save_->blocks) {
    std::vector<uint32_t>& dirty = catalog_.field(field).dirty_blocks;
    std::vector<uint32_t> both;
    std::set_union(dirty.begin(), dirty.end(), blocks.begin(), blocks.end(), std::back_inserter(both));
    dirty = std::move(both);
  }
  save_.reset();
}

Result<void> IndexImpl::FinishLoad() {
  WriterLock lock(mutex_);
  if (!loader_) return {};
  TM_RETURN_IF_ERROR(loader_->Finish(&catalog_));
  loader_.reset();
  saved_ = CountsOf(catalog_);
  CountNames();
  return {};
}

// ---- Reading ----

Result<std::vector<SeriesRef>> IndexImpl::Select(std::span<const model::Matcher> matchers, bool numeric, bool strings,
                                                 size_t max_series) const {
  TM_TRY_ASSIGN(const std::vector<Condition> conditions, Prepare(matchers, &regex_cache_));
  const SelectionLimits limits{.numeric = numeric, .strings = strings, .max_series = max_series};
  Evaluate(conditions, limits);
  ReaderLock lock(mutex_);
  return Selection(catalog_, conditions, limits, &regex_cache_).Run();
}

void IndexImpl::Evaluate(std::span<const Condition> conditions, const SelectionLimits& limits) const {
  const bool any_expression = std::any_of(conditions.begin(), conditions.end(),
                                          [](const Condition& condition) { return !condition.expression.empty(); });
  for (bool done = !any_expression; !done;) {
    ReaderLock lock(mutex_);
    done = Selection(catalog_, conditions, limits, &regex_cache_).EvaluateSome(kValuesPerTurn);
  }
}

Result<model::SeriesPart> IndexImpl::SelectPart(std::span<const model::Matcher> matchers,
                                                const model::PartWanted& wanted) const {
  TM_TRY_ASSIGN(std::vector<Condition> conditions, Prepare(matchers, &regex_cache_));
  if (!wanted.label.empty()) conditions.push_back(OtherThan(wanted.label, wanted.without));
  const SelectionLimits limits{.numeric = wanted.numeric, .strings = wanted.strings};
  {
    ReaderLock lock(mutex_);
    auto part = Selection(catalog_, conditions, limits, &regex_cache_).RunPart(wanted, false);
    if (part) return std::move(*part);
  }
  Evaluate(conditions, limits);
  ReaderLock lock(mutex_);
  return Selection(catalog_, conditions, limits, &regex_cache_).RunPart(wanted, true).value();
}

void IndexImpl::LabelsOf(SeriesRef ref, model::LabelViews* labels) const {
  labels->clear();
  ReaderLock lock(mutex_);
  const model::LabelView metric{model::kMetricNameLabel,
                                catalog_.metrics.Text(catalog_.field(Number(ref.field)).metric)};
  bool placed = metric.value.empty();
  for (const uint32_t pair : catalog_.series.pairs(Number(ref.series))) {
    const model::LabelView tag{catalog_.LabelNameOf(pair), catalog_.pairs.Text(pair)};
    if (!placed && tag.name >= metric.name) {
      labels->push_back(metric);
      placed = true;
    }
    // A tag of this name cannot be asked for: the metric's own name stands in its place.
    if (tag.name != metric.name) labels->push_back(tag);
  }
  if (!placed) labels->push_back(metric);
}

std::vector<FieldInfo> IndexImpl::Fields() const {
  std::vector<FieldInfo> out;
  ReaderLock lock(mutex_);
  out.reserve(catalog_.fields.size());
  for (uint32_t field = 1; field <= catalog_.fields.size(); ++field) {
    if (catalog_.field(field).successor == 0) out.push_back(InfoOf(catalog_, field));
  }
  return out;
}

Result<std::vector<std::string>> IndexImpl::LabelNames(std::span<const model::Matcher> matchers) const {
  if (!matchers.empty()) {
    TM_TRY_ASSIGN(const std::vector<SeriesRef> refs, Select(matchers, true, true, 0));
    return LabelNamesOf(refs);
  }
  ReaderLock lock(mutex_);
  return AllLabelNames(catalog_);
}

Result<std::vector<std::string>> IndexImpl::LabelValues(std::string_view name,
                                                        std::span<const model::Matcher> matchers) const {
  if (!matchers.empty()) {
    TM_TRY_ASSIGN(const std::vector<SeriesRef> refs, Select(matchers, true, true, 0));
    return LabelValuesOf(name, refs);
  }
  ReaderLock lock(mutex_);
  return AllLabelValues(catalog_, name);
}

std::vector<Cardinality> IndexImpl::TopLabels(size_t limit) const {
  std::vector<Cardinality> out;
  {
    ReaderLock lock(mutex_);
    for (uint32_t label = 1; label <= catalog_.labels.size(); ++label) {
      out.push_back({std::string(catalog_.labels.Text(label)), catalog_.label(label).pairs.size()});
    }
  }
  std::sort(out.begin(), out.end(), [](const Cardinality& a, const Cardinality& b) {
    return a.count != b.count ? a.count > b.count : a.name < b.name;
  });
  if (out.size() > limit) out.resize(limit);
  return out;
}

IndexStats IndexImpl::Stats() const {
  IndexStats stats;
  {
    ReaderLock lock(mutex_);
    stats.series = catalog_.series.size();
    stats.measurements = catalog_.measurements.size();
    stats.fields = catalog_.fields.size();
    stats.memory_bytes = catalog_.memory_bytes();
  }
  stats.memory_bytes += regex_cache_.memory_bytes();
  ReaderLock lock(keys_mutex_);
  stats.raw_keys = keys_.size();
  stats.memory_bytes += keys_.memory_bytes();
  return stats;
}

// Drawn, so that there is no counter that all share: two of a million indexes share a number once in 37 million
// processes.
uint64_t DrawInstance() {
  std::random_device device;
  return (uint64_t{device()} << 32U) | device();
}

}  // namespace

Index::Index() : instance_(DrawInstance()) {}

std::unique_ptr<Index> Index::Create(const IndexOptions& options) { return std::make_unique<IndexImpl>(options); }

}  // namespace tidemark::index

#include "storage/partition/series_list.h"

#include <algorithm>
#include <utility>

#include "storage/base/bytes.h"
#include "storage/meta/meta_records.h"

namespace tidemark::storage::partition {
namespace {

constexpr uint8_t kLayout = 1;
// With how many of the sets before it a new one is compared: fields of one row follow each other.
constexpr size_t kSetsCompared = 8;

}  // namespace

std::span<const SeriesRun> SeriesList::RunsOf(model::FieldId field) const {
  const auto at =
      std::partition_point(fields_.begin(), fields_.end(), [&](const Field& entry) { return entry.field < field; });
  if (at == fields_.end() || at->field != field) return {};
  return sets_[at->set];
}

bool SeriesList::Contains(model::SeriesRef ref) const {
  const uint32_t id = model::Number(ref.series);
  const std::span<const SeriesRun> runs = RunsOf(ref.field);
  const auto at = std::partition_point(runs.begin(), runs.end(), [&](const SeriesRun& run) { return run.last < id; });
  return at != runs.end() && at->first <= id;
}

std::vector<model::FieldId> SeriesList::Fields() const {
  std::vector<model::FieldId> out;
  out.reserve(fields_.size());
  for (const Field& field : fields_) out.push_back(field.field);
  return out;
}

uint64_t SeriesList::size() const {
  std::vector<uint64_t> of_set(sets_.size(), 0);
  for (size_t i = 0; i < sets_.size(); ++i) {
    for (const SeriesRun& run : sets_[i]) of_set[i] += uint64_t{run.last} - run.first + 1;
  }
  uint64_t size = 0;
  for (const Field& field : fields_) size += of_set[field.set];
  return size;
}

SeriesList SeriesList::Without(const std::function<bool(model::SeriesRef)>& dropped) const {
  SeriesListBuilder builder;
  for (const Field& field : fields_) {
    for (const SeriesRun& run : sets_[field.set]) {
      for (uint64_t id = run.first; id <= run.last; ++id) {
        const model::SeriesRef ref{field.field, model::SeriesId{static_cast<uint32_t>(id)}};
        if (!dropped(ref)) builder.Add(ref.field, ref.series, 0);
      }
    }
  }
  return builder.Finish();
}

std::string SeriesList::Encode() const {
  std::string out(1, static_cast<char>(kLayout));
  PutVarint(&out, sets_.size());
  for (const std::vector<SeriesRun>& set : sets_) {
    PutVarint(&out, set.size());
    uint64_t next = 0;  // the lowest id that the run may begin with
    for (const SeriesRun& run : set) {
      PutVarint(&out, run.first - next);
      PutVarint(&out, run.last - run.first);
      next = uint64_t{run.last} + 1;
    }
  }
  PutVarint(&out, fields_.size());
  uint32_t previous = 0;
  for (const Field& field : fields_) {
    PutVarint(&out, model::Number(field.field) - previous);
    PutVarint(&out, field.set);
    previous = model::Number(field.field);
  }
  meta::Seal(&out);
  return out;
}

Result<SeriesList> SeriesList::Decode(std::string_view bytes) {
  TM_TRY_ASSIGN(const std::string_view body, meta::Unseal(bytes, "the series of an epoch"));
  ByteReader reader(body);
  if (reader.Little<uint8_t>() != kLayout) return Unsupported("the series of an epoch have an unknown layout");
  const Error damaged = Corruption("the series of an epoch are damaged");
  SeriesList list;
  const uint64_t set_count = reader.Varint();
  // A set takes a byte at least, a run and a field two: that bounds what damage can make us reserve.
  if (!reader.ok() || set_count > reader.remaining()) return damaged;
  list.sets_.resize(set_count);
  for (std::vector<SeriesRun>& set : list.sets_) {
    const uint64_t runs = reader.Varint();
    if (!reader.ok() || runs > reader.remaining() / 2) return damaged;
    set.reserve(runs);
    uint64_t next = 0;
    for (uint64_t i = 0; i < runs; ++i) {
      const uint64_t gap = reader.Varint();
      const uint64_t more = reader.Varint();
      if (!reader.ok() || gap > UINT32_MAX || more > UINT32_MAX || next + gap + more > UINT32_MAX) return damaged;
      const uint64_t first = next + gap;
      set.push_back({static_cast<uint32_t>(first), static_cast<uint32_t>(first + more)});
      next = first + more + 1;
    }
  }
  const uint64_t field_count = reader.Varint();
  if (!reader.ok() || field_count > reader.remaining() / 2) return damaged;
  list.fields_.reserve(field_count);
  uint64_t field = 0;
  for (uint64_t i = 0; i < field_count; ++i) {
    const uint64_t step = reader.Varint();
    const uint64_t set = reader.Varint();
    if (!reader.ok() || step > UINT32_MAX || (i > 0 && step == 0) || set >= set_count) return damaged;
    field += step;
    if (field > UINT32_MAX) return damaged;
    list.fields_.push_back({model::FieldId{static_cast<uint32_t>(field)}, static_cast<uint32_t>(set)});
  }
  if (!reader.ok() || !reader.empty()) return damaged;
  return list;
}

void SeriesListBuilder::Add(model::FieldId field, model::SeriesId series, size_t place) {
  const uint32_t id = model::Number(series);
  Add(field, SeriesRun{id, id}, place);
}

void SeriesListBuilder::Add(model::FieldId field, SeriesRun run, size_t place) {
  if (place >= growing_.size() || growing_[place].field != field) {
    const auto [at, added] = places_.try_emplace(model::Number(field), growing_.size());
    place = at->second;
    if (added) growing_.push_back({field, {}});
  }
  std::vector<SeriesRun>& runs = growing_[place].runs;
  if (!runs.empty() && runs.back().last + 1 == run.first) {
    runs.back().last = run.last;
  } else if (runs.empty() || runs.back().last != run.last) {
    runs.push_back(run);
  }
}

void SeriesListBuilder::FinishMeasurement() {
  for (Growing& entry : growing_) {
    const size_t sets = list_.sets_.size();
    const auto first = list_.sets_.begin() + static_cast<std::ptrdiff_t>(sets - std::min(sets, kSetsCompared));
    const auto same = std::find(first, list_.sets_.end(), entry.runs);
    list_.fields_.push_back({entry.field, static_cast<uint32_t>(same - list_.sets_.begin())});
    if (same == list_.sets_.end()) list_.sets_.push_back(std::move(entry.runs));
  }
  growing_.clear();
  places_.clear();
}

SeriesList SeriesListBuilder::Finish() {
  FinishMeasurement();
  std::sort(list_.fields_.begin(), list_.fields_.end(),
            [](const SeriesList::Field& a, const SeriesList::Field& b) { return a.field < b.field; });
  for (std::vector<SeriesRun>& set : list_.sets_) set.shrink_to_fit();
  return std::move(list_);
}

}  // namespace tidemark::storage::partition

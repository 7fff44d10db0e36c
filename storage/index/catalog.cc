#include "storage/index/catalog.h"

#include <algorithm>
#include <utility>

#include "storage/model/labels.h"

namespace tidemark::index {

uint32_t Catalog::AddLabel(std::string_view name) {
  const auto [id, is_new] = labels.Intern(0, name);
  if (is_new) label_entries_.Append({});
  return id;
}

uint32_t Catalog::AddPair(uint32_t label, std::string_view value) {
  const auto [id, is_new] = pairs.Intern(label, value);
  if (is_new) {
    postings_.Append({});
    label_entries_[label - 1].pairs.push_back(id);
  }
  return id;
}

uint32_t Catalog::AddField(uint32_t measurement, model::FieldType type, std::string_view name) {
  const uint32_t predecessor = fields.Find(measurement, name);
  const uint32_t id = predecessor == 0 ? fields.Intern(measurement, name).first : fields.Renew(measurement, name);
  const auto [metric, is_new] = metrics.Intern(0, model::MetricName(measurements.Text(measurement), name));
  if (is_new) metric_fields_.Append({});
  metric_fields_[metric - 1].push_back(id);
  FieldEntry& entry = field_entries_.Append({});
  entry.type = type;
  entry.metric = metric;
  entry.predecessor = predecessor;
  if (predecessor != 0) {
    field_entries_[predecessor - 1].successor = id;
  } else {
    ++field_names_;
  }
  return id;
}

uint32_t Catalog::FindSeries(const model::ParsedKey& key) const {
  std::vector<uint32_t> pair_ids;
  for (const model::LabelView& tag : key.tags) {
    const uint32_t label = labels.Find(0, tag.name);
    pair_ids.push_back(label == 0 ? 0 : pairs.Find(label, tag.value));
  }
  return series.Find(measurements.Find(0, key.measurement), pair_ids);
}

uint32_t Catalog::AddSeries(uint32_t measurement, std::span<const uint32_t> pair_ids, bool postings) {
  const uint32_t id = series.Add(measurement, pair_ids);
  if (postings) {
    for (const uint32_t pair : pair_ids) {
      postings_[pair - 1].Add(id);
      label_entries_[pairs.Scope(pair) - 1].series.Add(id);
    }
  }
  return id;
}

void Catalog::AddPostings(uint32_t first, uint32_t end) {
  // A counting sort by pair, in slices of series that bound its memory.
  constexpr uint32_t kSlice = 1 << 18;
  std::vector<uint32_t> ends(size_t{pairs.size()} + 1);
  std::vector<uint32_t> sorted;
  for (; first < end; first += std::min(kSlice, end - first)) {
    const uint32_t slice_end = first + std::min(kSlice, end - first);
    std::fill(ends.begin(), ends.end(), 0);
    for (uint32_t id = first; id < slice_end; ++id) {
      for (const uint32_t pair : series.pairs(id)) ++ends[pair];
    }
    uint32_t total = 0;
    for (uint32_t& count : ends) total += std::exchange(count, total);
    sorted.resize(total);
    std::vector<std::vector<uint32_t>> by_label(labels.size());
    for (uint32_t id = first; id < slice_end; ++id) {
      for (const uint32_t pair : series.pairs(id)) {
        sorted[ends[pair]++] = id;
        by_label[pairs.Scope(pair) - 1].push_back(id);
      }
    }
    uint32_t begin = 0;
    for (uint32_t pair = 1; pair <= pairs.size(); ++pair) {
      postings_[pair - 1].AddMany({sorted.data() + begin, ends[pair] - begin});
      begin = ends[pair];
    }
    for (size_t label = 0; label < by_label.size(); ++label) label_entries_[label].series.AddMany(by_label[label]);
  }
}

uint32_t Catalog::NewestField(uint32_t field) const {
  while (field_entries_[field - 1].successor != 0) field = field_entries_[field - 1].successor;
  return field;
}

void Catalog::NoteField(uint32_t field, std::span<const uint32_t> ids) {
  FieldEntry& entry = field_entries_[field - 1];
  for (const uint32_t id : ids) {
    if (!entry.series.Add(id)) continue;
    const uint32_t block = id >> 16;
    std::vector<uint32_t>& dirty = entry.dirty_blocks;
    if (!dirty.empty() && dirty.back() == block) continue;
    const auto at = std::lower_bound(dirty.begin(), dirty.end(), block);
    if (at == dirty.end() || *at != block) dirty.insert(at, block);
  }
}

uint32_t Catalog::PairOf(uint32_t series_id, uint32_t label) const {
  for (const uint32_t pair : series.pairs(series_id)) {
    if (pairs.Scope(pair) == label) return pair;
  }
  return 0;
}

size_t Catalog::memory_bytes() const {
  size_t sum = measurements.memory_bytes() + labels.memory_bytes() + pairs.memory_bytes() + fields.memory_bytes() +
               metrics.memory_bytes() + series.memory_bytes() + label_entries_.memory_bytes() +
               postings_.memory_bytes() + field_entries_.memory_bytes() + metric_fields_.memory_bytes();
  for (uint32_t pair = 0; pair < pairs.size(); ++pair) sum += postings_[pair].heap_bytes();
  for (uint32_t label = 0; label < labels.size(); ++label) {
    sum += label_entries_[label].series.heap_bytes() + label_entries_[label].pairs.capacity() * sizeof(uint32_t);
  }
  for (uint32_t field = 0; field < fields.size(); ++field) sum += field_entries_[field].series.heap_bytes();
  for (uint32_t metric = 0; metric < metrics.size(); ++metric) {
    sum += metric_fields_[metric].capacity() * sizeof(uint32_t);
  }
  return sum;
}

}  // namespace tidemark::index

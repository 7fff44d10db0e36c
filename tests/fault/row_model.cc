#include "row_model.h"

#include <fmt/core.h>

#include <algorithm>
#include <limits>
#include <utility>
#include <vector>

#include "storage/model/batch.h"

namespace tidemark::fault {
namespace {

int64_t ValueAt(const RowRun& run, int row) { return run.value + row * 3 + (row % 7) * (row % 5); }
std::string TextAt(const RowRun& run, int row) { return fmt::format("s{}", (run.value + row) % 10); }
int64_t TimeAt(const RowRun& run, int row) { return run.first_ns + row * run.step_ns; }

std::string NameOf(std::string_view database, const model::LabelViews& labels) {
  std::string metric;
  std::string host;
  for (const model::LabelView& label : labels) {
    if (label.name == "__name__") metric = label.value;
    if (label.name == "host") host = label.value;
    // A series that lost its labels.
    if (label.name == "id") host = fmt::format("#{}", label.value);
  }
  return fmt::format("{}/{}/{}", database, metric, host);
}

// What the bucket (start_ns, end_ns] must say, from the rows.
std::string CheckBucket(const storage::TierColumn& tier, size_t bucket, const std::vector<int64_t>& times,
                        const std::vector<int64_t>& values) {
  const int64_t start_ns = tier.first_start_ns + static_cast<int64_t>(bucket) * tier.width_ns;
  uint64_t count = 0;
  double sum = 0;
  double low = std::numeric_limits<double>::infinity();
  double high = -low;
  for (size_t i = 0; i < times.size(); ++i) {
    if (times[i] <= start_ns || times[i] > start_ns + tier.width_ns) continue;
    const auto value = static_cast<double>(values[i]);
    ++count;
    sum += value;
    low = std::min(low, value);
    high = std::max(high, value);
  }
  if (count != tier.count[bucket] ||
      (count != 0 && (sum != tier.sum[bucket] || low != tier.min[bucket] || high != tier.max[bucket]))) {
    return fmt::format("the bucket of {} ns behind {} says {} rows with sum {}, but there are {} with sum {}",
                       tier.width_ns, start_ns, tier.count[bucket], tier.sum[bucket], count, sum);
  }
  return {};
}

Result<void> CheckTiers(const storage::View& view, model::SeriesRef ref, const std::vector<int64_t>& times,
                        const std::vector<int64_t>& values) {
  if (times.empty()) return {};
  const std::vector<model::SeriesRef> refs{ref};
  // Buckets of rows that are gone tell more than the rows that are left.
  const auto gone = view.RawGoneIn({});
  for (const int64_t width_ns : view.Tiers()) {
    const model::TimeRange range{{times.front() - 2 * width_ns}, {times.back() + 2 * width_ns}};
    auto cursor = view.ScanTier(refs, range, width_ns);
    storage::TierColumn tier;
    TM_TRY_ASSIGN(const bool more, cursor->Next(&tier));
    if (!more) continue;
    for (size_t bucket = 0; bucket < tier.buckets; ++bucket) {
      if (tier.trusted[bucket] == 0) continue;
      const int64_t start_ns = tier.first_start_ns + static_cast<int64_t>(bucket) * width_ns;
      if (gone.has_value() && start_ns < gone->range.last.ns) continue;
      if (std::string wrong = CheckBucket(tier, bucket, times, values); !wrong.empty()) {
        return Corruption(std::move(wrong));
      }
    }
  }
  return {};
}

Result<void> ReadDocuments(const storage::DocumentStore& documents, RowModel* found) {
  for (const storage::DocumentKindUsage& kind : documents.Kinds()) {
    // The store's own note of the time: nobody has acknowledged it, and every process writes it anew.
    if (kind.word == "clock") continue;
    for (const storage::DocumentInfo& document : documents.List(kind.word, {.deleted = true})) {
      TM_TRY_ASSIGN(const auto history, documents.History(kind.word, document.name, 1'000));
      ModelColumn& versions = (*found)[fmt::format("documents/{}/{}", kind.word, document.name)];
      for (const storage::DocumentInfo& info : history) {
        std::string text(kDeletedDocument);
        if (!info.deleted) {
          TM_TRY_ASSIGN(storage::Document read, documents.GetVersion(kind.word, info.name, info.version));
          text = std::move(read.bytes);
        }
        versions.emplace(static_cast<int64_t>(info.version), std::move(text));
      }
    }
  }
  return {};
}

}  // namespace

Result<void> WriteRun(storage::Store& store, const RowRun& run) {
  model::BatchBuilder builder;
  for (int row = 0; row < run.count; ++row) {
    builder.Row("m", {{"host", run.host}}, {TimeAt(run, row)})
        .Field("v", ValueAt(run, row))
        .Field("s", std::string_view(TextAt(run, row)));
  }
  TM_TRY_ASSIGN(const model::WriteReport report, store.Write(run.database, builder.batch()));
  if (report.rows_rejected != 0) return report.rejections[0].error;
  return {};
}

void AddRun(const RowRun& run, RowModel* model) {
  ModelColumn& values = (*model)[fmt::format("{}/m_v/{}", run.database, run.host)];
  ModelColumn& texts = (*model)[fmt::format("{}/m_s/{}", run.database, run.host)];
  for (int row = 0; row < run.count; ++row) {
    values.insert_or_assign(TimeAt(run, row), fmt::format("{}", ValueAt(run, row)));
    texts.insert_or_assign(TimeAt(run, row), TextAt(run, row));
  }
}

void AddDocument(RowModel* model, const std::string& name, int64_t version, const std::string& text) {
  (*model)[name].insert_or_assign(version, text);
}

void Erase(RowModel* model, std::string_view database, std::string_view host, int64_t first_ns, int64_t last_ns) {
  for (auto& [name, column] : *model) {
    if (!name.starts_with(fmt::format("{}/", database))) continue;
    if (!host.empty() && !name.ends_with(fmt::format("/{}", host))) continue;
    column.erase(column.lower_bound(first_ns), column.upper_bound(last_ns));
  }
  std::erase_if(*model, [](const auto& entry) { return entry.second.empty(); });
}

Result<void> ReadView(const storage::View& view, std::string_view database, RowModel* found) {
  TM_TRY_ASSIGN(const auto refs, view.Select({}, {}, {.numeric = true, .strings = true, .max_series = 0}));
  auto cursor = view.Scan(refs, {});
  model::Column column;
  model::LabelViews labels;
  for (const model::SeriesRef ref : refs) {
    TM_TRY_ASSIGN(const bool more, cursor->Next(&column));
    if (!more) return Corruption("fewer columns than series");
    if (column.empty()) continue;
    view.LabelsOf(ref, &labels);
    ModelColumn& rows = (*found)[NameOf(database, labels)];
    std::vector<int64_t> times;
    std::vector<int64_t> values;
    for (size_t i = 0; i < column.size(); ++i) {
      const bool text = column.type == model::FieldType::kString;
      rows.emplace(column.times[i], text ? std::string(column.strings[i]) : fmt::format("{}", column.ints[i]));
      if (text) continue;
      times.push_back(column.times[i]);
      values.push_back(column.ints[i]);
    }
    TM_RETURN_IF_ERROR(CheckTiers(view, ref, times, values));
  }
  if (!cursor->warnings().empty()) return Corruption(cursor->warnings()[0]);
  return {};
}

Result<RowModel> ReadAll(const storage::Store& store) {
  RowModel found;
  for (const storage::DatabaseInfo& database : store.Databases()) {
    TM_TRY_ASSIGN(const auto view, store.OpenView(database.name));
    TM_RETURN_IF_ERROR(ReadView(*view, database.name, &found));
  }
  TM_RETURN_IF_ERROR(ReadDocuments(*store.Documents(), &found));
  return found;
}

RowModel ReadPart(const storage::Store& store, std::vector<std::string>* said) {
  RowModel found;
  const auto tell = [said](const std::vector<std::string>& texts) {
    said->insert(said->end(), texts.begin(), texts.end());
  };
  for (const storage::DatabaseInfo& database : store.Databases()) {
    const auto view = store.OpenView(database.name);
    if (!view.ok()) {
      tell({view.error().message});
      continue;
    }
    tell((*view)->Warnings());
    const auto refs = (*view)->Select({}, {}, {.numeric = true, .strings = true, .max_series = 0});
    if (!refs.ok()) {
      tell({refs.error().message});
      continue;
    }
    auto cursor = (*view)->Scan(*refs, {});
    model::LabelViews labels;
    model::Column column;
    for (const model::SeriesRef ref : *refs) {
      const auto more = cursor->Next(&column);
      if (!more.ok()) tell({more.error().message});
      if (!more.ok() || !*more) break;
      if (column.empty()) continue;
      (*view)->LabelsOf(ref, &labels);
      ModelColumn& rows = found[NameOf(database.name, labels)];
      for (size_t i = 0; i < column.size(); ++i) {
        const bool text = column.type == model::FieldType::kString;
        rows.emplace(column.times[i], text ? std::string(column.strings[i]) : fmt::format("{}", column.ints[i]));
      }
    }
    tell(cursor->warnings());
  }
  if (auto read = ReadDocuments(*store.Documents(), &found); !read.ok()) tell({read.error().message});
  return found;
}

std::string Untrue(const RowModel& wanted, const RowModel& found) {
  for (const auto& [name, column] : found) {
    const auto other = wanted.find(name);
    if (other == wanted.end()) return fmt::format("{} with {} rows should not be there", name, column.size());
    for (const auto& [time, value] : column) {
      const auto at = other->second.find(time);
      if (at == other->second.end()) return fmt::format("{} at {} is {} and should not be there", name, time, value);
      if (at->second != value) return fmt::format("{} at {} is {} and not {}", name, time, value, at->second);
    }
  }
  return {};
}

std::string Difference(const RowModel& wanted, const RowModel& found) {
  for (const auto& [name, column] : wanted) {
    const auto other = found.find(name);
    if (other == found.end()) return fmt::format("{} with {} rows is missing", name, column.size());
    for (const auto& [time, value] : column) {
      const auto at = other->second.find(time);
      if (at == other->second.end()) return fmt::format("{} at {} is missing", name, time);
      if (at->second != value) return fmt::format("{} at {} is {} and not {}", name, time, at->second, value);
    }
    for (const auto& [time, value] : other->second) {
      if (!column.contains(time)) return fmt::format("{} at {} is {} and should not be there", name, time, value);
    }
  }
  for (const auto& [name, column] : found) {
    if (!wanted.contains(name)) return fmt::format("{} with {} rows should not be there", name, column.size());
  }
  return {};
}

}  // namespace tidemark::fault

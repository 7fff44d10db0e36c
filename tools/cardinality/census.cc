#include "tools/cardinality/census.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <memory>
#include <utility>

#include "tools/cardinality/distinct_count.h"
#include "tools/cardinality/heavy_counts.h"

namespace tidemark::cardinality {
namespace {

// Measured, of names in memory (tools/README.md, Sizing).
constexpr uint64_t kSeriesBytes = 200;
constexpr size_t kHeavyNames = 65'536;
constexpr size_t kLabelNames = 4'096;
constexpr size_t kSeriesBetweenLooks = 4'096;

struct Measurement {
  std::vector<std::string> metrics;
  uint64_t series = 0;
  uint64_t columns = 0;
};

// Counts of names whose columns may be fractions: of a series the mean of its measurement.
struct Sum {
  uint64_t series = 0;
  double columns = 0;
};

class Census {
 public:
  Census(const storage::View& view, const CensusOptions& options) : view_(view), options_(options) {
    for (const storage::FieldDescription& field : view_.Fields()) {
      measurements_[field.measurement].metrics.push_back(field.metric);
      names_[model::Number(field.id)] = field.measurement;
    }
  }

  Status Count() {
    TM_RETURN_IF_ERROR(ForEachMeasurement([this](Measurement* of, const std::vector<model::SeriesRef>& refs) -> Status {
      of->columns = refs.size();
      return ForEachSeries(refs, [of](const model::LabelViews&) { ++of->series; });
    }));
    TM_RETURN_IF_ERROR(ForEachLabelled([this](const model::LabelViews& labels, double) { Note(labels); }));
    source_ = SourceLabel();
    // Again, exactly, for those that will be shown.
    for (std::string& name : label_names_.Top(options_.limit)) labels_.emplace(std::move(name), Sum());
    for (std::string& name : pair_names_.Top(options_.limit)) pairs_.emplace(std::move(name), Sum());
    for (std::string& name : TopSources()) sources_.emplace(std::move(name), Sum());
    return ForEachLabelled([this](const model::LabelViews& labels, double columns) { AddExact(labels, columns); });
  }

  [[nodiscard]] CensusResult Result(uint64_t disk_bytes) const {
    CensusResult out;
    for (const auto& [_, measurement] : measurements_) {
      out.series += measurement.series;
      out.columns += measurement.columns;
    }
    out.memory_bytes = out.series * kSeriesBytes;
    out.disk_bytes = disk_bytes;
    out.source_label = source_;
    out.missed_below = std::max({label_names_.error(), pair_names_.error(), SourceError()});
    const auto row = [&out](std::string name, const Sum& sum) {
      const double part = out.columns == 0 ? 0 : sum.columns / static_cast<double>(out.columns);
      return CensusRow{.name = std::move(name),
                       .series = sum.series,
                       .columns = static_cast<uint64_t>(std::llround(sum.columns)),
                       .values = 0,
                       .memory_bytes = sum.series * kSeriesBytes,
                       .disk_bytes = static_cast<uint64_t>(std::llround(part * static_cast<double>(out.disk_bytes)))};
    };
    for (const auto& [name, measurement] : measurements_) {
      out.measurements.push_back(row(name, {measurement.series, static_cast<double>(measurement.columns)}));
    }
    for (const auto& [name, sum] : labels_) {
      out.labels.push_back(row(name, sum));
      const auto values = values_.find(name);
      out.labels.back().values = values == values_.end() ? 0 : values->second.count();
    }
    for (const auto& [name, sum] : pairs_) out.pairs.push_back(row(name, sum));
    for (const auto& [name, sum] : sources_) out.sources.push_back(row(name, sum));
    for (auto* rows : {&out.measurements, &out.labels, &out.pairs, &out.sources}) Cut(rows);
    return out;
  }

 private:
  using OnMeasurement = std::function<Status(Measurement* of, const std::vector<model::SeriesRef>& refs)>;
  using OnSeries = std::function<void(const model::LabelViews& labels)>;
  using OnLabelled = std::function<void(const model::LabelViews& labels, double columns)>;

  // One at a time, so that never the references of all series are held.
  Status ForEachMeasurement(const OnMeasurement& take) {
    for (auto& [name, measurement] : measurements_) {
      std::vector<model::SeriesRef> refs;
      for (const std::string& metric : measurement.metrics) {
        if (options_.look) TM_RETURN_IF_ERROR(options_.look());
        const model::Matcher matcher{model::MatchOp::kEqual, std::string(model::kMetricNameLabel), metric};
        TM_TRY_ASSIGN(const std::vector<model::SeriesRef> some,
                      view_.Select({&matcher, 1}, {}, {.numeric = true, .strings = true, .max_series = 0}));
        // Another measurement may have the same metric, and a field an older type.
        for (const model::SeriesRef& ref : some) {
          const model::FieldId newest = view_.NewestOf(ref.field);
          const auto own = names_.find(model::Number(newest));
          if (own != names_.end() && own->second == name) refs.push_back({newest, ref.series});
        }
      }
      std::sort(refs.begin(), refs.end());
      refs.erase(std::unique(refs.begin(), refs.end()), refs.end());
      TM_RETURN_IF_ERROR(take(&measurement, refs));
    }
    return {};
  }

  // Each series once, of whichever field it comes first.
  Status ForEachSeries(const std::vector<model::SeriesRef>& refs, const OnSeries& take) const {
    std::vector<bool> seen;
    model::LabelViews labels;
    for (size_t i = 0; i < refs.size(); ++i) {
      if (i % kSeriesBetweenLooks == 0 && options_.look) TM_RETURN_IF_ERROR(options_.look());
      const size_t number = model::Number(refs[i].series);
      if (number >= seen.size()) seen.resize(std::max<size_t>(number + 1, seen.size() * 2));
      if (seen[number]) continue;
      seen[number] = true;
      view_.LabelsOf(refs[i], &labels);
      take(labels);
    }
    return {};
  }

  Status ForEachLabelled(const OnLabelled& take) {
    return ForEachMeasurement([&](Measurement* of, const std::vector<model::SeriesRef>& refs) -> Status {
      const double columns = of->series == 0 ? 0 : static_cast<double>(of->columns) / static_cast<double>(of->series);
      return ForEachSeries(refs, [&](const model::LabelViews& labels) { take(labels, columns); });
    });
  }

  static std::string PairOf(const model::LabelView& label) {
    std::string out(label.name);
    out += '=';
    out += label.value;
    return out;
  }

  [[nodiscard]] bool MayBeSource(std::string_view name) const {
    if (!options_.source_label.empty()) return name == options_.source_label;
    return std::find(std::begin(kSourceLabels), std::end(kSourceLabels), name) != std::end(kSourceLabels);
  }

  void Note(const model::LabelViews& labels) {
    for (const model::LabelView& label : labels) {
      if (label.name == model::kMetricNameLabel) continue;
      label_names_.Add(label.name);
      pair_names_.Add(PairOf(label));
      const auto values = values_.find(label.name);
      if (values != values_.end()) {
        values->second.Add(label.value);
      } else if (values_.size() < kLabelNames) {
        values_[std::string(label.name)].Add(label.value);
      }
      if (MayBeSource(label.name))
        source_names_.try_emplace(std::string(label.name), kHeavyNames).first->second.Add(label.value);
    }
  }

  [[nodiscard]] std::string SourceLabel() const {
    if (!options_.source_label.empty()) return options_.source_label;
    for (const std::string_view name : kSourceLabels) {
      if (source_names_.contains(std::string(name))) return std::string(name);
    }
    return {};
  }
  [[nodiscard]] std::vector<std::string> TopSources() const {
    const auto at = source_names_.find(source_);
    return at == source_names_.end() ? std::vector<std::string>() : at->second.Top(options_.limit);
  }
  [[nodiscard]] uint64_t SourceError() const {
    const auto at = source_names_.find(source_);
    return at == source_names_.end() ? 0 : at->second.error();
  }

  void AddExact(const model::LabelViews& labels, double columns) {
    const auto add = [columns](std::map<std::string, Sum>* sums, const std::string& name) {
      const auto at = sums->find(name);
      if (at == sums->end()) return;
      ++at->second.series;
      at->second.columns += columns;
    };
    for (const model::LabelView& label : labels) {
      if (label.name == model::kMetricNameLabel) continue;
      add(&labels_, std::string(label.name));
      add(&pairs_, PairOf(label));
      if (label.name == source_) add(&sources_, std::string(label.value));
    }
  }

  void Cut(std::vector<CensusRow>* rows) const {
    std::sort(rows->begin(), rows->end(), [](const CensusRow& a, const CensusRow& b) {
      return a.series != b.series ? a.series > b.series : a.name < b.name;
    });
    if (rows->size() > options_.limit) rows->resize(options_.limit);
  }

  const storage::View& view_;
  const CensusOptions& options_;
  std::map<std::string, Measurement> measurements_;
  std::map<uint32_t, std::string> names_;  // measurements by the number of a field
  HeavyCounts label_names_{kHeavyNames};
  HeavyCounts pair_names_{kHeavyNames};
  std::map<std::string, HeavyCounts> source_names_;
  std::map<std::string, DistinctCount, std::less<>> values_;
  std::string source_;
  std::map<std::string, Sum> labels_;
  std::map<std::string, Sum> pairs_;
  std::map<std::string, Sum> sources_;
};

}  // namespace

Result<CensusResult> TakeCensus(const storage::Store& store, const std::string& database,
                                const CensusOptions& options) {
  TM_TRY_ASSIGN(const std::shared_ptr<const storage::View> view, store.OpenView(database));
  Census census(*view, options);
  TM_RETURN_IF_ERROR(census.Count());
  uint64_t disk_bytes = 0;
  for (const storage::DatabaseInfo& info : store.Databases()) {
    if (info.name == database) disk_bytes = info.disk_bytes;
  }
  return census.Result(disk_bytes);
}

}  // namespace tidemark::cardinality

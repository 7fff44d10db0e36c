// MemoryStore: a Store that keeps what is written in plain vectors, for tests of what stands around the real one. Slow
// and simple; rejects what it is told to.
#pragma once

#include <re2/re2.h>

#include <algorithm>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "storage/base/mutex.h"
#include "storage/model/series_key.h"
#include "storage/storage.h"

namespace tidemark {

struct MemorySeries {
  model::FieldId field{};
  model::FieldType type = model::FieldType::kFloat;
  std::string measurement;
  std::string field_name;
  model::Labels labels;  // __name__ included
  std::map<int64_t, std::pair<double, std::string>> rows;
};

class MemoryView final : public storage::View {
 public:
  explicit MemoryView(std::vector<MemorySeries> series) : series_(std::move(series)) {
    // The fields of a series share its number, as in a store.
    std::map<std::pair<std::string, model::Labels>, model::SeriesId> ids;
    for (size_t i = 0; i < series_.size(); ++i) {
      model::Labels tags = series_[i].labels;
      std::erase_if(tags, [](const model::Label& label) { return label.name == model::kMetricNameLabel; });
      const auto own = model::SeriesId(i + 1);
      model::SeriesRef ref{series_[i].field, ids.try_emplace({series_[i].measurement, tags}, own).first->second};
      if (!places_.try_emplace(ref, i).second) {
        ref.series = own;
        places_.emplace(ref, i);
      }
      refs_.push_back(ref);
    }
  }

  Result<std::vector<model::SeriesRef>> Select(std::span<const model::Matcher> matchers, model::TimeRange,
                                               const storage::SelectOptions& options) const override {
    for (const model::Matcher& matcher : matchers) {
      const bool regex = matcher.op == model::MatchOp::kRegex || matcher.op == model::MatchOp::kNotRegex;
      if (regex && !RE2(matcher.value, RE2::Quiet).ok()) return InvalidArgument("bad expression " + matcher.value);
    }
    std::vector<model::SeriesRef> refs;
    for (size_t i = 0; i < series_.size(); ++i) {
      const bool string = series_[i].type == model::FieldType::kString;
      if (string ? !options.strings : !options.numeric) continue;
      if (Holds(series_[i].labels, matchers)) refs.push_back(refs_[i]);
    }
    if (options.max_series != 0 && refs.size() > options.max_series) return LimitExceeded("too many series");
    std::sort(refs.begin(), refs.end());
    return refs;
  }
  std::vector<model::SeriesRef> Present(std::vector<model::SeriesRef> refs, model::TimeRange range) const override {
    std::erase_if(refs, [&](model::SeriesRef ref) { return !HasRowsIn(At(ref), range); });
    return refs;
  }
  void LabelsOf(model::SeriesRef ref, model::LabelViews* labels) const override {
    labels->clear();
    for (const model::Label& label : At(ref).labels) labels->push_back({label.name, label.value});
  }
  model::FieldType TypeOf(model::FieldId field) const override {
    for (const MemorySeries& series : series_) {
      if (series.field == field) return series.type;
    }
    return model::FieldType::kFloat;
  }
  std::unique_ptr<storage::ColumnCursor> Scan(std::span<const model::SeriesRef> refs,
                                              model::TimeRange range) const override {
    return std::make_unique<Cursor>(this, refs, range);
  }
  std::vector<int64_t> Tiers() const override { return {}; }
  std::unique_ptr<storage::TierCursor> ScanTier(std::span<const model::SeriesRef>, model::TimeRange,
                                                int64_t) const override {
    return nullptr;
  }
  Result<std::vector<std::string>> LabelNames(std::span<const model::Matcher> matchers,
                                              model::TimeRange range) const override {
    std::set<std::string> names;
    for (const MemorySeries& series : series_) {
      if (!Holds(series.labels, matchers) || !HasRowsIn(series, range)) continue;
      for (const model::Label& label : series.labels) names.insert(label.name);
    }
    return std::vector<std::string>(names.begin(), names.end());
  }
  Result<std::vector<std::string>> LabelValues(std::string_view name, std::span<const model::Matcher> matchers,
                                               model::TimeRange range) const override {
    std::set<std::string> values;
    for (const MemorySeries& series : series_) {
      if (!Holds(series.labels, matchers) || !HasRowsIn(series, range)) continue;
      for (const model::Label& label : series.labels) {
        if (label.name == name) values.insert(label.value);
      }
    }
    return std::vector<std::string>(values.begin(), values.end());
  }
  std::vector<storage::FieldDescription> Fields() const override {
    // Two fields may spell one metric.
    std::map<std::pair<std::string, std::string>, storage::FieldDescription> fields;
    for (const MemorySeries& series : series_) {
      const std::string metric = model::MetricName(series.measurement, series.field_name);
      storage::FieldDescription& field = fields[{metric, series.field_name}];
      std::vector<model::FieldId> older = std::move(field.older);
      if (!field.metric.empty()) older.push_back(field.id);
      field = {series.measurement, series.field_name, metric, series.type, 1, series.field, std::move(older)};
    }
    std::vector<storage::FieldDescription> all;
    for (auto& [_, field] : fields) all.push_back(field);
    return all;
  }

 private:
  class Cursor final : public storage::ColumnCursor {
   public:
    Cursor(const MemoryView* view, std::span<const model::SeriesRef> refs, model::TimeRange range)
        : view_(view), refs_(refs), range_(range) {}
    Result<bool> Next(model::Column* column) override {
      if (at_ == refs_.size()) return false;
      const MemorySeries& series = view_->At(refs_[at_]);
      buffer_.Clear();
      for (const auto& [ns, value] : series.rows) {
        if (!range_.Contains({ns})) continue;
        buffer_.times.push_back(ns);
        buffer_.floats.push_back(value.first);
        buffer_.strings.push_back(value.second);
      }
      *column = {};
      column->ref = refs_[at_++];
      column->times = {.size = buffer_.times.size(), .explicit_ns = buffer_.times.data()};
      if (series.type == model::FieldType::kString) {
        column->type = model::FieldType::kString;
        column->strings = buffer_.strings.data();
      } else {
        column->scale = model::kBinaryScale;
        column->floats = buffer_.floats.data();
      }
      return true;
    }
    const std::vector<std::string>& warnings() const override { return warnings_; }

   private:
    const MemoryView* view_;
    std::span<const model::SeriesRef> refs_;
    model::TimeRange range_;
    size_t at_ = 0;
    model::ColumnBuffer buffer_;
    std::vector<std::string> warnings_;
  };

  const MemorySeries& At(model::SeriesRef ref) const { return series_[places_.at(ref)]; }
  static bool HasRowsIn(const MemorySeries& series, model::TimeRange range) {
    const auto first = series.rows.lower_bound(range.first.ns);
    return first != series.rows.end() && first->first <= range.last.ns;
  }
  static bool Holds(const model::Labels& labels, std::span<const model::Matcher> matchers) {
    return std::all_of(matchers.begin(), matchers.end(), [&labels](const model::Matcher& matcher) {
      std::string value;
      for (const model::Label& label : labels) {
        if (label.name == matcher.name) value = label.value;
      }
      const bool regex = matcher.op == model::MatchOp::kRegex || matcher.op == model::MatchOp::kNotRegex;
      const bool equal = regex ? RE2::FullMatch(value, matcher.value) : value == matcher.value;
      return equal == (matcher.op == model::MatchOp::kEqual || matcher.op == model::MatchOp::kRegex);
    });
  }

  std::vector<MemorySeries> series_;
  std::vector<model::SeriesRef> refs_;         // of series_
  std::map<model::SeriesRef, size_t> places_;  // in series_
};

class MemoryStore final : public storage::Store {
 public:
  // Rows whose field values contain a string of this text are rejected with this error; a whole batch fails with
  // `fail_with` when that has a message.
  Error fail_with{ErrorCode::kInternal, ""};
  // Called by PlanRetention: between reading options and setting them.
  std::function<void()> on_plan;
  // The same of ApplyRetention.
  Error apply_fails_with{ErrorCode::kInternal, ""};
  Error reject_with{ErrorCode::kConflict, ""};  // every row of measurement "rejected" when it has a message
  size_t writes = 0;

  Result<model::WriteReport> Write(std::string_view database, const model::Batch& batch) override {
    ++writes;
    if (!fail_with.message.empty()) return fail_with;
    model::WriteReport report;
    auto& stored = databases_[Name(database)];
    Arena arena;
    for (const model::Row& row : batch.rows) {
      const model::Shape& shape = batch.shapes[row.shape];
      if (shape.measurement == "rejected" && !reject_with.message.empty()) {
        report.Reject(row.line, reject_with);
        continue;
      }
      TM_TRY_ASSIGN(const model::ParsedKey key, model::ParseSeriesKey(row.key.format, row.key.bytes, &arena));
      for (size_t i = 0; i < shape.fields.size(); ++i) {
        Put(&stored.series, key, shape.fields[i], batch, row.first_value + i, row.time.ns);
        ++report.points_written;
      }
      ++report.rows_written;
    }
    return report;
  }
  Result<std::shared_ptr<const storage::View>> OpenView(std::string_view database) const override {
    const auto at = databases_.find(Name(database));
    if (at == databases_.end()) return NotFound("database not found");
    return std::make_shared<MemoryView>(at->second.series);
  }
  Result<void> CreateDatabase(std::string_view name, const storage::DatabaseOptions& options) override {
    if (HasDatabase(name)) return MakeError(ErrorCode::kAlreadyExists, "it exists");
    databases_[Name(name)].options = options;
    return {};
  }
  Result<void> DropDatabase(std::string_view name) override {
    if (databases_.erase(Name(name)) == 0) return NotFound("no such database");
    return {};
  }
  Result<void> SetDatabaseOptions(std::string_view name, const storage::DatabaseOptions& options) override {
    if (!HasDatabase(name)) return NotFound("no such database");
    databases_[Name(name)].options = options;
    return {};
  }
  Result<storage::DatabaseOptions> ChangeDatabaseOptions(std::string_view name, const OptionsChange& change) override {
    // One change after the other, as the real one has it.
    MutexLock lock(options_mutex_);
    if (!HasDatabase(name)) return NotFound("no such database");
    storage::DatabaseOptions options = databases_[Name(name)].options;
    TM_RETURN_IF_ERROR(change(&options));
    return databases_[Name(name)].options = options;
  }
  std::vector<storage::DatabaseInfo> Databases() const override {
    std::vector<storage::DatabaseInfo> all;
    for (const auto& [name, database] : databases_) {
      all.push_back({.name = name, .options = database.options, .series = database.series.size()});
    }
    return all;
  }
  bool HasDatabase(std::string_view name) const override { return databases_.contains(Name(name)); }
  Result<storage::DeleteReport> Delete(std::string_view database, const storage::DeleteRequest& request) override {
    if (!HasDatabase(database)) return NotFound("no such database");
    deletes.push_back(request);
    return storage::DeleteReport{.series = 2, .rows = 20, .bytes = 200};
  }
  Result<storage::RetentionReport> PlanRetention(std::string_view database,
                                                 const storage::DatabaseOptions&) const override {
    if (!HasDatabase(database)) return NotFound("no such database");
    if (on_plan) on_plan();
    return storage::RetentionReport{.partitions = 4,
                                    .partition_bytes = 400,
                                    .selected = {.series = 5, .rows = 50, .bytes = 500},
                                    .expired = {.rows = 60, .staged_rows = 6, .bytes = 600},
                                    .gone_by_ns = 86'400'000'000'000};
  }
  Result<void> Checkpoint() override { return {}; }
  Result<storage::CompactionProgress> Compact(
      std::string_view, std::stop_token,
      const std::function<void(const storage::CompactionProgress&)>& progress) override {
    progress({.partitions_done = 1, .partitions_total = 2});
    progress({.partitions_done = 2, .partitions_total = 2});
    return storage::CompactionProgress{.partitions_done = 2, .partitions_total = 2};
  }
  Result<storage::ScrubStep> Scrub(storage::ScrubPlace, uint64_t) override {
    return storage::ScrubStep{.next = {}, .round_done = true};
  }
  Result<uint64_t> ApplyRetention() override {
    if (!apply_fails_with.message.empty()) return apply_fails_with;
    return 3;
  }
  Result<void> RunMaintenance() override { return {}; }
  storage::StoreStats Stats() const override { return stats; }
  Result<void> Close(int64_t) override { return {}; }
  std::vector<model::Finding> Findings() const override { return findings; }

  storage::StoreStats stats;
  std::vector<model::Finding> findings;
  std::vector<storage::DeleteRequest> deletes;

 private:
  struct Database {
    storage::DatabaseOptions options;
    std::vector<MemorySeries> series;
  };
  static std::string Name(std::string_view database) {
    return std::string(database.empty() ? storage::kDefaultDatabase : database);
  }
  void Put(std::vector<MemorySeries>* all, const model::ParsedKey& key, const model::ShapeField& field,
           const model::Batch& batch, size_t index, int64_t ns) {
    model::Labels labels = model::ToLabels(key.tags);
    labels.push_back({std::string(model::kMetricNameLabel), model::MetricName(key.measurement, field.name)});
    std::sort(labels.begin(), labels.end());
    auto at = std::find_if(all->begin(), all->end(), [&](const MemorySeries& s) { return s.labels == labels; });
    if (at == all->end()) {
      const auto id = fields_.emplace(labels_key(key, field), fields_.size() + 1).first->second;
      all->push_back(
          {model::FieldId(id), field.type, std::string(key.measurement), std::string(field.name), labels, {}});
      at = std::prev(all->end());
    }
    const model::FieldValue value = model::ValueOf(batch, field.type, index);
    std::pair<double, std::string> stored;
    std::visit(
        [&stored](const auto& v) {
          if constexpr (std::is_same_v<std::decay_t<decltype(v)>, std::string>) {
            stored.second = v;
          } else {
            stored.first = static_cast<double>(v);
          }
        },
        value);
    at->rows[ns] = stored;
  }
  static std::string labels_key(const model::ParsedKey& key, const model::ShapeField& field) {
    return std::string(key.measurement) + '\0' + std::string(field.name);
  }

  std::map<std::string, Database> databases_;
  Mutex options_mutex_;
  std::map<std::string, size_t> fields_;
};

}  // namespace tidemark

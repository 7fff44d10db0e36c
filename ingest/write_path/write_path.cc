#include "ingest/write_path/write_path.h"

#include <fmt/core.h>

#include <algorithm>
#include <iterator>
#include <utility>

#include "ingest/write_path/batch_merger.h"
#include "storage/storage.h"

namespace tidemark::write_path {
namespace {

// The batch without the rows that `check` rejects; those go into `report`. Values are copied: this happens only when a
// sender breaks a limit.
template <typename Check>
model::Batch Accepted(const model::Batch& batch, const Check& check, model::WriteReport* report) {
  model::Batch out;
  out.shapes = batch.shapes;
  out.strings = batch.strings;
  out.source = batch.source;
  out.sender = batch.sender;
  out.names = batch.names;
  for (const model::Row& row : batch.rows) {
    if (auto checked = check(row); !checked.ok()) {
      report->Reject(row.line, std::move(checked).error());
      continue;
    }
    const auto first = static_cast<ptrdiff_t>(row.first_value);
    const auto end = first + static_cast<ptrdiff_t>(batch.shapes[row.shape].fields.size());
    out.rows.push_back(row);
    out.rows.back().first_value = static_cast<uint32_t>(out.values.size());
    out.values.insert(out.values.end(), batch.values.begin() + first, batch.values.begin() + end);
    out.scales.insert(out.scales.end(), batch.scales.begin() + first, batch.scales.begin() + end);
  }
  return out;
}

}  // namespace

void MergeRejections(model::WriteReport own, model::WriteReport* report) {
  report->rows_rejected += own.rows_rejected;
  std::vector<model::Rejection> both;
  std::merge(std::make_move_iterator(own.rejections.begin()), std::make_move_iterator(own.rejections.end()),
             std::make_move_iterator(report->rejections.begin()), std::make_move_iterator(report->rejections.end()),
             std::back_inserter(both),
             [](const model::Rejection& a, const model::Rejection& b) { return a.line < b.line; });
  report->rejections = std::move(both);
  if (report->rejections.size() > model::WriteReport::kMaxRejections) {
    report->rejections.resize(model::WriteReport::kMaxRejections);
  }
}

uint64_t BatchBytes(const model::Batch& batch) {
  return batch.rows.size() * sizeof(model::Row) + batch.values.size() * (sizeof(int64_t) + 1) +
         batch.strings.size() * sizeof(std::string_view) + batch.arena.allocated_bytes();
}

// A place among the writes under way, held until it goes out of scope.
class WritePath::Admission {
 public:
  Admission(WritePath* path, uint64_t bytes) : path_(path), bytes_(bytes) {
    MutexLock lock(path_->mutex_);
    const WritePathOptions& options = path_->options_;
    if (path_->writes_in_flight_ >= options.max_writes_in_flight) {
      refused_ = fmt::format("{} writes are under way; try again", path_->writes_in_flight_);
    } else if (path_->writes_in_flight_ > 0 && path_->bytes_in_flight_ + bytes > options.max_bytes_in_flight) {
      refused_ = fmt::format("{} bytes are being written; try again", path_->bytes_in_flight_);
    } else {
      ++path_->writes_in_flight_;
      path_->bytes_in_flight_ += bytes;
    }
  }
  ~Admission() {
    if (!refused_.empty()) return;
    MutexLock lock(path_->mutex_);
    --path_->writes_in_flight_;
    path_->bytes_in_flight_ -= bytes_;
  }
  Admission(const Admission&) = delete;
  Admission& operator=(const Admission&) = delete;

  // Why it was not admitted; "" when it was.
  [[nodiscard]] const std::string& refused() const { return refused_; }

 private:
  WritePath* path_;
  uint64_t bytes_;
  std::string refused_;
};

WritePath::WritePath(model::PointSink* store, const WritePathOptions& options, const Clock* clock)
    : store_(store),
      options_(options),
      clock_(clock != nullptr ? clock : &SystemClock::Get()),
      log_(options.rejection_log_entries) {}

bool WritePath::ShapeFits(const model::Shape& shape) const {
  return shape.measurement.size() <= options_.max_name_bytes &&
         std::all_of(shape.fields.begin(), shape.fields.end(),
                     [&](const model::ShapeField& field) { return field.name.size() <= options_.max_name_bytes; });
}

bool WritePath::AllFits(const model::Batch& batch) const {
  size_t longest = 0;
  for (const model::Row& row : batch.rows) longest = std::max(longest, row.key.bytes.size());
  return longest <= options_.max_key_bytes && std::all_of(batch.shapes.begin(), batch.shapes.end(),
                                                          [&](const model::Shape& shape) { return ShapeFits(shape); });
}

Result<void> WritePath::CheckRow(const model::Batch& batch, const model::Row& row) const {
  if (row.key.bytes.size() > options_.max_key_bytes) {
    return LimitExceeded(fmt::format("max key length exceeded: {} > {}", row.key.bytes.size(), options_.max_key_bytes));
  }
  if (!ShapeFits(batch.shapes[row.shape])) {
    return LimitExceeded(
        fmt::format("name of a measurement or field is longer than {} bytes", options_.max_name_bytes));
  }
  return {};
}

Result<model::WriteReport> WritePath::WriteChecked(std::string_view database, const model::Batch& batch) {
  TM_RETURN_IF_ERROR(model::CheckDatabaseName(database));
  const Admission admission(this, BatchBytes(batch));
  if (!admission.refused().empty()) return MakeError(ErrorCode::kResourceExhausted, admission.refused());
  if (AllFits(batch)) return store_->Write(database, batch);
  model::WriteReport rejected;
  const model::Batch accepted = Accepted(batch, [&](const model::Row& row) { return CheckRow(batch, row); }, &rejected);
  TM_TRY_ASSIGN(model::WriteReport report, store_->Write(database, accepted));
  MergeRejections(std::move(rejected), &report);
  return report;
}

Result<model::WriteReport> WritePath::Write(std::string_view database, const model::Batch& batch) {
  ++writes_;
  const std::string_view name = database.empty() ? storage::kDefaultDatabase : database;
  auto report = WriteChecked(name, batch);
  if (report.ok()) {
    Count(name, batch, *report);
  } else {
    ++writes_failed_by_[static_cast<size_t>(report.error().code)];
  }
  return report;
}

std::vector<Result<model::WriteReport>> WritePath::WriteAll(std::string_view database,
                                                            std::span<const model::Batch* const> batches) {
  std::vector<Result<model::WriteReport>> out;
  out.reserve(batches.size());
  for (size_t begin = 0; begin < batches.size();) {
    size_t rows = 0;
    size_t end = begin;
    while (end < batches.size() && BatchMerger::MayMerge(*batches[end]) &&
           batches[end]->source == batches[begin]->source &&
           rows + batches[end]->rows.size() <= BatchMerger::kMaxRows) {
      rows += batches[end++]->rows.size();
    }
    if (end - begin < 2) {
      out.push_back(Write(database, *batches[begin++]));
      continue;
    }
    WriteMerged(database.empty() ? storage::kDefaultDatabase : database, batches.subspan(begin, end - begin), &out);
    begin = end;
  }
  return out;
}

void WritePath::WriteMerged(std::string_view database, std::span<const model::Batch* const> batches,
                            std::vector<Result<model::WriteReport>>* out) {
  writes_ += batches.size();
  BatchMerger merger;
  for (const model::Batch* const batch : batches) merger.Add(*batch);
  Result<model::WriteReport> report = WriteChecked(database, merger.merged());
  if (!report.ok()) {
    writes_failed_by_[static_cast<size_t>(report.error().code)] += batches.size();
    for (size_t i = 0; i < batches.size(); ++i) out->push_back(report.error());
    return;
  }
  std::vector<model::WriteReport> reports = merger.Split(*report);
  for (size_t i = 0; i < batches.size(); ++i) {
    Count(database, *batches[i], reports[i]);
    out->push_back(std::move(reports[i]));
  }
}

void WritePath::Count(std::string_view database, const model::Batch& batch, const model::WriteReport& report) {
  rows_written_ += report.rows_written;
  points_written_ += report.points_written;
  rows_rejected_ += report.rows_rejected;
  CountSource(batch.source, report.rows_written, report.points_written, report.rows_rejected);
  for (const model::Rejection& rejection : report.rejections) {
    ++rows_rejected_by_[static_cast<size_t>(rejection.error.code)];
    log_.Add({clock_->NowNs()}, {database, batch.source, batch.sender, rejection.line}, rejection.error);
  }
}

void WritePath::CountSource(std::string_view source, uint64_t rows, uint64_t points, uint64_t rejected) {
  MutexLock lock(mutex_);
  auto at = std::find_if(sources_.begin(), sources_.end(), [&](const auto& known) { return known.source == source; });
  if (at == sources_.end()) {
    sources_.emplace_back().source = source;
    at = sources_.end() - 1;
  }
  at->rows_written += rows;
  at->points_written += points;
  at->rows_rejected += rejected;
}

void WritePath::CountRejected(const RejectionLog::Place& place, const Error& error) {
  ++rows_rejected_;
  ++rows_rejected_by_[static_cast<size_t>(error.code)];
  CountSource(place.source, 0, 0, 1);
  RejectionLog::Place named = place;
  if (named.database.empty()) named.database = storage::kDefaultDatabase;
  log_.Add({clock_->NowNs()}, named, error);
}

WritePathStats WritePath::Stats() const {
  WritePathStats stats;
  stats.writes = writes_;
  stats.rows_written = rows_written_;
  stats.points_written = points_written_;
  stats.rows_rejected = rows_rejected_;
  for (size_t i = 0; i < kErrorCodes; ++i) {
    stats.rows_rejected_by[i] = rows_rejected_by_[i];
    stats.writes_failed_by[i] = writes_failed_by_[i];
  }
  MutexLock lock(mutex_);
  stats.writes_in_flight = writes_in_flight_;
  stats.bytes_in_flight = bytes_in_flight_;
  stats.sources = sources_;
  return stats;
}

}  // namespace tidemark::write_path

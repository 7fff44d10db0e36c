#include "store_ledger.h"

#include <fmt/core.h>

#include <utility>
#include <vector>

#include "storage/model/batch.h"

namespace tidemark::fault {
namespace {

constexpr int64_t kSecondNs = 1'000'000'000;

}  // namespace

std::string StoreLedger::HostOf(int writer, int64_t next, std::mt19937_64& random) const {
  if (series_ == Series::kFew) return fmt::format("w{}h{}", writer, random() % 3);
  return random() % 4 == 0 ? fmt::format("w{}n{}", writer, next) : fmt::format("w{}", writer);
}

bool StoreLedger::WriteBatch(storage::Store& store, int writer, std::mt19937_64& random) {
  model::BatchBuilder builder;
  std::vector<std::pair<RowName, int64_t>> rows;
  {
    const std::lock_guard lock(mutex_);
    int64_t& next = next_[writer];
    for (size_t count = 1 + random() % 20; count > 0; --count) {
      ++next;
      const std::string host = HostOf(writer, next, random);
      int64_t time = kLedgerNowNs + next * kSecondNs;
      if (random() % 8 == 0) time = kLedgerNowNs - next * 900 * kSecondNs;  // late, in other partitions
      if (random() % 8 == 0) time = kLedgerNowNs;                           // the counter
      builder.Row("m", {{"host", host}}, {time}).Field("value", next);
      rows.push_back({{host, time}, next});
      cells_[{host, time}].sent = next;
    }
  }
  auto report = store.Write("", builder.batch());
  const std::lock_guard lock(mutex_);
  if (!report.ok() || report->rows_rejected != 0) {
    ++refused_;
    return false;
  }
  for (const auto& [name, value] : rows) cells_[name].acknowledged = value;
  acknowledged_ += rows.size();
  return true;
}

bool StoreLedger::Delete(storage::Store& store, int writer, std::mt19937_64& random) {
  const std::string host = HostOf(writer, 0, random);
  storage::DeleteRequest request;
  request.selectors.push_back({{model::MatchOp::kEqual, "host", host}});
  if (random() % 3 != 0) {
    request.range.first.ns = kLedgerNowNs - static_cast<int64_t>(random() % 9000) * kSecondNs;
    request.range.last.ns = request.range.first.ns + static_cast<int64_t>(random() % 9000) * kSecondNs;
  }
  const bool done = store.Delete("", request).ok();
  const std::lock_guard lock(mutex_);
  deleted_ += done ? 1 : 0;
  for (auto& [name, cell] : cells_) {
    if (name.first != host || !request.range.Contains({name.second})) continue;
    // One that failed may be on disk all the same.
    cell.acknowledged = kNone;
    if (done) cell.gone = cell.sent;
  }
  return done;
}

std::string StoreLedger::Check(const storage::Store& store) const {
  const std::lock_guard lock(mutex_);
  auto view = store.OpenView("");
  std::map<RowName, Cell> left = cells_;
  if (view.ok()) {
    auto refs = (*view)->Select({}, {});
    if (!refs.ok()) return refs.error().message;
    auto cursor = (*view)->Scan(*refs, {});
    model::Column column;
    model::LabelViews labels;
    for (const model::SeriesRef ref : *refs) {
      auto more = cursor->Next(&column);
      if (!more.ok()) return more.error().message;
      (*view)->LabelsOf(ref, &labels);
      std::string host;
      for (const model::LabelView& label : labels) {
        if (label.name == "host") host = label.value;
      }
      for (size_t i = 0; i < column.size(); ++i) {
        const auto found = left.find({host, column.times[i]});
        const int64_t value = column.ints[i];
        const std::string what = fmt::format("{} at {} is {}", host, column.times[i], value);
        if (found == left.end()) return what + ", which was never sent";
        const Cell& cell = found->second;
        if (value <= cell.gone) return what + ", which was deleted";
        if (value < cell.acknowledged || value > cell.sent) {
          return fmt::format("{}, acknowledged was {}, sent at most {}", what, cell.acknowledged, cell.sent);
        }
        left.erase(found);
      }
    }
    if (!cursor->warnings().empty()) return cursor->warnings()[0];
  }
  for (const auto& [name, cell] : left) {
    if (cell.acknowledged != kNone) {
      return fmt::format("{} at {} is lost, it was acknowledged", name.first, name.second);
    }
  }
  return {};
}

uint64_t StoreLedger::acknowledged() const {
  const std::lock_guard lock(mutex_);
  return acknowledged_;
}

uint64_t StoreLedger::refused() const {
  const std::lock_guard lock(mutex_);
  return refused_;
}

uint64_t StoreLedger::deleted() const {
  const std::lock_guard lock(mutex_);
  return deleted_;
}

storage::StoreOptions LedgerOptions(const std::string& directory, Clock* clock,
                                    std::shared_ptr<ForgetfulFileSystem> files) {
  storage::StoreOptions options;
  options.directory = directory;
  options.clock = clock;
  options.background = false;
  options.file_system = std::move(files);
  options.new_database.partition_ns = storage::kNsPerHour;
  options.journal_segment_bytes = 64 << 10;
  options.max_epochs = 3;
  options.staged_bytes = 1;
  options.small_epoch_bytes = 600;
  return options;
}

}  // namespace tidemark::fault

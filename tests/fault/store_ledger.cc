#include "store_ledger.h"

#include <fmt/core.h>

#include <vector>

#include "storage/model/batch.h"

namespace tidemark::fault {
namespace {

constexpr int64_t kStart = 1'700'000'000'000'000'000;
constexpr int64_t kSecond = 1'000'000'000;

}  // namespace

bool StoreLedger::WriteBatch(storage::Store& store, int writer, std::mt19937_64& random) {
  model::BatchBuilder builder;
  std::vector<std::pair<RowName, int64_t>> rows;
  {
    const std::lock_guard lock(mutex_);
    int64_t& next = next_[writer];
    const size_t count = 1 + random() % 20;
    for (size_t i = 0; i < count; ++i) {
      ++next;
      // Series of this writer only, a new one now and then, so that definitions are always under way.
      const std::string host = random() % 4 == 0 ? fmt::format("w{}n{}", writer, next) : fmt::format("w{}", writer);
      int64_t time = kStart + next * kSecond;
      if (random() % 8 == 0) time = kStart - next * 900 * kSecond;  // late, in other partitions
      if (random() % 8 == 0) time = kStart;                         // the counter
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
        if (found == left.end()) return fmt::format("{} at {} was never sent", host, column.times[i]);
        const Cell& cell = found->second;
        if (value < cell.acknowledged || value > cell.sent) {
          return fmt::format("{} at {} is {}, acknowledged was {}, sent at most {}", host, column.times[i], value,
                             cell.acknowledged, cell.sent);
        }
        left.erase(found);
      }
    }
    if (!cursor->warnings().empty()) return cursor->warnings()[0];
  }
  for (const auto& [name, cell] : left) {
    if (cell.acknowledged >= 0) return fmt::format("{} at {} is lost, it was acknowledged", name.first, name.second);
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

}  // namespace tidemark::fault

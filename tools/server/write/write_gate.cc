#include "tools/server/write/write_gate.h"

#include <fmt/core.h>

#include <algorithm>
#include <string>
#include <unordered_map>
#include <utility>

#include "storage/base/bytes.h"
#include "storage/base/hash.h"
#include "storage/model/series_key.h"
#include "storage/series_filter.h"

namespace tidemark::server {
namespace {

// Whether rows of a series may be written, found out once for each spelling and shape of a batch.
struct Verdict {
  bool accepted = false;
  model::SeriesKey key;  // as it is to be written
  std::string reason;    // why not
};

// Of which rows the verdict is one. Whole hashes: two that were folded together could lend each other their verdicts.
struct VerdictPlace {
  Hash128 hash;
  uint32_t shape = 0;
  friend bool operator==(const VerdictPlace&, const VerdictPlace&) = default;
};
struct HashVerdictPlace {
  size_t operator()(const VerdictPlace& place) const { return place.hash.low ^ (uint64_t{place.shape} << 32U); }
};

// Holds rows of one batch to a filter.
class RowFilter {
 public:
  RowFilter(const storage::SeriesFilter& filter, model::Batch* batch) : filter_(filter), batch_(*batch) {}

  const Verdict& Of(const model::Row& row) {
    const auto [at, added] = verdicts_.try_emplace({row.key.hash, row.shape});
    if (added) at->second = Judge(row);
    return at->second;
  }

 private:
  Verdict Judge(const model::Row& row) {
    Result<model::ParsedKey> key = model::ParseSeriesKey(row.key.format, row.key.bytes, &batch_.arena);
    if (!key.ok()) return {false, row.key, key.error().message};
    // Names of metrics come from measurement and field: a tag that is called so must not be taken for one.
    if (std::ranges::find(key->tags, model::kMetricNameLabel, &model::LabelView::name) != key->tags.end()) {
      return {false, row.key, fmt::format("a tag cannot be called {}", model::kMetricNameLabel)};
    }
    bool added = false;
    for (const model::Label& implied : filter_.implied()) {
      const auto at = std::ranges::lower_bound(key->tags, std::string_view(implied.name), {}, &model::LabelView::name);
      if (at != key->tags.end() && at->name == implied.name) continue;
      key->tags.insert(at, {implied.name, implied.value});
      added = true;
    }
    for (const model::ShapeField& field : batch_.shapes[row.shape].fields) {
      const std::string metric = model::MetricName(key->measurement, field.name);
      model::LabelViews labels = key->tags;
      const model::LabelView name{model::kMetricNameLabel, metric};
      labels.insert(std::upper_bound(labels.begin(), labels.end(), name), name);
      if (filter_.Accepts(labels)) continue;
      return {false, row.key,
              fmt::format("{} is none of the series that the token may write: {}",
                          model::ToString(model::ToLabels(labels)), Printed())};
    }
    return {true, added ? KeyOf(*key) : row.key, {}};
  }

  [[nodiscard]] std::string Printed() const {
    std::string out;
    for (const char c : filter_.text()) out += c == '\n' ? std::string(" or ") : std::string(1, c);
    return out;
  }

  // In the store's own spelling.
  model::SeriesKey KeyOf(const model::ParsedKey& parsed) {
    std::string bytes;
    PutString(&bytes, parsed.measurement);
    for (const model::LabelView& tag : parsed.tags) {
      PutString(&bytes, tag.name);
      PutString(&bytes, tag.value);
    }
    const std::string_view kept = batch_.arena.Copy(bytes);
    return {kept, model::HashSeriesKey(model::KeyFormat::kCanonical, kept), model::KeyFormat::kCanonical};
  }

  const storage::SeriesFilter& filter_;
  model::Batch& batch_;
  std::unordered_map<VerdictPlace, Verdict, HashVerdictPlace> verdicts_;
};

uint64_t PointsOf(const model::Batch& batch) {
  uint64_t points = 0;
  for (const model::Row& row : batch.rows) points += batch.shapes[row.shape].fields.size();
  return points;
}

}  // namespace

WriteGate::WriteGate(const http::Caller* caller, const quota::QuotaBook* quotas, std::string_view database) {
  size_t count = 0;
  if (caller != nullptr) {
    filter_ = caller->filter();
    if (quota::Account* const account = caller->account(); account != nullptr) accounts_[count++] = account;
  }
  if (quotas != nullptr) accounts_[count] = quotas->Find(database);
}

WriteGate::~WriteGate() {
  for (quota::Account* const account : accounts_) {
    if (account == nullptr) continue;
    if (points_ > 0) account->SettlePoints(points_, 0);
    if (bytes_ > 0) account->SettleBytes(bytes_, bytes_used_ ? bytes_ : 0);
  }
}

template <typename Ask, typename Return>
std::optional<quota::Refusal> WriteGate::AskAll(const Ask& ask, const Return& give_back) {
  for (size_t i = 0; i < accounts_.size(); ++i) {
    if (accounts_[i] == nullptr) continue;
    auto refusal = ask(accounts_[i]);
    if (!refusal) continue;
    for (size_t before = 0; before < i; ++before) {
      if (accounts_[before] != nullptr) give_back(accounts_[before]);
    }
    return refusal;
  }
  return std::nullopt;
}

std::optional<quota::Refusal> WriteGate::AdmitBytes(uint64_t bytes) {
  auto refusal = AskAll([&](quota::Account* account) { return account->AdmitBytes(bytes); },
                        [&](quota::Account* account) { account->SettleBytes(bytes, 0); });
  if (!refusal) bytes_ = bytes;
  return refusal;
}

std::optional<quota::Refusal> WriteGate::Admit(model::Batch* batch, model::WriteReport* held) {
  if (filter_ != nullptr) {
    // A row may get another key than its sender's number stands for.
    batch->known = nullptr;
    RowFilter filter(*filter_, batch);
    std::erase_if(batch->rows, [&](model::Row& row) {
      const Verdict& verdict = filter.Of(row);
      if (verdict.accepted) {
        row.key = verdict.key;
        return false;
      }
      held->Reject(row.line, InvalidArgument(verdict.reason));
      return true;
    });
  }
  batch->names = nullptr;
  if (accounts_[0] == nullptr && accounts_[1] == nullptr) return std::nullopt;
  const uint64_t points = PointsOf(*batch);
  auto refusal = AskAll([&](quota::Account* account) { return account->AdmitPoints(points); },
                        [&](quota::Account* account) { account->SettlePoints(points, 0); });
  if (refusal) return refusal;
  points_ = points;
  batch->names = &names_.emplace(accounts_);
  return std::nullopt;
}

std::optional<quota::Refusal> WriteGate::Note(const model::WriteReport& report) {
  if (!names_) return std::nullopt;
  for (quota::Account* const account : accounts_) {
    if (account != nullptr) account->SettlePoints(points_, report.points_written);
  }
  points_ = 0;
  bytes_used_ = true;
  names_->Keep();
  return names_->refusal();
}

}  // namespace tidemark::server

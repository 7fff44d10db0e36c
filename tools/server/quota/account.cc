#include "tools/server/quota/account.h"

#include <fmt/core.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

namespace tidemark::server::quota {
namespace {

constexpr double kSecondNs = 1e9;
constexpr int64_t kWindowNs = 3'600 * int64_t{1'000'000'000};
constexpr int64_t kSeriesRetryS = 60;
constexpr std::string_view kNewNames = "new series";

}  // namespace

Account::Account(std::string whose, const Clock* clock, query::run::MemoryTotal* all)
    : whose_(std::move(whose)), clock_(clock), memory_(0, all, whose_), window_ns_(clock->SteadyNs()) {}

void Account::SetLimits(const QuotaLimits& limits) {
  MutexLock lock(mutex_);
  if (limits == limits_) return;
  // A new rate begins with a full bucket.
  const int64_t now_ns = clock_->SteadyNs();
  const auto begin = [&](Bucket* bucket, uint64_t before, uint64_t rate) {
    if (before != rate) *bucket = {kSeconds * static_cast<double>(rate), now_ns};
  };
  begin(&points_, limits_.points_per_s, limits.points_per_s);
  begin(&bytes_, limits_.bytes_per_s, limits.bytes_per_s);
  begin(&new_series_, limits_.new_series_per_s, limits.new_series_per_s);
  if (limits.series == 0) {
    series_.clear();
    series_before_.clear();
  }
  memory_.set_bytes_max(limits.query_memory_bytes);
  limits_ = limits;
}

QuotaLimits Account::limits() const {
  MutexLock lock(mutex_);
  return limits_;
}

Usage Account::usage() const {
  MutexLock lock(mutex_);
  Usage out = usage_;
  out.query_memory_bytes = memory_.bytes();
  out.series = series_.size() + series_before_.size();
  return out;
}

void Account::Fill(Bucket* bucket, uint64_t rate) const {
  const int64_t now_ns = clock_->SteadyNs();
  const double passed_s = static_cast<double>(std::max<int64_t>(0, now_ns - bucket->at_ns)) / kSecondNs;
  bucket->level = std::min(kSeconds * static_cast<double>(rate), bucket->level + passed_s * static_cast<double>(rate));
  bucket->at_ns = now_ns;
}

std::optional<Refusal> Account::Take(Bucket* bucket, uint64_t rate, uint64_t count, std::string_view what) {
  if (rate == 0) return std::nullopt;
  if (auto refusal = Ask(bucket, rate, std::numeric_limits<double>::min(), what)) return refusal;
  bucket->level -= static_cast<double>(count);
  return std::nullopt;
}

std::optional<Refusal> Account::Ask(Bucket* bucket, uint64_t rate, double least, std::string_view what) {
  if (rate == 0) return std::nullopt;
  Fill(bucket, rate);
  if (bucket->level >= least) return std::nullopt;
  const double wait_s = (least - bucket->level) / static_cast<double>(rate);
  const auto retry_s = static_cast<int64_t>(std::floor(std::min(wait_s, 86'400.0))) + 1;
  return Refusal{
      fmt::format("{}{} is used up: {} {} a second; try again in {} s", kQuotaWords, whose_, rate, what, retry_s),
      retry_s};
}

void Account::Return(Bucket* bucket, uint64_t rate, uint64_t count) {
  // Filled up no further than a bucket goes by the next Fill.
  if (rate != 0) bucket->level += static_cast<double>(count);
}

std::optional<Refusal> Account::AdmitBytes(uint64_t bytes) {
  MutexLock lock(mutex_);
  std::optional<Refusal> refusal = Take(&bytes_, limits_.bytes_per_s, bytes, "bytes");
  if (refusal) ++usage_.refused_writes;
  return refusal;
}

void Account::SettleBytes(uint64_t admitted, uint64_t used) {
  MutexLock lock(mutex_);
  Return(&bytes_, limits_.bytes_per_s, admitted - used);
  usage_.bytes += used;
}

std::optional<Refusal> Account::AdmitPoints(uint64_t points) {
  MutexLock lock(mutex_);
  std::optional<Refusal> refusal = Take(&points_, limits_.points_per_s, points, "points");
  if (refusal) ++usage_.refused_writes;
  return refusal;
}

void Account::SettlePoints(uint64_t admitted, uint64_t written) {
  MutexLock lock(mutex_);
  Return(&points_, limits_.points_per_s, admitted - std::min(admitted, written));
  usage_.points += written;
}

std::optional<Refusal> Account::AdmitNewSeries() {
  MutexLock lock(mutex_);
  TurnWindow();
  if (limits_.series != 0 && SeriesFull()) return TooManySeries();
  if (auto refusal = Ask(&new_series_, limits_.new_series_per_s, 1, kNewNames)) return refusal;
  if (limits_.new_series_per_s != 0) new_series_.level -= 1;
  ++places_;
  return std::nullopt;
}

void Account::ReturnNewSeries() {
  MutexLock lock(mutex_);
  Return(&new_series_, limits_.new_series_per_s, 1);
  --places_;
}

void Account::SeriesMade(uint64_t series) {
  MutexLock lock(mutex_);
  --places_;
  ++usage_.new_series;
  if (limits_.series != 0) series_.try_emplace(series, 0);
}

std::optional<Refusal> Account::AdmitFields() {
  MutexLock lock(mutex_);
  return Ask(&new_series_, limits_.new_series_per_s, 1, kNewNames);
}

void Account::FieldsMade(uint64_t count) {
  MutexLock lock(mutex_);
  usage_.new_fields += count;
  if (limits_.new_series_per_s != 0) new_series_.level -= static_cast<double>(count);
}

void Account::TurnWindow() {
  const int64_t now_ns = clock_->SteadyNs();
  if (now_ns - window_ns_ < kWindowNs) return;
  // Nothing came for two hours: nothing is remembered.
  series_before_ = now_ns - window_ns_ < 2 * kWindowNs ? std::move(series_) : std::unordered_map<uint64_t, uint32_t>();
  series_.clear();
  window_ns_ = now_ns;
}

uint32_t* Account::HoldersOf(uint64_t series) {
  for (auto* const window : {&series_, &series_before_}) {
    if (const auto at = window->find(series); at != window->end()) return &at->second;
  }
  return nullptr;
}

std::optional<Refusal> Account::AdmitSeries(uint64_t series, bool* held) {
  MutexLock lock(mutex_);
  *held = false;
  if (limits_.series == 0) return std::nullopt;
  TurnWindow();
  // One that comes again moves over, so that none counts twice.
  if (auto before = series_before_.extract(series); !before.empty()) series_.insert(std::move(before));
  const auto known = series_.find(series);
  if (known != series_.end() && known->second == 0) return std::nullopt;
  if (known == series_.end() && SeriesFull()) return TooManySeries();
  ++series_[series];
  *held = true;
  return std::nullopt;
}

void Account::KeepSeries(std::span<const uint64_t> series) {
  MutexLock lock(mutex_);
  for (const uint64_t each : series) {
    if (uint32_t* const holders = HoldersOf(each)) *holders = 0;
  }
}

void Account::ReturnSeries(std::span<const uint64_t> series) {
  MutexLock lock(mutex_);
  for (const uint64_t each : series) {
    uint32_t* const holders = HoldersOf(each);
    // Another has kept it meanwhile.
    if (holders == nullptr || *holders == 0 || --*holders > 0) continue;
    if (series_.erase(each) == 0) series_before_.erase(each);
  }
}

void Account::NoteRefusedRows(uint64_t rows) {
  MutexLock lock(mutex_);
  usage_.refused_rows += rows;
}

Refusal Account::TooManySeries() const {
  return {fmt::format("{}{} is used up: {} series within an hour or two", kQuotaWords, whose_, limits_.series),
          kSeriesRetryS};
}

std::unique_ptr<Account::Running> Account::BeginQuery(Refusal* refusal) {
  MutexLock lock(mutex_);
  if (limits_.queries != 0 && usage_.running_queries >= limits_.queries) {
    ++usage_.refused_queries;
    *refusal = {fmt::format("{}{} is used up: {} {} at once; try again when one has ended", kQuotaWords, whose_,
                            limits_.queries, limits_.queries == 1 ? "query" : "queries"),
                1};
    return nullptr;
  }
  ++usage_.running_queries;
  ++usage_.queries;
  return std::make_unique<Running>(this);
}

void Account::EndQuery() {
  MutexLock lock(mutex_);
  --usage_.running_queries;
}

}  // namespace tidemark::server::quota

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
  Fill(bucket, rate);
  if (bucket->level > 0) {
    bucket->level -= static_cast<double>(count);
    return std::nullopt;
  }
  const double wait_s = -bucket->level / static_cast<double>(rate);
  const auto retry_s = static_cast<int64_t>(std::floor(std::min(wait_s, 86'400.0))) + 1;
  return Refusal{
      fmt::format("{}{} is used up: {} {} a second; try again in {} s", kQuotaWords, whose_, rate, what, retry_s),
      retry_s};
}

std::optional<Refusal> Account::AdmitBytes(uint64_t bytes) {
  MutexLock lock(mutex_);
  std::optional<Refusal> refusal = Take(&bytes_, limits_.bytes_per_s, bytes, "bytes");
  if (refusal) {
    ++usage_.refused_writes;
  } else {
    usage_.bytes += bytes;
  }
  return refusal;
}

std::optional<Refusal> Account::AdmitPoints(uint64_t points) {
  MutexLock lock(mutex_);
  std::optional<Refusal> refusal = Take(&points_, limits_.points_per_s, points, "points");
  if (refusal) {
    ++usage_.refused_writes;
  } else {
    usage_.points += points;
  }
  return refusal;
}

uint64_t Account::NewSeriesLeft() {
  MutexLock lock(mutex_);
  if (limits_.new_series_per_s == 0) return std::numeric_limits<uint64_t>::max();
  Fill(&new_series_, limits_.new_series_per_s);
  return new_series_.level < 1 ? 0 : static_cast<uint64_t>(new_series_.level);
}

void Account::NoteNewSeries(uint64_t made) {
  MutexLock lock(mutex_);
  usage_.new_series += made;
  if (limits_.new_series_per_s == 0) return;
  new_series_.level -= static_cast<double>(made);
}

void Account::TurnWindow() {
  const int64_t now_ns = clock_->SteadyNs();
  if (now_ns - window_ns_ < kWindowNs) return;
  // Nothing came for two hours: nothing is remembered.
  series_before_ = now_ns - window_ns_ < 2 * kWindowNs ? std::move(series_) : std::unordered_set<uint64_t>();
  series_.clear();
  window_ns_ = now_ns;
}

bool Account::AdmitSeries(uint64_t hash) {
  MutexLock lock(mutex_);
  if (limits_.series == 0) return true;
  TurnWindow();
  if (series_.contains(hash)) return true;
  // One that comes again moves over, so that none counts twice.
  if (series_before_.erase(hash) == 0 && series_.size() + series_before_.size() >= limits_.series) return false;
  series_.insert(hash);
  return true;
}

bool Account::counts_series() const {
  MutexLock lock(mutex_);
  return limits_.series != 0;
}

void Account::NoteRefusedRows(uint64_t rows) {
  MutexLock lock(mutex_);
  usage_.refused_rows += rows;
}

Refusal Account::TooManySeries() const {
  MutexLock lock(mutex_);
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

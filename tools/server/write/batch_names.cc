#include "tools/server/write/batch_names.h"

#include <algorithm>
#include <string_view>
#include <utility>

namespace tidemark::server {
namespace {

// One number for a series of all databases.
uint64_t NumberOf(model::DatabaseId database, model::SeriesId series) {
  return (uint64_t{model::Number(database)} << 32U) | model::Number(series);
}

}  // namespace

BatchNames::BatchNames(const Accounts& accounts) {
  for (quota::Account* const account : accounts) {
    if (account == nullptr) continue;
    sides_.push_back({account, {}});
    counts_series_ |= account->limits().series != 0;
  }
}

void BatchNames::Restart() {
  for (Side& side : sides_) {
    if (!side.held.empty()) side.account->ReturnSeries(side.held);
    side.held.clear();
  }
  refusal_.reset();
  rows_refused_ = 0;
  last_admitted_ = 0;
}

Status BatchNames::Refuse(quota::Refusal refusal) {
  std::string reason = refusal.reason;
  if (!refusal_) {
    refusal_ = std::move(refusal);
  } else {
    refusal_->retry_s = std::max(refusal_->retry_s, refusal.retry_s);
  }
  return MakeError(ErrorCode::kResourceExhausted, std::move(reason));
}

Status BatchNames::AdmitNewSeries() {
  for (size_t i = 0; i < sides_.size(); ++i) {
    auto refusal = sides_[i].account->AdmitNewSeries();
    if (!refusal) continue;
    for (size_t before = 0; before < i; ++before) sides_[before].account->ReturnNewSeries();
    ++rows_refused_;
    return Refuse(*std::move(refusal));
  }
  return {};
}

void BatchNames::Made(model::DatabaseId database, model::SeriesId series) {
  for (const Side& side : sides_) side.account->SeriesMade(NumberOf(database, series));
}

Status BatchNames::AdmitSeries(model::DatabaseId database, model::SeriesId series) {
  const uint64_t number = NumberOf(database, series);
  if (!counts_series_ || number == last_admitted_) return {};
  for (size_t i = 0; i < sides_.size(); ++i) {
    bool held = false;
    auto refusal = sides_[i].account->AdmitSeries(number, &held);
    if (!refusal) {
      if (held) sides_[i].held.push_back(number);
      continue;
    }
    // The sides before took it in this call, if they hold it.
    for (size_t before = 0; before < i; ++before) {
      Side& side = sides_[before];
      if (side.held.empty() || side.held.back() != number) continue;
      side.account->ReturnSeries({&number, 1});
      side.held.pop_back();
    }
    ++rows_refused_;
    return Refuse(*std::move(refusal));
  }
  last_admitted_ = number;
  return {};
}

Status BatchNames::AdmitFields() {
  for (const Side& side : sides_) {
    if (auto refusal = side.account->AdmitFields()) return Refuse(*std::move(refusal));
  }
  return {};
}

void BatchNames::RowRefused(const Error& error) {
  if (std::string_view(error.message).starts_with(quota::kQuotaWords)) ++rows_refused_;
}

void BatchNames::FieldsMade(uint64_t count) {
  for (const Side& side : sides_) side.account->FieldsMade(count);
}

void BatchNames::Keep() {
  for (Side& side : sides_) {
    if (!side.held.empty()) side.account->KeepSeries(side.held);
    side.held.clear();
    side.account->NoteRefusedRows(rows_refused_);
  }
}

}  // namespace tidemark::server

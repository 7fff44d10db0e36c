// BatchNames: the quotas of new names and of series, asked while one batch is written (model::NameQuota).
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "storage/model/name_quota.h"
#include "tools/server/quota/account.h"

namespace tidemark::server {

// For one thread. What nobody has said was written (Keep) is given back when it goes.
class BatchNames final : public model::NameQuota {
 public:
  // Of the sender and of the database; null ones are left out. They outlive it.
  using Accounts = std::array<quota::Account*, 2>;
  explicit BatchNames(const Accounts& accounts);
  ~BatchNames() override { Restart(); }
  BatchNames(const BatchNames&) = delete;
  BatchNames& operator=(const BatchNames&) = delete;

  void Restart() override;
  Status AdmitNewSeries() override;
  void Made(model::DatabaseId database, model::SeriesId series) override;
  Status AdmitSeries(model::DatabaseId database, model::SeriesId series) override;
  Status AdmitFields() override;
  void RowRefused(const Error& error) override;
  void FieldsMade(uint64_t count) override;

  // The rows that were admitted are written, those that were not are counted.
  void Keep();
  // What the sender is told of rows that were not admitted; nullopt: all were.
  [[nodiscard]] const std::optional<quota::Refusal>& refusal() const { return refusal_; }

 private:
  struct Side {
    quota::Account* account = nullptr;
    std::vector<uint64_t> held;  // series
  };

  // An Error with the reason; the refusal is remembered.
  Status Refuse(quota::Refusal refusal);

  std::vector<Side> sides_;
  // Whether one of them has a quota of series, or rows need not be asked for.
  bool counts_series_ = false;
  std::optional<quota::Refusal> refusal_;
  uint64_t rows_refused_ = 0;
  // Rows of one series stand next to each other, mostly. 0 is none.
  uint64_t last_admitted_ = 0;
};

}  // namespace tidemark::server

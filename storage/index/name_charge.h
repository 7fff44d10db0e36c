// NameCharge: what the names of one database take of the memory of the process. Names cannot be given back one by one,
// so that they are a wall: beyond it new ones are refused, and known ones go on.
#pragma once

#include <cstdint>
#include <string_view>

#include "storage/base/memory/budget.h"
#include "storage/base/memory/name_cost.h"
#include "storage/base/result.h"

namespace tidemark::index {

// kResourceExhausted, with what helps, when names that cost `bytes` are not taken any more. `budget` may be null;
// `what`: "a new series".
inline Result<void> AdmitNames(const memory::Budget* budget, std::string_view what, uint64_t bytes) {
  if (budget == nullptr) return {};
  const uint64_t after = budget->used_bytes(memory::Class::kNames) + bytes;
  if (budget->NamesAdmitted() && after <= budget->limit_bytes(memory::Class::kNames)) return {};
  return budget->Refused(memory::Class::kNames, what);
}

// Not thread-safe: under the lock of the names.
class NameCharge {
 public:
  // `budget`, null for none, outlives it. Takes what a database without names costs.
  explicit NameCharge(memory::Budget* budget) : budget_(budget) { Set(0, 0, 0); }
  ~NameCharge() {
    if (budget_ != nullptr) budget_->Give(memory::Class::kNames, charged_);
  }
  NameCharge(const NameCharge&) = delete;
  NameCharge& operator=(const NameCharge&) = delete;

  // There are so many now. Exact amounts, no grains: databases are many. Names that are there are taken whatever the
  // budget says.
  void Set(uint64_t series, uint64_t pairs, uint64_t fields) {
    if (budget_ == nullptr) return;
    const uint64_t bytes = memory::kDatabaseBytes + series * memory::kSeriesBytes + pairs * memory::kLabelPairBytes +
                           fields * memory::kFieldBytes;
    if (bytes > charged_) budget_->TakeAnyway(memory::Class::kNames, bytes - charged_);
    if (bytes < charged_) budget_->Give(memory::Class::kNames, charged_ - bytes);
    charged_ = bytes;
  }

  [[nodiscard]] Result<void> Admit(std::string_view what, uint64_t bytes) const {
    return AdmitNames(budget_, what, bytes);
  }

 private:
  memory::Budget* const budget_;
  uint64_t charged_ = 0;
};

}  // namespace tidemark::index

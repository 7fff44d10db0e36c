// Expiry: drops partitions by age and by bytes, as the retention of their database says.
#pragma once

#include <cstdint>
#include <string_view>

#include "storage/engine/checkpointer.h"
#include "storage/engine/deleter.h"
#include "storage/engine/store_parts.h"

namespace tidemark::storage {

// Thread-safe.
class Expiry {
 public:
  // All outlive it.
  Expiry(StoreParts* parts, Checkpointer* checkpointer, Deleter* deleter)
      : parts_(*parts), checkpointer_(*checkpointer), deleter_(*deleter) {}

  // Drops what no tier outlives. Returns how many partitions.
  Result<uint64_t> DropExpired() TM_EXCLUDES(checkpointer_.flush_mutex());
  // See Store::PlanRetention.
  [[nodiscard]] Result<RetentionReport> Plan(std::string_view database, const DatabaseOptions& options) const;

 private:
  // What the retention of the whole database lets go: `expired` and `gone_by_ns` of a report whose partitions are
  // counted.
  Result<void> CountExpired(const database::Database& database, const database::DatabaseState& state,
                            const DatabaseOptions& options, RetentionReport* report) const;
  Result<uint64_t> DropExpiredOf(const DatabasePtr& database) TM_EXCLUDES(checkpointer_.flush_mutex());

  StoreParts& parts_;
  Checkpointer& checkpointer_;
  Deleter& deleter_;
};

}  // namespace tidemark::storage

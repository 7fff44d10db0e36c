// SeriesIds: what ids the series of one dictionary have in the databases that it is used for.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "storage/base/mutex.h"
#include "storage/model/batch.h"
#include "storage/model/ids.h"

namespace tidemark::native {

// Thread-safe: requests that share a dictionary use it at once.
class SeriesIds final : public model::KnownSeries {
 public:
  // A sender writes to one database mostly, and to another for a while; of more than these the one that was learnt
  // first is forgotten.
  static constexpr size_t kIndexes = 2;
  static constexpr uint64_t kBytesPerSeries = kIndexes * sizeof(model::SeriesId);

  bool Find(uint64_t index, std::span<const model::Row> rows, model::SeriesId* ids) const override;
  void Learn(uint64_t index, std::span<const model::Row> rows, const model::SeriesId* ids) override;

 private:
  struct Ids {
    uint64_t index = 0;
    std::vector<model::SeriesId> of;  // by number; 0: not known
  };

  mutable SharedMutex mutex_;
  std::vector<Ids> all_ TM_GUARDED_BY(mutex_);
};

}  // namespace tidemark::native

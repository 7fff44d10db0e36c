#include "storage/database/partition_epochs.h"

#include <algorithm>

namespace tidemark::storage::database {

std::map<PartitionId, EpochList> ByPartition(const DatabaseState& state) {
  std::map<PartitionId, EpochList> out;
  for (const auto& epoch : state.epochs) {
    out[{epoch->record().partition_start_ns, epoch->record().partition_ns}].push_back(epoch);
  }
  return out;
}

bool AnyMasked(const EpochList& epochs, const retention::MaskList& masks) {
  return std::any_of(epochs.begin(), epochs.end(), [&](const auto& epoch) {
    return std::any_of(masks.begin(), masks.end(), [&](const auto& mask) { return mask->AppliesTo(epoch->record()); });
  });
}

}  // namespace tidemark::storage::database

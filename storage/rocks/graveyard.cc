#include "storage/rocks/graveyard.h"

#include <utility>

namespace tidemark::storage::rocks {

void Graveyard::Bury(KeyRange range) {
  MutexLock lock(mutex_);
  ranges_.push_back(std::move(range));
}

std::vector<KeyRange> Graveyard::TakeAll() {
  MutexLock lock(mutex_);
  return std::exchange(ranges_, {});
}

}  // namespace tidemark::storage::rocks

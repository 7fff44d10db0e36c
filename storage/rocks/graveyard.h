// Graveyard: key ranges of `data` and `meta` that nothing names any more, until somebody drops them.
#pragma once

#include <vector>

#include "storage/base/mutex.h"
#include "storage/rocks/keys.h"

namespace tidemark::storage::rocks {

// Key ranges whose files nobody reads any more. Thread-safe.
class Graveyard {
 public:
  void Bury(KeyRange range);
  [[nodiscard]] std::vector<KeyRange> TakeAll();

 private:
  Mutex mutex_;
  std::vector<KeyRange> ranges_ TM_GUARDED_BY(mutex_);
};

}  // namespace tidemark::storage::rocks

// OwnFiles: the files and folders by which a store is found again. A process that has it open goes on when they are
// removed or moved, and everything that it acknowledges from then on is lost with it, so it looks after them.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "storage/base/file_mark.h"

namespace tidemark::storage::rocks {

// Immutable; of any thread. Of paths that the system cannot be asked about it says nothing.
class OwnFiles {
 public:
  // Those of a store in `directory` that is open, as they are now.
  static OwnFiles Of(const std::string& directory);
  // The first that is not there any more, or is another; "" when all are the same. Costs a statx(2) for each.
  [[nodiscard]] std::string Missing() const;

 private:
  std::vector<std::pair<std::string, FileMark>> files_;
};

}  // namespace tidemark::storage::rocks

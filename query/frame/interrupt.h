// Interrupt: what a long loop asks now and then.
#pragma once

#include "storage/base/result.h"

namespace tidemark::query::frame {

// Thread-safe.
class Interrupt {
 public:
  virtual ~Interrupt() = default;
  // An error once the work should end. Cheap enough for every few thousand values.
  [[nodiscard]] virtual Status CheckInterrupt() const = 0;
};

}  // namespace tidemark::query::frame

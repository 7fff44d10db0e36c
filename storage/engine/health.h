// Health: whether the store takes writes. A disk that fails or is full makes it refuse them; a self-test that passes
// lets them in again.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "storage/base/mutex.h"
#include "storage/base/result.h"

namespace tidemark::storage {

// Thread-safe.
class Health {
 public:
  // Remembers why writes are refused, when `error` comes from the disk (kIo, kResourceExhausted, kInternal).
  void Report(const Error& error);
  // Refuses writes with `error` until the store is opened again, whatever a self-test would say.
  void RefuseForGood(Error error);
  // The error that writes get; none when they are taken.
  [[nodiscard]] std::optional<Error> Refusal() const;
  void Clear();

  // Whether it is time for another self-test: true at most once per `interval_ns`.
  bool DueForTest(int64_t steady_ns, int64_t interval_ns);

 private:
  mutable Mutex mutex_;
  std::optional<Error> refusal_ TM_GUARDED_BY(mutex_);
  int64_t last_test_ns_ TM_GUARDED_BY(mutex_) = 0;
  bool tested_ TM_GUARDED_BY(mutex_) = false;
  bool for_good_ TM_GUARDED_BY(mutex_) = false;
};

}  // namespace tidemark::storage

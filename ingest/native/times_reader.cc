#include "ingest/native/times_reader.h"

#include <limits>

#include "ingest/native/wire_access.h"

namespace tidemark::native {
namespace {

constexpr int64_t kMin = std::numeric_limits<int64_t>::min();
constexpr int64_t kMax = std::numeric_limits<int64_t>::max();

// Stays at an end of int64 once it was reached.
int64_t Sum(int64_t time, int64_t step) {
  int64_t sum = 0;
  if (time == kMin || time == kMax || __builtin_add_overflow(time, step, &sum))
    return step < 0 || time == kMin ? kMin : kMax;
  return sum;
}

}  // namespace

Result<uint64_t> TimesReader::CountOf(const wire::Times* times) {
  if (times == nullptr) return uint64_t{1};
  if (times->values() != nullptr) return uint64_t{times->values()->size()};
  if (times->deltas() != nullptr) {
    if (times->delta_unit_ns() == 0) return InvalidArgument("delta_unit_ns is 0");
    return uint64_t{times->deltas()->size()} + 1;
  }
  if (times->step_ns() == 0 && times->count() == 0) return uint64_t{1};
  return uint64_t{times->count()};
}

const std::vector<int64_t>& TimesReader::Read(const wire::Times* times, uint32_t count, int64_t now_ns) {
  times_.resize(count);
  if (times == nullptr) {
    times_.assign(count, now_ns);
  } else if (const Numbers<int64_t> values(times->values()); times->values() != nullptr) {
    for (uint32_t i = 0; i < count; ++i) times_[i] = values[i];
  } else if (const Numbers<uint32_t> deltas(times->deltas()); times->deltas() != nullptr) {
    int64_t time = times->first_ns();
    for (uint32_t i = 0; i < count; ++i) {
      if (i > 0) {
        int64_t step = 0;
        const bool beyond = times->delta_unit_ns() > static_cast<uint64_t>(kMax) ||
                            __builtin_mul_overflow(static_cast<int64_t>(deltas[i - 1]),
                                                   static_cast<int64_t>(times->delta_unit_ns()), &step);
        time = Sum(time, beyond && deltas[i - 1] > 0 ? kMax : step);
      }
      times_[i] = time;
    }
  } else {
    int64_t time = times->first_ns();
    for (uint32_t i = 0; i < count; ++i) {
      times_[i] = time;
      time = Sum(time, times->step_ns());
    }
  }
  return times_;
}

}  // namespace tidemark::native

// Whether a machine's clock has ever been set: one without a battery begins in 1970 with each boot.
#pragma once

#include <cstdint>

namespace tidemark {

// 2020-01-01T00:00:00Z, before this program was written: a clock that shows less has not been set.
inline constexpr int64_t kClockIsSetNs = 1'577'836'800'000'000'000;

}  // namespace tidemark

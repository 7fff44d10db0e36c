// Past steps: how far apart the samples of the past lie, so that the past meets the present without a seam. rate()
// tells the spacing of samples from the mean of a window, and extends what it saw no further than that to the window's
// ends. Where wide steps stand beside narrow ones in one window it falls short by the widest of them. So steps shrink
// with the distance to the present, so slowly that those of one window are about alike or short beside it.
#pragma once

#include <algorithm>
#include <cstdint>

namespace tidemark::demo {

// With this, rate over five minutes falls short by 2 % at most, where steps of 2 minutes beside those of a second fall
// short by 40 %; tests/unit/tools/demo/past_steps_test.cc computes both.
inline constexpr int64_t kPastStepsPerAge = 300;

// The way from a sample that lies `age_ns` before the present to the next: from `live_step_ns` for the newest to
// `widest_ns` for old ones. Positive.
constexpr int64_t PastStep(int64_t age_ns, int64_t live_step_ns, int64_t widest_ns) {
  return std::max<int64_t>(1, std::min(widest_ns, std::max(live_step_ns, age_ns / kPastStepsPerAge)));
}

}  // namespace tidemark::demo

// What range functions ask of their scalar arguments.
#include <fmt/core.h>

#include "query/frame/go_format.h"
#include "query/functions/kernels.h"

namespace tidemark::query::functions {

using frame::GoFormat;

Status WarnOfQuantiles(const FoldArguments& arguments) {
  for (size_t step = 0; step < arguments.steps; ++step) {
    const double q = arguments.scalars[0][step];
    if (q >= 0 && q <= 1) continue;
    arguments.state->Warn(fmt::format("quantile value should be between 0 and 1, got {}", GoFormat(q)),
                          arguments.node.scalars[0]->source->range);
  }
  return {};
}

Status CheckSmoothing(const FoldArguments& arguments) {
  for (size_t step = 0; step < arguments.steps; ++step) {
    const double smoothing = arguments.scalars[0][step];
    const double trend = arguments.scalars[1][step];
    if (smoothing <= 0 || smoothing >= 1) {
      return InvalidArgument(fmt::format("invalid smoothing factor. Expected: 0 < sf < 1, got: {:f}", smoothing));
    }
    if (trend <= 0 || trend >= 1) {
      return InvalidArgument(fmt::format("invalid trend factor. Expected: 0 < tf < 1, got: {:f}", trend));
    }
  }
  return {};
}

}  // namespace tidemark::query::functions

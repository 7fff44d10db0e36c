// The stale marker: the NaN that says "the series ended here".
// Source: Prometheus, model/value/value.go.
#pragma once

#include <bit>
#include <cstdint>

namespace tidemark::model {

inline constexpr uint64_t kStaleMarkerBits = 0x7ff0000000000002;
inline constexpr double kStaleMarker = std::bit_cast<double>(kStaleMarkerBits);

// Other NaNs are values like any other.
inline bool IsStaleMarker(double value) { return std::bit_cast<uint64_t>(value) == kStaleMarkerBits; }

}  // namespace tidemark::model

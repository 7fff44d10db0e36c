// The unit that the tests of this folder speak in.
#pragma once

#include <cstdint>

namespace tidemark::memory {

inline constexpr uint64_t kMiB = uint64_t{1} << 20;

}  // namespace tidemark::memory

// Byte sizes as text: "64MiB", "25MB", "4096".
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace tidemark::text {

// A whole number with KiB, MiB, GiB (powers of 1024), KB, MB, GB (powers of 1000), B or nothing behind it. Nothing when
// the text is none, or when the size is above 2^64 - 1.
std::optional<uint64_t> ParseByteSize(std::string_view text);

// In the largest of GiB, MiB, GB, MB and KiB that divides it, without one when none does: "64MiB", "25MB", "4095", "0".
// ParseByteSize reads it back.
std::string PrintByteSize(uint64_t bytes);

// With three digits in powers of 1000, for people: "999 B", "5.50 GB". `bytes` below 0 count as none.
std::string PrintRoughBytes(double bytes);

// Whole mebibytes, cut, as messages name a budget: "64 MiB".
std::string PrintMebibytes(uint64_t bytes);

}  // namespace tidemark::text

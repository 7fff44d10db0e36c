#include "storage/base/text/byte_size.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>

namespace tidemark::text {
namespace {

struct SizeUnit {
  std::string_view name;
  uint64_t bytes;
  bool printed;
};
// In the order in which they are printed; "B" is last because the others end with it.
constexpr std::array kUnits{
    SizeUnit{"GiB", uint64_t{1} << 30, true},
    SizeUnit{"MiB", uint64_t{1} << 20, true},
    SizeUnit{"GB", 1'000'000'000, true},
    SizeUnit{"MB", 1'000'000, true},
    SizeUnit{"KiB", uint64_t{1} << 10, true},
    SizeUnit{"KB", 1'000, false},
    SizeUnit{"B", 1, false},
};

}  // namespace

std::optional<uint64_t> ParseByteSize(std::string_view text) {
  uint64_t unit = 1;
  for (const SizeUnit& known : kUnits) {
    if (text.ends_with(known.name)) {
      unit = known.bytes;
      text.remove_suffix(known.name.size());
      break;
    }
  }
  uint64_t count = 0;
  uint64_t bytes = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), count);
  if (error != std::errc() || end != text.data() + text.size() || __builtin_mul_overflow(count, unit, &bytes)) {
    return std::nullopt;
  }
  return bytes;
}

std::string PrintByteSize(uint64_t bytes) {
  for (const SizeUnit& unit : kUnits) {
    if (unit.printed && bytes != 0 && bytes % unit.bytes == 0)
      return fmt::format("{}{}", bytes / unit.bytes, unit.name);
  }
  return std::to_string(bytes);
}

std::string PrintRoughBytes(double bytes) {
  constexpr std::array<std::string_view, 7> kRough{"B", "kB", "MB", "GB", "TB", "PB", "EB"};
  bytes = std::max(bytes, 0.0);
  size_t unit = 0;
  while (bytes >= 999.5 && unit + 1 < kRough.size()) {
    bytes /= 1000;
    ++unit;
  }
  if (unit == 0) return fmt::format("{:.0f} B", bytes);
  return fmt::format("{:.{}f} {}", bytes, bytes < 9.995 ? 2 : bytes < 99.95 ? 1 : 0, kRough[unit]);
}

std::string PrintMebibytes(uint64_t bytes) { return fmt::format("{} MiB", bytes >> 20); }

}  // namespace tidemark::text

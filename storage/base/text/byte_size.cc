#include "storage/base/text/byte_size.h"

#include <fmt/format.h>

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

std::string PrintMebibytes(uint64_t bytes) { return fmt::format("{} MiB", bytes >> 20); }

}  // namespace tidemark::text

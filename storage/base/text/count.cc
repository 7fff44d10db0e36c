#include "storage/base/text/count.h"

namespace tidemark::text {

std::string Grouped(uint64_t number) {
  const std::string digits = std::to_string(number);
  std::string out;
  for (size_t i = 0; i < digits.size(); ++i) {
    if (i > 0 && (digits.size() - i) % 3 == 0) out += ',';
    out += digits[i];
  }
  return out;
}

std::string Counted(uint64_t number, std::string_view one, std::string_view many) {
  std::string out = Grouped(number) + " ";
  out += number == 1 || many.empty() ? one : many;
  if (number != 1 && many.empty()) out += 's';
  return out;
}

}  // namespace tidemark::text

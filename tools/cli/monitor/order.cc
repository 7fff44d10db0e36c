#include "tools/cli/monitor/order.h"

#include <algorithm>
#include <cstddef>

#include "storage/base/text/ascii.h"

namespace tidemark::cli::monitor {
namespace {

using text::IsDigit;

// The digits that `text` begins with, without zeros in front.
std::string_view DigitsOf(std::string_view text) {
  size_t end = 0;
  while (end < text.size() && IsDigit(text[end])) ++end;
  size_t begin = 0;
  while (begin + 1 < end && text[begin] == '0') ++begin;
  return text.substr(begin, end - begin);
}

}  // namespace

bool StandsBefore(std::string_view a, std::string_view b) {
  const std::string_view whole_a = a;
  const std::string_view whole_b = b;
  while (!a.empty() && !b.empty()) {
    if (!IsDigit(a[0]) || !IsDigit(b[0])) {
      if (a[0] != b[0]) return a[0] < b[0];
      a.remove_prefix(1);
      b.remove_prefix(1);
      continue;
    }
    const std::string_view x = DigitsOf(a);
    const std::string_view y = DigitsOf(b);
    if (x.size() != y.size()) return x.size() < y.size();
    if (x != y) return x < y;
    a.remove_prefix(static_cast<size_t>(x.end() - a.begin()));
    b.remove_prefix(static_cast<size_t>(y.end() - b.begin()));
  }
  // What differs by zeros in front alone still has an order.
  return a.empty() && b.empty() ? whole_a < whole_b : a.empty();
}

}  // namespace tidemark::cli::monitor

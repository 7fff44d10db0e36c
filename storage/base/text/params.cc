#include "storage/base/text/params.h"

#include <fmt/core.h>

#include <algorithm>
#include <iterator>

namespace tidemark::text {
namespace {

// The value of a hexadecimal digit, or -1.
int HexDigit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

}  // namespace

std::string_view Params::Get(std::string_view name) const {
  for (const auto& [key, value] : pairs_) {
    if (key == name) return value;
  }
  return {};
}

bool Params::Has(std::string_view name) const {
  return std::any_of(pairs_.begin(), pairs_.end(), [name](const auto& pair) { return pair.first == name; });
}

bool Params::IsOn(std::string_view name) const {
  const std::string_view value = Get(name);
  return !value.empty() && value != "0" && value != "false";
}

std::vector<std::string_view> Params::All(std::string_view name) const {
  std::vector<std::string_view> values;
  for (const auto& [key, value] : pairs_) {
    if (key == name) values.push_back(value);
  }
  return values;
}

void Params::Prepend(Params other) {
  pairs_.insert(pairs_.begin(), std::make_move_iterator(other.pairs_.begin()),
                std::make_move_iterator(other.pairs_.end()));
}

Result<std::string> PercentDecode(std::string_view text, bool plus_is_space) {
  std::string out;
  out.reserve(text.size());
  for (size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (c == '%') {
      const int high = i + 2 < text.size() ? HexDigit(text[i + 1]) : -1;
      const int low = i + 2 < text.size() ? HexDigit(text[i + 2]) : -1;
      if (high < 0 || low < 0) {
        return InvalidArgument(fmt::format("invalid URL escape \"{}\"", text.substr(i, 3)));
      }
      out.push_back(static_cast<char>(high * 16 + low));
      i += 2;
    } else if (c == '+' && plus_is_space) {
      out.push_back(' ');
    } else {
      out.push_back(c);
    }
  }
  return out;
}

Status ParseForm(std::string_view text, Params* params) {
  size_t count = 0;
  while (!text.empty()) {
    const size_t end = std::min(text.find('&'), text.size());
    const std::string_view pair = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (pair.empty()) continue;
    if (++count > kMaxPairs) return LimitExceeded(fmt::format("more than {} parameters", kMaxPairs));
    const size_t equals = std::min(pair.find('='), pair.size());
    TM_TRY_ASSIGN(std::string name, PercentDecode(pair.substr(0, equals), true));
    TM_TRY_ASSIGN(std::string value, PercentDecode(pair.substr(std::min(equals + 1, pair.size())), true));
    params->Add(std::move(name), std::move(value));
  }
  return {};
}

}  // namespace tidemark::text

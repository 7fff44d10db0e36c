// Params: the name=value pairs of a query string or of a form body, decoded.
//
//   Params params;
//   TM_RETURN_IF_ERROR(ParseForm("query=up&match[]=a&match%5B%5D=b", &params));
//   params.Get("query");        // "up"
//   params.All("match[]");      // {"a", "b"}
//
// Encoding: application/x-www-form-urlencoded, https://url.spec.whatwg.org/#urlencoded-parsing
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "storage/base/result.h"

namespace tidemark::text {

class Params {
 public:
  // The first value of `name`; "" when there is none. Names are compared byte by byte.
  [[nodiscard]] std::string_view Get(std::string_view name) const;
  [[nodiscard]] bool Has(std::string_view name) const;
  // Whether `name` is there and switched on: any value but "", "0" and "false".
  [[nodiscard]] bool IsOn(std::string_view name) const;
  // All values of `name`, in order.
  [[nodiscard]] std::vector<std::string_view> All(std::string_view name) const;
  void Add(std::string name, std::string value) { pairs_.emplace_back(std::move(name), std::move(value)); }
  // Puts `other`'s pairs in front, so that Get prefers them.
  void Prepend(Params other);
  [[nodiscard]] const std::vector<std::pair<std::string, std::string>>& pairs() const { return pairs_; }

 private:
  std::vector<std::pair<std::string, std::string>> pairs_;
};

// More pairs than this in one text are refused.
inline constexpr size_t kMaxPairs = 10'000;

// Appends the pairs of `text`. kInvalidArgument for a bad percent escape, in the words of Go's net/url
// (`invalid URL escape "%zz"`); kLimitExceeded for more than kMaxPairs.
Status ParseForm(std::string_view text, Params* params);

// `text` without percent escapes; with `plus_is_space`, '+' becomes a space. Errors as in ParseForm.
Result<std::string> PercentDecode(std::string_view text, bool plus_is_space);

}  // namespace tidemark::text

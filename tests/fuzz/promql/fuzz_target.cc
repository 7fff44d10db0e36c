// Any bytes as a query: no crash, and what is accepted prints to text that parses to the same.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "query/promql/durations.h"
#include "query/promql/parser.h"
#include "query/promql/printer.h"
#include "storage/base/check.h"

namespace tidemark::query::promql {
namespace {

void CheckRoundTrip(const Expr& expr, const ParseOptions& options) {
  const std::string printed = ToString(expr);
  const auto again = Parse(printed, options);
  if (!again.ok()) {
    // The canonical text may be longer than the one that was written.
    TM_CHECK(again.error().code == ErrorCode::kLimitExceeded);
    return;
  }
  TM_CHECK(ToString(**again) == printed);
  TM_CHECK((*again)->type == expr.type);
  TM_CHECK((*again)->height == expr.height);
}

void Run(std::string_view text) {
  const ParseOptions experimental = ParseOptions::Experimental();
  const auto expr = Parse(text, experimental);
  if (expr.ok()) {
    CheckRoundTrip(**expr, experimental);
    // Either answer is right; it must only be one.
    const Status resolved = ResolveDurations(**expr, 15'000, 3'600'000);
    TM_CHECK(resolved.ok() || !resolved.error().message.empty());
  }
  // What is accepted with the options off is accepted with them on, as the same expression.
  const auto plain = Parse(text);
  if (plain.ok()) {
    TM_CHECK(expr.ok());
    TM_CHECK(ToString(**plain) == ToString(**expr));
  }
  // A selector is an expression, unless it leaves out what CheckTypes asks for beyond it.
  const auto selector = ParseSelector(text);
  if (selector.ok()) TM_CHECK(!selector->empty());
}

}  // namespace
}  // namespace tidemark::query::promql

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  tidemark::query::promql::Run({reinterpret_cast<const char*>(data), size});
  return 0;
}

// Any bytes as InfluxQL: no crash; what is accepted is accepted twice in a row with the same statements, and what is
// refused says why.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "query/influxql/parser.h"
#include "storage/base/check.h"

namespace tidemark::query::influxql {
namespace {

void Run(std::string_view text) {
  const auto once = Parse(text);
  if (!once.ok()) {
    TM_CHECK(once.error().code == ErrorCode::kInvalidArgument && !once.error().message.empty());
    return;
  }
  // The line break ends a comment that the text may end with.
  const auto twice = Parse(std::string(text) + "\n;" + std::string(text));
  TM_CHECK(twice.ok() && twice->size() == 2 * once->size());
  for (size_t i = 0; i < once->size(); ++i) {
    TM_CHECK((*twice)[i] == (*once)[i] && (*twice)[once->size() + i] == (*once)[i]);
    static_cast<void>(IsReadOnly((*once)[i]));
  }
}

}  // namespace
}  // namespace tidemark::query::influxql

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  tidemark::query::influxql::Run({reinterpret_cast<const char*>(data), size});
  return 0;
}

// What people write: the first byte says what. p, i, l and t a duration in the dialect of Prometheus, InfluxQL,
// pipeline files and the command line; s a byte size; g and d a time as Go and as people write it; f a form. What is
// read is within its bounds, and printed and read again it is the same.
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "storage/base/check.h"
#include "storage/base/text/byte_size.h"
#include "storage/base/text/duration.h"
#include "storage/base/text/instant.h"
#include "storage/base/text/json_string.h"
#include "storage/base/text/params.h"
#include "storage/base/utf8.h"

namespace tidemark::text {
namespace {

void RunDuration(std::string_view text, const DurationDialect& dialect) {
  const auto ns = ParseDuration(text, dialect);
  TM_CHECK(!ns || *ns >= 0);
  const auto ms = ParseDurationMs(text);
  if (!ms) return;
  for (const DurationStyle style : {DurationStyle::kPrometheus, DurationStyle::kOneUnit}) {
    TM_CHECK(ParseDurationMs(PrintDuration(*ms, style)) == *ms);
  }
}

void RunFraction(std::string_view text, const DurationDialect& dialect) {
  const auto ns = ParseFractionalDuration(text, dialect, 1);
  TM_CHECK(!ns || *ns >= 0);
}

void RunSize(std::string_view text) {
  const auto bytes = ParseByteSize(text);
  TM_CHECK(!bytes || ParseByteSize(PrintByteSize(*bytes)) == bytes);
}

void RunTime(std::string_view text, Rfc3339Form form) {
  const auto at = ParseRfc3339(text, form);
  if (!at) return;
  TM_CHECK(at->nanos >= 0 && at->nanos < 1'000'000'000);
  // An offset may lead out of the four digits of a year.
  if (at->seconds < -62'167'219'200 || at->seconds > 253'402'300'799) return;
  const auto back = ParseRfc3339(PrintInstant(*at), Rfc3339Form::kGo);
  TM_CHECK(back && back->seconds == at->seconds && back->nanos == at->nanos);
}

void RunForm(std::string_view text) {
  Params params;
  if (const Status parsed = ParseForm(text, &params); !parsed.ok()) {
    TM_CHECK(!parsed.error().message.empty());
    return;
  }
  for (const auto& [name, value] : params.pairs()) {
    std::string json;
    AppendJsonString(&json, value);
    TM_CHECK(IsUtf8(json));
  }
}

}  // namespace
}  // namespace tidemark::text

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace tidemark::text;
  if (size == 0) return 0;
  const std::string_view input(reinterpret_cast<const char*>(data) + 1, size - 1);
  switch (data[0]) {
    case 'p': RunDuration(input, kPrometheusDuration); break;
    case 'i': RunDuration(input, kInfluxDuration); break;
    case 'l': RunFraction(input, kPipelineDuration); break;
    case 't': RunFraction(input, kTypedDuration); break;
    case 's': RunSize(input); break;
    case 'g': RunTime(input, Rfc3339Form::kGo); break;
    case 'd': RunTime(input, Rfc3339Form::kTyped); break;
    case 'f': RunForm(input); break;
    default: break;
  }
  return 0;
}

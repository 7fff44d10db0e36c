#include "tests/fuzz/lineprotocol/compare.h"

#include <algorithm>
#include <array>
#include <memory>

#include "ingest/lineprotocol/reference_parser.h"

namespace tidemark::lineprotocol {

std::string CompareWithReference(std::string_view body, const ParseOptions& options, Parser* parser) {
  const std::unique_ptr<char[]> exact = std::make_unique_for_overwrite<char[]>(body.size());
  std::copy(body.begin(), body.end(), exact.get());
  const std::string_view copy(exact.get(), body.size());
  const ReferenceResult expected = ReferenceParse(copy, options);

  model::Batch batch;
  Parser own;
  const auto parse = [&](std::string_view name, Parser* with) {
    const ParseReport report = with->Parse(copy, options, &batch);
    const std::string difference = Difference(expected, AsReference(batch, report));
    return difference.empty() ? "" : std::string(name) + ": " + difference;
  };
  std::string difference = parse("cold", &own);
  if (difference.empty()) difference = parse("warm", &own);
  if (difference.empty()) difference = parse("long-lived", parser);
  return difference;
}

ParseOptions OptionsFromByte(unsigned char byte) {
  constexpr std::array kPrecisions = {Precision::kNanosecond, Precision::kMicrosecond, Precision::kMillisecond,
                                      Precision::kSecond,     Precision::kMinute,      Precision::kHour};
  ParseOptions options;
  options.precision = kPrecisions[byte % kPrecisions.size()];
  options.default_time.ns = byte % 2 == 0 ? 1'700'000'000'123'456'789 : -1'700'000'000'123'456'789;
  if (byte >= 192) {
    options.limits = {.max_line_bytes = 200,
                      .max_string_bytes = 20,
                      .max_key_bytes = 60,
                      .max_errors = 3,
                      .max_error_text_bytes = 16};
  }
  return options;
}

}  // namespace tidemark::lineprotocol

// ReferenceParse: line protocol read in the plainest way, byte by byte, with a fresh string for every part. It is the
// grammar of README.md written down a second time, for tests to compare Parser with; nothing else uses it, and it
// shares no code with Parser.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "ingest/lineprotocol/parser.h"

namespace tidemark::lineprotocol {

struct ReferenceField {
  std::string name;
  model::FieldType type = model::FieldType::kFloat;
  int64_t value = 0;  // as in model::Batch::values; 0 for strings
  uint8_t scale = 0;  // as in model::Batch::scales
  std::string text;   // of a string
  friend bool operator==(const ReferenceField&, const ReferenceField&) = default;
};

struct ReferenceRow {
  uint32_t line = 0;
  std::string key;  // as written
  std::string measurement;
  std::map<std::string, std::string> tags;
  std::vector<ReferenceField> fields;
  int64_t time_ns = 0;
  friend bool operator==(const ReferenceRow&, const ReferenceRow&) = default;
};

struct ReferenceResult {
  std::vector<ReferenceRow> rows;
  ParseReport report;
};

ReferenceResult ReferenceParse(std::string_view body, const ParseOptions& options);

// What Parser made of a body, in the same form.
ReferenceResult AsReference(const model::Batch& batch, const ParseReport& report);

// "" when both are the same, otherwise the first difference in words.
std::string Difference(const ReferenceResult& expected, const ReferenceResult& actual);

}  // namespace tidemark::lineprotocol

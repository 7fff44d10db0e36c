// MaskSpec: what a deletion says: series, times and fields. It names series by their labels, not by their ids: a series
// that is created later has no rows that a deletion could mean, so that reading the selectors again, after a restart,
// gives the same rows. Format: storage/FORMAT.md, "Deletions".
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "storage/base/bytes.h"
#include "storage/base/result.h"
#include "storage/model/matcher.h"
#include "storage/model/timestamp.h"

namespace tidemark::storage::meta {

struct MaskSpec {
  // The series that satisfy every matcher of at least one of them.
  std::vector<std::vector<model::Matcher>> selectors;
  model::TimeRange range;
  std::vector<std::string> fields;  // none: all
  friend bool operator==(const MaskSpec&, const MaskSpec&) = default;
};

std::string EncodeMaskSpec(const MaskSpec& spec);
// Errors: kCorruption.
Result<MaskSpec> DecodeMaskSpec(std::string_view bytes);

void PutMatchers(std::string* out, const std::vector<model::Matcher>& matchers);
// What does not decode makes the reader fail.
std::vector<model::Matcher> ReadMatchers(ByteReader* reader);

}  // namespace tidemark::storage::meta

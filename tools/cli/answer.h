// Answer: the reply of /api/v1/query and query_range, taken apart for printing.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "storage/base/result.h"
#include "storage/model/labels.h"
#include "tools/cli/time_text.h"

namespace tidemark::cli {

struct AnswerPoint {
  int64_t time_ms = 0;
  std::string value;  // as the server wrote it
};

struct AnswerSeries {
  model::Labels labels;
  std::vector<AnswerPoint> points;
};

struct Answer {
  std::string type;  // vector, matrix, scalar or string
  std::vector<AnswerSeries> series;
  std::vector<std::string> notes;  // warnings and infos
};

// kInvalidArgument with the server's own words for an error reply; kInternal when `body` is no such reply.
Result<Answer> ParseAnswer(std::string_view body);

// How a table is written for people.
struct TableStyle {
  size_t width = 0;    // of the terminal in columns; 0: there is none
  bool exact = false;  // numbers as the server wrote them, not with six digits
  TimeZone zone = TimeZone::kUtc;
};

// Aligned columns: one row per series for a vector; for a matrix the names, then one row per time with a column per
// series, or, when there are more than six series or they do not fit, one block per series. Labels that all series of a
// vector share stand once above it where it would not fit otherwise, and what still does not is shortened (...).
std::string ToTable(const Answer& answer, const TableStyle& style = {});

// A header, then time, value and one column per label name that occurs.
std::string ToCsv(const Answer& answer);

}  // namespace tidemark::cli

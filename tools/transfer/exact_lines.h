// Pieces as lines of JSON: what /api/v1/rows gives and /api/v1/admin/import takes. Nothing is lost.
//
//   {"labels":{"host":"a"},"measurement":"cpu","field":"user","type":"float","times_ns":[1],"values":[0.5]}
//   {"end":{"series":1,"rows":1,"warnings":[]}}
//
// `labels` may name the metric under __name__; without `measurement` that is the measurement, and the field is "value".
// `type` comes before `values`. Values are as in value_text.h, strings as JSON strings.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "storage/base/result.h"
#include "tools/transfer/piece.h"

namespace tidemark::transfer {

// Appends the lines of a piece, each with kPieceRows rows at most.
void AppendLines(const Piece& piece, std::string* out);

// The last line of an export.
struct ExportEnd {
  uint64_t series = 0;
  uint64_t rows = 0;
  std::vector<std::string> warnings = {};
};
void AppendEnd(const ExportEnd& end, std::string* out);

// Not thread-safe.
class LineReader {
 public:
  LineReader();
  ~LineReader();
  LineReader(const LineReader&) = delete;
  LineReader& operator=(const LineReader&) = delete;

  enum class Kind : uint8_t { kPiece, kEnd };
  // Reads one line. Errors: kInvalidArgument says what is wrong with it; kIo for a line {"error":"..."}, with its text.
  Result<Kind> Read(std::string_view line, Piece* piece, ExportEnd* end);

 private:
  class State;
  std::unique_ptr<State> state_;
};

}  // namespace tidemark::transfer

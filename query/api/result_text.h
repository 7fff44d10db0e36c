// ResultText: a query's result as JSON, piece by piece, so that the text of a large result is never held whole.
//
//   ResultText text(std::move(result), limit, stats);
//   std::string piece;
//   while (text.Write(&piece, 64 << 10)) { Send(piece); piece.clear(); }
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "query/run/query_context.h"

namespace tidemark::query::api {

// Not thread-safe.
class ResultText {
 public:
  // At most `limit` series (0: all); with fewer than there are, a warning. `stats` is JSON that follows the result
  // inside of `data`: empty, or it begins with a comma. Of a range query only what lies at step `first_step` or behind
  // it, without the series that have nothing there.
  ResultText(run::QueryResult result, uint64_t limit, std::string stats, size_t first_step = 0);

  // Appends the next part of the whole reply, from the opening of the envelope on, until `out` has at least
  // `bytes_min` bytes or everything is written. true: there is more.
  bool Write(std::string* out, size_t bytes_min);

  // Bytes of the whole text, roughly.
  [[nodiscard]] size_t ExpectedBytes() const;

 private:
  void WriteHead(std::string* out) const;
  // Whether the row has nothing from first_step_ on.
  [[nodiscard]] bool RowIsOver() const;
  // Whether the row came to its end.
  bool WriteRow(std::string* out, size_t bytes_min);
  bool WriteRawValues(std::string* out, size_t bytes_min);
  bool WriteMatrixValues(std::string* out, size_t bytes_min);

  // `[time,"` of each step, which all rows share.
  void WriteStepTexts();

  run::QueryResult result_;
  const std::string stats_;
  const size_t first_step_;
  bool raw_ = false;
  size_t shown_ = 0;  // rows
  enum class Part : uint8_t { kHead, kRows, kTail, kDone } part_ = Part::kHead;
  size_t row_ = 0;
  size_t at_ = 0;             // the sample of the row that comes next
  bool row_open_ = false;     // the row's labels are written
  bool row_has_any_ = false;  // and a sample
  bool has_any_ = false;      // a row is written
  struct StepText {
    // As many bytes as one instruction copies.
    static constexpr size_t kMax = 31;
    char text[kMax];
    uint8_t size;
  };
  std::vector<StepText> step_texts_;
};

}  // namespace tidemark::query::api

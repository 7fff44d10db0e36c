// LineChunks: cuts a stream of line protocol into chunks of whole lines. A newline inside a quoted string does not end
// a line, so the lines are read with the parser's own line reader.
#pragma once

#include <cstdint>
#include <istream>
#include <string>
#include <string_view>
#include <vector>

namespace tidemark::cli {

struct ChunkLimits {
  size_t lines = 10'000;
  size_t bytes = size_t{8} << 20;  // a single longer line is a chunk of its own
};

class LineChunks {
 public:
  LineChunks(std::istream& input, ChunkLimits limits) : input_(input), limits_(limits) {}

  // The next chunk, valid until the next call; empty at the end of the input.
  std::string_view Next();

  // Lines of the input before the chunk, newlines inside strings counted.
  [[nodiscard]] uint64_t lines_before() const { return lines_before_; }
  // Lines that may become rows in the chunk.
  [[nodiscard]] uint64_t rows() const { return rows_; }
  // Where a time is missing: the ends of lines of the chunk that are whole but for it, as offsets into it, ascending.
  [[nodiscard]] const std::vector<size_t>& untimed() const { return untimed_; }

 private:
  // Bytes of whole lines at the start of the buffer; 0 when more must be read.
  size_t Cut();
  bool Fill();

  std::istream& input_;
  const ChunkLimits limits_;
  std::string buffer_;
  size_t begin_ = 0;
  bool end_of_input_ = false;
  uint64_t lines_before_ = 0;
  uint64_t lines_in_chunk_ = 0;
  uint64_t rows_ = 0;
  std::vector<size_t> untimed_;
};

// `chunk` with `time`, in the unit of the request, at each of these places. A request whose lines all have times may be
// sent again: the server keeps one value for a series and a time.
std::string WithTimes(std::string_view chunk, const std::vector<size_t>& untimed, int64_t time);

}  // namespace tidemark::cli

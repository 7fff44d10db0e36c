// LineChunks: cuts a stream of line protocol into chunks of whole lines. A newline inside a quoted string does not end
// a line, so the lines are read with the parser's own line reader.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <istream>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "storage/base/clock.h"

namespace tidemark::cli {

struct ChunkLimits {
  size_t lines = 10'000;
  size_t bytes = size_t{8} << 20;  // a single longer line is a chunk of its own
  // A line that is longer still is left out: no more of it is kept in memory. A server takes no such body.
  size_t line_bytes = size_t{24} << 20;
  // A whole line waits no longer than this for others to come.
  std::chrono::milliseconds age{1000};
};

// A place in a chunk where a time is missing.
struct MissingTime {
  size_t at = 0;           // the end of the line that is whole but for it
  int64_t arrived_ns = 0;  // when the line was read, since 1970
  friend bool operator==(const MissingTime&, const MissingTime&) = default;
};

// A line that was left out because it is too long.
struct LongLine {
  uint64_t number = 0;  // from 1
  uint64_t bytes = 0;   // of it, about, without its end
};

class LineChunks {
 public:
  // Reads at most `size` bytes into `to`, as soon as there are any. 0: the end; nothing: none came within `wait`.
  using Source = std::function<std::optional<size_t>(char* to, size_t size, std::chrono::milliseconds wait)>;

  // `clock` outlives it.
  LineChunks(Source source, ChunkLimits limits, const Clock& clock)
      : source_(std::move(source)), limits_(limits), clock_(clock) {}
  // A file, which does not let anybody wait.
  LineChunks(std::istream& input, ChunkLimits limits, const Clock& clock);

  // The next chunk, valid until the next call; empty at the end of the input.
  std::string_view Next();
  // Those that were left out since the last call.
  std::vector<LongLine> TakeLongLines() { return std::exchange(long_lines_, {}); }

  // Lines of the input before the chunk, newlines inside strings counted.
  [[nodiscard]] uint64_t lines_before() const { return lines_before_; }
  // Lines that may become rows in the chunk.
  [[nodiscard]] uint64_t rows() const { return rows_; }
  // What the input's last `# CONTEXT-DATABASE: NAME` and `# CONTEXT-RETENTION-POLICY: NAME` before the chunk say, as
  // `influx_inspect export` writes them; "" without. A chunk ends where one of them comes.
  [[nodiscard]] const std::string& database() const { return database_; }
  [[nodiscard]] const std::string& policy() const { return policy_; }
  // Ascending, as offsets into the chunk.
  [[nodiscard]] const std::vector<MissingTime>& untimed() const { return untimed_; }

 private:
  // Bytes of whole lines at the start of the buffer; 0 when more must be read.
  size_t Cut();
  // Leaves out what the buffer has of a line that is too long.
  void PassLongLine();
  // Takes the names out of comments.
  void ReadContext(std::string_view comments);
  // Reads what there is, waiting for it until what is in the buffer has become old.
  void Fill();

  Source source_;
  const ChunkLimits limits_;
  const Clock& clock_;
  std::string buffer_;
  size_t begin_ = 0;
  bool end_of_input_ = false;
  std::chrono::steady_clock::time_point begun_;  // when the first byte came that is not handed out
  std::string database_;
  std::string policy_;
  // Whether the beginning of the buffer is in a line that is left out, up to the next line end.
  bool in_long_line_ = false;
  std::vector<LongLine> long_lines_;
  uint64_t lines_before_ = 0;
  uint64_t lines_in_chunk_ = 0;
  uint64_t rows_ = 0;
  std::vector<MissingTime> untimed_;
  // Up to where in the buffer came what, ascending; covers all of it.
  struct Arrival {
    size_t end;
    int64_t ns;
  };
  std::vector<Arrival> arrivals_;
};

// `chunk` with the times of arrival, in the unit of the request, where one is missing. A request whose lines all have
// times may be sent again: the server keeps one value for a series and a time.
std::string WithTimes(std::string_view chunk, const std::vector<MissingTime>& untimed, int64_t unit_ns);

}  // namespace tidemark::cli

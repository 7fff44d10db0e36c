#include "tools/cli/line_chunks.h"

#include <algorithm>

#include "ingest/lineprotocol/line.h"

namespace tidemark::cli {
namespace {
constexpr size_t kReadBytes = size_t{1} << 20;
// No line has this time: it lies before those that can be stored.
constexpr model::Timestamp kNoTime{INT64_MIN};
}  // namespace

bool LineChunks::Fill() {
  if (end_of_input_) return false;
  buffer_.erase(0, begin_);
  begin_ = 0;
  const size_t size = buffer_.size();
  buffer_.resize(size + kReadBytes);
  input_.read(buffer_.data() + size, static_cast<std::streamsize>(kReadBytes));
  buffer_.resize(size + static_cast<size_t>(input_.gcount()));
  end_of_input_ = !input_;
  return true;
}

size_t LineChunks::Cut() {
  const char* const begin = buffer_.data() + begin_;
  const char* const end = buffer_.data() + buffer_.size();
  Arena arena;
  lineprotocol::LineReader reader(&arena);
  lineprotocol::Line line;
  const char* at = begin;
  rows_ = 0;
  untimed_.clear();
  while (at < end && rows_ < limits_.lines && static_cast<size_t>(at - begin) < limits_.bytes) {
    const lineprotocol::LineStart start = lineprotocol::SkipToLine(at, end);
    const char* next = end;
    bool whole = false;
    if (start.kind == lineprotocol::LineStart::Kind::kLine) {
      const auto problem = reader.Read(start.at, end, {.default_time = kNoTime}, &line);
      next = problem ? lineprotocol::NextLine(problem->resume, end) : line.next;
      whole = !problem;
    } else if (start.kind == lineprotocol::LineStart::Kind::kProblem) {
      next = lineprotocol::NextLine(start.at, end);
    }
    // A line that touches the end of the buffer may go on behind it.
    if (next == end && !end_of_input_) break;
    if (start.kind != lineprotocol::LineStart::Kind::kEnd) ++rows_;
    if (whole && line.time == kNoTime) {
      const char* line_end = next;
      while (line_end[-1] == '\n' || line_end[-1] == '\r' || line_end[-1] == ' ') --line_end;
      untimed_.push_back(static_cast<size_t>(line_end - begin));
    }
    at = next;
  }
  return static_cast<size_t>(at - begin);
}

std::string WithTimes(std::string_view chunk, const std::vector<size_t>& untimed, int64_t time) {
  const std::string text = " " + std::to_string(time);
  std::string out;
  out.reserve(chunk.size() + untimed.size() * text.size());
  size_t from = 0;
  for (const size_t at : untimed) {
    out += chunk.substr(from, at - from);
    out += text;
    from = at;
  }
  out += chunk.substr(from);
  return out;
}

std::string_view LineChunks::Next() {
  lines_before_ += lines_in_chunk_;
  lines_in_chunk_ = 0;
  untimed_.clear();
  size_t size = 0;
  for (;;) {
    const bool enough = buffer_.size() - begin_ >= limits_.bytes || end_of_input_;
    if (enough) size = Cut();
    if (size > 0 || !Fill()) break;
  }
  const std::string_view chunk = std::string_view(buffer_).substr(begin_, size);
  begin_ += size;
  lines_in_chunk_ = static_cast<uint64_t>(std::count(chunk.begin(), chunk.end(), '\n'));
  return chunk;
}

}  // namespace tidemark::cli

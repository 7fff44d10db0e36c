#include "tools/cli/line_chunks.h"

#include <algorithm>
#include <utility>

#include "ingest/lineprotocol/line.h"

namespace tidemark::cli {
namespace {
constexpr size_t kReadBytes = size_t{1} << 20;
// No line has this time: it lies before those that can be stored.
constexpr model::Timestamp kNoTime{INT64_MIN};
}  // namespace

LineChunks::LineChunks(std::istream& input, ChunkLimits limits, const Clock& clock)
    : LineChunks(
          [&input](char* to, size_t size, std::chrono::milliseconds) -> std::optional<size_t> {
            input.read(to, static_cast<std::streamsize>(size));
            return static_cast<size_t>(input.gcount());
          },
          limits, clock) {}

void LineChunks::Fill() {
  buffer_.erase(0, begin_);
  std::erase_if(arrivals_, [this](const Arrival& arrival) { return arrival.end <= begin_; });
  for (Arrival& arrival : arrivals_) arrival.end -= begin_;
  begin_ = 0;
  const size_t size = buffer_.size();
  const auto now = std::chrono::steady_clock::now();
  if (size == 0) begun_ = now;
  const auto wait = std::chrono::ceil<std::chrono::milliseconds>(begun_ + limits_.age - now);
  buffer_.resize(size + kReadBytes);
  const std::optional<size_t> got =
      source_(buffer_.data() + size, kReadBytes, std::clamp(wait, std::chrono::milliseconds(0), limits_.age));
  buffer_.resize(size + got.value_or(0));
  if (buffer_.size() > size) arrivals_.push_back({buffer_.size(), clock_.NowNs()});
  end_of_input_ = got == size_t{0};
}

void LineChunks::ReadContext(std::string_view comments) {
  while (!comments.empty()) {
    const size_t end = std::min(comments.find('\n'), comments.size());
    std::string_view line = comments.substr(0, end);
    comments.remove_prefix(std::min(end + 1, comments.size()));
    const std::pair<std::string_view, std::string*> names[] = {{"# CONTEXT-DATABASE:", &database_},
                                                               {"# CONTEXT-RETENTION-POLICY:", &policy_}};
    for (const auto& [key, value] : names) {
      if (!line.starts_with(key)) continue;
      line.remove_prefix(key.size());
      const size_t first = std::min(line.find_first_not_of(" \t"), line.size());
      const size_t last = line.find_last_not_of(" \t\r");
      *value = first < line.size() ? line.substr(first, last - first + 1) : std::string_view();
      break;
    }
  }
}

size_t LineChunks::Cut() {
  const char* const begin = buffer_.data() + begin_;
  const char* const end = buffer_.data() + buffer_.size();
  Arena arena;
  lineprotocol::LineReader reader(&arena);
  lineprotocol::Line line;
  const char* at = begin;
  auto arrival = arrivals_.begin();
  rows_ = 0;
  untimed_.clear();
  while (at < end && rows_ < limits_.lines && static_cast<size_t>(at - begin) < limits_.bytes) {
    const lineprotocol::LineStart start = lineprotocol::SkipToLine(at, end);
    const std::string_view before(at, static_cast<size_t>(start.at - at));
    if (rows_ > 0 && before.find("# CONTEXT-") != std::string_view::npos) break;
    const char* next = end;
    bool whole = false;
    if (start.kind == lineprotocol::LineStart::Kind::kLine) {
      const auto problem = reader.Read(start.at, end, {.default_time = kNoTime}, &line);
      next = problem ? lineprotocol::NextLine(problem->resume, end) : line.next;
      whole = !problem;
    } else if (start.kind == lineprotocol::LineStart::Kind::kProblem) {
      next = lineprotocol::NextLine(start.at, end);
    }
    // A line that touches the end of the buffer may go on behind it, unless it is whole and its newline is there.
    if (next == end && !end_of_input_ && !(whole && end[-1] == '\n')) break;
    ReadContext(before);
    if (start.kind != lineprotocol::LineStart::Kind::kEnd) ++rows_;
    if (whole && line.time == kNoTime) {
      const char* line_end = next;
      while (line_end[-1] == '\n' || line_end[-1] == '\r' || line_end[-1] == ' ') --line_end;
      // With its last byte.
      while (arrival->end < static_cast<size_t>(next - buffer_.data())) ++arrival;
      untimed_.push_back({static_cast<size_t>(line_end - begin), arrival->ns});
    }
    at = next;
  }
  return static_cast<size_t>(at - begin);
}

std::string WithTimes(std::string_view chunk, const std::vector<MissingTime>& untimed, int64_t unit_ns) {
  std::string out;
  out.reserve(chunk.size() + untimed.size() * 20);
  size_t from = 0;
  for (const MissingTime& missing : untimed) {
    out += chunk.substr(from, missing.at - from);
    out += ' ';
    out += std::to_string(missing.arrived_ns / unit_ns);
    from = missing.at;
  }
  out += chunk.substr(from);
  return out;
}

void LineChunks::PassLongLine() {
  const size_t newline = buffer_.find('\n', begin_);
  const size_t end = newline == std::string::npos ? buffer_.size() : newline;
  if (!in_long_line_) long_lines_.push_back({.number = lines_before_ + 1, .bytes = 0});
  in_long_line_ = newline == std::string::npos;
  long_lines_.back().bytes += end - begin_;
  if (!in_long_line_) ++lines_before_;
  begin_ = in_long_line_ ? end : end + 1;
}

std::string_view LineChunks::Next() {
  lines_before_ += lines_in_chunk_;
  lines_in_chunk_ = 0;
  untimed_.clear();
  size_t size = 0;
  for (;;) {
    if (in_long_line_ || (size == 0 && buffer_.size() - begin_ > limits_.line_bytes)) {
      // What is not whole after so many bytes is one line.
      if (in_long_line_ || Cut() == 0) {
        PassLongLine();
        if (in_long_line_ && end_of_input_) break;
        if (in_long_line_) Fill();
        continue;
      }
    }
    const bool old = buffer_.size() > begin_ && std::chrono::steady_clock::now() - begun_ >= limits_.age;
    if (old || buffer_.size() - begin_ >= limits_.bytes || end_of_input_) size = Cut();
    if (size > 0 || end_of_input_) break;
    // An age that has passed without a whole line begins again, so that the rest of one is waited for.
    if (old) begun_ = std::chrono::steady_clock::now();
    Fill();
  }
  const std::string_view chunk = std::string_view(buffer_).substr(begin_, size);
  begin_ += size;
  lines_in_chunk_ = static_cast<uint64_t>(std::count(chunk.begin(), chunk.end(), '\n'));
  return chunk;
}

}  // namespace tidemark::cli

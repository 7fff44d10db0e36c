// Lines: cuts output that comes in pieces into lines.
#pragma once

#include <algorithm>
#include <cstddef>
#include <functional>
#include <string>
#include <string_view>

namespace tidemark::executor {

// Not thread-safe. A line ends at '\n' or '\r' (as programs that redraw a progress line write); a line longer than
// `max_bytes` comes in pieces of about that size. Empty lines are left out.
class Lines {
 public:
  Lines(size_t max_bytes, std::function<void(std::string_view)> on_line)
      : max_bytes_(max_bytes), on_line_(std::move(on_line)) {}

  void Append(std::string_view bytes) {
    size_t newline = bytes.find('\n'), start = 0;
    while (start < bytes.size()) {
      if (newline < start) newline = bytes.find('\n', start);
      // Looked for only up to the next '\n', so that each byte is looked at twice and no more; two searches for one
      // byte each are several times faster than one for either.
      const std::string_view line = bytes.substr(start, newline - start);
      const size_t size = std::min(line.find('\r'), line.size());
      const bool whole = start + size < bytes.size();
      if (whole && open_.empty()) {
        if (size > 0) on_line_(line.substr(0, size));
      } else {
        open_ += line.substr(0, size);
        if (whole || open_.size() >= max_bytes_) Finish();
      }
      start += size + 1;
    }
  }

  // What came after the last line end.
  void Finish() {
    if (!open_.empty()) on_line_(open_);
    open_.clear();
  }

 private:
  const size_t max_bytes_;
  const std::function<void(std::string_view)> on_line_;
  std::string open_;
};

}  // namespace tidemark::executor

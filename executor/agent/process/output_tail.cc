#include "executor/agent/process/output_tail.h"

#include <algorithm>

namespace tidemark::executor {

void OutputTail::Append(std::string_view bytes) {
  total_bytes_ += bytes.size();
  if (bytes.size() > capacity_) bytes.remove_prefix(bytes.size() - capacity_);
  const size_t grown = std::min(bytes.size(), capacity_ - ring_.size());
  ring_.append(bytes.substr(0, grown));
  bytes.remove_prefix(grown);
  while (!bytes.empty()) {
    const size_t run = std::min(bytes.size(), capacity_ - start_);
    std::copy_n(bytes.begin(), run, ring_.begin() + static_cast<std::ptrdiff_t>(start_));
    start_ = (start_ + run) % capacity_;
    bytes.remove_prefix(run);
  }
}

std::string OutputTail::Text() const {
  std::string text = ring_.substr(start_) + ring_.substr(0, start_);
  if (total_bytes_ > text.size()) {
    if (const size_t line_end = text.find('\n'); line_end != std::string::npos) text.erase(0, line_end + 1);
  }
  return text;
}

}  // namespace tidemark::executor

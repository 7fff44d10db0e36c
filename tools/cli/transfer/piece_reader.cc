#include "tools/cli/transfer/piece_reader.h"

#include <fmt/core.h>

namespace tidemark::cli {
namespace {
constexpr size_t kReadBytes = size_t{1} << 20;
}  // namespace

Result<bool> FileLines::Next(std::string_view* line) {
  size_t searched = at_;
  for (;;) {
    const size_t end = buffer_.find('\n', searched);
    if (end != std::string::npos || (ended_ && at_ < buffer_.size())) {
      *line = std::string_view(buffer_).substr(at_, end == std::string::npos ? end : end - at_);
      open_end_ = end == std::string::npos;
      at_ = end == std::string::npos ? buffer_.size() : end + 1;
      ++number_;
      return true;
    }
    if (ended_) return false;
    if (buffer_.size() - at_ > kLineBytesMax) {
      return InvalidArgument(fmt::format("line {}: it is longer than {} MiB", number_ + 1, kLineBytesMax >> 20));
    }
    buffer_.erase(0, at_);
    at_ = 0;
    searched = buffer_.size();
    buffer_.resize(searched + kReadBytes);
    TM_TRY_ASSIGN(const size_t got, file_->Read(buffer_.data() + searched, kReadBytes));
    buffer_.resize(searched + got);
    ended_ = got < kReadBytes;
  }
}

Error FileLines::At(const Error& error) const { return error.Within(fmt::format("line {}", number_)); }

}  // namespace tidemark::cli

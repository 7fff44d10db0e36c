#include "tools/cli/transfer/progress_line.h"

#include <fmt/core.h>
#include <unistd.h>

#include <algorithm>

namespace tidemark::cli {
namespace {

using Seconds = std::chrono::duration<double>;

std::string Rate(double rate) {
  return rate >= 1e6 ? fmt::format("{:.1f} million/s", rate / 1e6) : fmt::format("{:.0f} thousand/s", rate / 1e3);
}

}  // namespace

std::string Grouped(uint64_t number) {
  const std::string digits = std::to_string(number);
  std::string out;
  for (size_t i = 0; i < digits.size(); ++i) {
    if (i > 0 && (digits.size() - i) % 3 == 0) out += ',';
    out += digits[i];
  }
  return out;
}

std::string ShownBytes(uint64_t bytes) {
  const auto size = static_cast<double>(bytes);
  if (bytes >= uint64_t{1} << 30) return fmt::format("{:.1f} GiB", size / (1U << 30));
  if (bytes >= uint64_t{1} << 20) return fmt::format("{:.1f} MiB", size / (1U << 20));
  if (bytes >= uint64_t{1} << 10) return fmt::format("{:.1f} KiB", size / (1U << 10));
  return fmt::format("{} B", bytes);
}

ProgressLine::ProgressLine(std::string_view verb) : verb_(verb), terminal_(isatty(STDERR_FILENO) != 0) {}

void ProgressLine::Show(uint64_t points, uint64_t done, uint64_t all) {
  const auto now = std::chrono::steady_clock::now();
  if (now - shown_ < (terminal_ ? std::chrono::milliseconds(200) : std::chrono::milliseconds(10'000))) return;
  shown_ = now;
  const double seconds = Seconds(now - begin_).count();
  const double part = all == 0 ? 0 : std::min(1.0, static_cast<double>(done) / static_cast<double>(all));
  std::string left;
  if (part > 0.01) left = fmt::format(", {:.0f} %, {:.0f} s left", part * 100, seconds / part - seconds);
  fmt::print(stderr, "{}{} points {}, {}{}{}", terminal_ ? "\r" : "", Grouped(points), verb_,
             Rate(static_cast<double>(points) / seconds), left, terminal_ ? "   " : "\n");
  open_ = terminal_;
}

void ProgressLine::Finish() {
  if (open_) fmt::print(stderr, "\n");
  open_ = false;
}

std::string ProgressLine::Summary(uint64_t points) const {
  const double seconds = std::max(1e-3, Seconds(std::chrono::steady_clock::now() - begin_).count());
  return fmt::format("{} points {} in {:.1f} s, {}", Grouped(points), verb_, seconds,
                     Rate(static_cast<double>(points) / seconds));
}

}  // namespace tidemark::cli

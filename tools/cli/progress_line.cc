#include "tools/cli/progress_line.h"

#include <fmt/core.h>
#include <unistd.h>

#include <algorithm>

#include "storage/base/text/count.h"

namespace tidemark::cli {
namespace {

using Seconds = std::chrono::duration<double>;

// From one line to the next.
constexpr std::chrono::milliseconds kTerminal(200);
constexpr std::chrono::milliseconds kElsewhere(10'000);

std::string Rate(double rate) {
  if (rate >= 1e6) return fmt::format("{:.1f} million/s", rate / 1e6);
  if (rate >= 1e4) return fmt::format("{:.0f} thousand/s", rate / 1e3);
  return fmt::format("{:.{}f}/s", rate, rate < 10 ? 1 : 0);
}

}  // namespace

std::string Grouped(uint64_t number) { return text::Grouped(number); }

std::string ShownBytes(uint64_t bytes) {
  const auto size = static_cast<double>(bytes);
  if (bytes >= uint64_t{1} << 30) return fmt::format("{:.1f} GiB", size / (1U << 30));
  if (bytes >= uint64_t{1} << 20) return fmt::format("{:.1f} MiB", size / (1U << 20));
  if (bytes >= uint64_t{1} << 10) return fmt::format("{:.1f} KiB", size / (1U << 10));
  return fmt::format("{} B", bytes);
}

ProgressLine::ProgressLine(std::string_view verb, std::string_view noun, Where where)
    : verb_(verb),
      noun_(noun),
      terminal_(isatty(STDERR_FILENO) != 0),
      on_(terminal_ || where == Where::kEverywhere),
      next_(where == Where::kTerminal ? begin_ : begin_ + (terminal_ ? kTerminal : kElsewhere)) {}

void ProgressLine::Show(uint64_t count, uint64_t done, uint64_t all) {
  const auto now = std::chrono::steady_clock::now();
  if (!on_ || now < next_) return;
  next_ = now + (terminal_ ? kTerminal : kElsewhere);
  const double seconds = std::max(1e-3, Seconds(now - begin_).count());
  const double part = all == 0 ? 0 : std::min(1.0, static_cast<double>(done) / static_cast<double>(all));
  std::string left;
  if (part > 0.01) left = fmt::format(", {:.0f} %, {:.0f} s left", part * 100, seconds / part - seconds);
  // Behind it, the rest of a longer line before goes.
  fmt::print(stderr, "{}{} {} {}, {}{}{}", terminal_ ? "\r" : "", Grouped(count), noun_, verb_,
             Rate(static_cast<double>(count) / seconds), left, terminal_ ? "\x1b[K" : "\n");
  open_ = terminal_;
}

void ProgressLine::Finish() {
  if (open_) fmt::print(stderr, "\n");
  open_ = false;
}

void ProgressLine::Erase() {
  if (open_) fmt::print(stderr, "\r\x1b[K");
  open_ = false;
}

std::string ProgressLine::Summary(uint64_t count) const {
  const double seconds = std::max(1e-3, Seconds(std::chrono::steady_clock::now() - begin_).count());
  // "1 point", of the noun for many.
  const std::string one = noun_.ends_with('s') ? noun_.substr(0, noun_.size() - 1) : noun_;
  return fmt::format("{} {} in {:.1f} s, {}", text::Counted(count, one, noun_), verb_, seconds,
                     Rate(static_cast<double>(count) / seconds));
}

}  // namespace tidemark::cli

#include "tools/cli/monitor/canvas.h"

#include <wchar.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <utility>

namespace tidemark::cli::monitor {
namespace {

struct Character {
  uint32_t code = 0;
  std::string_view bytes;
};

// Takes the first character off `text`; a byte that is none counts as U+FFFD.
Character Take(std::string_view* text) {
  const auto byte = [&](size_t at) { return static_cast<unsigned char>((*text)[at]); };
  const unsigned char first = byte(0);
  size_t size = first < 0x80 ? 1 : first >= 0xF0 && first < 0xF5 ? 4 : first >= 0xE0 ? 3 : first >= 0xC2 ? 2 : 0;
  uint32_t code = size == 1 ? first : size == 2 ? first & 0x1FU : size == 3 ? first & 0x0FU : first & 0x07U;
  if (size == 0 || first >= 0xF5 || size > text->size()) size = 0;
  for (size_t i = 1; i < size; ++i) {
    if ((byte(i) & 0xC0U) != 0x80U) {
      size = 0;
      break;
    }
    code = code << 6U | (byte(i) & 0x3FU);
  }
  Character out{.code = code, .bytes = text->substr(0, size)};
  if (size == 0) out = {.code = 0xFFFD, .bytes = "\xEF\xBF\xBD"};
  text->remove_prefix(std::max<size_t>(size, 1));
  return out;
}

// -1 for what must not be drawn.
int WidthOf(uint32_t code) {
  if (code < 0x20 || (code >= 0x7F && code < 0xA0)) return -1;
  if (code < 0x7F) return 1;
  // Marks that turn the direction of text around.
  if ((code >= 0x200B && code <= 0x200F) || (code >= 0x202A && code <= 0x202E) || (code >= 0x2066 && code <= 0x2069)) {
    return -1;
  }
  const int width = ::wcwidth(static_cast<wchar_t>(code));
  // Without a UTF-8 locale nothing is known of it; such a terminal shows ASCII only.
  return width < 0 ? 1 : width;
}

// What stands for a character where only ASCII can be shown.
std::string_view AsciiFor(uint32_t code) {
  switch (code) {
    case 0x2013:
    case 0x2014:
    case 0x2212:
    case 0x2500: return "-";
    case 0x2502: return "|";
    case 0x256D:
    case 0x256E:
    case 0x256F:
    case 0x2570: return "+";
    case 0xB5:
    case 0x3BC: return "u";
    case 0xD7: return "x";
    case 0xB7: return ".";
    case 0x2026: return "~";
    case 0x25CF: return "*";
    case 0x2192: return ">";
    case 0x2713: return "v";
    case 0x2717: return "x";
    case 0x20AC: return "E";
    case 0xB0: return "o";
    case 0x221E: return "I";
    case 0x2588: return "#";
    case 0x2591: return ".";
    default: break;
  }
  // The eight heights of a sparkline.
  constexpr std::string_view kHeights = "_.-:=+*#";
  if (code >= 0x2581 && code <= 0x2588) return kHeights.substr(code - 0x2581, 1);
  return "?";
}

constexpr std::string_view kHeights[] = {"▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};
constexpr std::string_view kColors[kStyles] = {"",         "\x1b[2m",  "\x1b[1m",  "\x1b[32m", "\x1b[33m",
                                               "\x1b[31m", "\x1b[34m", "\x1b[36m", "\x1b[7m"};

}  // namespace

int WidthOf(std::string_view text) {
  int columns = 0;
  while (!text.empty()) columns += std::max(WidthOf(Take(&text).code), 0);
  return columns;
}

Canvas::Canvas(int width, int height, bool ascii)
    : width_(std::max(width, 1)),
      height_(std::max(height, 1)),
      ascii_(ascii),
      cells_(static_cast<size_t>(width_) * static_cast<size_t>(height_), Cell{.text = " "}) {}

const Cell& Canvas::At(int x, int y) const {
  return cells_[static_cast<size_t>(y) * static_cast<size_t>(width_) + static_cast<size_t>(x)];
}

void Canvas::Set(int x, int y, std::string text, Style style) {
  if (x < 0 || y < 0 || x >= width_ || y >= height_) return;
  cells_[static_cast<size_t>(y) * static_cast<size_t>(width_) + static_cast<size_t>(x)] = {std::move(text), style};
}

int Canvas::Print(int x, int y, int columns, std::string_view text, Style style) {
  columns = std::min(columns, width_ - x);
  if (columns <= 0 || y < 0 || y >= height_) return 0;
  const bool cut = monitor::WidthOf(text) > columns;
  const int room = cut ? columns - 1 : columns;
  int at = 0;
  while (!text.empty()) {
    const Character character = Take(&text);
    const int width = WidthOf(character.code);
    if (width < 0) continue;
    if (width == 0) {
      if (at > 0 && x + at - 1 >= 0 && !ascii_) {
        cells_[static_cast<size_t>(y) * static_cast<size_t>(width_) + static_cast<size_t>(x + at - 1)].text +=
            character.bytes;
      }
      continue;
    }
    if (at + width > room) break;
    const std::string_view shown = ascii_ && character.code >= 0x80 ? AsciiFor(character.code) : character.bytes;
    Set(x + at, y, std::string(shown), style);
    for (int i = 1; i < width; ++i) Set(x + at + i, y, ascii_ ? " " : "", style);
    at += width;
  }
  if (cut) Set(x + at++, y, ascii_ ? "~" : "…", style);
  return at;
}

void Canvas::PrintRight(int x, int y, int columns, std::string_view text, Style style) {
  const int width = monitor::WidthOf(text);
  Print(x + std::max(columns - width, 0), y, std::min(columns, width), text, style);
}

void Canvas::Box(const Rect& rect, std::string_view title) {
  if (rect.width < 2 || rect.height < 2) return;
  const int right = rect.x + rect.width - 1;
  const int bottom = rect.y + rect.height - 1;
  for (int x = rect.x; x <= right; ++x) {
    Print(x, rect.y, 1, "─", Style::kDim);
    Print(x, bottom, 1, "─", Style::kDim);
  }
  for (int y = rect.y; y <= bottom; ++y) {
    Print(rect.x, y, 1, "│", Style::kDim);
    Print(right, y, 1, "│", Style::kDim);
  }
  Print(rect.x, rect.y, 1, "╭", Style::kDim);
  Print(right, rect.y, 1, "╮", Style::kDim);
  Print(rect.x, bottom, 1, "╰", Style::kDim);
  Print(right, bottom, 1, "╯", Style::kDim);
  if (title.empty() || rect.width < 6) return;
  const int taken = Print(rect.x + 2, rect.y, rect.width - 5, " ", Style::kPlain);
  const int words = Print(rect.x + 2 + taken, rect.y, rect.width - 6, title, Style::kBold);
  Print(rect.x + 2 + taken + words, rect.y, 1, " ", Style::kPlain);
}

void Canvas::Bar(int x, int y, int columns, double part, Style style) {
  const double clamped = std::isnan(part) ? 0 : std::clamp(part, 0.0, 1.0);
  const int full = static_cast<int>(std::lround(clamped * columns));
  for (int i = 0; i < columns; ++i) Print(x + i, y, 1, i < full ? "█" : "░", i < full ? style : Style::kDim);
}

void Canvas::Spark(int x, int y, int columns, const std::vector<double>& values, double least, double most,
                   Style style) {
  if (columns <= 0 || values.empty()) return;
  const auto count = static_cast<double>(values.size());
  for (int i = 0; i < columns; ++i) {
    const auto from = static_cast<size_t>(count * i / columns);
    const auto to = std::max(from + 1, static_cast<size_t>(count * (i + 1) / columns));
    // The highest value of those that share a column: what stands out is seen.
    double value = std::nan("");
    for (size_t at = from; at < to && at < values.size(); ++at) {
      if (!std::isnan(values[at]) && !(value >= values[at])) value = values[at];
    }
    if (std::isnan(value)) continue;
    const double part = most > least ? std::clamp((value - least) / (most - least), 0.0, 1.0) : 0.5;
    Print(x + i, y, 1, kHeights[static_cast<size_t>(std::lround(part * 7))], style);
  }
}

std::string Canvas::Text(bool color) const {
  std::string out;
  for (int y = 0; y < height_; ++y) {
    int last = width_ - 1;
    while (last >= 0 && At(last, y).text == " " && At(last, y).style != Style::kSelected) --last;
    Style now = Style::kPlain;
    for (int x = 0; x <= last; ++x) {
      const Cell& cell = At(x, y);
      if (color && cell.style != now) {
        out += "\x1b[0m";
        out += kColors[static_cast<size_t>(cell.style)];
        now = cell.style;
      }
      out += cell.text;
    }
    if (color && now != Style::kPlain) out += "\x1b[0m";
    out += '\n';
  }
  return out;
}

}  // namespace tidemark::cli::monitor

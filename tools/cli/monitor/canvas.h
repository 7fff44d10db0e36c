// Canvas: a screen of cells that text is drawn into, clipped at its edges; where it is shown is somebody else's
// business.
//
//   Canvas canvas(80, 24, {.ascii = false});
//   canvas.Box({0, 0, 40, 6}, "CPU");
//   canvas.Print(2, 1, 36, "user 12 %", Style::kGood);
//   puts(canvas.Text(/*color=*/false).c_str());
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace tidemark::cli::monitor {

enum class Style : uint8_t { kPlain, kDim, kBold, kGood, kWarn, kBad, kInfo, kAccent, kSelected };
inline constexpr size_t kStyles = 9;

struct Rect {
  int x = 0;
  int y = 0;
  int width = 0;
  int height = 0;
};

struct Cell {
  std::string text;  // one character with what combines with it; empty behind a wide one
  Style style = Style::kPlain;
  friend bool operator==(const Cell&, const Cell&) = default;
};

// Columns that `text` takes: control characters take none, wide characters two.
int WidthOf(std::string_view text);

// Not thread-safe. What is drawn outside is not drawn.
class Canvas {
 public:
  // `ascii`: nothing but ASCII is drawn; lines, bars and other characters are replaced by what is like them.
  Canvas(int width, int height, bool ascii);

  [[nodiscard]] int width() const { return width_; }
  [[nodiscard]] int height() const { return height_; }
  [[nodiscard]] const Cell& At(int x, int y) const;

  // Draws at most `columns` columns of `text`, the last an ellipsis where it is longer. Control characters are left
  // out, so that no text of data moves a cursor. The columns that it took.
  int Print(int x, int y, int columns, std::string_view text, Style style = Style::kPlain);
  // The same, ending at column `x + columns`.
  void PrintRight(int x, int y, int columns, std::string_view text, Style style = Style::kPlain);
  // A frame with a title in its upper line.
  void Box(const Rect& rect, std::string_view title);
  // A bar of `columns` columns of which `part`, 0 to 1, is full.
  void Bar(int x, int y, int columns, double part, Style style);
  // Values as columns of eight heights between `least` and `most`; NaN leaves a gap.
  void Spark(int x, int y, int columns, const std::vector<double>& values, double least, double most, Style style);

  // Lines without spaces at their ends. `color`: with ANSI colours.
  [[nodiscard]] std::string Text(bool color) const;

 private:
  void Set(int x, int y, std::string text, Style style);

  const int width_;
  const int height_;
  const bool ascii_;
  std::vector<Cell> cells_;
};

}  // namespace tidemark::cli::monitor

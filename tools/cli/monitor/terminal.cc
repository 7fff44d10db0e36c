#include "tools/cli/monitor/terminal.h"

#define NCURSES_NOMACROS 1
#define NCURSES_WIDECHAR 1
#include <ncurses.h>

#include <algorithm>
#include <array>

namespace tidemark::cli::monitor {
namespace {

struct Look {
  short color;  // -1: the terminal's own
  attr_t attribute;
};

// By Style. What a colour says is said by an attribute too where there is none.
constexpr std::array<Look, kStyles> kLooks = {{{-1, A_NORMAL},
                                               {-1, A_DIM},
                                               {-1, A_BOLD},
                                               {COLOR_GREEN, A_NORMAL},
                                               {COLOR_YELLOW, A_NORMAL},
                                               {COLOR_RED, A_BOLD},
                                               {COLOR_BLUE, A_NORMAL},
                                               {COLOR_CYAN, A_NORMAL},
                                               {-1, A_REVERSE}}};

constexpr int kEscape = 27;

}  // namespace

Terminal::Terminal(bool color) {
  ::initscr();
  ::cbreak();
  ::noecho();
  ::keypad(stdscr, true);
  ::set_escdelay(25);
  ::curs_set(0);
  if (color && ::has_colors()) {
    ::start_color();
    // The terminal's own background stays.
    ::use_default_colors();
    for (size_t style = 0; style < kLooks.size(); ++style) {
      ::init_pair(static_cast<short>(style + 1), kLooks[style].color, -1);
    }
  }
}

Terminal::~Terminal() { ::endwin(); }

int Terminal::width() const { return std::max(::getmaxx(stdscr), 1); }
int Terminal::height() const { return std::max(::getmaxy(stdscr), 1); }

std::optional<Press> Terminal::Read(int wait_ms) {
  ::wtimeout(stdscr, wait_ms);
  const int key = ::wgetch(stdscr);
  if (key == ERR) return std::nullopt;
  if (key >= '0' && key <= '9') return Press{.key = Key::kDigit, .digit = key - '0'};
  switch (key) {
    case 'q':
    case 'Q':
    case kEscape: return Press{.key = Key::kQuit};
    case '?':
    case 'h': return Press{.key = Key::kHelp};
    case 'p':
    case ' ': return Press{.key = Key::kPause};
    case 'r': return Press{.key = Key::kRefresh};
    case '\t':
    case KEY_RIGHT: return Press{.key = Key::kNextPage};
    case KEY_BTAB:
    case KEY_LEFT: return Press{.key = Key::kPageBefore};
    case 'a': return Press{.key = Key::kAlerts};
    case 's': return Press{.key = Key::kSilences};
    case 'u': return Press{.key = Key::kRules};
    case '+':
    case '=': return Press{.key = Key::kLonger};
    case '-': return Press{.key = Key::kShorter};
    case 'k':
    case KEY_UP: return Press{.key = Key::kUp};
    case 'j':
    case KEY_DOWN: return Press{.key = Key::kDown};
    case KEY_PPAGE: return Press{.key = Key::kPageUp};
    case KEY_NPAGE: return Press{.key = Key::kPageDown};
    case KEY_RESIZE: return Press{.key = Key::kResize};
    default: return Press{};
  }
}

void Terminal::Show(const Canvas& canvas) {
  ::werase(stdscr);
  for (int y = 0; y < std::min(canvas.height(), height()); ++y) {
    for (int x = 0; x < std::min(canvas.width(), width()); ++x) {
      const Cell& cell = canvas.At(x, y);
      if (cell.text.empty() || (cell.text == " " && cell.style != Style::kSelected)) continue;
      const auto style = static_cast<size_t>(cell.style);
      ::wattr_set(stdscr, kLooks[style].attribute, ::has_colors() ? static_cast<short>(style + 1) : short{0}, nullptr);
      ::mvwaddstr(stdscr, y, x, cell.text.c_str());
    }
  }
  ::wattr_set(stdscr, A_NORMAL, 0, nullptr);
  ::wrefresh(stdscr);
}

}  // namespace tidemark::cli::monitor

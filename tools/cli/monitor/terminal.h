// Terminal: the screen and the keys, through ncurses. The one place that knows it.
#pragma once

#include <optional>

#include "tools/cli/monitor/canvas.h"

namespace tidemark::cli::monitor {

enum class Key {
  kQuit,
  kHelp,
  kPause,
  kRefresh,
  kNextPage,
  kPageBefore,
  kAlerts,
  kSilences,
  kRules,
  kLonger,
  kShorter,
  kUp,
  kDown,
  kPageUp,
  kPageDown,
  kResize,
  kDigit,
  kOther
};

struct Press {
  Key key = Key::kOther;
  int digit = 0;  // of kDigit
};

// One at a time in a process. The terminal is as it was when it goes, and when a signal ends the process.
class Terminal {
 public:
  // `color`: with colours where the terminal has some.
  explicit Terminal(bool color);
  ~Terminal();
  Terminal(const Terminal&) = delete;
  Terminal& operator=(const Terminal&) = delete;

  [[nodiscard]] int width() const;
  [[nodiscard]] int height() const;
  // The next key; nullopt when there is none for `wait_ms`.
  std::optional<Press> Read(int wait_ms);
  // Shows the canvas; only cells that changed are sent.
  void Show(const Canvas& canvas);
};

}  // namespace tidemark::cli::monitor

// Log: one line per event, through spdlog, which only log.cc includes (its header costs 3 s per file).
//
//   TM_LOG(kInfo, "checkpoint {} wrote {} bytes in {} ms", n, bytes, ms);
#pragma once

#include <fmt/core.h>

#include <string_view>

namespace tidemark::log {

enum class Level { kTrace = 0, kDebug = 1, kInfo = 2, kWarn = 3, kError = 4 };

// Lines below `level` are dropped. Thread-safe. Default kInfo, to standard error.
void SetLevel(Level level);
[[nodiscard]] bool Enabled(Level level);

// Writes one line. Thread-safe; never throws. Use TM_LOG.
void Write(Level level, fmt::string_view format, fmt::format_args args);

template <typename... Args>
void Print(Level level, fmt::format_string<Args...> format, Args&&... args) {
  Write(level, format, fmt::make_format_args(args...));
}

}  // namespace tidemark::log

#define TM_LOG(level, ...)                                                \
  do {                                                                    \
    if (::tidemark::log::Enabled(::tidemark::log::Level::level)) {        \
      ::tidemark::log::Print(::tidemark::log::Level::level, __VA_ARGS__); \
    }                                                                     \
  } while (false)

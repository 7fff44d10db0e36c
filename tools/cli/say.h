// Say: prints for people what may hold words of others: a tag's value, a refused line, a server's answer, a name of a
// file. On a terminal such words show, and do nothing else (storage/base/text/terminal_text.h); into a file or a pipe
// they go as they came.
#pragma once

#include <fmt/core.h>

#include <cstdio>
#include <utility>

#include "storage/base/text/terminal_text.h"

namespace tidemark::cli {

template <typename... Args>
void Say(std::FILE* out, fmt::format_string<Args...> format, Args&&... args) {
  fmt::print(out, "{}", text::TextFor(out, fmt::format(format, std::forward<Args>(args)...)));
}

template <typename... Args>
void Say(fmt::format_string<Args...> format, Args&&... args) {
  Say(stdout, format, std::forward<Args>(args)...);
}

}  // namespace tidemark::cli

// TerminalText: text of somebody else, so that a terminal shows it and does nothing else. What a task prints, a tag's
// value or a refused line may come from anywhere: a name of a file, a page of the web. Escape sequences would move the
// cursor over what others have written, change the title, or make the terminal type something.
#pragma once

#include <cstdio>
#include <string>
#include <string_view>

namespace tidemark::text {

// Of one line, without its end. Colours (ESC [ ... m) are left out; other control characters are shown as ^[ and the
// like, those above U+007F and bytes that are no UTF-8 as \x9b. Tabs stay; a carriage return at the end goes.
std::string TerminalText(std::string_view line);

// Of several lines, each with its end.
std::string TerminalLines(std::string_view text);

// For printing to `out`: TerminalLines where that is a terminal. Into a file or a pipe everything goes as it came.
std::string TextFor(std::FILE* out, std::string_view text);

}  // namespace tidemark::text

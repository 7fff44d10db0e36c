// TerminalText: what a task wrote, so that a terminal shows it and does nothing else. What a task prints may come from
// anywhere: a name of a file, a page of the web. Escape sequences would move the cursor over what others have written,
// change the title, or make the terminal type something.
#pragma once

#include <string>
#include <string_view>

namespace tidemark::executor {

// Of one line, without its end. Colours (ESC [ ... m) are left out; other control characters are shown as ^[ and the
// like, those above U+007F and bytes that are no UTF-8 as \x9b. Tabs stay; a carriage return at the end goes.
std::string TerminalText(std::string_view line);

}  // namespace tidemark::executor

#include "storage/base/text/terminal_text.h"

#include <gtest/gtest.h>

namespace tidemark::text {
namespace {

TEST(TerminalTextTest, TextStaysAsItIs) {
  EXPECT_EQ(TerminalText("plain\ttext, größer, 日本"), "plain\ttext, größer, 日本");
  EXPECT_EQ(TerminalText(""), "");
  EXPECT_EQ(TerminalText("a line of Windows\r"), "a line of Windows");
}

TEST(TerminalTextTest, ColoursGo) { EXPECT_EQ(TerminalText("\x1b[1;31mred\x1b[0m and \x1b[mplain"), "red and plain"); }

TEST(TerminalTextTest, NothingReachesTheTerminalThatItWouldObey) {
  EXPECT_EQ(TerminalText("\x1b[2J\x1b[H"), "^[[2J^[[H");
  EXPECT_EQ(TerminalText("\x1b]0;title\x07"), "^[]0;title^G");
  EXPECT_EQ(TerminalText("\x1b[1;31"), "^[[1;31") << "the end of the sequence may come with the next line";
  EXPECT_EQ(TerminalText("over\rwritten\x08\x7f"), "over^Mwritten^H^?");
  EXPECT_EQ(TerminalText("\xc2\x9b"
                         "2J"),
            "\\x9b2J");
  EXPECT_EQ(TerminalText("\x9b"
                         "2J"),
            "\\x9b2J");
  for (int c = 0; c < 256; ++c) {
    for (const char shown : TerminalText(std::string(1, static_cast<char>(c)) + "x")) {
      EXPECT_TRUE((shown >= ' ' && shown < '\x7f') || shown == '\t') << c;
    }
  }
}

TEST(TerminalTextTest, LinesKeepTheirEnds) {
  EXPECT_EQ(TerminalLines("a\x1b[2J\r\nb\n\n"), "a^[[2J\nb\n\n");
  EXPECT_EQ(TerminalLines("no end\x07"), "no end^G");
  EXPECT_EQ(TerminalLines(""), "");
}

TEST(TerminalTextTest, AFileGetsEverythingAsItCame) {
  std::FILE* const file = std::tmpfile();
  ASSERT_NE(file, nullptr);
  EXPECT_EQ(TextFor(file, "a\x1b[2J\r\n"), "a\x1b[2J\r\n");
  std::fclose(file);
}

}  // namespace
}  // namespace tidemark::text
